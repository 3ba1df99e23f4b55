"""`dfopt config schema`: the JSON Schema of the configuration, made of the same facts that the reader checks by."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.messages import json_text
from dfopt.passes.base import SHARED, registered
from dfopt.workspace.selection import known
from dfopt.workspace.settings import FAIL_ON_CHOICES, FORMATS, KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.cli.options import Values
    from dfopt.passes.base import Option

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_STRINGS = {"type": "array", "items": {"type": "string"}}


def run(values: Values) -> int:
    """Runs the command."""
    out.data(json_text(schema(), indent=2) + "\n")
    return 0


def schema() -> dict[str, Any]:
    """The schema of a dfopt.toml, or of the table [tool.dfopt] in a pyproject.toml."""
    # the reader folds the case of these words, and so does the pattern
    words = "|".join(sorted({_any_case(word) for word in known().values()}))
    selectors = {"type": "array", "items": {"type": "string", "pattern": f"^({words})$"}}
    properties: dict[str, Any] = {
        "level": {"enum": [1, 2, 3], "default": 1, "description": "how much to change, as -O on the command line"},
        "select": {**selectors, "description": "the passes to run: names, groups or codes; all that are on by default"},
        "ignore": {**selectors, "description": "passes not to run"},
        "modernize": {"type": "boolean", "default": False, "description": "also bring the spelling up to date"},
        "unsafe": {"type": "boolean", "default": False, "description": "also take fixes that change the image"},
        "exclude": {**_STRINGS, "description": "patterns of files to leave out, as in a .gitignore file"},
        "output-format": {"enum": list(FORMATS), "default": "text", "description": "the output of dfopt check"},
        "fail-on": {
            "enum": list(FAIL_ON_CHOICES),
            "default": "safe",
            "description": "the findings that make the exit status 1; each choice includes those before it",
        },
        "fail-on-saving": {
            "type": "string",
            "default": "0",
            "description": "the least that such findings must save in one file, as 20MB",
        },
        "context": {"type": "string", "description": "the build context, relative to this file"},
        "documentation": {
            "type": "string",
            "pattern": "^https?://",
            "description": "where docs/ is published as a site: findings carry the address of their page there",
        },
        "extend": {"type": "string", "description": "another file, whose values hold where this one says nothing"},
        "passes": {
            "type": "object",
            "additionalProperties": False,
            "description": "options of passes",
            "properties": {
                name: _object({option.name: _option(option) for option in cls.options})
                for name, cls in sorted(registered().items())
            },
        },
        "recipes": _object(
            {
                "path": {"anyOf": [{"type": "string"}, _STRINGS], "description": "directories of recipes"},
                "use": {**_STRINGS, "description": "recipes to run"},
                "options": {"type": "object", "additionalProperties": {"type": "object"}},
            }
        ),
        **{option.name: _option(option) for option in SHARED},
    }
    assert set(properties) == set(KEYS)
    return {"$schema": _DRAFT, "title": "dfopt", "type": "object", "additionalProperties": False} | {
        "properties": {key: properties[key] for key in KEYS}
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _option(option: Option) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "choice": {"enum": list(option.choices)},
        "bool": {"type": "boolean"},
        "int": {"type": "integer"},
        "string": {"type": "string"},
        "strings": _STRINGS,
    }
    default = list(option.default) if isinstance(option.default, tuple) else option.default
    more = {} if default is None else {"default": default}
    return {**kinds[option.kind], **more, "description": option.help}


def _any_case(word: str) -> str:
    return "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else char for char in word)
