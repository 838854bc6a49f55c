from pathlib import Path

import pytest
import torch

SLOW = {
    "balancing/contract/test_every_rule.py",
    "balancing/contract/test_verdicts.py",
    "balancing/levels/test_accumulation.py",
    "balancing/levels/test_contract.py",
    "balancing/levels/test_failures.py",
    "balancing/levels/test_mixed_precision.py",
    "balancing/rules/test_contract.py",
    "balancing/rules/test_torchjd.py",
    "balancing/test_host_reads.py",
    "balancing/test_own_optimizer.py",
    "balancing/test_processes.py",
    "balancing/test_simulated_device.py",
    "data/adapters/test_table.py",
    "data/ranking/test_aliexpress_archive.py",
    "data/ranking/test_batches.py",
    "data/ranking/test_csv_blocks.py",
    "data/ranking/test_writer.py",
    "data/scenes/test_official.py",
    "data/scenes/test_writer.py",
    "data/stand_in/test_rows.py",
    "docs/test_pages.py",
    "faults/test_damaged.py",
    "faults/test_full_disk.py",
    "faults/test_killed.py",
    "models/ranking/test_contract.py",
    "models/scenes/test_contract.py",
    "reporting/test_figures.py",
    "reporting/test_scenes.py",
    "reporting/test_tables.py",
    "reporting/test_toy.py",
    "studies/test_toy_trajectory.py",
    "tracking/test_live.py",
    "tracking/test_store.py",
    "tracking/test_ui.py",
    "training/test_every_balancer.py",
    "training/test_run.py",
    "training/test_scenes.py",
    "training/test_simulated_device.py",
    "training/test_step.py",
}
"""Files whose tests take the most time, beside the workflow's: `make quick` leaves them out."""


@pytest.fixture(autouse=True)
def _seeded():
    """Every test draws the same numbers, whatever ran before it; what a run asks of torch ends with its test."""
    torch.manual_seed(0)
    yield
    torch.use_deterministic_algorithms(False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the workflow start other programs; they are slow, and come first.

    One process then begins with them, while the other begins with the second half and takes over what is left of the
    first.
    """
    root = Path(__file__).parent
    items.sort(key=lambda item: "workflow" not in item.path.parts)
    for item in items:
        if "workflow" in item.path.parts or item.path.relative_to(root).as_posix() in SLOW:
            item.add_marker(pytest.mark.slow)
