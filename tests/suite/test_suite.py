"""A reduced run of the suite: some applications, built before and after all safe passes, must do what they did.

The whole suite is run by hand: `python -m tests.suite`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from realbuild.engine import Engine

from . import trial as trials
from .__main__ import command_line
from .apps import HERE, NEWEST, SETS, App, AppError, find_apps, load_app
from .report import table
from .smoke import smoke
from .trial import try_app

# Application -> the passes that must be among those that are applied. More may come; none of these may go.
EXPECTED = {
    "archive-add": {"add-to-copy"},
    "c-server": {"apt-cleanup", "merge-run"},
    "copy-chown": set[str](),
    "env-args": {"legacy-env-label"},
    "node-express": {"npm-cleanup"},
    "two-stages": {"merge-run"},
}
# Application -> how many of its bytes may be left on the slim image.
SLIM = {"node-http": 0.5, "py-cext": 0.7}
BASES = ("node", "golang", "python-full")


@pytest.mark.parametrize("name", EXPECTED)
def test_application(engine: Engine, networks: None, more_bases: Callable[..., None], name: str) -> None:
    more_bases(*BASES)
    (app,) = find_apps("apps", [name])
    trial = try_app(engine, app, ["--modernize"], rebuild=False)
    assert trial.error == ""
    assert trial.before is not None
    assert trial.before.failures == []
    if EXPECTED[name]:
        assert trial.after is not None
    assert set(trial.applied) >= EXPECTED[name]
    if trial.after is not None:
        assert trial.after.failures == []
        assert trial.after.figures.docker_bytes <= trial.before.figures.docker_bytes
        assert trial.after.figures.user == trial.before.figures.user


@pytest.mark.parametrize("name", SLIM)
def test_slim_base(engine: Engine, networks: None, more_bases: Callable[..., None], name: str) -> None:
    more_bases(*BASES)
    (app,) = find_apps("apps", [name])
    trial = try_app(engine, app, ["--select", "swap-base", "--unsafe"], rebuild=False)
    assert (trial.error, trial.applied) == ("", {"swap-base": 1})
    assert trial.before is not None
    assert trial.after is not None
    assert (trial.before.failures, trial.after.failures) == ([], [])
    assert trial.after.figures.docker_bytes < SLIM[name] * trial.before.figures.docker_bytes


@pytest.mark.parametrize("group", SETS)
def test_applications_can_be_read(group: str) -> None:
    apps = find_apps(group)
    assert len(apps) >= {"apps": 30, "unseen": 10, "unseen2": 12, "unseen3": 22}[group]
    assert all((app.directory / "Dockerfile").is_file() for app in apps)


def test_every_set_is_known() -> None:
    assert {file.parent.parent.name for file in HERE.glob("*/*/smoke.toml")} == set(SETS)
    assert max(SETS[1:], key=lambda name: int(name.removeprefix("unseen") or 1)) == NEWEST


@pytest.mark.parametrize(
    ("words", "chosen"),
    [([], "apps"), (["--unseen"], NEWEST), *((["--set", name], name) for name in SETS)],
    ids=["none", "unseen", *SETS],
)
def test_which_set(words: list[str], chosen: str) -> None:
    assert command_line(words).set == chosen


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "seen"], "argument --set: invalid choice: 'seen'"),
        (["--set", "apps", "--unseen"], "argument --unseen: not allowed with argument --set"),
        (["--before-only", "--each"], "argument --each: not allowed with argument --before-only"),
    ],
    ids=["unknown set", "two sets", "passes of no run"],
)
def test_options_that_contradict(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command_line(words)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_before_only(engine: Engine, networks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(context: Path, options: object) -> None:
        pytest.fail(f"dfopt ran on {context}")

    monkeypatch.setattr(trials, "fix", never)
    app = _app(tmp_path, SERVER + '[[ask]]\npath = "/none"\nbody = ""\n')
    trial = try_app(engine, app, None, rebuild=False)
    assert (trial.after, trial.applied, trial.refused, trial.error) == (None, {}, [], "")
    assert trial.before is not None
    assert trial.before.failures == ["GET /none: status 404, not 200"]
    assert not trial.ok
    assert trial.before.figures.docker_bytes > 0
    assert any("FAILED" in line and "before: GET /none" in line for line in table([trial]))


def _app(directory: Path, smoke_file: str) -> App:
    (directory / "Dockerfile").write_text("FROM busybox\nCOPY page /page\nCMD busybox httpd -f -p 80 -h /\n")
    (directory / "page").write_text("text")
    (directory / "smoke.toml").write_text(f'about = ""\ntouch = "page"\n{smoke_file}')
    return load_app(directory)


SERVER = 'port = 80\n[[ask]]\npath = "/page"\nbody = "text"\n'
WRONG = [
    ("another body", SERVER + '[[ask]]\npath = "/page"\nbody = "test"\n', ["GET /page: 'text', not 'test'"]),
    ("not in the body", SERVER + '[[ask]]\npath = "/page"\ncontains = "q"\n', ["GET /page: no 'q' in 'text'"]),
    ("missing page", SERVER + '[[ask]]\npath = "/none"\nbody = ""\n', ["GET /none: status 404, not 200"]),
    ("right", SERVER + '[[ask]]\npath = "/none"\nstatus = 404\n', []),
    (
        "commands",
        '[[call]]\nwords = ["cat", "/page"]\nstdout = "test"\n[[call]]\nwords = ["cat", "/none"]\nstdout = ""\n'
        '[[call]]\nwords = ["cat"]\ninput = "in"\nstdout = "in"\n[[call]]\nwords = ["cat", "/none"]\ncode = 1\n',
        [
            "cat /page: 'text', not 'test'",
            "cat /none: status 1, not 0: cat: can't open '/none': No such file or directory",
        ],
    ),
    (
        "server that ends",
        'port = 80\nwords = ["false"]\n[[ask]]\npath = "/"\nbody = ""\n[[ask]]\npath = "/"\nbody = ""\n',
        ["ended at once: "],
    ),
]


@pytest.mark.parametrize(("text", "failures"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_smoke_sees_what_is_wrong(
    engine: Engine, networks: None, tmp_path: Path, text: str, failures: list[str]
) -> None:
    app = _app(tmp_path, text)
    image = engine.build(tmp_path, (tmp_path / "Dockerfile").read_bytes())
    try:
        assert smoke(engine, app, image) == failures
    finally:
        engine.remove(image)


BAD = [
    ("no TOML", "=", "smoke.toml"),
    ("unknown key", SERVER.replace("port", "gate = 1\nport", 1), "unknown keys: gate"),
    ("one request", SERVER, "one request tells too little"),
    ("neither", "", r"either port and \[\[ask\]\], or \[\[call\]\]"),
    ("nothing expected", SERVER + '[[ask]]\npath = "/"\n', "give one of body and contains"),
    ("both expected", SERVER + '[[ask]]\npath = "/"\nbody = ""\ncontains = ""\n', "give one of body and contains"),
    ("port is a string", SERVER.replace("80", '"80"'), "port must be a int"),
    ("no files to serve", f'serve = "URL"\n{SERVER}', "there is no directory served/"),
]


@pytest.mark.parametrize(("text", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_smoke_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AppError, match=message):
        _app(tmp_path, text)


def test_unknown_application() -> None:
    with pytest.raises(AppError, match=r"no application none in .*apps; there are: "):
        find_apps("apps", ["none"])
