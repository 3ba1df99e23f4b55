"""Credentials of registries, found where docker and the containers tools put them.

Files, in this order: $DOCKER_AUTH_CONFIG (the JSON itself, as CI systems pass it), $REGISTRY_AUTH_FILE,
$DOCKER_CONFIG/config.json or ~/.docker/config.json, $XDG_RUNTIME_DIR/containers/auth.json, and
$XDG_CONFIG_HOME/containers/auth.json. In each file: `credHelpers[host]`, then `credsStore`, then `auths[host]`; the
first that has something wins. Sources: docker's config.json reference, containers-auth.json(5), and
docker-credential-helpers.

A broken file or helper is not an error here: the lookup goes on, as docker's does, and says what it met in `problems`,
so that a public image does not need a working keychain.
"""

from __future__ import annotations

import base64
import json
import os
import threading

from dfopt.files import read_regular
from dfopt.record import Record
from dfopt.registry.helpers import HelperError, ask_helper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.registry.helpers import HelperAnswer

HELPER_SECONDS = 10.0
_FILE_LIMIT = 4 << 20  # bytes
_HUB_KEY = "https://index.docker.io/v1/"  # what docker login has always stored Docker Hub's credentials under
_HUB_HOSTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_IDENTITY_USER = "<token>"


class Credential(Record):
    """Credentials for one registry. Exactly one of the secrets is set; none is ever shown.

    `password` goes with `username` (Basic, or to the token server); `identity` is an OAuth2 refresh token; `bearer` is
    sent to the registry as it is. `source` says where it was found, without secrets.
    """

    username: str = ""
    password: str = ""
    identity: str = ""
    bearer: str = ""
    source: str = ""

    def __repr__(self) -> str:
        kind = "identity token" if self.identity else "bearer token" if self.bearer else "password"
        return f"Credential({kind} ***, source={self.source!r})"

    def basic(self) -> str:
        """The value of an Authorization field for Basic."""
        pair = f"{self.username}:{self.password}".encode("utf-8", "replace")
        return "Basic " + base64.b64encode(pair).decode("ascii")


class CredentialLookup(Record):
    """What was found for a repository, and what stood in the way (one line each, fit to be shown)."""

    credential: Credential | None
    problems: tuple[str, ...] = ()


class CredentialStore:
    """Looks credentials up, per repository, from threads if need be; each helper is asked once per address.

    `env` takes the place of os.environ (also for the helpers' PATH); `helper_seconds` limits one helper's run.
    """

    def __init__(self, env: Mapping[str, str] | None = None, helper_seconds: float = HELPER_SECONDS) -> None:
        self._env = dict(os.environ if env is None else env)
        self._helper_seconds = helper_seconds
        self._lock = threading.Lock()
        self._files: list[tuple[str, dict[str, Any]]] | None = None
        self._file_problems: list[str] = []
        self._answers: dict[tuple[str, str], _Answer] = {}

    def __repr__(self) -> str:
        return "CredentialStore()"

    def find(self, host: str, path: str = "") -> CredentialLookup:
        """Credentials for repository `path` at registry `host` ("registry.example:5000", "docker.io")."""
        problems: list[str] = []
        files = self._load()
        with self._lock:
            problems += self._file_problems
        for origin, content in files:
            credentials = self._in_file(origin, content, host.lower(), path, problems)
            if credentials is not None:
                return CredentialLookup(credentials, tuple(problems))
        return CredentialLookup(None, tuple(problems))

    # -- files -----------------------------------------------------------------------------------------------------

    def _load(self) -> list[tuple[str, dict[str, Any]]]:
        with self._lock:
            if self._files is None:
                self._files = []
                inline = self._env.get("DOCKER_AUTH_CONFIG")
                if inline:
                    self._take("$DOCKER_AUTH_CONFIG", inline.encode("utf-8", "surrogateescape"))
                for file, needed in self._candidates():
                    try:
                        data = read_regular(file, _FILE_LIMIT)
                    except OSError as error:
                        if needed or not isinstance(error, (FileNotFoundError, NotADirectoryError)):
                            self._file_problems.append(f"{file} cannot be read: {error.strerror}")
                        continue
                    self._take(file, data)
            return self._files

    def _candidates(self) -> list[tuple[str, bool]]:
        """Paths of credential files, and whether the user named the file, so that its absence is reported."""
        get = self._env.get
        home = get("HOME") or get("USERPROFILE") or os.path.expanduser("~")
        paths: list[tuple[str, bool]] = []
        if named := get("REGISTRY_AUTH_FILE"):
            paths.append((named, True))
        paths.append((os.path.join(get("DOCKER_CONFIG") or os.path.join(home, ".docker"), "config.json"), False))
        if runtime := get("XDG_RUNTIME_DIR"):
            paths.append((os.path.join(runtime, "containers", "auth.json"), False))
        config = get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        paths.append((os.path.join(config, "containers", "auth.json"), False))
        return list(dict(paths).items())

    def _take(self, origin: str, data: bytes) -> None:
        assert self._files is not None
        if not data.strip():
            return
        try:
            content = json.loads(data)
        except RecursionError:
            self._file_problems.append(f"{origin} is nested too deeply")
            return
        except ValueError as error:  # also broken UTF-8; never the text itself: it holds secrets
            line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
            self._file_problems.append(f"{origin} is not JSON{line}")
            return
        if isinstance(content, dict):
            self._files.append((origin, content))
        else:
            self._file_problems.append(f"{origin} is not a JSON object")

    # -- one file --------------------------------------------------------------------------------------------------

    def _in_file(
        self, origin: str, content: dict[str, Any], host: str, path: str, problems: list[str]
    ) -> Credential | None:
        helpers = _table(content, "credHelpers")
        for key, name in helpers.items():
            if isinstance(name, str) and name and _host_of(key)[0] == _canonical(host):
                credentials = self._from_helper(origin, name, host, problems)
                if credentials is not None:
                    return credentials
        store = content.get("credsStore")
        if isinstance(store, str) and store:
            credentials = self._from_helper(origin, store, host, problems)
            if credentials is not None:
                return credentials
        return _from_auths(origin, _table(content, "auths"), host, path, problems)

    def _from_helper(self, origin: str, name: str, host: str, problems: list[str]) -> Credential | None:
        servers = [_HUB_KEY, "docker.io"] if host in _HUB_HOSTS else [host]
        for server in servers:
            with self._lock:
                memo = self._answers.setdefault((name, server), _Answer())
            with memo.lock:
                if not memo.done:
                    try:
                        memo.answer = ask_helper(name, server, self._env, self._helper_seconds)
                    except HelperError as error:
                        memo.problem = str(error)
                    memo.done = True
            if memo.problem:
                problems.append(f"{memo.problem} (named in {origin})")
                return None
            if memo.answer is not None:
                source = f"docker-credential-{name} (named in {origin})"
                if memo.answer.username == _IDENTITY_USER:
                    return Credential(identity=memo.answer.secret, source=source)
                return Credential(memo.answer.username, memo.answer.secret, source=source)
        return None


