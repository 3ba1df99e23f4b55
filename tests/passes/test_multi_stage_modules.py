"""Modules that only developers need: when the builder takes them away, and what keeps them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from given import Given

from dfopt.ir.program import Program
from dfopt.passes.multi_stage.multi_stage import MultiStage
from dfopt.passes.multi_stage.node_modules import bundled, removed
from dfopt.syntax.dockerfile import parse

FILE = """\
FROM node:22
WORKDIR /app
COPY . .
RUN npm ci
RUN npm run build
CMD ["node", "index.js"]
"""
MANIFEST = {
    "scripts": {"build": "tsc", "start": "node index.js", "watch": "nodemon index.js"},
    "dependencies": {"express": "5.1.0"},
    "devDependencies": {"typescript": "5.9.3", "nodemon": "3.1.0"},
}
LOCK: dict[str, dict[str, Any]] = {
    "": MANIFEST,
    "node_modules/express": {"version": "5.1.0"},
    "node_modules/nodemon": {"version": "3.1.0", "dev": True},
    "node_modules/nodemon/node_modules/express": {"version": "4.0.0", "dev": True},
    "node_modules/typescript": {"version": "5.9.3", "dev": True},
}


def files(**more: str) -> dict[str, str]:
    return {
        "package.json": json.dumps(MANIFEST),
        "package-lock.json": json.dumps({"lockfileVersion": 3, "packages": LOCK}),
        "index.js": 'require("express")()',
        **{name.replace("__", "/").replace("_", "."): text for name, text in more.items()},
    }


def fixed(text: str = FILE, given: dict[str, str] | None = None) -> str:
    """The texts that the split writes."""
    (finding,) = MultiStage().find(Program(parse(text)), Given(given or files()))
    assert finding.fix is not None, finding
    return "".join([edit.text for edit in finding.fix.edits])


def test_modules_of_developers_go() -> None:
    assert "RUN npm prune --omit=dev\n\nFROM node:22-slim\n" in fixed()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("npm ci", "npm install"),
        ("npm ci", "npm ci --no-audit --silent"),
        ('"node", "index.js"', '"npm", "start"'),
        ("npm ci", "NPM_CONFIG_LOGLEVEL=warn npm ci"),
        ("CMD", "USER node\nCMD"),
        ("node:22", "node:lts"),
    ],
)
def test_ways_to_say_it(old: str, new: str) -> None:
    assert "npm prune --omit=dev" in fixed(FILE.replace(old, new))


def test_another_directory() -> None:
    text = FILE.replace("COPY . .", "COPY . /app").replace("WORKDIR /app\n", "", 1).replace("RUN ", "RUN cd /app && ")
    assert "RUN cd /app && npm prune --omit=dev\n" in fixed(text.replace('"index.js"', '"/app/index.js"'))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("npm ci", "npm ci --omit=dev"),
        ("npm ci", "npm install nodemon"),
        ("npm ci", "NODE_ENV=production npm ci"),
        ("npm ci", "NPM_CONFIG_OMIT=dev npm ci"),
        ("npm ci", "npm ci && npm ci"),
        ("npm ci", "yarn install"),
        ("RUN npm run", "USER node\nRUN npm run"),
        ("node:22", "node:14"),
        ('"node", "index.js"', '"node", "-r", "nodemon/register", "index.js"'),
        ('"node", "index.js"', '"npm", "run", "watch"'),
        ('"node", "index.js"', '"npx", "nodemon", "index.js"'),
    ],
)
def test_what_is_not_proved(old: str, new: str) -> None:
    assert old in FILE
    assert "prune" not in fixed(FILE.replace(old, new))


@pytest.mark.parametrize(
    "more",
    [
        {"index_js": 'require("nodemon/lib")'},
        {"index_js": "import n from 'nodemon'"},
        {"index_js": "const target = `nodemon`"},
        {"config__log_json": '{"transport": "nodemon"}'},
        {"index_js": "require(process.env.PLUGIN)"},
        {"index_js": "const m = await import(name)"},
    ],
)
def test_what_sources_keep(more: dict[str, str]) -> None:
    assert "prune" not in fixed(given=files(**more))


def test_a_lock_file_that_is_no_object_is_refused() -> None:
    (finding,) = MultiStage().find(Program(parse(FILE)), Given(files(**{"package-lock_json": "[]"})))
    assert finding.reason == "package-lock.json is not understood"


@pytest.mark.parametrize(
    "more",
    [
        {"webpack_config_js": 'require("nodemon")'},
        {"test__index_js": 'require("nodemon")'},
        {"src__index_ts": 'import type { N } from "nodemon"'},
        {"index_js": 'require("./nodemon"); require(path.join("a", b)); require(`./${name}`)'},
    ],
)
def test_what_sources_do_not_keep(more: dict[str, str]) -> None:
    assert "prune" in fixed(given=files(**more))


def test_packages_that_go() -> None:
    assert removed(LOCK) == {"typescript", "nodemon"}
    assert removed({**LOCK, "node_modules/local": {"link": True}}) == set()
    assert removed({**LOCK, "": {"workspaces": ["a"]}}) == set()
    assert removed({**LOCK, "node_modules/prisma": {"dev": True}}) == set()
    assert removed({**LOCK, "node_modules/plugin": {"peerDependencies": {"typescript": "*"}}}) == set()
    assert removed({**LOCK, "node_modules/both": {"devOptional": True}}) == {"typescript", "nodemon"}


@pytest.mark.parametrize(
    ("command", "whole"),
    [
        ("esbuild src/a.js --bundle --platform=node --outfile=dist/a.js && cp -r src/b dist", True),
        ("esbuild src/a.js --bundle --outfile=./dist/a.js", True),
        ("esbuild src/a.js --outfile=dist/a.js", False),
        ("esbuild src/a.js --bundle --external:express --outfile=dist/a.js", False),
        ("esbuild src/a.js --bundle --packages=external --outfile=dist/a.js", False),
        ("esbuild src/a.js --bundle --outfile=dist/b.js", False),
        ("tsc && mv --bundle --outfile=dist/a.js", False),
    ],
)
def test_bundles(command: str, whole: bool) -> None:
    assert bundled(command, "dist/a.js") is whole
