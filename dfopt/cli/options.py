"""Every command and option of dfopt, once.

Each command has a module in `specs/` that defines its `SPEC` (`config show`: `specs/config_show.py`). Two parsers work
from these: `fast.py`, a small strict parser for the hot path, which imports only the SPEC it needs, and `app.py`, which
generates the typer application from all of them. To add a command, add a file there, and a module with
`run(values) -> int`.
"""

from __future__ import annotations

import os

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class OptionSpec(Record):
    """One option.

    name     the key of its value
    flags    as typed: long first; for "switch" the positive long flag (`--no-...` is derived from it)
    kind     "flag" (True when given), "switch" (True, False, or None when not given), "string", "choice", "int",
             "list" (repeatable, each value split at commas), "values" (repeatable, kept as given)
    default  the value when not given; always () for "list" and "values", False for "flag", None for "switch"
    low      the smallest value of "int"
    panel    the heading in the help
    """

    name: str
    flags: tuple[str, ...]
    kind: str
    help: str
    default: object = None
    choices: tuple[str, ...] = ()
    metavar: str = ""
    low: int = 0
    panel: str = ""

    @property
    def takes_value(self) -> bool:
        return self.kind not in ("flag", "switch")

    @property
    def repeatable(self) -> bool:
        return self.kind in ("list", "values")

    @property
    def absent(self) -> object:
        """The value when it is not given."""
        return {"flag": False, "switch": None, "list": (), "values": ()}.get(self.kind, self.default)

    @property
    def negative(self) -> str:
        """The `--no-...` flag of a switch."""
        return "--no-" + self.flags[0][2:]


class ArgumentSpec(Record):
    """A positional argument: one, or with `many` any number (a tuple)."""

    name: str
    help: str
    many: bool = False
    required: bool = False
    metavar: str = ""


class CommandSpec(Record):
    """A command: its name as typed (two words for a command of a group), its module, and what it takes.
    `order`: its place in the help, lowest first."""

    name: str
    module: str
    help: str
    arguments: tuple[ArgumentSpec, ...] = ()
    options: tuple[OptionSpec, ...] = ()
    order: int = 50


class Values:
    """The values of a command's options and arguments, as attributes, each in its final type."""

    __slots__ = ("given",)

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given

    def __getattr__(self, name: str) -> Any:
        try:
            return self.given[name]
        except KeyError:
            raise AttributeError(name) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Values) and self.given == other.given

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Values({self.given!r})"


class Call(Record):
    """A parsed command line."""

    command: CommandSpec
    values: Values


def finish(command: CommandSpec, given: dict[str, Any]) -> Call:
    """The call from raw values by name (lists not yet split); missing values and None become the option's `absent`."""
    values: dict[str, Any] = {}
    for argument in command.arguments:
        value = given.get(argument.name)
        values[argument.name] = tuple(value or ()) if argument.many else value
    for option in command.options:
        value = given.get(option.name)
        if value is None:
            value = option.absent
        elif option.kind == "list":
            value = tuple(word for item in value for word in (part.strip() for part in item.split(",")) if word)
        elif option.kind == "values":
            value = tuple(value)
        values[option.name] = value
    return Call(command, Values(values))


GROUPS = {
    "cache": "Manage the result cache.",
    "config": "Show the configuration and its schema, or import another linter's.",
    "recipe": "Show a recipe, or test your own.",
    "migrate": "Run a campaign over a monorepo or many checkouts.",
}


def command_named(name: str) -> CommandSpec | None:
    """The command with that name, or None. Imports only its module in `specs/`."""
    stem = name.replace(" ", "_").replace("-", "_")
    if stem[:1] == "_" or not stem.isidentifier():
        return None
    module = f"dfopt.cli.specs.{stem}"
    try:
        spec: CommandSpec = __import__(module, fromlist=("SPEC",)).SPEC
    except ModuleNotFoundError as failure:
        if failure.name != module:
            raise
        return None
    return spec if spec.name == name else None


def commands() -> dict[str, CommandSpec]:
    """All commands by name, in the order of the help."""
    from dfopt.cli import specs

    all_specs: list[CommandSpec] = []
    for entry in os.listdir(os.path.dirname(specs.__file__)):
        stem, _, suffix = entry.partition(".")
        if suffix == "py" and stem[:1] != "_":
            all_specs.append(__import__(f"dfopt.cli.specs.{stem}", fromlist=("SPEC",)).SPEC)
    return {spec.name: spec for spec in sorted(all_specs, key=lambda spec: (spec.order, spec.name))}
