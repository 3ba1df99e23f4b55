"""Where a finding is documented: the page of its pass or, of a refusal, that of its class (`knowledge/refusals.toml`),
below the address of the documentation that the setting `documentation` names."""

from __future__ import annotations

from dfopt.knowledge import table


def refusal_class(reason: str, unblock: str = "") -> str:
    """The class that a refusal belongs to; "" where none fits, or for no reason."""
    if not reason:
        return ""
    text = f"{reason}; {unblock}"
    return next((row["name"] for row in table("refusals")["class"] if any(word in text for word in row["words"])), "")


def address(base: str, name: str, reason: str = "", unblock: str = "") -> str:
    """The address of the page for a finding of the pass `name`; "" without a base, and for what no pass found."""
    from dfopt.passes.index import entries

    if not base:
        return ""
    kind = refusal_class(reason, unblock)
    if kind:
        return f"{base.rstrip('/')}/refusals/{kind}/"
    return f"{base.rstrip('/')}/passes/{name}/" if any(entry.name == name for entry in entries()) else ""