class _Answer:
    """One helper's answer about one address; the lock makes many askers wait for a single run."""

    __slots__ = ("answer", "done", "lock", "problem")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.done = False
        self.answer: HelperAnswer | None = None
        self.problem = ""


def _table(content: dict[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _canonical(host: str) -> str:
    return "docker.io" if host in _HUB_HOSTS else host


def _host_of(key: str) -> tuple[str, str]:
    """Host and path of a key of `auths` or `credHelpers`.

    A key with a scheme is docker's old form: its path means nothing. Without one, a path is a scope of
    containers-auth.json, except `/v1` and `/v2`, which old logins left behind.
    """
    bare, scheme = key.strip(), False
    for prefix in ("https://", "http://"):
        if bare.lower().startswith(prefix):
            bare, scheme = bare[len(prefix) :], True
    host, _, path = bare.partition("/")
    path = path.strip("/")
    if scheme or path in ("v1", "v2"):
        path = ""
    return _canonical(host.lower()), path


def _from_auths(origin: str, auths: dict[str, Any], host: str, path: str, problems: list[str]) -> Credential | None:
    """The entry with the longest scope that holds the repository; of equals, the one written without a scheme."""
    fitting: list[tuple[int, bool, str]] = []
    for key in auths:
        key_host, scope = _host_of(key)
        if key_host == _canonical(host) and (not scope or f"{path}/".startswith(f"{scope}/")):
            fitting.append((-len(scope), "://" in key, key))
    for _, _, key in sorted(fitting):
        entry = auths[key]
        if not isinstance(entry, dict):
            continue
        try:
            credentials = _read_entry(entry, origin)
        except ValueError:
            problems.append(f"{origin}: the entry of {host} in auths cannot be decoded")
            continue
        if credentials is not None:
            return credentials
    return None


def _read_entry(entry: dict[str, Any], source: str) -> Credential | None:
    """One entry of `auths`; None when it is empty (docker's mark for "in the store"). Raises ValueError."""

    def text(name: str) -> str:
        value = entry.get(name)
        return value if isinstance(value, str) else ""

    if text("identitytoken"):
        return Credential(identity=text("identitytoken"), source=source)
    if text("registrytoken"):
        return Credential(bearer=text("registrytoken"), source=source)
    username, password = text("username"), text("password")
    if packed := text("auth").strip():
        plain = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)  # binascii.Error is a ValueError
        username, colon, password = plain.decode("utf-8").partition(":")
        password = password.rstrip("\0")  # docker pads old entries with NUL
        if not colon:
            raise ValueError("no colon")
        if username == _IDENTITY_USER:
            return Credential(identity=password, source=source)
    return Credential(username, password, source=source) if username and password else None
