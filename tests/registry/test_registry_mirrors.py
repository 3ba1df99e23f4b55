"""Mirrors: rules, registries.conf, and hosts that may be spoken to without TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.registry.errors import BlockedError, SettingsError
from dfopt.registry.hosts import PlainHttpPolicy, is_loopback, server_of
from dfopt.registry.mirrors import Mirrors, read_registries_conf, standard_files

CONF = """
unqualified-search-registries = ["docker.io"]
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "near.example/hub"
[[registry.mirror]]
location = "tags.example"
pull-from-mirror = "tag-only"
insecure = true
[[registry.mirror]]
location = "digests.example"
pull-from-mirror = "digest-only"

[[registry]]
prefix = "docker.io/team"
location = "inner.example:5000/mirrored"
insecure = true

[[registry]]
prefix = "docker.io/team/app"
location = "own.example/x/y"

[[registry]]
prefix = "*.wild.example"
[[registry.mirror]]
location = "near.example/wild"

[[registry]]
prefix = "bad.example"
blocked = true

[[registry]]
location = "digest.example"
mirror-by-digest-only = true
[[registry.mirror]]
location = "near.example"
"""


@pytest.fixture
def conf(tmp_path: Path) -> Mirrors:
    file = tmp_path / "registries.conf"
    file.write_text(CONF)
    return read_registries_conf([str(file)])


@pytest.mark.parametrize(
    ("host", "path", "by_digest", "expected"),
    [
        pytest.param("quay.io", "a/b", False, ["quay.io/a/b"], id="no-rule"),
        pytest.param("docker.io.example", "a", False, ["docker.io.example/a"], id="prefix-ends-at-a-slash"),
        pytest.param(
            "docker.io",
            "library/debian",
            False,
            ["near.example/hub/library/debian", "tags.example/library/debian", "docker.io/library/debian"],
            id="mirrors-for-tags",
        ),
        pytest.param(
            "docker.io",
            "library/debian",
            True,
            ["near.example/hub/library/debian", "digests.example/library/debian", "docker.io/library/debian"],
            id="mirrors-for-digests",
        ),
        pytest.param("docker.io", "team/x", False, ["inner.example:5000/mirrored/x"], id="longer-prefix-moves"),
        pytest.param("docker.io", "team/app", False, ["own.example/x/y"], id="prefix-is-the-repository"),
        pytest.param("docker.io", "teams/x", False, None, id="not-that-prefix"),
        pytest.param(
            "a.wild.example:5000",
            "x/y",
            False,
            ["near.example/wild/x/y", "a.wild.example:5000/x/y"],
            id="wildcard",
        ),
        pytest.param("wild.example", "x", False, ["wild.example/x"], id="wildcard-needs-a-name"),
        pytest.param("digest.example", "x", False, ["digest.example/x"], id="by-digest-only"),
        pytest.param("digest.example", "x", True, ["near.example/x", "digest.example/x"], id="by-digest"),
    ],
)
def test_rules(conf: Mirrors, host: str, path: str, by_digest: bool, expected: list[str] | None) -> None:
    found = [str(endpoint) for endpoint in conf.endpoints(host, path, by_digest)]
    if expected is None:
        assert found[-1] == f"{host}/{path}"
    else:
        assert found == expected


def test_blocked(conf: Mirrors) -> None:
    with pytest.raises(BlockedError, match=r"bad\.example is blocked in .*registries\.conf"):
        conf.endpoints("bad.example", "x")


def test_insecure(conf: Mirrors) -> None:
    assert conf.insecure_hosts() == ("inner.example:5000", "tags.example")


def test_later_files_replace_rules(tmp_path: Path) -> None:
    one, two = tmp_path / "1.conf", tmp_path / "2.conf"
    one.write_text('[[registry]]\nlocation = "a.example"\nblocked = true\n')
    two.write_text('[[registry]]\nprefix = "a.example"\nlocation = "b.example"\n')
    found = read_registries_conf([str(one), str(two)]).endpoints("a.example", "x")
    assert [str(endpoint) for endpoint in found] == ["b.example/x"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[[registry]", "is not TOML"),
        ("registry = 1", "list of tables"),
        ("registry = [1]", "list of tables"),
        ("[[registry]]\nblocked = true", "needs `prefix` or `location`"),
        ("[[registry]]\nlocation = 3", "`location` must be a string"),
        ('[[registry]]\nlocation = "a.example"\nblocked = "yes"', "`blocked` must be true or false"),
        ('[[registry]]\nlocation = "a.example"\nmirror = 1', "list of tables"),
        ('[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\ninsecure = true', "must be HOST"),
        ('[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\nlocation = "u:p@b"', "without user"),
        (
            '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "never"',
            "pull-from-mirror",
        ),
        ("\udcff", "is not TOML"),
    ],
)
def test_errors_name_the_file(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "registries.conf"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError) as caught:
        read_registries_conf([str(file)])
    assert what in str(caught.value)
    assert str(caught.value).startswith(str(file))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_registries_conf([str(tmp_path / "none")])


def test_standard_files(tmp_path: Path) -> None:
    user = tmp_path / "containers"
    (user / "registries.conf.d").mkdir(parents=True)
    (user / "registries.conf").write_text("")
    for name in ("20.conf", "10.conf", "note.txt"):
        (user / "registries.conf.d" / name).write_text("")
    found = standard_files({"HOME": "/nobody", "XDG_CONFIG_HOME": str(tmp_path)})
    own = [Path(path).relative_to(user).as_posix() for path in found if path.startswith(str(user))]
    assert own == ["registries.conf", "registries.conf.d/10.conf", "registries.conf.d/20.conf"]
    assert "/etc/containers/registries.conf" not in found
    assert standard_files({"CONTAINERS_REGISTRIES_CONF": "/named/file"}) == ["/named/file"]


def test_the_option(tmp_path: Path) -> None:
    mirrors = Mirrors.of({"docker.io": ["https://near.example/", "next.example:5000/hub"]})
    found = [str(endpoint) for endpoint in mirrors.endpoints("docker.io", "library/debian")]
    assert found == ["near.example/library/debian", "next.example:5000/hub/library/debian", "docker.io/library/debian"]
    with pytest.raises(SettingsError):
        Mirrors.of({"docker.io": ["https://user:pw@near.example"]})


# -- hosts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("registry.example", False),
        ("127.example", False),
        ("127.0.0.1.example", False),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("[::2]:5000", False),
        ("localhost", True),
        ("LOCALHOST:5000", True),
        ("a.localhost:80", True),
        ("127.0.0.1:5000", True),
        ("127.9.8.7", True),
        ("[::1]", True),
        ("[::1]:5000", True),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("host", "scheme", "expected"),
    [
        ("registry.example", "https", False),
        ("registry.example", "http", False),
        ("localhost:5000", "https", False),
        ("localhost:5000", "http", True),
        ("listed.example:5000", "https", True),
        ("LISTED.example:5000", "https", True),
        ("listed.example", "https", False),
        ("port.example", "https", True),
    ],
)
def test_plain_http(host: str, scheme: str, expected: bool) -> None:
    policy = PlainHttpPolicy(["listed.example:5000", "port.example:80"])
    assert policy.may_be_plain(host, scheme) is expected


def test_docker_hub_is_served_elsewhere() -> None:
    assert server_of("docker.io") == "registry-1.docker.io"
    assert server_of("quay.io") == "quay.io"
