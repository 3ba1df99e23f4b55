"""Every reader of dfopt: inputs that it takes, and how they are mutated."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

from tests.tools.fuzz import archives, seeds
from tests.tools.fuzz.definitions import definition
from tests.tools.fuzz.execution import NODES
from tests.tools.fuzz.manifests import FILES as MANIFESTS
from tests.tools.fuzz.manifests import manifest
from tests.tools.fuzz.model import Input
from tests.tools.fuzz.mutation import CHARACTERS, NUMBERS, Mutator

Chance = random.Random
FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit")


def _one(reader: str, path: str, content: bytes, *argv: str, writes: bool = False, **files: bytes) -> Input:
    named = {name.replace("__", "/").replace("_DOT_", "."): data for name, data in files.items()}
    return Input(reader, {"Dockerfile": seeds.GOOD, **named, path: content}, argv, (path,), writes=writes)


def dockerfile(chance: Chance) -> Input:
    content = chance.choice(seeds.dockerfiles())
    argv, writes = chance.choice((
        (("fix", "--check", "--unsafe", "--modernize", "."), False), (("fix", "-O2", "--write", "."), True),
        (("check", "--select", "all", "--unsafe", "--show-refusals", "--output-format", chance.choice(FORMATS), "."), False),
        (("plan", "."), False), (("fix", "--package-cache", "mount", "--buildkit", "--unsafe", "."), False),
        (("dockerignore", "."), False), (("fix", "--output-format", "json", "Dockerfile"), False),
        (("fix", "--write", "--unsafe", "--recipe", "small", "."), True), (("check", "--statistics", "."), False),
        (("pin", "--offline", "--check", "."), False), (("fix", "--patch", "out.patch", "--recipe", "hardened", "."), True),
    ))  # fmt: skip
    return Input("dockerfile", {"Dockerfile": content}, argv, ("Dockerfile",), writes=writes)


def stdin(chance: Chance) -> Input:
    argv = chance.choice((("fix", "-"), ("check", "-"), ("fix", "--unsafe", "--stdin-filename", "a/Dockerfile", "-"), ("plan", "-"),
                          ("fix", "--hosts", "all", "--stdin-filename", "compose.yaml", "-")))  # fmt: skip
    content = seeds.COMPOSE if "compose.yaml" in argv else chance.choice(seeds.dockerfiles())
    return Input("stdin", {"x": b""}, argv, (), content)


def context(chance: Chance) -> Input:
    argv = chance.choice((("check", "--select", "all,multi-stage,swap-base", "--unsafe", "--show-refusals", "."), ("fix", "-O2", "--unsafe", "--check", "."),
                          ("plan", "."), ("dockerignore", "."), ("fix", "--recipe", "small", "--unsafe", "--diff", ".")))  # fmt: skip
    if chance.random() < 0.5:
        files = chance.choice(seeds.contexts())
    else:
        files = {"Dockerfile": chance.choice(list(seeds.FINAL.values())), **seeds.PROJECT}
    names = [name for name in files if name != "Dockerfile"]
    return Input("context", files, argv, tuple(chance.sample(names, min(len(names), 3))))


def config(chance: Chance) -> Input:
    argv = chance.choice((("fix", "--check", "."), ("config", "show"), ("check", "."), ("recipes",), ("fix", "--config", "dfopt.toml", "--check", "."),
                          ("pin", "--offline", "--check", "."), ("migrate", "plan", "."), ("review", "--config", "dfopt.toml", "x.tar")))  # fmt: skip
    lines = seeds.CONFIG
    if chance.random() < 0.7:  # each line may be the one that is refused first
        top, tables = lines.split(b"\n\n", 1)
        lines = b"".join(line + b"\n" for line in top.split(b"\n") if chance.random() < 0.5)
        lines += b"\n\n".join(table for table in tables.split(b"\n\n") if chance.random() < 0.5)
    files = {
        "base.toml": b'ignore = ["merge-run"]\n',
        "own/x.toml": seeds.recipes()[0][1],
        "a/Dockerfile": seeds.GOOD,
        "a/.dfopt.toml": b'select = ["size"]\n',
    }
    if chance.random() < 0.3:
        text = b"\n".join(re.sub(rb"^(\[+)", rb"\1tool.dfopt.", line) for line in lines.split(b"\n"))
        return Input(
            "config",
            {"Dockerfile": seeds.GOOD, **files, "pyproject.toml": b"[tool.dfopt]\n" + text},
            argv,
            ("pyproject.toml",),
        )
    given = Input("config", {"Dockerfile": seeds.GOOD, **files, "dfopt.toml": lines}, argv, ("dfopt.toml",))
    return replace(given, targets=("dfopt.toml", chance.choice(("base.toml", "a/.dfopt.toml", "own/x.toml"))))


def lock(chance: Chance) -> Input:
    argv = chance.choice((("pin", "--offline", "."), ("pin", "--offline", "--write", "."), ("fix", "--check", "--select", "pin-digest,add-checksum", "--unsafe", "."),
                          ("pin", "--offline", "--prune", "--write", "."), ("fix", "--lock", "dfopt.lock", "--check", ".")))  # fmt: skip
    text = b"FROM python:3.13-slim\nADD https://example.org/a.tar.gz /\nFROM debian:13\n"
    return replace(
        _one("lock", "dfopt.lock", seeds.LOCK, *argv, writes="--write" in argv),
        files={"Dockerfile": text, "dfopt.lock": seeds.LOCK},
    )


def baseline(chance: Chance) -> Input:
    argv, writes = chance.choice(
        (
            (("check", "--baseline", "b.json", "."), False),
            (("check", "--baseline", "b.json", "--update-baseline", "."), True),
        )
    )
    return _one("baseline", "b.json", seeds.BASELINE, *argv, writes=writes, a__Dockerfile=seeds.GOOD)


def ignore(chance: Chance) -> Input:
    path, content, argv = chance.choice((
        (".dockerignore", seeds.DOCKERIGNORE, ("check", "--select", "all", ".")), (".dockerignore", seeds.DOCKERIGNORE, ("dockerignore", "--write", ".")),
        ("Dockerfile.dockerignore", seeds.DOCKERIGNORE, ("dockerignore", ".")), (".gitignore", seeds.GITIGNORE, ("fix", "--check", ".")),
        ("a/.gitignore", seeds.GITIGNORE, ("dockerignore", "--unsafe", "--explain", ".")), (".git/info/exclude", seeds.GITIGNORE, ("check", ".")),
        ("CODEOWNERS", seeds.CODEOWNERS, ("migrate", "apply", "--by", "owner", "--patch", "out", ".")),
        (".github/CODEOWNERS", seeds.CODEOWNERS, ("migrate", "apply", "--by", "owner", "--patch", "out", ".")),
    ))  # fmt: skip
    files = {"Dockerfile": seeds.GOOD, "src/a.c": b"", "a/b/x.pyc": b"", "a/Dockerfile": seeds.GOOD, "web/x.dockerfile": seeds.GOOD, ".git/HEAD": b"ref: refs/heads/main\n",
             "node_modules/x/y": b"", "a b": b"", "build/Dockerfile": seeds.GOOD, path: content}  # fmt: skip
    return Input("ignore", files, argv, (path,), writes="--write" in argv or "--patch" in argv)


def yaml(chance: Chance) -> Input:
    path, content = chance.choice((("compose.yaml", seeds.COMPOSE), ("docker-compose.override.yml", seeds.COMPOSE), (".github/workflows/a.yml", seeds.GITHUB),
                                   ("action.yml", b"runs:\n  using: docker\n  image: docker://alpine:3.20\n"), (".gitlab-ci.yml", seeds.GITLAB),
                                   (".circleci/config.yml", seeds.CIRCLE)))  # fmt: skip
    return _hosts("yaml", chance, path, content)


def python(chance: Chance) -> Input:
    return _hosts("python", chance, "a.py", seeds.PYTHON)


def template(chance: Chance) -> Input:
    path, content = chance.choice((("Dockerfile.j2", seeds.TEMPLATE), ("a/Dockerfile.jinja2", seeds.TEMPLATE), ("Dockerfile.erb", seeds.ERB), ("Dockerfile.tmpl", seeds.TEMPLATE),
                                   ("Dockerfile.template", seeds.ERB), ("Dockerfile.in", b"FROM @BASE@\nRUN apt-get update && apt-get install -y @X@\n")))  # fmt: skip
    return _hosts("template", chance, path, content)


def _hosts(reader: str, chance: Chance, path: str, content: bytes) -> Input:
    argv = chance.choice((("fix", "--hosts", "all", "--check", "."), ("fix", "--hosts", "all", "--write", "--unsafe", "--select", "all", "."),
                          ("check", "--hosts", "all", "--output-format", chance.choice(FORMATS), "."), ("pin", "--offline", "--hosts", "all", "--write", ".")))  # fmt: skip
    return _one(reader, path, content, *argv, writes="--write" in argv)


def recipe(chance: Chance) -> Input:
    name, content = chance.choice(seeds.recipes())
    files = (
        {f"own/{path}": data for path, data in seeds.recipes()} if chance.random() < 0.3 else {f"own/{name}": content}
    )
    base = {
        "Dockerfile": chance.choice(list(seeds.FINAL.values())),
        **seeds.PROJECT,
        "dfopt.toml": b'unsafe = true\n[recipes]\npath = "own"\n',
    }
    stem = name.removesuffix(".toml")
    argv = chance.choice((("fix", "--check", "--select", "multi-stage", "."), ("recipe", "show", stem), ("recipes",), ("fix", "--check", "--recipe", stem, "."),
                          ("fix", "-O2", "--diff", "."), ("fix", "--recipe", f"own/{name}", "--check", "."), ("recipe", "test", "own")))  # fmt: skip
    return Input("recipe", {**base, **files}, argv, (f"own/{name}",))


def cases(chance: Chance) -> Input:
    name, content = chance.choice(seeds.pages())
    update = chance.random() < 0.3
    if chance.random() < 0.5:
        return Input(
            "cases",
            {f"g/{name}": content},
            ("test", *(("--update",) if update else ()), "g"),
            (f"g/{name}",),
            writes=update,
        )
    files = {"g/merge-run/c/Dockerfile": chance.choice(seeds.dockerfiles()), "g/merge-run/c/case.toml": b'unsafe = true\nselect = ["merge-run"]\n[settings.merge-run]\nwhen = "all"\n',
             "g/merge-run/c/facts.toml": seeds.FACTS, "g/merge-run/c/expected.txt": b"2: merge-run [safe] x\n"}  # fmt: skip
    return Input(
        "cases", files, ("test", *(("--update",) if update else ()), "g"), (chance.choice(list(files)),), writes=update
    )


def campaign(chance: Chance) -> Input:
    path, content, argv = chance.choice(
        (
            (
                "m.j2",
                seeds.MESSAGE,
                ("migrate", "apply", "--by", "directory", "--branch", "fixes", "--message", "m.j2", "."),
            ),
            (
                "j.jsonl",
                seeds.JOURNAL,
                ("migrate", "apply", "--by", "directory", "--patch", "out", "--journal", "j.jsonl", "."),
            ),
        )
    )
    files = seeds.git_repository() if "--branch" in argv else {}
    return Input("campaign", {"Dockerfile": seeds.GOOD, **files, path: content}, argv, (path,), writes=True)


def archive(chance: Chance) -> Input:
    argv = chance.choice((("review", "x.tar"), ("history", "x.tar"), ("history", "--dockerfile", "x.tar"), ("review", "--file", "Dockerfile", "x.tar"),
                          ("review", "--output-format", "json", "--all", "x.tar"), ("review", "x.tar", "y.tar"), ("verify", "y.tar", "x.tar"), ("history", "--output-format", "json", "--all", "x.tar"),
                          ("review", "--output-format", "sarif", "x.tar"), ("review", "--html", "out.html", "x.tar"), ("review", "--dive-ci", ".dive-ci", "x.tar")))  # fmt: skip
    made = _archives()
    files = {"x.tar": chance.choice(made), "y.tar": made[0], "Dockerfile": seeds.GOOD, ".dive-ci": seeds.DIVE}
    return Input(
        "archive",
        files,
        argv,
        (".dive-ci",) if ".dive-ci" in argv and chance.random() < 0.5 else ("x.tar",),
        writes="--html" in argv,
    )


@cache
def _archives() -> tuple[bytes, ...]:
    return tuple(archives.seeds())


def registry(chance: Chance) -> Input:
    config, layer = archives.config([archives.pack(archives.LAYERS[0])]), archives.pack(archives.LAYERS[0])
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                           "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + archives.hexdigest(config), "size": len(config)},
                           "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + archives.hexdigest(layer), "size": len(layer)}]}).encode()  # fmt: skip
    index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + archives.hexdigest(manifest), "size": len(manifest), "platform": {"os": "linux", "architecture": "amd64"}}]}).encode()  # fmt: skip
    given = chance.choice((manifest, index))
    kind = json.loads(given)["mediaType"]
    token = chance.random() < 0.4
    files = {
        "Dockerfile": b"FROM @REGISTRY@/x:1\nUSER app\nRUN make\n",
        "answers/ping": answer(b"{}"),
        "answers/manifest": answer(given, ("Content-Type", kind), ("Docker-Content-Digest", "sha256:" + archives.hexdigest(given))),
        f"answers/manifest-{archives.hexdigest(manifest)}": answer(manifest, ("Content-Type", "application/vnd.oci.image.manifest.v1+json")),
        f"answers/blob-{archives.hexdigest(config)}": answer(config, ("Content-Type", "application/octet-stream")),
        f"answers/blob-{archives.hexdigest(layer)}": answer(layer, ("Content-Type", "application/octet-stream")),
        "answers/token": answer(b'{"token": "abc", "access_token": "abc", "expires_in": 300, "issued_at": "2026-01-01T00:00:00Z"}', ("Content-Type", "application/json")),
        "auth.json": seeds.AUTH,
        "registries.conf": seeds.MIRRORS if chance.random() < 0.2 else b"",
    }  # fmt: skip
    if token:
        files["answers/ping"] = (b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm="http://127.0.0.1:@PORT@/token",service="x",scope="repository:x:pull"\r\n'
                                 b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")  # fmt: skip
    argv = chance.choice((("pin", "--time-limit", "3", "."), ("pin", "--time-limit", "3", "--no-verify-digests", "--write", "."), ("fix", "--online", "--check", "."),
                          ("review", "docker://@REGISTRY@/x:1"), ("history", "docker://@REGISTRY@/x:1"), ("pin", "--update", "--time-limit", "3", "--source-policy", "p.json", ".")))  # fmt: skip
    targets = [
        *[path for path in files if path.startswith("answers/") and (token or not path.endswith("token"))],
        "answers/manifest",
        "auth.json",
        "registries.conf",
    ]
    return Input(
        "registry",
        files,
        argv,
        (chance.choice(targets),),
        writes="--write" in argv or "--update" in argv or "--source-policy" in argv,
    )


def answer(body: bytes, *headers: tuple[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 200 OK\r\n{lines}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


def lsp(chance: Chance) -> Input:
    text = chance.choice(seeds.dockerfiles()).decode("utf-8", "replace")[:4000]
    uri = chance.choice(("file:///x/Dockerfile", "file:Dockerfile", "untitled:1", "vscode-vfs://a/Dockerfile"))
    document = {"textDocument": {"uri": uri}}
    place = {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 3}}
    messages: list[dict[str, object]] = [
        _request(1, "initialize", {"processId": None, "rootUri": None, "capabilities": {"general": {"positionEncodings": ["utf-8", "utf-16"]}},
                                   "initializationOptions": {"unsafe": True}, "workspaceFolders": [{"uri": "file:///x", "name": "x"}]}),
        _note("initialized", {}),
        _note("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "dockerfile", "version": 1, "text": text}}),
        _note("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": text}, {"range": place, "text": "RUN x\n"}]}),
        _request(2, "textDocument/codeAction", {**document, "range": place, "context": {"diagnostics": [], "only": ["source.fixAll"]}}),
        _request(3, "textDocument/hover", {**document, "position": place["start"]}), _request(4, "textDocument/diagnostic", document),
        _request(5, "textDocument/formatting", {**document, "options": {"tabSize": 4, "insertSpaces": True}}),
        _request(6, "textDocument/codeLens", document), _request(7, "textDocument/documentSymbol", document),
        _request(8, "workspace/executeCommand", {"command": "dfopt.fixAll", "arguments": [uri]}),
        _note("workspace/didChangeConfiguration", {"settings": {"dfopt": {"unsafe": True, "select": ["all"]}}}),
        _note("$/cancelRequest", {"id": 2}), _request(9, "textDocument/definition", {**document, "position": place["start"]}),
        _note("textDocument/didClose", document), _request(10, "shutdown", None), _note("exit", None),
    ]  # fmt: skip
    middle = messages[3:-2]
    chosen = [*messages[:3], *chance.sample(middle, chance.randint(1, len(middle))), *messages[-2:]]
    return Input(
        "lsp", {"Dockerfile": seeds.GOOD}, ("lsp",), (), frames([json.dumps(message).encode() for message in chosen])
    )


def _request(number: int, method: str, params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method, **({} if params is None else {"params": params})}


def _note(method: str, params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})}


def frames(bodies: list[bytes]) -> bytes:
    return b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)


READERS: dict[str, tuple[int, Callable[[Chance], Input]]] = {
    "dockerfile": (24, dockerfile), "stdin": (4, stdin), "context": (14, context), "config": (9, config), "lock": (5, lock), "baseline": (3, baseline),
    "ignore": (6, ignore), "yaml": (6, yaml), "python": (5, python), "template": (5, template), "recipe": (6, recipe), "cases": (3, cases),
    "campaign": (3, campaign), "archive": (9, archive), "registry": (6, registry), "lsp": (4, lsp),
    "definition": (10, definition), **{name: (4, partial(manifest, name)) for name in MANIFESTS},
}  # fmt: skip
"""Name -> (how often, what makes an input)."""

_JSON = re.compile(r"\.json$|\.jsonl$")


@cache
def _material(reader: str) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The words and lines that a reader's inputs are made of."""
    words: dict[bytes, None] = dict.fromkeys((*NUMBERS, *CHARACTERS, b"x" * 300, b"/" * 50, b"a/" * 200))
    lines: dict[bytes, None] = {}
    chance = random.Random(reader)
    for _ in range(30 if reader in ("archive", "registry") else 150):
        given = READERS[reader][1](chance)
        for content in (*[given.files[path] for path in given.targets if not path.endswith(".tar")], given.stdin):
            words.update(dict.fromkeys(re.findall(rb"[A-Za-z0-9_.@:/+=-]{1,40}", content)))
            lines.update(dict.fromkeys(line + b"\n" for line in content.split(b"\n") if line))
    return tuple(words), tuple(lines)


