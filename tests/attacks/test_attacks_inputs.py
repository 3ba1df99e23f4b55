"""Malformed input of any reader is an error of that input, and never an internal one; the rest of a run goes on."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import tarfile
from pathlib import Path

import pytest
from cli.running import ROOT, dfopt

from dfopt.stage_templates.stage_recipes import TEMPLATE
from dfopt.testing.discovery import find

GOOD = b"FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"
DIGITS = "1" * 5000
DEEP = "[" * 100_000


def run(place: Path, *words: str, status: int = 2) -> str:
    """What a run says on standard error."""
    done = dfopt(*words, cwd=place, driven=False)
    said = done.stderr.decode("utf-8", "surrogateescape")
    assert "internal error" not in said, said
    assert done.returncode == status, said
    return said


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_bytes(GOOD)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"unsafe={DIGITS}\n", id="digits"),
        pytest.param(f"unsafe={DEEP}\n", id="deep"),
        pytest.param("unsafe=2026-02-31\n", id="date"),
        pytest.param('extend="a\\u0000b"\n', id="nul"),
        pytest.param('context="a\\u0000b"\n', id="context-nul"),
        pytest.param('[recipes]\npath="a\\u0000b"\n', id="recipes-nul"),
        pytest.param('exclude=["a\\u0000b"]\nunsafe=1\n', id="exclude-nul"),
    ],
)
def test_configuration(repository: Path, text: str) -> None:
    (repository / "dfopt.toml").write_text(text)
    assert "dfopt.toml" in run(repository, "fix", "--check", ".")
    assert "dfopt.toml" in run(repository, "fix", "--check", "--config", "dfopt.toml", ".")


@pytest.mark.parametrize("text", [f"version={DIGITS}\n", f"version=1\nx={DEEP}\n", 'version=1\n"a\\u0000b"=1\n'])
def test_lock(repository: Path, text: str) -> None:
    (repository / "dfopt.lock").write_text(text)
    assert "dfopt.lock" in run(repository, "pin", "--offline", ".")


@pytest.mark.parametrize(
    "text",
    [
        f'{{"version": {DIGITS}}}',
        f'{{"version": 1, "files": {{"Dockerfile": {{"x": {DIGITS}}}}}}}',
        DEEP,
        '{"version": 1, "files": {"a\\u0000b": 3}}',
        "\0",
    ],
)
def test_baseline(repository: Path, text: str) -> None:
    (repository / "baseline.json").write_text(text)
    assert "baseline.json" in run(repository, "check", "--baseline", "baseline.json", ".")


def test_baseline_of_names_that_no_file_has(repository: Path) -> None:
    (repository / "baseline.json").write_text('{"version": 1, "files": {"a\\u0000b": {"merge-run": 1}}}')
    run(repository, "check", "--baseline", "baseline.json", ".", status=1)


@pytest.mark.parametrize("text", [f"x = {DIGITS}\n", f"x = {DEEP}\n", "select = 1\n", "\udcff"])
def test_cases(repository: Path, text: str) -> None:
    case = repository / "golden" / "merge-run" / "case"
    case.mkdir(parents=True)
    (case / "Dockerfile").write_bytes(GOOD)
    (case / "case.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    run(repository, "test", "golden")


@pytest.mark.parametrize("text", [f"x = {DIGITS}\n", f"x = {DEEP}\n", 'description = "a\\u0000b"\n', "\0"])
def test_recipes(repository: Path, text: str) -> None:
    (repository / "own").mkdir()
    (repository / "own" / "x.toml").write_text(text)
    (repository / "dfopt.toml").write_text('[recipes]\npath = "own"\n')
    run(repository, "recipe", "show", "x")
    run(repository, "fix", "--check", "--recipe", "x", ".")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("{{ image }}", "{{ imge }}", id="typing-error"),
        pytest.param("{{ image }}", "{{ image", id="syntax"),
        pytest.param("{{ image }}", "{{ image.x.y }}", id="attribute"),
        pytest.param("{{ image }}", "{{ image * 10000000000 }}", id="growth"),
        pytest.param("{{ image }}", "{{ image|center(10000000000) }}", id="filter"),
        pytest.param("{{ image }}", "{{ ''.__class__.__mro__ }}", id="escape"),
    ],
)
def test_templates(tmp_path: Path, old: str, new: str) -> None:
    (case,) = [one for one in find(ROOT / "golden") if one.name == "multi-stage/go-distroless"]
    for name in ("Dockerfile", "go.mod", "main.go", "greeting.txt"):
        (tmp_path / name).write_bytes(case.read(name) or b"")
    own = tmp_path / "r" / "multi-stage"
    own.mkdir(parents=True)
    shipped = (ROOT / "recipes" / "multi-stage" / "go.toml").read_text()
    assert old in TEMPLATE
    template = f'template = """\n{TEMPLATE.replace(old, new)}"""\n'
    (own / "go.toml").write_text(shipped.replace("[scan]", f"{template}\n[scan]", 1))
    (tmp_path / "dfopt.toml").write_text('select=["multi-stage"]\nunsafe=true\n[recipes]\npath="r"\n')
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "Dockerfile").write_bytes(GOOD)
    said = run(tmp_path, "fix", "--check", ".")
    assert "r/multi-stage/go.toml" in said
    assert "2 files" in said or "of 2" in said


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# coding: nonsense\nimport docker\n", id="coding"),
        pytest.param("# coding: utf-16\nimport docker\n", id="other-coding"),
        pytest.param("import docker\nx = " + "(" * 4000 + ")" * 4000 + "\n", id="brackets"),
        pytest.param("import docker\nx = " + "[" * 4000 + "]" * 4000 + "\n", id="lists"),
        pytest.param("import docker\nx = " + "+".join(["1"] * 20_000) + "\n", id="sum"),
        pytest.param("import docker\nx = " + "-" * 20_000 + "1\n", id="signs"),
        pytest.param("import docker\nx = a" + ".b" * 20_000 + "\n", id="names"),
        pytest.param("import docker\nif a:\n  b\n" + "elif a:\n  b\n" * 5000, id="elif"),
        pytest.param("import docker\nx = " + "lambda: " * 5000 + "1\n", id="lambda"),
        pytest.param(f"import docker\nx = {DIGITS}\n", id="digits"),
        pytest.param("import docker\0\n", id="nul"),
        pytest.param("import docker\nx = '\n", id="syntax"),
    ],
)
def test_python(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.py").write_text(text)
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "Dockerfile").write_bytes(GOOD)
    done = dfopt("fix", "--hosts", "all", "--write", "-q", ".", cwd=tmp_path, driven=False)
    assert done.returncode in (0, 2)
    assert b"internal error" not in done.stderr
    assert b"lists" in (tmp_path / "z" / "Dockerfile").read_bytes()


VALUES = ["1", "null", "[]", '"x"', "{}", "[1]", "true", DIGITS, "[" * 3000, '{"a": ' * 3000, '{"a": {"b": 1}}', ""]
NODE = 'FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\nCMD ["npm", "start"]\n'
PHP = 'FROM php:8.3-fpm\nWORKDIR /app\nCOPY . .\nRUN composer install --no-scripts\nCMD ["php-fpm"]\n'


def documents(keys: tuple[str, ...]) -> list[str]:
    return [*VALUES, *[f'{{"{key}": {value}}}' for key, value in itertools.product(keys, VALUES)]]


@pytest.mark.parametrize(
    ("dockerfile", "names", "keys"),
    [
        pytest.param(
            NODE, ("package.json", "package-lock.json"),
            ("scripts", "dependencies", "packages", "workspaces", "static", "engines", "lockfileVersion"), id="node",
        ),
        pytest.param(
            PHP, ("composer.json", "composer.lock"),
            ("require", "packages", "packages-dev", "repositories", "config", "scripts", "autoload", "extra"), id="php",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("which", [0, 1])
def test_manifests(tmp_path: Path, dockerfile: str, names: tuple[str, str], keys: tuple[str, ...], which: int) -> None:
    """Every value where another one belongs: one file each, with the other manifest as it should be."""
    found = documents(keys)
    for number, text in enumerate(found):
        place = tmp_path / f"{number:03}"
        place.mkdir()
        (place / "Dockerfile").write_text(dockerfile)
        (place / names[1 - which]).write_text('{"scripts": {"build": "x", "start": "node a.js"}, "packages": {}}')
        (place / names[which]).write_text(text)
    done = dfopt("check", "--select", "all,multi-stage,swap-base", "--unsafe", ".", cwd=tmp_path, driven=False)
    said = done.stderr.decode()
    assert "error" not in said, said[:3000]
    assert f"in {len(found)} files" in said or f"{len(found)} files" in said


def image(place: Path, entry: tarfile.TarInfo, content: bytes, **config: object) -> None:
    """`image.tar`: an image of one layer, which holds one file."""

    def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for member, data in members:
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return made.getvalue()

    layer = packed((entry, content))
    made = {"architecture": "amd64", "os": "linux", "config": {}, "history": [{"created_by": "RUN x"}],
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}  # fmt: skip
    text = json.dumps({**made, **config}).replace('"DIGITS"', DIGITS).encode()
    name = hashlib.sha256(text).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": ["x:1"], "Layers": ["0/layer.tar"]}]).encode()
    whole = [(name, text), ("0/layer.tar", layer), ("manifest.json", manifest)]
    (place / "image.tar").write_bytes(packed(*[(tarfile.TarInfo(file), data) for file, data in whole]))


@pytest.mark.parametrize(
    "key", ["size", "uid", "gid", "mtime", "path", "linkpath", "GNU.sparse.size", "GNU.sparse.map"]
)
@pytest.mark.parametrize("value", [DIGITS, "-1", "1" * 400 + ".5", "nan", "a\0b", "\x1b[2J", "\u0661"])
def test_pax_records(tmp_path: Path, key: str, value: str) -> None:
    entry = tarfile.TarInfo("file")
    entry.pax_headers = {key: value}
    image(tmp_path, entry, b"content")
    for words in (("review", "image.tar"), ("history", "image.tar"), ("history", "--rebuild", "out", "image.tar")):
        done = dfopt(*words, cwd=tmp_path, driven=False)
        assert done.returncode in (0, 2)
        assert b"internal error" not in done.stderr
        assert done.stderr or not done.returncode
        assert not {b"\x1b", b"\0"} & {bytes([byte]) for byte in done.stdout + done.stderr}


@pytest.mark.parametrize(
    "config",
    [
        {"history": [{"created_by": f"|{DIGITS} A=b /bin/sh -c x # buildkit"}]},
        {"history": [{"created_by": f'HEALTHCHECK &{{["CMD"] "{DIGITS}s"}}'}]},
        {"history": [{"created_by": f"STOPSIGNAL {DIGITS}"}, {"created_by": f"EXPOSE {DIGITS}", "empty_layer": True}]},
        {"history": "DIGITS"},
        {"history": [{"created_by": "DIGITS", "created": "DIGITS"}]},
        {"created": DIGITS},
        {"config": {"Healthcheck": {"Interval": "DIGITS"}}},
        {"config": {"Healthcheck": {"Interval": 10**300, "Test": ["CMD", "x"]}, "Env": ["a\0b", "x"], "User": "\0"}},
        {"config": {"ExposedPorts": {"\0": {}}, "Volumes": [], "Labels": {"\x1b": "\x1b"}}},
    ],
)
def test_image_configs(tmp_path: Path, config: dict[str, object]) -> None:
    image(tmp_path, tarfile.TarInfo("file"), b"content", **config)
    for words in (
        ("review", "image.tar"), ("history", "image.tar"), ("history", "--dockerfile", "image.tar"),
        ("history", "--rebuild", "out", "--base", "scratch", "image.tar"),
    ):  # fmt: skip
        done = dfopt(*words, cwd=tmp_path, driven=False)
        assert done.returncode in (0, 1, 2)
        assert b"internal error" not in done.stderr


@pytest.mark.parametrize("size", [DIGITS, "-1", "\u00b2", "1e9", ""])
def test_package_databases(tmp_path: Path, size: str) -> None:
    text = f"Package: a\nStatus: install ok installed\nVersion: 1\nInstalled-Size: {size}\n\n"
    image(tmp_path, tarfile.TarInfo("var/lib/dpkg/status"), text.encode())
    run(tmp_path, "review", "image.tar", status=0)
    image(tmp_path, tarfile.TarInfo("lib/apk/db/installed"), f"P:a\nV:1\nI:{size}\n\n".encode())
    run(tmp_path, "review", "image.tar", status=0)
