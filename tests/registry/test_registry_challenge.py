"""WWW-Authenticate as servers write it."""

from __future__ import annotations

import pytest

from dfopt.registry.challenge import Challenge, parse_challenges


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([], []),
        ([""], []),
        (["Basic"], [("basic", {})]),
        (['Basic realm="a b"'], [("basic", {"realm": "a b"})]),
        (
            ['Bearer realm="https://a/t",service="s, x",scope="repository:a/b:pull,push"'],
            [("bearer", {"realm": "https://a/t", "service": "s, x", "scope": "repository:a/b:pull,push"})],
        ),
        (['bearer REALM = "a\\"b" , service=plain'], [("bearer", {"realm": 'a"b', "service": "plain"})]),
        (['Basic realm="a", Bearer realm="b"'], [("basic", {"realm": "a"}), ("bearer", {"realm": "b"})]),
        (['Basic realm="a"', 'Bearer realm="b"'], [("basic", {"realm": "a"}), ("bearer", {"realm": "b"})]),
        (["Basic, Bearer realm=b"], [("basic", {}), ("bearer", {"realm": "b"})]),
        (["=x, realm=y"], []),
        (["Negotiate abc==, Basic realm=x"], [("negotiate", {}), ("basic", {"realm": "x"})]),
        (['Bearer realm="a", realm="b"'], [("bearer", {"realm": "a"})]),
        (['Bearer realm="never ends'], [("bearer", {})]),
    ],
)
def test_challenges(fields: list[str], expected: list[tuple[str, dict[str, str]]]) -> None:
    assert parse_challenges(fields) == [Challenge(scheme, params) for scheme, params in expected]