def mutated(given: Input, chance: Chance) -> Input:
    """An input with its targets changed."""
    mutator = Mutator(chance, *_material(given.reader))
    if given.stdin:
        given = replace(
            given, stdin=_messages(given.stdin, mutator) if given.reader == "lsp" else mutator.text(given.stdin)
        )
    for path in given.targets:
        if path in given.files:
            given = given.with_file(path, _changed(path, given.files[path], mutator))
    if given.files and chance.random() < 0.01:
        path = chance.choice((*given.targets, *given.files, "dfopt.toml", ".dockerignore", ".gitignore", "dfopt.lock"))
        given = replace(given, nodes={path: chance.choice(NODES)})
    return given


def _changed(path: str, content: bytes, mutator: Mutator) -> bytes:
    chance = mutator.chance
    if path.endswith(".tar"):
        return archives.ArchiveMutator(chance, mutator).archive(content)
    if path.startswith("answers/"):
        head, separator, body = content.partition(b"\r\n\r\n")
        if chance.random() < 0.35:
            return mutator.text(head).replace(b"\n", b"\r\n").replace(b"\r\r", b"\r") + separator + body
        body = mutator.json(body)
        if chance.random() < 0.85:
            head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head)
        if chance.random() < 0.6:
            head = re.sub(rb"sha256:[0-9a-f]{64}", b"sha256:" + archives.hexdigest(body).encode(), head)
        return head + separator + body
    if _JSON.search(path) and chance.random() < 0.8:
        return mutator.json(content)
    return mutator.text(content)


def _messages(stream: bytes, mutator: Mutator) -> bytes:
    chance = mutator.chance
    if chance.random() < 0.1:
        return mutator.text(stream)
    bodies = [body for body in re.split(rb"Content-Length: \d+\r\n\r\n", stream) if body]
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(bodies))
        kind = chance.random()
        if kind < 0.75:
            bodies[at] = mutator.json(bodies[at])
        elif kind < 0.85 and len(bodies) > 1:
            del bodies[at]
        else:
            bodies.insert(chance.randint(0, len(bodies)), bodies[at])
    return frames(bodies)
