"""Stage templates: Jinja2 in its sandbox; every name that a template uses must be defined.

Jinja2 is imported only when a template is rendered: it costs 50 ms.
"""

from __future__ import annotations

from dfopt.stage_templates.errors import RecipeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from jinja2.sandbox import SandboxedEnvironment

_environment: SandboxedEnvironment | None = None


def render(template: str, values: Mapping[str, Any], file: str = "", name: str = "template") -> str:
    """The text that `template` makes of `values`. `file` and `name` (a key of it) are for errors. No name but those of
    `values` exists; a name without a value is an error, never an empty text. Raises RecipeError, with the line in the
    template."""
    global _environment
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    if _environment is None:

        class BoundedEnvironment(SandboxedEnvironment):
            """A template places its values, and does not make them grow: `"x" * 9 ** 9` is refused."""

            intercepted_binops = frozenset(("*", "**", "%"))

            def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
                raise jinja2.exceptions.SecurityError(f"the operator {operator} is not for templates")

        _environment = BoundedEnvironment(
            undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
        )
        _environment.globals.clear()  # no range, lipsum, cycler ...: a template only places its values
        for name in ("center", "format", "indent", "wordwrap", "xmlattr", "random", "batch", "slice"):
            _environment.filters.pop(name, None)
    try:
        return _environment.from_string(template).render(values)
    except jinja2.TemplateSyntaxError as failure:
        raise RecipeError(f"{name}: line {failure.lineno}: {failure.message}", file) from None
    except Exception as failure:  # includes what the sandbox forbids, and type errors in expressions
        line = _line_in_template(failure)
        place = f"line {line}: " if line else ""
        text = " ".join(str(failure).split()) or type(failure).__name__
        raise RecipeError(f"{name}: {place}{text}", file) from None


def _line_in_template(failure: BaseException) -> int:
    """The template line of an error; 0 if it is unknown."""
    line = 0
    trace = failure.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
