"""Tables of the hardening passes' helpers, and the examples of their documentation."""

from __future__ import annotations

import re
import textwrap

import pytest

from dfopt.analysis.image_references import image_of
from dfopt.analysis.remote_scripts import remote_script_nodes
from dfopt.analysis.secrets import secret_file, secret_name, secret_value, shapes, urls
from dfopt.facts import NO_FACTS, Facts
from dfopt.ir.base_images import base_facts
from dfopt.ir.program import Program
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.passes.add_user.obstacles import _closed
from dfopt.passes.add_user.paths import may_own
from dfopt.passes.base import registered
from dfopt.passes.strip_suid.sources import _SETS, _STRIPPED
from dfopt.source import Source
from dfopt.syntax.dockerfile import parse

NOT_SECRET = [
    "VERSION", "GPG_KEY", "GPG_KEYS", "SSH_PUBLIC_KEY", "TOKENIZERS_PARALLELISM", "PASSWORD_FILE", "SECRET_PATH",
    "MYSQL_ALLOW_EMPTY_PASSWORD", "MYSQL_RANDOM_ROOT_PASSWORD", "AWS_ACCESS_KEY_ID", "KEY", "KEYSERVER", "KEYSIZE",
    "TOKEN_URL", "OLD_LLVMPASS", "AUTHOR", "COMPASS", "CSRF_TOKEN", "123",
]  # fmt: skip
SECRET = [
    "PASSWORD", "DB_PASSWORD", "dbPassword", "PG_PASS", "NPM_TOKEN", "githubToken", "AWS_SECRET_ACCESS_KEY", "API_KEY",
    "apiKey", "APIKEY", "SECRET_KEY_BASE", "SECRET", "CLIENT_SECRET_2", "SSH_PRIVATE_KEY", "HF_TOKEN", "CREDENTIALS",
]  # fmt: skip


@pytest.mark.parametrize("name", NOT_SECRET)
def test_no_secret_name(name: str) -> None:
    assert not secret_name(name)


@pytest.mark.parametrize("name", SECRET)
def test_secret_name(name: str) -> None:
    assert secret_name(name)


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("", False), ("true", False), ('"0"', False), ("$TOKEN", False), ("${TOKEN:-x}", False),
        ("/run/secrets/x", False), ("changeme", False), ("<your token>", False), ("xxxxx", False), ("hunter2", True),
        ('"a b"', True), ("root", True),
    ],
)  # fmt: skip
def test_secret_value(value: str, secret: bool) -> None:
    assert secret_value(value) is secret


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("https://github.com/a/b", []),
        ("git@github.com:a/b", []),
        ("https://example.com/a:b@c", []),
        ("postgres://app:app@localhost/app", []),
        ("https://user:pass@mirror.example.com/", []),
        ("https://user:hunter2@corp.net/x", ["corp.net"]),
        ("https://x:${TOKEN}@github.com/x", ["github.com"]),
        ("https://0123456789abcdef01234@corp.net/x", ["corp.net"]),
    ],
)
def test_urls(text: str, hosts: list[str]) -> None:
    assert [host for _, host, _, _ in urls(text, 0, len(text))] == hosts


def test_shape_has_its_span() -> None:
    text = "x AKIAIOSFODNN7EXAMPLE y"
    assert list(shapes(text, 0, len(text))) == [("an AWS access key", 2, 22)]


@pytest.mark.parametrize(
    ("source", "secret"),
    [
        ("id_rsa.pub", False), ("release.key", False), ("keys.txt", False), (".npmrc.example", False),
        ("https://x/a.key", False), ("id_rsa", True), ("a/.ssh/", True), ("tls/server.key", True), (".env", True),
        ("./home/.aws/credentials", True),
    ],
)  # fmt: skip
def test_secret_file(source: str, secret: bool) -> None:
    assert secret_file(source, NO_FACTS) is secret


class OneFile(Facts):
    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content

    def context_file(self, path: str) -> bytes | None:
        return self.content


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"registry=https://r/\n", False),
        (b"DB_PASSWORD=\nTOKEN=$TOKEN\n", False),
        (b"//r/:_authToken=${NPM_TOKEN}\n", False),
        (b"//r/:_authToken=0123456789\n", True),
        (b"DB_PASSWORD=hunter2\n", True),
        (b"\xff API_KEY: 'abcdef'\n", True),
    ],
)
def test_content_decides(content: bytes, secret: bool) -> None:
    assert secret_file(".env", OneFile(content)) is secret


@pytest.mark.parametrize(
    ("mode", "closed"),
    [
        ("755", False), ("0644", False), ("+x", False), ("a+rX", False), ("go-w", False), ("u+w", False),
        ("700", True), ("0600", True), ("750", True), ("754", True), ("u+x", True), ("go-rwx", True), ("o-r", True),
        ("u=rwx,go=", True), ("u=rwx,go=rx", False), ("ug+x", True), ("a=r,u+w", False),
    ],
)  # fmt: skip
def test_closed_mode(mode: str, closed: bool) -> None:
    assert _closed(mode) is closed


@pytest.mark.parametrize(
    ("path", "may"), [("/", False), ("/usr/bin", False), ("/etc/app", False), ("/app", True), ("/var/www/html", True)]
)
def test_may_own(path: str, may: bool) -> None:
    assert may_own(path) is may


