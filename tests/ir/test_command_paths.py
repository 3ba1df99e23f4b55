"""Programs whose path a shell keeps although they are installed again, and RUNs that replace their shell."""

from __future__ import annotations

import pytest

from dfopt.ir.command_paths import stale_path
from dfopt.ir.program import Program
from dfopt.rewrites.join_checks import replaces_shell
from dfopt.syntax.dockerfile import parse


def program_of(*runs: str, before: str = "") -> Program:
    return Program(parse(f"FROM debian:13\n{before}" + "".join([f"RUN {run}\n" for run in runs])))


@pytest.mark.parametrize(
    ("runs", "name"),
    [
        pytest.param(("npm install -g npm@8", "npm ci"), "npm", id="by-itself"),
        pytest.param(("pip install --upgrade pip", "pip install flask"), "pip", id="by-its-own-family"),
        pytest.param(("cmake --version", "pip install cmake", "cmake ."), "cmake", id="in-between"),
        pytest.param(("cmake --version", "pip install cmake && cmake ."), "cmake", id="in-the-later-one"),
        pytest.param(("node -v", "rm /usr/local/bin/node", "node -v"), "node", id="removed"),
        pytest.param(("curl -V", "make install", "curl -V"), "curl", id="by-make-install"),
        pytest.param(("git --version && ./setup.sh", "git --version"), "", id="scripts-bring-no-fetcher"),
        pytest.param(("cmake --version && ./setup.sh", "cmake ."), "cmake", id="by-a-script"),
        pytest.param(("apt-get install -y git && git clone x", "git pull"), "", id="installed-before-it-is-called"),
        pytest.param(("git clone x", "which git", "git pull"), "", id="only-named"),
        pytest.param(("/usr/bin/npm i -g npm", "npm ci"), "", id="called-by-path"),
        pytest.param(("npm() { :; }; npm install -g npm", "npm ci"), "", id="a-function"),
        pytest.param(("npm install -g npm", "yarn"), "", id="not-called-again"),
        pytest.param(("apt-get install -y apt", "apt-get update"), "", id="of-the-system"),
    ],
)
def test_stale_path(runs: tuple[str, ...], name: str) -> None:
    program = program_of(*runs)
    assert stale_path(program, program.stages[0].steps, 0) == name


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        pytest.param("rm /bin/sh && ln -s /bin/bash /bin/sh", True, id="link"),
        pytest.param("cd /bin && ln -sf bash sh", True, id="relative"),
        pytest.param("mv /bin/sh /bin/sh.old", True, id="moved"),
        pytest.param("ln -sf /bin/bash /usr/bin/sh", True, id="usr"),
        pytest.param("dpkg-reconfigure -f noninteractive dash", True, id="dpkg-reconfigure"),
        pytest.param("useradd -s /bin/sh app", False, id="login-shell"),
        pytest.param("ln -s /bin/sh /usr/local/bin/my-sh", False, id="link-to-it"),
        pytest.param("chmod 755 /bin/sh", False, id="mode"),
    ],
)
def test_replaces_shell(run: str, expected: bool) -> None:
    program = program_of(run)
    assert replaces_shell(program, program.stages[0].steps[0]) is expected


def test_another_shell_than_sh() -> None:
    program = program_of("cp /srv/bash /bin/bash", "rm /bin/sh", before='SHELL ["/bin/bash", "-c"]\n')
    first, second = program.stages[0].steps[1:]
    assert replaces_shell(program, first)
    assert not replaces_shell(program, second)
