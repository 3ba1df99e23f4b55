"""Every command and option of dfopt, once.

Two readers work from this table: `fast.py`, a small strict parser for the hot path, and `app.py`, which generates the
typer application from it. A new command is an entry in `COMMANDS` and a module with `run(values) -> int`.
"""

from __future__ import annotations

from dfopt.record import Record
from dfopt.workspace.config import FORMATS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class OptionSpec(Record):
    """One option.

    name     the key of its value
    flags    as typed: long first; for "switch" the positive long flag (`--no-...` is made of it)
    kind     "flag" (True when given), "switch" (True, False, or None when not given), "string", "choice", "int",
             "list" (repeatable, each value split at commas), "values" (repeatable, taken as they are)
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
    """A command: its name as typed (two words for a command of a group), its module, and what it takes."""

    name: str
    module: str
    help: str
    arguments: tuple[ArgumentSpec, ...] = ()
    options: tuple[OptionSpec, ...] = ()


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
    """The call from raw values by name (lists still unsplit); what is missing or None gets its value when absent."""
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


_PATHS = ArgumentSpec(
    "paths", "Dockerfiles, or directories to search; '-' reads standard input. [default: .]", many=True
)

_SELECTION = (
    OptionSpec(
        "select",
        ("--select",),
        "list",
        "Run only these passes: names, groups or codes (merge-run, size, DL3009), separated by commas; 'all' for all.",
        metavar="LIST",
        panel="Passes",
    ),
    OptionSpec(
        "ignore", ("--ignore",), "list", "Do not run these passes (as for --select).", metavar="LIST", panel="Passes"
    ),
    OptionSpec("unsafe", ("--unsafe",), "switch", "Also take fixes that change what the image holds.", panel="Passes"),
)

_FILES = (
    OptionSpec(
        "exclude",
        ("--exclude",),
        "values",
        "Leave out what matches this pattern (.gitignore syntax); repeatable.",
        metavar="PATTERN",
        panel="Files",
    ),
    OptionSpec("no_ignore", ("--no-ignore",), "flag", "Search what .gitignore files leave out, too.", panel="Files"),
    OptionSpec(
        "stdin_filename",
        ("--stdin-filename",),
        "string",
        "The name to show for standard input, and to find its configuration by.",
        metavar="FILE",
        panel="Files",
    ),
    OptionSpec(
        "jobs",
        ("--jobs", "-j"),
        "int",
        "The number of processes. [default: one, or one per CPU for many files]",
        low=1,
        metavar="N",
        panel="Files",
    ),
)

_CONFIGURATION = (
    OptionSpec(
        "config",
        ("--config",),
        "string",
        "Use this configuration file alone (dfopt.toml or pyproject.toml).",
        metavar="FILE",
        panel="Configuration",
    ),
    OptionSpec("isolated", ("--isolated",), "flag", "Use no configuration file.", panel="Configuration"),
)

_OUTPUT = (
    OptionSpec("show_refusals", ("--show-refusals",), "flag", "List what was left alone, and why.", panel="Output"),
    OptionSpec("quiet", ("--quiet", "-q"), "flag", "Print errors, but no notes and counts.", panel="Output"),
    OptionSpec(
        "color",
        ("--color",),
        "choice",
        "Colour of text output; 'auto' also follows NO_COLOR and FORCE_COLOR.",
        default="auto",
        choices=("auto", "always", "never"),
        metavar="WHEN",
        panel="Output",
    ),
)


def _format(help: str, choices: tuple[str, ...] = FORMATS, default: str | None = None) -> OptionSpec:
    return OptionSpec(
        "output_format", ("--output-format",), "choice", help, default, choices, metavar="FORMAT", panel="Output"
    )


_TABLE_FORMAT = _format("The form of the output.", ("text", "json"), "text")

COMMANDS: dict[str, CommandSpec] = {
    command.name: command
    for command in (
        CommandSpec(
            "fix",
            "dfopt.cli.fix",
            "Optimize Dockerfiles: print what would change as a unified diff, or write it.",
            (_PATHS,),
            (
                OptionSpec("write", ("--write", "-w"), "flag", "Write the changes to the files.", panel="Result"),
                OptionSpec(
                    "check",
                    ("--check",),
                    "flag",
                    "Print only the names of the files that would change; exit 1 if there are any.",
                    panel="Result",
                ),
                OptionSpec(
                    "diff", ("--diff",), "flag", "Print the diff with --write, --check and '-', too.", panel="Result"
                ),
                OptionSpec(
                    "patch",
                    ("--patch",),
                    "string",
                    "Write the diff of all files to FILE, for git apply.",
                    metavar="FILE",
                    panel="Result",
                ),
                *_SELECTION,
                *_FILES,
                *_CONFIGURATION,
                _format("The form of the output; text is the diff."),
                *_OUTPUT,
            ),
        ),
        CommandSpec(
            "check",
            "dfopt.cli.check",
            "List findings: what 'fix' would do, what it needs leave for, and what is left to you.",
            (_PATHS,),
            (*_SELECTION, *_FILES, *_CONFIGURATION, _format("The form of the output."), *_OUTPUT),
        ),
        CommandSpec(
            "explain",
            "dfopt.cli.explain",
            "Print the documentation of a pass.",
            (ArgumentSpec("name", "A pass, or a code that passes answer (DL3009).", required=True, metavar="PASS"),),
        ),
        CommandSpec("passes", "dfopt.cli.passes", "List the passes.", (), (_TABLE_FORMAT,)),
        CommandSpec(
            "config show",
            "dfopt.cli.config_show",
            "Print the configuration that holds for a file or directory, with the origin of each value.",
            (ArgumentSpec("path", "A file or directory. [default: .]"),),
            (*_CONFIGURATION, _TABLE_FORMAT),
        ),
    )
}

GROUPS = {"config": "Look at the configuration."}
