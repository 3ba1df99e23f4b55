"""The table of `python -m tests.suite.levels`: where the highest level is above a single selection, and why."""

from __future__ import annotations

from typing import Any

from suite.levels import table


def side(size: int | None, user: str = "root", failure: str = "") -> dict[str, Any]:
    return {"bytes": size, "user": user, "failure": failure}


def rows(level: dict[str, Any], **single: dict[str, Any]) -> list[str]:
    sides = {"now": side(900_000), "-O3": level, **{name.replace("_", "-"): row for name, row in single.items()}}
    return table({"app": {"sides": sides, "plan": {}}}, [3])


def test_above_a_single_selection() -> None:
    assert rows(side(510_000), multi_stage=side(500_000))[-1] == "-O3 above the best single selection: app (+10.0 kB)"
    assert "above" not in "".join(rows(side(500_000), multi_stage=side(500_000)))
    assert "above" not in "".join(rows(side(510_000), multi_stage=side(500_000, failure="it does not start")))


def test_above_one_that_runs_as_root() -> None:
    """An account takes bytes: that is told apart from a level that missed what a single selection found."""
    told = "-O3 above a single selection that leaves root as it is: app (+10.0 kB)"
    assert rows(side(510_000, "app"), multi_stage=side(500_000), all=side(600_000, "app"))[-1] == told
    assert rows(side(510_000, "app"), multi_stage=side(500_000, "0:0"))[-1] == told
    missed = "-O3 above the best single selection: app (+10.0 kB)"
    assert rows(side(510_000, "app"), multi_stage=side(500_000), all=side(505_000, "1000"))[-1] == missed
    far = "-O3 above the best single selection: app (+100.0 kB)"
    assert rows(side(600_000, "app"), multi_stage=side(500_000))[-1] == far, "no account takes as much"


def test_a_level_that_runs_as_root_again() -> None:
    def told(second: str, third: str) -> str:
        sides = {"now": side(900_000), "-O2": side(700_000, second), "-O3": side(600_000, third)}
        return "".join(table({"app": {"sides": sides, "plan": {}}}, [2, 3]))

    assert "-O3 runs as root what a lower level does not: app" in told("10001", "root")
    assert "runs as root" not in told("10001", "10001:10001") + told("root", "0") + told("root", "app")
