"""What all tests share: BuildKit as the judge, or one line about what was left out without it; Hypothesis' profile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from oracle_client import PACKAGES, Oracle, OracleMissing, require_buildkit

from dfopt.passes.base import registered
from dfopt.recipes.load import RecipeLibrary

pytest_plugins = ["realbuild.plugin"]  # the `engine` fixture

# A machine under load is slow, and that is no failure; in CI a run is the same each time.
settings.register_profile(
    "dfopt", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("dfopt")
settings.register_profile("fast", settings(max_examples=10, derandomize=True))  # for `tests/run fast`

# Where a script starts the tests in the background, the shell has them ignore Ctrl-C, and so would all programs that
# they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", nargs="?", const="", metavar="PASS",
        help="write the expected files of golden cases anew, of all or of one pass or recipe",
    )  # fmt: skip
    parser.addoption("--golden-sample", type=int, metavar="N", help="test N golden cases of each pass, not all of them")


def pytest_configure(config: pytest.Config) -> None:
    group = config.getoption("--update-golden")
    if group and group not in registered() and group not in RecipeLibrary().names():
        raise pytest.UsageError(f"--update-golden: no such pass or recipe: {group} (without a name, it comes last)")


_LEFT_OUT = "BuildKit comparison left out"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built once."""
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)],
        cwd=Path(__file__).parents[1], check=True, capture_output=True,
    )  # fmt: skip
    (built,) = place.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def buildkit() -> Path:
    """BuildKit's `frontend/dockerfile` directory, which holds its own test data.

    Without it, a test fails in CI; elsewhere it is skipped, and the summary tells once what to install."""
    try:
        return require_buildkit()
    except OracleMissing as error:
        missing = str(error)
    if os.environ.get("CI"):
        pytest.fail(missing, pytrace=False)
    pytest.skip(_LEFT_OUT)


@pytest.fixture(scope="session")
def oracle(buildkit: Path) -> Iterator[Oracle]:
    """BuildKit's own parser, instruction parser, word expansion and LLB converter."""
    with Oracle() as judge:
        yield judge


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [
        report
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple) and report.longrepr[2].endswith(_LEFT_OUT)
    ]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} tests that compare dfopt with BuildKit itself were left out; they need: apt-get install "
            f"{PACKAGES}",
            yellow=True,
        )
