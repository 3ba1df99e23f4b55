"""What the documentation of `dependency-layers` says was measured is what the table of savings keeps."""

from __future__ import annotations

import pytest

from dfopt.knowledge import table
from dfopt.passes.dependency_layers.dependency_layers import DependencyLayers

MEASURED = table("savings")["rebuild"]


@pytest.mark.parametrize("command", MEASURED)
def test_measured(command: str) -> None:
    text = " ".join((DependencyLayers.__doc__ or "").split())
    before, after = MEASURED[command]
    assert after < before
    said = text.partition(f"`{command}`")[2].partition(";")[0]
    assert f"{before}, {after}" in said
