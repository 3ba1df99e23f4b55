"""`dfopt pin --facts`: what the layers of base images tell is kept in the lock file, and answers later runs offline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from image.builders import Layout, TarEntry, file, folder, layer, link, require

from registry.pinning import Tree
from registry.servers import Answer, FakeServer, Request

SUID = 0o4755
FILES = (
    folder("etc"),
    file("etc/os-release", 'ID=debian\nVERSION_CODENAME="trixie"\n'),
    file("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
    folder("usr"),
    folder("usr/bin"),
    link("bin", "usr/bin"),
    file("usr/bin/dash", Path(require("env", "part of every Debian")).read_bytes(), mode=0o755),
    link("usr/bin/sh", "dash"),
    file("usr/bin/find", "#!/bin/sh\n", mode=0o755),
    file("usr/bin/su", "x" * 5000, mode=SUID),
    file("usr/bin/sudo", "y" * 700, mode=SUID),
)
# what no table of names knows, and no step tells
DOCKERFILE = 'FROM {host}/team/base:1\nCOPY app /app\nCMD ["/app"]\n'


class Registry(FakeServer):
    """A registry of one image; `asked`: the blobs that were asked for."""

    def __init__(self, files: Sequence[TarEntry] = FILES, **settings: object) -> None:
        layout = Layout()
        tars = [layer(*files)]
        layout.add(layout.manifest(tars, config=settings))
        self.name = layout.index[0]["digest"]
        self.files = layout.files
        self.asked: list[str] = []
        super().__init__(self.answer)

    def answer(self, request: Request) -> Answer:
        kind, key = request.path.split("/")[-2:]
        if kind == "blobs":
            self.asked.append(key)
        body = self.files.get(f"blobs/{(self.name if kind == 'manifests' else key).replace(':', '/')}")
        if body is None:
            return Answer(404)
        media = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"} if kind == "manifests" else {}
        return Answer(200, media, body)


@pytest.fixture
def registry() -> Iterator[Registry]:
    server = Registry(User="", Env=["PATH=/usr/bin"], Cmd=["sh"], Image="left out")
    yield server
    server.stop()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def lock_of(tree: Tree) -> str:
    return tree.text("dfopt.lock").partition("[[base]]\n")[2]


def test_what_is_kept(tree: Tree, registry: Registry) -> None:
    tree.put("Dockerfile", DOCKERFILE.format(host=registry.host))
    done = tree.run("--write", "--facts")
    assert (done.code, done.err) == (0, "fixed Dockerfile (pin-digest)\ndfopt: 1 image in 1 file; 1 changed\n")
    assert lock_of(tree) == (
        f'digest = "{registry.name}"\n'
        'config = "{\\"Cmd\\":[\\"sh\\"],\\"Env\\":[\\"PATH=/usr/bin\\"]}"\n'
        'release = ["debian", "trixie"]\n'
        'files = ["script /bin/find", "elf /bin/sh", "file /etc/passwd", "script /usr/bin/find", "elf /usr/bin/sh"]\n'
        'set-id = ["5000 /usr/bin/su", "700 /usr/bin/sudo"]\n'
        f"bytes = {sum(len(content) for _, content in FILES)}\n"
    )


def test_a_second_run_reads_no_layer(tree: Tree, registry: Registry) -> None:
    tree.put("Dockerfile", DOCKERFILE.format(host=registry.host))
    tree.run("--write", "--facts")
    before, kept = len(registry.asked), tree.text("dfopt.lock")
    assert tree.run("--write", "--facts").code == 0
    assert len(registry.asked) == before > 0
    assert tree.text("dfopt.lock") == kept


def test_later_runs_know_without_a_network(tree: Tree, registry: Registry) -> None:
    tree.put("Dockerfile", DOCKERFILE.format(host=registry.host))
    select = ("--isolated", "--select", "strip-suid", "--unsafe", "--show-refusals", ".")
    unknown = tree.run(*select, command="check")
    assert "whether" in unknown.out
    assert "is not known" in unknown.out
    tree.run("--write", "--facts")
    registry.stop()
    known = tree.run(*select, command="fix")
    assert "+RUN find / -xdev -perm /6000" in known.out
    assert "(setuid files of the base are stored again: 1, 5.00 kB)" in known.out


def test_a_base_without_setuid_files(tree: Tree) -> None:
    server = Registry(FILES[:-2], Env=["PATH=/bin"])
    tree.put("Dockerfile", DOCKERFILE.format(host=server.host))
    try:
        tree.run("--write", "--facts")
    finally:
        server.stop()
    assert tree.run("--isolated", "--select", "strip-suid", "--unsafe", "--show-refusals", command="check").code == 0


def test_a_kept_outcome_is_made_anew_with_facts(tree: Tree, registry: Registry) -> None:
    tree.put("Dockerfile", DOCKERFILE.format(host=registry.host))
    tree.run("--write")
    select = ("--isolated", "--select", "strip-suid", "--unsafe", "--show-refusals", ".")
    for _ in range(2):
        assert "is not known" in tree.run(*select, command="check").out
    tree.run("--write", "--facts")
    for _ in range(2):
        assert "take the setuid bits" in tree.run(*select, command="check").out


def test_the_facts_are_those_of_the_digest(tree: Tree, registry: Registry) -> None:
    tree.put("Dockerfile", DOCKERFILE.format(host=registry.host))
    tree.run("--write", "--facts")
    other = tree.text().replace(registry.name, "sha256:" + "0" * 64)
    tree.put("Dockerfile", other)
    assert "is not known" in tree.run("--select", "strip-suid", "--unsafe", "--show-refusals", command="check").out


def test_an_image_that_tells_a_secret_is_left_out(tree: Tree) -> None:
    server = Registry(Env=["PATH=/bin", "API_TOKEN=a1b2"])
    try:
        tree.put("Dockerfile", DOCKERFILE.format(host=server.host))
        done = tree.run("--write", "--facts")
    finally:
        server.stop()
    assert done.code == 0
    assert "Dockerfile:1:6: warning: no facts of" in done.err
    assert "its ENV has API_TOKEN, which may be a secret" in done.err
    assert "[[base]]" not in tree.text("dfopt.lock")
    assert "a1b2" not in tree.text("dfopt.lock")


def test_layers_that_are_gone(tree: Tree, registry: Registry) -> None:
    tree.put("Dockerfile", DOCKERFILE.format(host=registry.host))
    for name in [name for name in registry.files if name.startswith("blobs/")]:
        if registry.files[name][:1] != b"{":
            del registry.files[name]
    done = tree.run("--write", "--facts")
    assert done.code == 0
    assert "warning: no facts of" in done.err
    assert "[[base]]" not in tree.text("dfopt.lock")


def test_prune_drops_what_nothing_names(tree: Tree, registry: Registry) -> None:
    tree.put("Dockerfile", DOCKERFILE.format(host=registry.host))
    tree.run("--write", "--facts")
    tree.put("Dockerfile", "FROM scratch\nCOPY a /a\n")
    assert tree.run("--write", "--prune").code == 0
    assert "[[base]]" not in tree.text("dfopt.lock")


@pytest.mark.parametrize("options", [(), ("--check",), ("--write", "--offline")])
def test_options_that_exclude_it(tree: Tree, options: tuple[str, ...]) -> None:
    done = tree.run("--facts", *options)
    assert done.code == 2
    assert "--facts keeps what registries answer" in done.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("set-id = [", 'set-id = ["many /x", ', "`set-id` of a [[base]] must begin with numbers of bytes"),
        ("bytes = ", "bytes = -", "`bytes` of a [[base]] must be a number of bytes"),
        ("set-id = [", 'set-id = ["1 x", ', "`set-id` of a [[base]]: '1 x' has no absolute path"),
        ('"elf /bin/sh"', '"ELF /bin/sh"', "`files` of a [[base]] must begin with one of: elf, script"),
        ('"trixie"]', '"trixie", "x"]', "`release` of a [[base]] must be two strings"),
        ("{\\", "[{\\", "`config` of a [[base]] must be the JSON text of an object"),
        ("Cmd", "Cmds", "`config` of a [[base]]: unknown key 'Cmds'"),
        ('[\\"sh\\"]', "7", "`config` of a [[base]]: Cmd must be a list of strings"),
        ("sha256:", "sha257:", "`digest` of"),
        ("release", "releases", "unknown key 'releases' in [[base]]"),
    ],
)
def test_a_lock_file_that_is_broken(tree: Tree, registry: Registry, old: str, new: str, message: str) -> None:
    tree.put("Dockerfile", DOCKERFILE.format(host=registry.host))
    tree.run("--write", "--facts")
    head, mark, tail = tree.text("dfopt.lock").partition("[[base]]")
    assert old in tail
    tree.put("dfopt.lock", head + mark + tail.replace(old, new, 1))
    done = tree.run(command="check")
    assert done.code == 2
    assert f"dfopt.lock:{head.count(chr(10)) + 1}:1: {message}" in done.err
