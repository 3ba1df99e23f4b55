"""The shells that judge, asked once for all bodies. In CI they have to be there."""

from __future__ import annotations

import os
import shutil

import pytest
from syntax.shell.refused_bodies import EXTENDED, INVALID, STRICTER
from syntax.shell.shell_oracles import accepted, shfmt_program
from syntax.shell.valid_bodies import VALID


def _needed(program: str, found: str | None) -> str:
    if found is None and os.environ.get("CI"):
        pytest.fail(f"{program} is missing", pytrace=False)
    if found is None:
        pytest.skip(f"{program} is missing")
    return found


@pytest.fixture(scope="session")
def bash() -> dict[str, bool]:
    """What `bash -n` says of every body of the tables."""
    program = _needed("bash", shutil.which("bash"))
    bodies = [*VALID.values(), *INVALID.values(), *EXTENDED.values(), *(body for body, _ in STRICTER.values())]
    return dict(zip(bodies, accepted([program], bodies), strict=True))


@pytest.fixture(scope="session")
def dash() -> dict[str, bool]:
    """What `dash -n` says of every valid body."""
    bodies = list(VALID.values())
    return dict(zip(bodies, accepted([_needed("dash", shutil.which("dash"))], bodies), strict=True))


@pytest.fixture(scope="session")
def shfmt() -> str:
    return _needed("shfmt", shfmt_program())
