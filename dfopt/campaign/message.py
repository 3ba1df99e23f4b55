"""Commit messages from a Jinja2 template, the user's or the default one.

A template sees `label` (of the group), `owners` (its words), `files` (each with `name` and `fixes`: `name`, `tier`,
`line`, `text`), `passes` (names, most frequent first), `counts` (pass -> fixes), `saving` (predicted bytes).
"""

from __future__ import annotations

import os

from dfopt.cost import saving
from dfopt.files import read_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.campaign.groups import DeliveryGroup


class MessageError(Exception):
    """An invalid template; the message includes its position."""


class Message:
    """A compiled template in a sandbox: it can use only the values it gets. Raises MessageError."""

    def __init__(self, path: str | None = None) -> None:
        from jinja2 import StrictUndefined, TemplateSyntaxError
        from jinja2.sandbox import SandboxedEnvironment

        self.path = path or os.path.join(os.path.dirname(__file__), "message.j2")
        environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
        try:
            self.template = environment.from_string(read_named(self.path).decode("utf-8"))
        except OSError as failure:
            raise MessageError(f"{self.path}: {failure.strerror or failure}") from None
        except UnicodeDecodeError:
            raise MessageError(f"{self.path}: not UTF-8") from None
        except TemplateSyntaxError as failure:
            raise MessageError(f"{self.path}:{failure.lineno}: {failure.message}") from None
        except RecursionError:
            raise MessageError(f"{self.path}: nested too deeply") from None
        except ValueError as failure:  # a number of thousands of digits
            raise MessageError(f"{self.path}: {failure}") from None

    def render(self, group: DeliveryGroup) -> str:
        """The message for a group. Raises MessageError for an unknown name, or for what the sandbox forbids."""
        from jinja2 import TemplateError

        counts: dict[str, int] = {}
        for row in group.files:
            for note in row.fixes:
                counts[note.name] = counts.get(note.name, 0) + 1
        variables: dict[str, Any] = {
            "label": group.label,
            "owners": group.label.split() if group.label.startswith(("@", "no owner")) or "@" in group.label else [],
            "files": [
                {
                    "name": row.name,
                    "fixes": [
                        {"name": note.name, "tier": note.tier, "line": note.line, "text": note.text}
                        for note in row.fixes
                    ],
                }
                for row in group.files
            ],
            "passes": sorted(counts, key=lambda name: (-counts[name], name)),
            "counts": counts,
            "saving": saving(note.benefit for row in group.files for note in row.fixes),
        }
        try:
            text = self.template.render(variables).strip()
        except (TemplateError, TypeError, ValueError, ArithmeticError) as failure:
            raise MessageError(f"{self.path}: {failure}") from None
        except RecursionError:
            raise MessageError(f"{self.path}: it recurs without end") from None
        if not text:
            raise MessageError(f"{self.path}: the message of {group.label} is empty")
        return text + "\n"
