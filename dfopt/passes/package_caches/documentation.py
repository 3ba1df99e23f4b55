"""The pages of the package-cache passes: what a row says of itself, and what the engine does for every row."""

from __future__ import annotations

from dfopt.ir.effects import manager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def page(docstring: str, before: str, after: str, refuses: Iterable[str], declares: str) -> str:
    """A page in the form of a pass's docstring. `refuses`: the sentences of that section."""
    text = "\n".join([line.removeprefix("    ") for line in docstring.rstrip().split("\n")])
    example = f"```dockerfile\n{before}\n```\n\n```dockerfile\n{after}\n```"
    refusals = _filled(f"Refuses: {' '.join([sentence for sentence in refuses if sentence])}")
    return f"{text}\n\nExample:\n\n{example}\n\n{refusals}\n\nDeclares: {declares}\n"


def reader_clause(family: str, any_use: bool) -> str:
    """Which later steps keep the cache where it is."""
    if any_use:
        return f"where a later step or the image's command calls {family}"
    options = [f"`{option}`, " for option in (manager(family) or {}).get("offline", ())]
    return f"where a later step uses the cache ({''.join(options)}its path, a copy of it)"


def no_work(family: str, where: str) -> str:
    """Where there is nothing to do."""
    facts = manager(family) or {}
    clauses = [where, "where a mount holds the cache"]
    for key, effect in (("env-no-cache", "turns it off"), ("env-cache", "puts it elsewhere")):
        if key in facts:
            clauses.append(f"where {_alternatives(facts[key])} {effect}")
    options = [option for option in facts.get("cache-options", ()) if option.startswith("--")]
    if options:
        clauses.append(f"with {_alternatives(options)}")
    return f"Does nothing {', '.join(clauses[:-1])}, or {clauses[-1]}."


def _alternatives(names: Iterable[str]) -> str:
    return " or ".join([f"`{name}`" for name in names])


def _filled(paragraph: str) -> str:
    """A paragraph in lines of at most 116 columns, as `textwrap.fill` makes them; that one imports much."""
    lines = [""]
    for word in paragraph.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= 116:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)
