"""Where credentials are found, and that they are never shown."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dfopt.registry.client import RegistryClient
from dfopt.registry.credentials import Credential, CredentialStore
from dfopt.registry.errors import shown, shown_url
from dfopt.registry.helpers import HelperAnswer
from registry.servers import IDENTITY, PASSWORD, USER, FakeServer, image, manifest

Homes = Callable[..., CredentialStore]


def packed(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def entry(name: str) -> dict[str, str]:
    """An entry of auths that can be told from others by its user name."""
    return {"auth": packed(name, PASSWORD)}


LOOKUPS: list[object] = [
    # auths, host, path, the user found ("" for none)
    pytest.param({}, "reg.example", "app", "", id="nothing"),
    pytest.param({"other.example": entry("a")}, "reg.example", "app", "", id="another-host"),
    pytest.param({"reg.example": {}}, "reg.example", "app", "", id="empty-entry"),
    pytest.param({"reg.example": entry("a")}, "reg.example", "app", "a", id="host"),
    pytest.param({"REG.example": entry("a")}, "Reg.Example", "app", "a", id="case"),
    pytest.param({"reg.example:5000": entry("a")}, "reg.example", "app", "", id="another-port"),
    pytest.param({"reg.example:5000": entry("a")}, "reg.example:5000", "app", "a", id="port"),
    pytest.param({"https://reg.example": entry("a")}, "reg.example", "app", "a", id="https"),
    pytest.param({"http://reg.example/v2/": entry("a")}, "reg.example", "app", "a", id="http-and-path"),
    pytest.param({"reg.example/v1/": entry("a")}, "reg.example", "app", "a", id="v1"),
    pytest.param(
        {"https://reg.example": entry("old"), "reg.example": entry("new")},
        "reg.example",
        "app",
        "new",
        id="old-form-last",
    ),
    pytest.param({"https://index.docker.io/v1/": entry("a")}, "docker.io", "library/debian", "a", id="hub-legacy"),
    pytest.param({"docker.io": entry("a")}, "docker.io", "library/debian", "a", id="hub"),
    pytest.param({"index.docker.io": entry("a")}, "docker.io", "library/debian", "a", id="hub-index"),
    pytest.param({"https://index.docker.io/v1/": entry("a")}, "reg.example", "app", "", id="hub-is-not-for-others"),
    pytest.param({"reg.example/team": entry("a")}, "reg.example", "team/app", "a", id="scope"),
    pytest.param({"reg.example/team": entry("a")}, "reg.example", "teams/app", "", id="scope-ends-at-a-slash"),
    pytest.param({"reg.example/team/app": entry("a")}, "reg.example", "team/app", "a", id="scope-is-the-repository"),
    pytest.param({"reg.example/team/app": entry("a")}, "reg.example", "team", "", id="scope-is-longer"),
    pytest.param(
        {"reg.example": entry("h"), "reg.example/team": entry("t"), "reg.example/team/app": entry("a")},
        "reg.example",
        "team/other",
        "t",
        id="longest-scope",
    ),
    pytest.param({"reg.example/team": "x", "reg.example": entry("h")}, "reg.example", "team/a", "h", id="no-table"),
    pytest.param(
        {"reg.example": {"username": "a", "password": PASSWORD}}, "reg.example", "app", "a", id="plain-fields"
    ),
    pytest.param(
        {"reg.example": {"auth": packed("a", PASSWORD + "\0\0")}}, "reg.example", "app", "a", id="nul-padding"
    ),
    pytest.param(
        {"reg.example": {"auth": packed("a", PASSWORD).rstrip("=")}}, "reg.example", "x", "a", id="no-padding"
    ),
]


@pytest.mark.parametrize(("auths", "host", "path", "user"), LOOKUPS)
def test_auths(home: Homes, auths: dict[str, object], host: str, path: str, user: str) -> None:
    found = home({"auths": auths}).find(host, path)
    assert found.problems == ()
    assert (found.credential.username if found.credential else "") == user
    if found.credential:
        assert found.credential.password == PASSWORD


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"auth": packed("<token>", IDENTITY)}, "identity"),
        ({"identitytoken": IDENTITY, "auth": packed(USER, PASSWORD)}, "identity"),
        ({"registrytoken": IDENTITY}, "bearer"),
    ],
)
def test_tokens(home: Homes, fields: dict[str, str], kind: str) -> None:
    found = home({"auths": {"reg.example": fields}}).find("reg.example", "app").credential
    assert found is not None
    assert getattr(found, kind) == IDENTITY
    assert found.password == ""


@pytest.mark.parametrize(
    "auth",
    [
        "%%%",
        packed("x", "y")[:-3] + "\u00e9",
        base64.b64encode(b"no colon").decode(),
        base64.b64encode(b"\xff:").decode(),
    ],
)
def test_an_entry_that_cannot_be_decoded_is_told_without_it(home: Homes, auth: str) -> None:
    found = home({"auths": {"reg.example": {"auth": auth}}}).find("reg.example", "app")
    assert found.credential is None
    assert len(found.problems) == 1
    assert "reg.example" in found.problems[0]
    assert auth not in found.problems[0]


# -- files -------------------------------------------------------------------------------------------------------------


def test_the_order_of_files(tmp_path: Path) -> None:
    """Each file has one host of its own and the hosts of all later files, so that the first file that knows wins."""
    places = {
        "registry": tmp_path / "auth-file.json",
        "docker": tmp_path / "docker" / "config.json",
        "runtime": tmp_path / "run" / "containers" / "auth.json",
        "config": tmp_path / "conf" / "containers" / "auth.json",
    }
    names = ["inline", *places]
    contents = {
        name: {"auths": {f"{later}.example": entry(name) for later in names[at:]}} for at, name in enumerate(names)
    }
    for name, path in places.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(contents[name]))
    env = {
        "DOCKER_AUTH_CONFIG": json.dumps(contents["inline"]),
        "REGISTRY_AUTH_FILE": str(places["registry"]),
        "DOCKER_CONFIG": str(tmp_path / "docker"),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "XDG_CONFIG_HOME": str(tmp_path / "conf"),
        "HOME": str(tmp_path / "nobody"),
    }
    for name in names:
        credential = CredentialStore(env).find("config.example").credential
        assert credential is not None
        assert credential.username == name
        assert credential.source == ("$DOCKER_AUTH_CONFIG" if name == "inline" else str(places[name]))
        if name == "inline":
            del env["DOCKER_AUTH_CONFIG"]
        else:
            places[name].write_text("{}")
    assert CredentialStore(env).find("config.example").credential is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", None, id="empty"),
        pytest.param(b"{}", None, id="empty-object"),
        pytest.param(b'{"auths": [], "credHelpers": 3, "credsStore": {}}', None, id="odd-types"),
        pytest.param(b'{\n"auths": {' + PASSWORD.encode(), "is not JSON (line 2)", id="broken"),
        pytest.param(b"[]", "is not a JSON object", id="list"),
        pytest.param(b'"\xff"', "is not JSON", id="no-utf-8"),
        pytest.param(b"[" * 200_000, "is nested too deeply", id="deep"),
    ],
)
def test_broken_files_are_told(tmp_path: Path, content: bytes, problem: str | None) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_bytes(content)
    found = CredentialStore({"HOME": str(tmp_path)}).find("reg.example")
    assert found.credential is None
    if problem is None:
        assert found.problems == ()
    else:
        assert len(found.problems) == 1
        assert problem in found.problems[0]
        assert PASSWORD not in found.problems[0]


def test_a_named_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "REGISTRY_AUTH_FILE": str(tmp_path / "none.json")}
    problems = CredentialStore(env).find("reg.example").problems
    assert len(problems) == 1
    assert str(tmp_path / "none.json") in problems[0]


# -- helpers -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts a program docker-credential-NAME on PATH; returns the file into which it notes what it was asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, body: str) -> Path:
        log = tmp_path / f"{name}.asked"
        program = folder / f"docker-credential-{name}"
        program.write_text(f'#!/bin/sh\nread server\necho "$1 $server" >> {log}\n{body}\n')
        program.chmod(0o755)
        return log

    return make


def says(username: str, secret: str) -> str:
    return f"""printf '{{"ServerURL": "%s", "Username": "{username}", "Secret": "{secret}"}}' "$server" """


NOT_FOUND = "echo credentials not found in native keychain; exit 1"


def test_helper_for_a_host(home: Homes, helper: Callable[[str, str], Path]) -> None:
    asked = helper("good", says(USER, PASSWORD))
    store = home({"credHelpers": {"reg.example": "good"}})
    found = store.find("reg.example", "app").credential
    assert found == Credential(USER, PASSWORD, source=found.source if found else "")
    assert store.find("other.example", "app").credential is None
    assert asked.read_text() == "get reg.example\n"


def test_helper_with_an_identity_token(home: Homes, helper: Callable[[str, str], Path]) -> None:
    helper("good", says("<token>", IDENTITY))
    found = home({"credsStore": "good"}).find("reg.example", "app").credential
    assert found is not None
    assert (found.identity, found.password) == (IDENTITY, "")


def test_the_order_in_a_file(home: Homes, helper: Callable[[str, str], Path]) -> None:
    """credHelpers, then credsStore, then auths; each says that it has nothing until it is its turn."""
    helper("one", says("one", PASSWORD))
    helper("all", says("all", PASSWORD))
    content = {"credHelpers": {"reg.example": "one"}, "credsStore": "all", "auths": {"reg.example": entry("auths")}}
    users = []
    for silent in ("", "one", "all"):
        if silent:
            helper(silent, NOT_FOUND)
        found = home(content).find("reg.example", "app")
        assert found.problems == ()
        users.append(found.credential.username if found.credential else "")
    assert users == ["one", "all", "auths"]


def test_docker_hub_is_asked_for_by_its_old_name(home: Homes, helper: Callable[[str, str], Path]) -> None:
    asked = helper("store", NOT_FOUND)
    assert home({"credsStore": "store"}).find("docker.io", "library/debian").credential is None
    assert asked.read_text() == "get https://index.docker.io/v1/\nget docker.io\n"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(NOT_FOUND, None, id="nothing-known"),
        pytest.param(says(USER, ""), None, id="empty-secret"),
        pytest.param(f"echo {PASSWORD}; echo {PASSWORD} >&2; exit 3", "failed with status 3", id="fails"),
        pytest.param(f"echo {PASSWORD}", "printed no JSON", id="no-json"),
        pytest.param("echo '[]'", "printed no JSON object", id="list"),
        pytest.param("""echo '{"Username": 1, "Secret": "x"}'""", "is no text", id="number"),
        pytest.param("printf '\\377'", "printed no JSON", id="bytes"),
        pytest.param("yes", "printed more than", id="endless-output"),
        pytest.param("kill -9 $$", "failed with status -9", id="killed"),
    ],
)
def test_helpers_that_fail(home: Homes, helper: Callable[[str, str], Path], body: str, problem: str | None) -> None:
    helper("bad", body)
    found = home({"credsStore": "bad"}).find("reg.example", "app")
    assert found.credential is None
    if problem is None:
        assert found.problems == ()
    else:
        assert len(found.problems) == 1
        assert problem in found.problems[0]
        assert "docker-credential-bad" in found.problems[0]
        assert PASSWORD not in found.problems[0]


@pytest.mark.parametrize("name", ["absent", "../evil", "a b", "a;b"])
def test_helpers_that_are_not_there(home: Homes, name: str) -> None:
    problems = home({"credsStore": name}).find("reg.example", "app").problems
    assert len(problems) == 1
    assert "not on PATH" in problems[0] or "may hold" in problems[0]


def test_a_helper_that_cannot_be_run(home: Homes, helper: Callable[[str, str], Path], tmp_path: Path) -> None:
    helper("bad", "")
    (tmp_path / "bin" / "docker-credential-bad").write_text("#!/no/such/interpreter\n")
    problems = home({"credsStore": "bad"}).find("reg.example", "app").problems
    assert len(problems) == 1
    assert "cannot be run" in problems[0]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("echo $$ > PIDS; sleep 60", id="hangs"),
        pytest.param("sleep 60 & echo $! > PIDS; wait", id="child-holds-the-pipe"),
        pytest.param("exec >&-; echo $$ > PIDS; exec sleep 60", id="closes-its-output-and-stays"),
    ],
)
def test_a_helper_that_hangs_is_ended(
    home: Homes, helper: Callable[[str, str], Path], tmp_path: Path, body: str
) -> None:
    helper("slow", body.replace("PIDS", str(tmp_path / "pids")))
    store = home({"credsStore": "slow"})
    store._helper_seconds = 1.0
    found = store.find("reg.example", "app")
    assert found.credential is None
    assert len(found.problems) == 1
    assert "in 1 s" in found.problems[0]
    for pid in (tmp_path / "pids").read_text().split():
        assert gone(int(pid))


def gone(pid: int) -> bool:
    """Whether a process has ended, given the time that init takes to bury it."""
    for _ in range(3000):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except OSError:
            return True
        threading.Event().wait(0.02)
    return False


def test_a_helper_is_asked_once_by_many_threads(home: Homes, helper: Callable[[str, str], Path]) -> None:
    asked = helper("good", "sleep 0.1; " + says(USER, PASSWORD))
    store = home({"credsStore": "good"})
    found: list[str] = []

    def ask() -> None:
        credential = store.find("reg.example", "app").credential
        found.append(credential.password if credential else "")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [PASSWORD] * 8
    assert asked.read_text() == "get reg.example\n"


def test_a_public_image_needs_no_working_helper(
    home: Homes,
    helper: Callable[[str, str], Path],
    serve: Callable[..., FakeServer],
    client: Callable[..., RegistryClient],
) -> None:
    asked = helper("bad", "exit 1")
    server = serve(lambda _: image(manifest()))
    made = client(credentials=home({"credsStore": "bad"}))
    made.resolve(f"{server.host}/app:1")
    assert not asked.exists()
    assert made.problems() == []


# -- nothing is shown --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(Credential(USER, PASSWORD, source="file"), id="password"),
        pytest.param(Credential(identity=PASSWORD, source="file"), id="identity"),
        pytest.param(Credential(bearer=PASSWORD, source="file"), id="bearer"),
        pytest.param(HelperAnswer(USER, PASSWORD), id="helper"),
    ],
)
def test_representations_hide_secrets(value: object) -> None:
    for text in (repr(value), str(value), f"{value}", repr([value])):
        assert PASSWORD not in text
        assert USER not in text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://host/path", "https://host/path"),
        ("https://user:pw@host/path", "https://host/path"),
        ("https://host/path?sig=secret#x", "https://host/path"),
        ("https://user@host/a@b?c@d", "https://b"),
        ("//user:pw@host", "//host"),
        ("user:pw@host", "host"),
        ("https://user:p/w@host/x", "https://host/x"),
        ("https://host/\x1b[31m\n", "https://host/?[31m?"),
    ],
)
def test_shown_url(url: str, expected: str) -> None:
    assert shown_url(url) == expected


def test_shown_is_short() -> None:
    assert shown("x" * 500) == "x" * 197 + "..."
