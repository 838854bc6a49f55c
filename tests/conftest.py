import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded():
    """Every test draws the same numbers, whatever ran before it; what a run asks of torch ends with its test."""
    torch.manual_seed(0)
    yield
    torch.use_deterministic_algorithms(False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the workflow start other programs: `make quick` leaves them out.

    They come first. One process then begins with them, while the other begins with the second half and takes over what
    is left of the first.
    """
    items.sort(key=lambda item: "workflow" not in item.path.parts)
    for item in items:
        if "workflow" in item.path.parts:
            item.add_marker(pytest.mark.slow)
