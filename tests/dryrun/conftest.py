"""The `pool` fixture: workers for dry runs, or one line in the summary about what was left out without them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from oracle_client import OracleMissing

from dryrun.pool import Pool
from dryrun.sandbox import SandboxMissing

_LEFT_OUT = "dry runs left out: "


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    try:
        workers = Pool()
    except (SandboxMissing, OracleMissing) as error:
        missing = str(error)
    else:
        with workers:
            yield workers
        return
    if os.environ.get("CI"):
        pytest.fail(f"no dry run is possible: {missing}", pytrace=False)
    pytest.skip(_LEFT_OUT + missing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = [
        report.longrepr[2].partition(_LEFT_OUT)[2]
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple) and _LEFT_OUT in report.longrepr[2]
    ]
    if reasons:
        terminalreporter.write_line(f"{len(reasons)} dry runs were left out: {reasons[0]}", yellow=True)
