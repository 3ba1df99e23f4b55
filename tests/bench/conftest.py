from __future__ import annotations

from pathlib import Path

import pytest

from .helpers import sample_of
from .measure import Bench
from .sample import Sample


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return sample_of(tmp_path / "sample", "FROM a\n", "FROM b\n")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "scratch").mkdir()
    return Bench(tmp_path / "scratch", limit=60)
