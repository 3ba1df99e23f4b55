"""What can go wrong between an image reference and its digest: one class per thing that the user can do about it.

`str(error)` is one line: what happened, then what to do. No message carries a password, a token, or a URL's query or
user part; `shown_url` is the only way in which a URL gets into a message.
"""

from __future__ import annotations

import re

_QUERY_OR_FRAGMENT = re.compile(r"[?#].*", re.DOTALL)
# Up to the last "@": a password may hold a slash, and hiding a piece of a path is the smaller harm.
_USER_PART = re.compile(r"^((?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//)?.*@", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def shown(text: str, limit: int = 200) -> str:
    """Foreign text made fit for one line of a terminal: no control characters, at most `limit` code points."""
    text = _CONTROL.sub("?", text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def shown_url(url: str) -> str:
    """A URL for a message: scheme, host and path; the query (signed links) and the user part are dropped."""
    return shown(_USER_PART.sub(lambda m: m[1] or "", _QUERY_OR_FRAGMENT.sub("", url)))


class RegistryError(Exception):
    """Base of all errors of this package. `what` says what happened, `hint` what to do (empty: nothing to add)."""

    kind = "registry"

    def __init__(self, what: str, hint: str = "", host: str = "") -> None:
        super().__init__(what, hint, host)
        self.what = what
        self.hint = hint
        self.host = host

    def __str__(self) -> str:
        return f"{self.what}; {self.hint}" if self.hint else self.what


class InvalidReferenceError(RegistryError):
    """The text is not an image reference, or is one that no registry serves (`scratch`)."""

    kind = "invalid-reference"


class SettingsError(RegistryError):
    """A file or setting of this machine cannot be used: a CA file, registries.conf, a proxy address."""

    kind = "settings"


class BlockedError(RegistryError):
    """registries.conf forbids this registry."""

    kind = "blocked"


class UnreachableError(RegistryError):
    """No connection: name resolution, refused, reset."""

    kind = "unreachable"


class RegistryTimeLimitError(RegistryError):
    """Connecting, reading, or the image as a whole took longer than its limit."""

    kind = "time-limit"


class TlsError(RegistryError):
    """The certificate is not trusted or does not fit the host, or the handshake failed."""

    kind = "tls"


class PlainHttpError(RegistryError):
    """Something asked for plain http where that is not allowed."""

    kind = "plain-http"


class RedirectError(RegistryError):
    """A redirect that is not followed: too many, no target, or from https to http."""

    kind = "redirect"


class CredentialsNeededError(RegistryError):
    """The registry wants credentials and none were found."""

    kind = "credentials-needed"


class DeniedError(RegistryError):
    """The registry or its token server refused the request, with or without credentials."""

    kind = "denied"


class NotFoundError(RegistryError):
    """The registry answers that there is no such image, tag or digest."""

    kind = "not-found"


class RateLimitedError(RegistryError):
    """429, and waiting as long as asked is beyond the limits. `retry_after`: seconds, None when not said."""

    kind = "rate-limited"

    def __init__(self, what: str, hint: str = "", host: str = "", retry_after: float | None = None) -> None:
        super().__init__(what, hint, host)
        self.retry_after = retry_after


class ServerError(RegistryError):
    """5xx after all attempts."""

    kind = "server"


class BadAnswerError(RegistryError):
    """An answer that no registry should give: no manifest, no digest, broken JSON, an unknown status."""

    kind = "bad-answer"


class DigestMismatchError(RegistryError):
    """The registry claims a digest that is not the content's. Never retried, never passed over for a mirror."""

    kind = "digest-mismatch"
