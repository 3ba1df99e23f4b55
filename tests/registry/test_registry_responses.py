"""What the client makes of answers: digests claimed, missing or lied about; rate limits and failures."""

from __future__ import annotations

import email.utils
from collections.abc import Callable

import pytest

from dfopt.registry import errors
from dfopt.registry.manifests import Digest
from dfopt.registry.transport import retry_after
from registry.asking import BODY, LIMIT, OTHER, Clients, Serve, outcome
from registry.servers import (
    OCI_INDEX,
    OCI_MANIFEST,
    Answer,
    Request,
    Waits,
    digest,
    image,
)

ANSWERS: list[object] = [
    # id, HEAD, GET, verify, expected, requests
    pytest.param(image(BODY), None, False, digest(BODY), "HEAD", id="head-is-enough"),
    pytest.param(image(BODY), image(BODY), True, digest(BODY), "HEAD GET", id="verified"),
    pytest.param(image(BODY, claim=""), image(BODY, claim=""), False, digest(BODY), "HEAD GET", id="no-digest-in-head"),
    pytest.param(Answer(405), image(BODY), False, digest(BODY), "HEAD GET", id="no-head"),
    pytest.param(Answer(501), image(BODY, claim=""), True, digest(BODY), "HEAD GET", id="no-head-no-digest"),
    pytest.param(image(BODY, ""), image(BODY, ""), False, digest(BODY), "HEAD GET", id="no-type"),
    pytest.param(
        image(BODY, "application/json"),
        image(BODY, "application/json"),
        False,
        digest(BODY),
        "HEAD GET",
        id="json-type",
    ),
    pytest.param(
        image(BODY, OCI_MANIFEST + "; charset=utf-8"), None, False, digest(BODY), "HEAD", id="type-with-parameter"
    ),
    # What a registry says of a body that nobody reads cannot be known to be wrong...
    pytest.param(image(BODY, claim=OTHER), None, False, OTHER, "HEAD", id="lie-not-looked-at"),
    # ... but is found out as soon as the body is read.
    pytest.param(
        image(BODY, claim=OTHER), image(BODY), True, errors.DigestMismatchError, "HEAD GET", id="head-lies-get-does-not"
    ),
    pytest.param(
        image(BODY, claim=OTHER), image(BODY, claim=OTHER), True, errors.DigestMismatchError, "HEAD GET", id="both-lie"
    ),
    pytest.param(
        image(BODY, claim=OTHER), Answer(404), True, errors.DigestMismatchError, "HEAD GET", id="claims-what-it-lacks"
    ),
    pytest.param(
        Answer(405),
        image(BODY, claim=OTHER),
        False,
        errors.DigestMismatchError,
        "HEAD GET",
        id="get-lies-without-verify",
    ),
    pytest.param(image(BODY, claim="sha256:12"), None, False, errors.BadAnswerError, "HEAD", id="malformed-digest"),
    pytest.param(image(BODY, claim="md5:" + "0" * 32), None, False, errors.BadAnswerError, "HEAD", id="unknown-hash"),
    pytest.param(
        Answer(200, {"Content-Type": "text/html"}, b"<html>log in</html>"),
        Answer(200, {"Content-Type": "text/html"}, b"<html>log in</html>"),
        False,
        errors.BadAnswerError,
        "HEAD GET",
        id="captive-portal",
    ),
    pytest.param(
        image(b"{", "application/json"),
        image(b"{", "application/json"),
        True,
        errors.BadAnswerError,
        "HEAD GET",
        id="broken",
    ),
    pytest.param(
        image(BODY, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        image(BODY, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        False,
        errors.BadAnswerError,
        "HEAD GET",
        id="schema-1",
    ),
    pytest.param(
        image(BODY, claim=""),
        image(b" " * ((4 << 20) + 1)),
        False,
        errors.BadAnswerError,
        "HEAD GET",
        id="endless-body",
    ),
    pytest.param(Answer(404), None, False, errors.NotFoundError, "HEAD", id="not-found"),
    pytest.param(Answer(403), None, False, errors.CredentialsNeededError, "HEAD", id="forbidden"),
    pytest.param(Answer(418), None, False, errors.BadAnswerError, "HEAD", id="odd-status"),
    pytest.param(Answer(401), None, False, errors.BadAnswerError, "HEAD", id="401-without-challenge"),
    pytest.param(
        Answer(401, {"WWW-Authenticate": "Negotiate abc=="}), None, False, errors.BadAnswerError, "HEAD", id="negotiate"
    ),
]


@pytest.mark.parametrize(("head", "get", "verify", "expected", "requests"), ANSWERS)
def test_answers(
    client: Clients,
    serve: Serve,
    head: Answer,
    get: Answer | None,
    verify: bool,
    expected: str | type[Exception],
    requests: str,
) -> None:
    server = serve(lambda request: head if request.method == "HEAD" else (get or Answer(500)))
    found = outcome(client(), f"{server.host}/app:1", verify)
    if isinstance(expected, str):
        assert str(found) == expected
    else:
        assert type(found) is expected, found
        assert server.host in str(found)
    assert [r.method for r in server.requests] == requests.split()


def test_all_four_types_are_asked_for(client: Clients, serve: Serve) -> None:
    server = serve(lambda _: image(BODY))
    client().resolve(f"{server.host}/app:1")
    accepted = server.requests[0].headers["accept"].split(", ")
    assert len(accepted) == 4
    assert {OCI_INDEX, OCI_MANIFEST} < set(accepted)


def test_a_wrong_answer_to_a_digest(client: Clients, serve: Serve) -> None:
    server = serve(lambda _: image(BODY))
    found = outcome(client(), f"{server.host}/app@{OTHER}")
    assert isinstance(found, errors.DigestMismatchError)


@pytest.mark.parametrize(
    "ref", ["scratch", "", "Upper/Case", "a b", "app:", "app@sha256:12", "foo_bar.com/app", "x\ny", "\udc80"]
)
def test_no_reference(client: Clients, ref: str) -> None:
    assert isinstance(outcome(client(), ref), errors.InvalidReferenceError)


def in_turn(*answers: Answer) -> Callable[[Request], Answer]:
    """Gives the answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("answers", "expected", "waited", "requests"),
    [
        pytest.param([image(BODY)], None, [], 1, id="no-limit"),
        pytest.param([Answer(429, {LIMIT: "7"}), image(BODY)], None, [7], 2, id="retry-after"),
        pytest.param([Answer(429, {LIMIT: "0"}), image(BODY)], None, [], 2, id="retry-at-once"),
        pytest.param([Answer(429), image(BODY)], None, ["1"], 2, id="429-without-retry-after"),
        pytest.param([Answer(429, {LIMIT: "soon"}), image(BODY)], None, ["1"], 2, id="unreadable-retry-after"),
        pytest.param([Answer(429, {LIMIT: "31"})], errors.RateLimitedError, [], 1, id="longer-than-the-limit"),
        pytest.param([Answer(429, {LIMIT: "2"})], errors.RateLimitedError, [2, 2, 2], 4, id="429-for-ever"),
        pytest.param([Answer(503), Answer(502), image(BODY)], None, ["1", "2"], 3, id="5xx-then-fine"),
        pytest.param([Answer(500)], errors.ServerError, ["1", "2", "4"], 4, id="5xx-for-ever"),
        pytest.param([Answer(503, {LIMIT: "9"}), image(BODY)], None, [9], 2, id="503-with-retry-after"),
        pytest.param([Answer(505)], errors.BadAnswerError, [], 1, id="other-5xx"),
    ],
)
def test_limits(
    client: Clients,
    serve: Serve,
    waits: Waits,
    answers: list[Answer],
    expected: type[Exception] | None,
    waited: list[float | str],
    requests: int,
) -> None:
    """A wait in quotes is a backoff: a quarter less or more."""
    server = serve(in_turn(*answers))
    found = outcome(client(), f"{server.host}/app:1")
    assert type(found) is (expected or Digest), found
    assert len(server.requests) == requests
    assert len(waits) == len(waited)
    for actual, asked in zip(waits, waited, strict=True):
        assert actual == pytest.approx(float(asked), rel=0.25, abs=0.2)
    if isinstance(found, errors.RateLimitedError):
        assert found.retry_after in (2, 31)


def test_a_limited_host_is_left_alone_by_other_images(client: Clients, serve: Serve) -> None:
    server = serve(lambda _: Answer(429, {LIMIT: "3600"}))
    made = client(concurrency=1)
    found = made.resolve_all([f"{server.host}/app:{n}" for n in range(5)])
    assert {type(error) for error in found.values()} == {errors.RateLimitedError}
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120.0),
        (" 5 ", 5.0),
        ("9" * 400, 999999999.0),
        ("-1", None),
        ("", None),
        ("\u0661", None),
        ("Wed, 99 Foo 2026", None),
        (email.utils.formatdate(1_000_060, usegmt=True), 60.0),
        (email.utils.formatdate(999_000, usegmt=True), 0.0),
    ],
)
def test_retry_after(value: str, expected: float | None) -> None:
    assert retry_after(value, 1_000_000.0) == expected
