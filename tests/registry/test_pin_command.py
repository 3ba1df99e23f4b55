"""`dfopt pin`: diff, files, lock file, updates, checks, offline runs, source policies; and `fix` with a lock file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from registry.pinning import Tree
from registry.servers import Answer, FakeServer, Pusher, Request, digest, image, manifest

NEW, OLD = manifest("new"), manifest("old")
FILE = b"#!/bin/sh\necho tool\n"


class Hub(FakeServer):
    """A registry whose tags can be moved: every tag names `body`; it also serves files below /files/."""

    def __init__(self) -> None:
        self.body = OLD
        self.file = FILE
        super().__init__(self.answer)

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/files/"):
            return Answer(200, {}, self.file) if "gone" not in request.path else Answer(404)
        if "/manifests/gone" in request.path:
            return Answer(404)
        for body in (OLD, NEW):
            if request.path.endswith(digest(body)):
                return image(body)
        return image(self.body)


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    yield server
    server.stop()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_the_diff_is_printed_and_nothing_written(tree: Tree, hub: Hub) -> None:
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
    done = tree.run()
    assert done.code == 1
    assert done.out.startswith("--- a/Dockerfile\n+++ b/Dockerfile\n")
    assert f"+FROM {hub.host}/app:1@{digest(OLD)}\n" in done.out
    assert done.err == "dfopt: 1 image in 1 file; 1 would change\n"
    assert tree.text() == f"FROM {hub.host}/app:1\n"
    assert not (tree.path / "dfopt.lock").exists()


EVERYWHERE = """\
# syntax={host}/frontend:1
ARG TAG=2
ARG BASE={host}/base:3
FROM {host}/app:${{TAG}} AS one
COPY --from={host}/tools /a /b
RUN --mount=from={host}/mounted:4,target=/m true
ONBUILD COPY --from={host}/behind:5 /a /b
FROM ${{BASE}}
RUN <<EOF
FROM {host}/heredoc:1
EOF
# FROM {host}/comment:1
"""


def test_every_reference_of_a_file(tree: Tree, hub: Hub) -> None:
    tree.put("Dockerfile", EVERYWHERE.format(host=hub.host))
    assert tree.run("--write").code == 0
    at = f"@{digest(OLD)}"
    expected = EVERYWHERE.format(host=hub.host)
    for old in ("frontend:1", "base:3", "mounted:4", "behind:5"):
        expected = expected.replace(old, old + at)
    expected = expected.replace("ARG TAG=2", f"ARG TAG=2{at}").replace("/tools ", f"/tools:latest{at} ")
    assert tree.text() == expected
    assert tree.text("dfopt.lock").count("[[image]]") == 6
    assert not any("heredoc" in request.path or "comment" in request.path for request in hub.requests)


def test_one_request_per_image(tree: Tree, hub: Hub) -> None:
    """However many files name it, however it is spelled; one for the digest and one to verify it."""
    for number in range(12):
        tree.put(f"d{number}/Dockerfile", f"FROM {hub.host}/app:1 AS a\nFROM {hub.host}/app:{number % 3}\n")
    assert tree.run("--write").code == 0
    assert set(Counter(hub.seen("HEAD")).values()) == {1}
    assert len(hub.seen("HEAD")) == 3
    hub.requests.clear()
    for number in range(12):  # two digests beside one tag are one image still
        tree.put(f"d{number}/Dockerfile", f"FROM {hub.host}/app:1@{digest(OLD if number % 2 else FILE)}\n")
    assert tree.run("--update").code == 1
    assert len(hub.seen("HEAD")) == 1


def test_the_lock_makes_runs_the_same(tree: Tree, hub: Hub) -> None:
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
    tree.run("--write")
    hub.body = NEW
    hub.requests.clear()
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
    tree.put("other/Dockerfile", f"FROM {hub.host}/app:1\n")
    assert tree.run("--write").code == 0
    assert tree.text() == tree.text("other/Dockerfile") == f"FROM {hub.host}/app:1@{digest(OLD)}\n"
    assert not hub.requests


def test_update(tree: Tree, hub: Hub) -> None:
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\nCOPY --from={hub.host}/bare@{digest(OLD)} /a /a\n")
    tree.run("--write")
    pinned = tree.text()
    hub.body = NEW
    assert tree.run().code == 0
    done = tree.run("--update")
    assert done.code == 1
    assert "stands for another digest now" in done.out
    assert tree.text() == pinned
    assert tree.run("--update", "--write").code == 0
    assert tree.text() == pinned.replace(f"app:1@{digest(OLD)}", f"app:1@{digest(NEW)}")
    assert digest(NEW) in tree.text("dfopt.lock")
    assert digest(OLD) not in tree.text("dfopt.lock")


def test_check(tree: Tree, hub: Hub) -> None:
    tree.put("Dockerfile", f"FROM {hub.host}/app:1 AS a\nFROM {hub.host}/app:2\n")
    done = tree.run("--check")
    assert (done.code, done.out, done.err) == (0, "", "dfopt: 0 of 0 pins moved; 2 not pinned\n")
    assert not hub.requests
    tree.run("--write")
    before = tree.text(), tree.text("dfopt.lock")
    assert tree.run("--check").code == 0
    hub.body = NEW
    done = tree.run("--check")
    assert done.code == 1
    line = f"Dockerfile:{{}}:6: {hub.host}/app:{{}} moved from {digest(OLD)} to {digest(NEW)}\n"
    assert done.out == line.format(1, 1) + line.format(2, 2)
    assert done.err == "dfopt: 2 of 2 pins moved\n"
    assert (tree.text(), tree.text("dfopt.lock")) == before
    found = json.loads(tree.run("--check", "--output-format", "json").out)["pins"]
    assert [(one["line"], one["status"], one["pinned"], one["now"]) for one in found] == [
        (1, "moved", digest(OLD), digest(NEW)), (2, "moved", digest(OLD), digest(NEW)),
    ]  # fmt: skip


def test_check_of_a_lock_alone(tree: Tree, hub: Hub) -> None:
    """Files that are pinned by a source policy have their pins in the lock."""
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
    assert tree.run("--source-policy", "policy.json").code == 0
    assert tree.run("--check").code == 0
    hub.body = NEW
    assert tree.run("--check").code == 1


def test_check_where_an_image_is_gone(tree: Tree, hub: Hub) -> None:
    tree.put("Dockerfile", f"FROM {hub.host}/app:gone@{digest(OLD)}\nFROM {hub.host}/app:1@{digest(OLD)}\n")
    hub.body = NEW
    done = tree.run("--check")
    assert done.code == 2
    assert f"Dockerfile:1:6: error: {hub.host}/app:gone: " in done.err
    assert done.out.startswith("Dockerfile:2:6: ")


def test_offline(tree: Tree, hub: Hub) -> None:
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
    tree.run("--write")
    hub.requests.clear()
    tree.put("Dockerfile", f"FROM {hub.host}/app:1 AS a\nFROM {hub.host}/app:2\n")
    done = tree.run("--write", "--offline")
    assert done.code == 2
    assert f"Dockerfile:2:6: error: {hub.host}/app:2: offline, and it is not in dfopt.lock" in done.err.replace(
        str(tree.path) + "/", ""
    )
    assert tree.text() == f"FROM {hub.host}/app:1@{digest(OLD)} AS a\nFROM {hub.host}/app:2\n"
    assert not hub.requests


def test_offline_needs_no_http_library(tree: Tree, hub: Hub) -> None:
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
    tree.run("--write")
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
    done = tree.run("--offline", PYTHONPROFILEIMPORTTIME="1")
    assert done.code == 1
    assert "dfopt.registry.resolver" in done.err
    assert "httpx" not in done.err


def test_the_lock_above_is_used(tree: Tree, hub: Hub) -> None:
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
    tree.run("--write", "--lock", "../dfopt.lock")
    assert not (tree.path / "dfopt.lock").exists()
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
    assert tree.run("--offline", "--write").code == 0
    assert tree.run("--offline", "--write", "--lock", "none.lock").code == 0  # what stands in the file needs no lock


def test_prune(tree: Tree, hub: Hub) -> None:
    tree.put("Dockerfile", f"FROM {hub.host}/app:1\nADD {hub.url}/files/x /x\n")
    tree.run("--write", "--downloads")
    tree.put("Dockerfile", f"FROM {hub.host}/app:2\n")
    assert tree.run("--write").code == 0
    assert "app:1" in tree.text("dfopt.lock")
    assert tree.run("--write", "--prune").code == 0
    assert "app:1" not in tree.text("dfopt.lock")
    assert "files/x" not in tree.text("dfopt.lock")
    assert "app:2" in tree.text("dfopt.lock")


def test_a_comment_keeps_an_image_from_being_asked_for(tree: Tree, hub: Hub) -> None:
    text = f"# dfopt: ignore=pin-digest reason=local\nFROM {hub.host}/app:gone\n"
    tree.put("Dockerfile", text)
    assert tree.run("--write").code == 0
    assert tree.text() == text
    assert not hub.requests


def test_standard_input(tree: Tree, hub: Hub) -> None:
    done = tree.run("-", stdin=f"FROM {hub.host}/app:1\n")
    assert (done.code, done.out) == (0, f"FROM {hub.host}/app:1@{digest(OLD)}\n")


def test_a_file_that_is_no_dockerfile_does_not_stop_the_others(tree: Tree, hub: Hub) -> None:
    tree.put("a/Dockerfile", "FORM x\n")
    tree.put("b/Dockerfile", f"FROM {hub.host}/app:1\n")
    done = tree.run("--write", "a", "b", "nowhere")
    assert done.code == 2
    assert "a/Dockerfile:1:1: error: " in done.err
    assert "nowhere: error: " in done.err
    assert tree.text("b/Dockerfile") == f"FROM {hub.host}/app:1@{digest(OLD)}\n"


def test_where_a_pin_would_mean_something_else(tree: Tree, hub: Hub) -> None:
    text = f"ARG NAME=app\nFROM {hub.host}/${{NAME}}:1\n"
    tree.put("Dockerfile", text)
    done = tree.run("--write", "--show-refusals")
    assert done.code == 0
    assert tree.text() == text
    assert not hub.requests
    assert tree.run("--source-policy", "-").out.count("CONVERT") == 1  # a policy can: it names the whole image


class TestPolicy:
    def test_images_and_downloads(self, tree: Tree, hub: Hub) -> None:
        text = f"FROM {hub.host}/app:1\nADD {hub.url}/files/tool /tool\nFROM {hub.host}/x:1@{digest(OLD)}\n"
        tree.put("Dockerfile", text)
        done = tree.run("--source-policy", "policy.json", "--downloads")
        assert (done.code, done.err) == (0, "dfopt: 1 image and 1 download in the policy\n")
        assert tree.text() == text
        identifier = f"docker-image://{hub.host}/app:1"
        assert json.loads(tree.text("policy.json")) == {
            "version": 1,
            "rules": [
                {
                    "action": "CONVERT",
                    "selector": {"identifier": identifier},
                    "updates": {"identifier": f"{identifier}@{digest(OLD)}"},
                },
                {
                    "action": "CONVERT",
                    "selector": {"identifier": f"{hub.url}/files/tool"},
                    "updates": {"attrs": {"http.checksum": digest(FILE)}},
                },
            ],
        }
        policy = tree.text("policy.json")
        hub.requests.clear()
        assert tree.run("--source-policy", "policy.json", "--offline").code == 0
        assert tree.text("policy.json") == policy
        assert not hub.requests

    def test_names_are_written_in_full(self, tree: Tree, hub: Hub) -> None:
        tree.put("Dockerfile", "FROM alpine\n")
        done = tree.run("--source-policy", "-", "--registry-mirror", hub.host)
        identifier = json.loads(done.out)["rules"][0]["selector"]["identifier"]
        assert identifier == "docker-image://docker.io/library/alpine:latest"

    def test_no_such_directory(self, tree: Tree, hub: Hub) -> None:
        tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
        done = tree.run("--source-policy", "nowhere/policy.json")
        assert done.code == 2
        assert "nowhere/policy.json: No such file or directory" in done.err


class TestDownloads:
    def test_checksums(self, tree: Tree, hub: Hub) -> None:
        head = f"# syntax={hub.host}/docker/dockerfile:1@{digest(OLD)}\n"
        tree.put("Dockerfile", f"{head}FROM scratch\nADD {hub.url}/files/tool /tool\n")
        assert tree.run("--write").code == 0
        assert not hub.seen("GET")
        assert tree.run("--source-policy", "-", "--downloads").code == 0
        assert f'checksum = "{digest(FILE)}"' in tree.text("dfopt.lock")
        hub.file = b"another"
        done = tree.run("--check", "--downloads")
        assert done.code == 1
        assert f"files/tool moved from {digest(FILE)} to {digest(b'another')}" in done.out
        assert tree.run("--update", "--downloads", "--source-policy", "-").code == 0
        assert f'checksum = "{digest(b"another")}"' in tree.text("dfopt.lock")

    def test_written(self, tree: Tree, hub: Hub) -> None:
        pinned = f"# syntax=docker/dockerfile:1@{digest(OLD)}\nFROM scratch\n"
        tree.put("Dockerfile", f"{pinned}ADD {hub.url}/files/tool /tool\n")
        assert tree.run("--write", "--downloads").code == 0
        assert tree.text() == f"{pinned}ADD --checksum={digest(FILE)} {hub.url}/files/tool /tool\n"

    def test_what_is_gone(self, tree: Tree, hub: Hub) -> None:
        tree.put("Dockerfile", f"FROM scratch\nADD {hub.url}/files/gone /tool\n")
        done = tree.run("--write", "--downloads")
        assert done.code == 2
        assert f"Dockerfile:2:1: error: {hub.url}/files/gone: " in done.err

    def test_without_tls(self, tree: Tree) -> None:
        tree.put("Dockerfile", "FROM scratch\nADD http://plain.invalid/tool /tool\n")
        done = tree.run("--write", "--downloads")
        assert done.code == 2
        assert "is served without TLS: whose file that is cannot be known" in done.err


class TestFix:
    LOCKED = "digest is not known"

    def test_from_the_lock_without_network(self, tree: Tree, hub: Hub) -> None:
        tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
        tree.run("--source-policy", "-")
        hub.requests.clear()
        done = tree.run("--select", "pin-digest", command="fix")
        assert done.code == 1
        assert f"+FROM {hub.host}/app:1@{digest(OLD)}\n" in done.out
        done = tree.run("--recipe", "hardened", command="fix")
        assert f"+FROM {hub.host}/app:1@{digest(OLD)}\n" in done.out
        assert not hub.requests

    def test_checksum_from_the_lock(self, tree: Tree, hub: Hub) -> None:
        tree.put("Dockerfile", f"FROM scratch\nADD {hub.url}/files/tool /tool\n")
        tree.run("--source-policy", "-", "--downloads")
        hub.requests.clear()
        done = tree.run("--select", "add-checksum", "--unsafe", command="fix")
        assert f"+ADD --checksum={digest(FILE)} " in done.out
        assert not hub.requests

    def test_without_a_lock_it_says_nothing(self, tree: Tree, hub: Hub) -> None:
        tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
        done = tree.run("--select", "pin-digest", "--show-refusals", command="fix")
        assert (done.code, done.out, self.LOCKED in done.err) == (0, "", False)

    def test_online(self, tree: Tree, hub: Hub) -> None:
        tree.put("Dockerfile", f"FROM {hub.host}/app:1\n")
        done = tree.run("--select", "pin-digest", "--online", command="fix")
        assert done.code == 1
        assert f"+FROM {hub.host}/app:1@{digest(OLD)}\n" in done.out
        assert not (tree.path / "dfopt.lock").exists()
        assert tree.run("--select", "pin-digest", "--online", command="check").code == 1
        tree.put("Dockerfile", f"FROM {hub.host}/app:gone\n")
        assert tree.run("--select", "pin-digest", "--online", command="fix").code == 2

    def test_online_pins_a_base_that_comes_in_place_of_a_pinned_one(self, tree: Tree, hub: Hub) -> None:
        tree.put("Dockerfile", f"FROM debian:13@{digest(NEW)}\nRUN echo x\n")
        swap = ("--select", "swap-base", "--unsafe", "--show-refusals")
        done = tree.run(*swap, command="fix")
        assert "the image is pinned, and the digest of debian:13-slim is not known; use --online" in done.err
        conf = tree.home / "registries.conf"
        conf.write_text(f'[[registry]]\nprefix = "docker.io"\nlocation = "{hub.host}"\n')
        done = tree.run(*swap, "--online", command="fix", CONTAINERS_REGISTRIES_CONF=str(conf))
        assert f"+FROM debian:13-slim@{digest(OLD)}\n" in done.out, done.err
        assert not (tree.path / "dfopt.lock").exists()

    def test_online_tells_who_a_base_runs_as(self, tree: Tree, open_registry: str) -> None:
        """Without, nothing is known of such an image; with it, its user and its entrypoint are."""
        with closing(Pusher(open_registry, "team/base")) as pusher:
            for tag, user in (("root", ""), ("own", "1000:1000")):
                pusher.image(tag, "amd64", settings={"User": user, "Entrypoint": ["/init.sh"]})
        said = {}
        for tag in ("root", "own"):
            tree.put("Dockerfile", f'FROM {open_registry}/team/base:{tag}\nCOPY app /app\nCMD ["/app"]\n')
            for flag in ("--offline", "--online"):
                args = ("--select", "add-user", "--unsafe", "--show-refusals", *([flag] if flag == "--online" else []))
                said[tag, flag] = tree.run(*args, command="fix").err
        assert "runs as root is not known" in said["root", "--offline"]
        assert "runs as root is not known" in said["own", "--offline"]
        assert "ENTRYPOINT does is not known" in said["root", "--online"]
        assert "add-user" not in said["own", "--online"]

    def test_a_broken_lock(self, tree: Tree) -> None:
        tree.put("Dockerfile", "FROM debian:13\n")
        tree.put("dfopt.lock", "version = 1\n[[image]]\nreference = 3\n")
        for command in ("fix", "check"):
            done = tree.run("--select", "pin-digest", command=command)
            assert done.code == 2
            assert "dfopt.lock:2" in done.err
        assert "dfopt.lock:2" in tree.run().err
        assert tree.run("--select", "size", command="fix").code == 0  # nobody asked it


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--check", "--write"), "--check and --write exclude each other"),
        (("--source-policy", "x", "--write"), "--write and --source-policy exclude each other"),
        (("--offline", "--update"), "--offline and --update exclude each other"),
        (("-", "--write"), "--write has no meaning with '-'"),
        (("--prune",), "--prune needs --write"),
        (("--ca-file", "none.pem"), '--ca-file: no such file: "none.pem"'),
        (("--registry-mirror", "u:pw-Kx81-secret@h"), "a mirror's location must be HOST"),
    ],
)
def test_usage(tree: Tree, args: tuple[str, ...], message: str) -> None:
    tree.put("Dockerfile", "FROM debian:13\n")
    done = tree.run(*args)
    assert done.code == 2
    assert message in done.err
    assert tree.text() == "FROM debian:13\n"
