"""`dfopt explain PASS`: the documentation of a pass, or of the passes that implement a code."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.workspace.selection import UnknownPass, canonical, matching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values
    from dfopt.passes.base import Pass


def run(values: Values) -> int:
    """Runs the command. Raises UsageError for a word that selects no pass."""
    try:
        canonical([values.name])
    except UnknownPass as failure:
        raise UsageError(str(failure)) from None
    passes = [entry.load() for entry in matching(values.name)]
    if not passes:
        raise UsageError(f'no pass implements "{values.name}" yet')
    out.data("\n".join(document(cls) for cls in passes))
    return 0


def document(cls: type[Pass]) -> str:
    """The page of one pass: a header of facts, its docstring, and its options."""
    from inspect import cleandoc

    codes = f", answers {', '.join(cls.codes)}" if cls.codes else ""
    default = "on by default" if cls.default else "off by default (--select)"
    text = f"{cls.name} ({cls.group}; {default}{codes})\n\n{cleandoc(cls.__doc__ or '')}\n"
    if cls.options:
        text += "\nOptions:\n"
    for option in cls.options:
        kind = " | ".join(f'"{choice}"' for choice in option.choices) or option.kind
        text += f"    {option.name}: {kind} (default: {shown(option.default)})\n        {option.help}\n"
    return text


def shown(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(shown(item) for item in value)}]"
    if isinstance(value, str):
        import json

        return json.dumps(value, ensure_ascii=False)
    return str(value)
