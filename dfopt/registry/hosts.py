"""Names of registry hosts: where a name is served, and where plain http may be spoken."""

from __future__ import annotations

import re

_IPV4_LOOPBACK = re.compile(r"127\.\d{1,3}\.\d{1,3}\.\d{1,3}")
_HUB_SERVER = "registry-1.docker.io"


def server_of(host: str) -> str:
    """The "host[:port]" that serves a registry's API; Docker Hub's lives under another name than its images say."""
    return _HUB_SERVER if host in ("docker.io", "index.docker.io") else host


def bare_host(host: str) -> str:
    """A host without port, in lower case; IPv6 without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()


def is_loopback(host: str) -> bool:
    """Whether "host[:port]" is this machine by its spelling alone; names are not looked up."""
    bare = bare_host(host)
    return bare in ("localhost", "::1") or bare.endswith(".localhost") or bool(_IPV4_LOOPBACK.fullmatch(bare))


class PlainHttpPolicy:
    """Who may be spoken to without TLS: loopback, and the hosts that the user lists ("host[:port]")."""

    def __init__(self, insecure: tuple[str, ...] | list[str] = ()) -> None:
        names = {host.lower() for host in insecure}
        # URLs drop the port that their scheme implies.
        names |= {host.rpartition(":")[0] for host in names if host.endswith((":80", ":443"))}
        self._insecure = frozenset(names)

    def is_insecure(self, host: str) -> bool:
        """Listed by the user: plain http, or TLS that is not verified, will do."""
        return host.lower() in self._insecure

    def may_be_plain(self, host: str, from_scheme: str) -> bool:
        """Whether an http URL at `host` may be followed when it came from a server spoken to by `from_scheme`.

        What was received over TLS leads to plain http only where the user said so; not even to loopback, where a remote
        server has no business.
        """
        return self.is_insecure(host) or (from_scheme == "http" and is_loopback(host))
