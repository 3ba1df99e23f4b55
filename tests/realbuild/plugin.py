"""The `engine` fixture: one real engine for the whole run, or one line in the summary about the builds left out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from dfopt.engine.fanotify import Fanotify

from .engine import Engine, EngineError, PrivateEngine, make_bases

PACKAGES = (
    "docker.io docker-cli docker-buildx mmdebstrap busybox-static ca-certificates docker-registry apache2-utils "
    "skopeo umoci buildah podman"
)
BASES = ("busybox", "debian", "debian-slim", "alpine", "python")  # what most tests build on; more: see more_bases
_LEFT_OUT = "real builds left out: "


def _unavailable(reason: str) -> NoReturn:
    """In CI nothing is left out; elsewhere the test is skipped, and the summary tells once why."""
    if os.environ.get("CI"):
        pytest.fail(f"no engine for real builds: {reason}", pytrace=False)
    pytest.skip(_LEFT_OUT + reason)


def require(*programs: str) -> None:
    """Skips the test, in CI fails it, where one of `programs` is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        _unavailable(f"{' '.join(missing)} not found; they need: apt-get install {PACKAGES}")


@pytest.fixture(scope="session")
def may_start_engine() -> None:
    """Skips, in CI fails, where no engine of one's own can be started."""
    require("dockerd", "docker", "mmdebstrap", "mmtarfilter", "busybox")
    if os.geteuid() != 0:
        _unavailable("they need root to start an engine, or DFOPT_TEST_ENGINE=SOCKET of a running one")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A docker engine that holds the stand-ins of make-bases.sh.

    `DFOPT_TEST_ENGINE` (a socket's path or a DOCKER_HOST address) names a running one, which is used as it is: then no
    base is made, and a base that is missing there is pulled by the engine's own means.
    """
    private = PrivateEngine()
    given = os.environ.get("DFOPT_TEST_ENGINE")
    try:
        if given:
            host = given if "://" in given else f"unix://{given}"
        else:
            request.getfixturevalue("may_start_engine")
            try:
                host = private.start(BASES)
            except EngineError as error:
                _unavailable(str(error))
        engine = Engine(host)
        try:
            engine.check()  # an engine that was named must answer: this error is never a skip
            yield engine
        finally:
            engine.close()
    finally:
        private.stop()


@pytest.fixture(scope="session")
def networks() -> None:
    """Skips, in CI fails, where the network of a container cannot be entered."""
    require("nsenter")
    if os.geteuid() != 0:
        _unavailable("they need root to ask a server in its container's own network")


@pytest.fixture(scope="session")
def fanotify() -> None:
    """Skips, in CI fails, where this machine does not let a container's files be watched."""
    try:
        Fanotify().close()
    except OSError as failure:
        _unavailable(f"they need fanotify to see which files a container opens: {failure}")


@pytest.fixture(scope="session")
def more_bases(engine: Engine) -> Callable[..., None]:
    """more_bases(NAME ...): makes these bases of make-bases.sh too; nothing where the engine was given."""

    def make(*names: str) -> None:
        if not os.environ.get("DFOPT_TEST_ENGINE"):
            make_bases(engine.host, *names)

    return make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = [
        report.longrepr[2].partition(_LEFT_OUT)[2]
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple) and _LEFT_OUT in report.longrepr[2]
    ]
    if reasons:
        first = reasons[0].split("\n")[0]
        terminalreporter.write_line(f"{len(reasons)} tests with a real engine were left out: {first}", yellow=True)
