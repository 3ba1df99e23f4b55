"""How many random examples a test draws: in the fast set a tenth."""

from __future__ import annotations

from hypothesis import settings


def examples(number: int) -> settings:
    """A decorator, for as many examples as the profile in force makes of `number`: by its share of Hypothesis' 100."""
    return settings(max_examples=number * settings().max_examples // 100)
