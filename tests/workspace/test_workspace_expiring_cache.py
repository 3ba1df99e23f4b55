"""What is remembered of directories: bounded, and for a while."""

from __future__ import annotations

import pytest

from dfopt.workspace import expiring_cache
from dfopt.workspace.expiring_cache import ExpiringCache


def test_those_go_that_were_asked_for_longest_ago() -> None:
    cache = ExpiringCache(2)
    made: list[str] = []

    def make(directory: str) -> str:
        made.append(directory)
        return directory.upper()

    assert [cache.get(directory, make) for directory in "abacab"] == list("ABACAB")
    assert made == ["a", "b", "c", "b"]
    cache.clear()
    cache.get("b", make)
    assert made[4:] == ["b"]


@pytest.mark.parametrize(("seconds", "values"), [(1e9, [1, 1]), (-1.0, [1, 2])])
def test_what_is_kept_expires(monkeypatch: pytest.MonkeyPatch, seconds: float, values: list[int]) -> None:
    monkeypatch.setattr(expiring_cache, "KEPT", seconds)
    numbers = iter((1, 2))
    cache = ExpiringCache(2)
    assert [cache.get("a", lambda _: next(numbers)) for _ in range(2)] == values
