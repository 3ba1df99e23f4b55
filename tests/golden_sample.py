"""Which golden cases a run tests, and which it writes anew: what `--golden-sample` and `--update-golden` say."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from dfopt.testing import golden


def of_each_group(names: Iterable[str], config: pytest.Config) -> list[str]:
    """Of the names `GROUP/CASE` those to be tested, sorted: all, or that many of each group as `--golden-sample` says.
    Which ones depends on nothing but their names."""
    number: int | None = config.getoption("--golden-sample")
    by_group = groupby(sorted(names), key=lambda name: name.rpartition("/")[0])
    chosen = [sorted(cases, key=lambda name: zlib.crc32(name.encode()))[:number] for _, cases in by_group]
    return sorted(name for cases in chosen for name in cases)


def updates(case: golden.GoldenCase, config: pytest.Config) -> bool:
    """Whether the expected files of a case are to be written anew."""
    group: str | None = config.getoption("--update-golden")
    return group in ("", case.files.group)
