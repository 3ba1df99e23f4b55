"""`dfopt passes`: the list of passes."""

from __future__ import annotations

import re
from inspect import cleandoc

from dfopt.cli import out
from dfopt.messages import json_text
from dfopt.passes.base import registered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values
    from dfopt.passes.base import Pass


def run(values: Values) -> int:
    passes = list(registered().values())
    out.data(_json(passes) if values.output_format == "json" else _table(passes))
    return 0


def _table(passes: list[type[Pass]]) -> str:
    rows = [("NAME", "GROUP", "DEFAULT", "WHAT IT DOES")]
    rows += [(cls.name, cls.group, _default(cls), _first_sentence(summary(cls))) for cls in passes]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*[cell.ljust(width) for cell, width in zip(row, widths, strict=False)], row[3]]) for row in rows
    ]
    return "".join(line.rstrip() + "\n" for line in lines)


def _default(cls: type[Pass]) -> str:
    """How the pass is switched on: by itself, with its group, or by its name alone."""
    return "on" if cls.default else "by name" if cls.by_name else "off"


def _first_sentence(text: str) -> str:
    head = re.split(r"(?<=[.:])\s", text, maxsplit=1)[0]
    return head.rstrip(":.") + "."


def _json(passes: list[type[Pass]]) -> str:

    rows = [
        {
            "name": cls.name,
            "group": cls.group,
            "default": cls.default,
            "by_name": cls.by_name,
            "codes": list(cls.codes),
            "summary": summary(cls),
            "declares": section(cls, "Declares"),
            "options": [
                {
                    "name": option.name,
                    "kind": option.kind,
                    "default": option.default,
                    "choices": list(option.choices),
                    "help": option.help,
                }
                for option in cls.options
            ],
        }
        for cls in passes
    ]
    return json_text({"version": 1, "passes": rows}, indent=2) + "\n"


def summary(cls: type[Pass]) -> str:
    """The first paragraph of the documentation, on one line."""
    return " ".join(cleandoc(cls.__doc__ or "").split("\n\n")[0].split())


def section(cls: type[Pass], title: str) -> str:
    """A section of the documentation (`Declares: ...`), on one line; "" where there is none."""
    taken: list[str] = []
    for line in cleandoc(cls.__doc__ or "").split("\n"):
        if line.startswith(f"{title}:"):
            taken.append(line.partition(":")[2])
        elif taken and line and not line[0].isspace() and line.split(" ")[0].endswith(":"):
            break
        elif taken:
            taken.append(line)
    return " ".join(" ".join(taken).split())
