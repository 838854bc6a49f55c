from __future__ import annotations

import pytest

from kept_models import Kept, keep


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kept]:
    return keep(tmp_path_factory.mktemp("kept"))