@pytest.mark.parametrize(
    ("command", "strips", "sets"),
    [
        ("chmod 755 /a", False, False),
        ("chmod 0755 /a", False, False),
        ("chmod 1777 /tmp", False, False),
        ("find / -perm 644", False, False),
        ("chmod u+s /a", False, True),
        ("chmod -R 4755 /a", False, True),
        ("chmod 2755 /a", False, True),
        ("find / -perm /6000 -type f -exec chmod a-s {} +", True, False),
        ("find / -perm -4000 -o -perm -2000", True, False),
        ("find / -perm +6000", False, False),
        ("find / -perm /u=s,g=s", True, False),
        ("chmod ug-s /usr/bin/passwd", True, False),
    ],
)
def test_setuid_words(command: str, strips: bool, sets: bool) -> None:
    assert bool(_STRIPPED.search(command)) is strips
    assert bool(_SETS.search(command)) is sets


@pytest.mark.parametrize(
    ("command", "count"),
    [
        ("curl x | tar x", 0), ("curl x | sh -c 'cat'", 0), ("curl x | bash run.sh", 0), ("echo x | sh", 0),
        ("sh -c \"echo $(curl x)\"", 0), ("X=$(curl x) sh", 0), ("python -c \"$(cat x)\"", 0),
        ("curl x | sh", 1), ("curl x | sudo bash -s -- y", 1), ("(curl x; true) | sh", 1), ("sh -c \"$(curl x)\"", 1),
        ("eval $(curl x)", 1), ("a && curl x | sh && curl y | python3 -", 2), ("curl x | sh | sh", 1),
    ],
)  # fmt: skip
def test_unseen(command: str, count: int) -> None:
    program = Program(parse(f"FROM debian:13\nRUN {command}\n"))
    assert len(remote_script_nodes(program, program.stages[0].steps[0])) == count


@pytest.mark.parametrize(
    ("head", "word", "image"),
    [
        ("", "debian:13", "debian:13"), ("", "$X", None), ("ARG X\n", "${X}", None), ("ARG X=a\n", "${X}", "a"),
        ("ARG X\n", "${X:-debian:13}", "debian:13"), ("ARG X=\n", "${X:-debian:13}", "debian:13"),
        ("ARG X=a\n", "${X:-debian:13}", "a"), ("ARG Y=1\n", "${X:-debian:$Y}", "debian:1"), ("", "a:${X:-$Y}", None),
        ("", "a:${X:+b}", None),
    ],
)  # fmt: skip
def test_image_of(head: str, word: str, image: str | None) -> None:
    program = Program(parse(f"{head}FROM {word}\n"))
    assert image_of(program, program.stages[0]) == image


def test_a_stage_is_no_image() -> None:
    program = Program(parse("FROM debian:13 AS base\nFROM ${X:-base}\n"))
    assert image_of(program, program.stages[1]) is None


# --- the examples of the documentation -----------------------------------------------------------------------------

PASSES = [
    "add-checksum", "add-user", "chmod-777", "curl-pipe-shell", "insecure-download", "latest-tag", "pin-digest",
    "secrets", "strip-suid", "sudo",
]  # fmt: skip
DIGESTS = {"debian:13-slim": "1" * 64, "ghcr.io/astral-sh/uv:0.9": "2" * 64}


class ExampleFacts(Facts):
    __slots__ = ()

    def digest(self, image: str) -> str | None:
        return f"sha256:{DIGESTS[image]}" if image in DIGESTS else None

    def checksum(self, url: str) -> str | None:
        return "sha256:" + "1" * 64


@pytest.mark.parametrize("name", PASSES)
def test_example(name: str) -> None:
    document = textwrap.dedent("    " + (registered()[name].__doc__ or ""))
    blocks = re.findall(r"```dockerfile\n(.*?)```", document, re.S)
    result = optimize(Source("Dockerfile", blocks[0]), Options((name,), (), ("safe", "unsafe")), ExampleFacts())
    if len(blocks) == 1:  # it only reports
        assert not result.changed
        assert result.reported
    else:
        assert result.output == blocks[1]
        assert not result.reported


def test_no_facts_no_word() -> None:
    assert optimize(Source("Dockerfile", "FROM debian:13\n"), Options(("pin-digest",))).reported == ()


@pytest.mark.parametrize(
    ("image", "user"),
    [
        ("jenkins/jenkins:lts", "1000"), ("jenkins/jenkins:lts-slim", "1000"), ("circleci/node:14", "circleci"),
        ("cimg/base:2022.01", "circleci"), ("jupyter/base-notebook", "1000"), ("selenium/hub", "1200"),
        ("memcached:1.6", "11211"), ("memcached:1.4.24", "memcache"), ("registry.example.com/app:alpine", None),
        ("node:22-alpine", "root"), ("centos/python-36-centos7", "1001"), ("centos/mysql-57-centos7", None),
        ("centos:7", "root"), ("gradle:4.10", "1000"), ("gradle:8", "root"), ("varnish:7-alpine", None),
        ("registry.access.redhat.com/ubi9/python-311", "1001"), ("registry.access.redhat.com/ubi9/ubi", "root"),
        ("registry.access.redhat.com/ubi8/s2i-core", None), ("registry.access.redhat.com/ubi8-minimal", "root"),
    ],
)  # fmt: skip
def test_users_of_bases(image: str, user: str | None) -> None:
    facts = base_facts(image)
    assert facts is not None
    assert facts.user == user


def test_sudo_stays_where_the_base_has_a_user() -> None:
    source = Source("Dockerfile", "FROM cimg/base:2022.01\nRUN sudo apt-get update\n")
    assert not optimize(source, Options(("sudo",), (), ("safe", "unsafe"))).changed
