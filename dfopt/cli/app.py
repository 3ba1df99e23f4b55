"""The typer application, generated from the tables in `specs/`: help, errors and completion.

It only parses: its commands record the call, and `entry.py` runs it, as it does for the fast parser.
"""

from __future__ import annotations

import inspect
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup

from dfopt.cli.options import GROUPS, Call, commands, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec

_MARKUP: Literal["markdown"] = "markdown"  # help in panels; brackets in texts stay brackets
_ABOUT = "An optimizing compiler from Dockerfile to Dockerfile that proves every rewrite."
_CONTEXT = {"help_option_names": ["-h", "--help"]}


class _HelpfulCommand(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


def _without_types(parameters: list[Any]) -> list[Any]:
    """Without the Python types (`<bool>`, `<list[str]>`) that typer 0.29 prints in the help of flags and arguments."""
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = lambda ctx: None
        elif parameter.is_flag:
            parameter.metavar = ""
    return parameters


def parse(args: Sequence[str]) -> Call | int:
    """The call that `args` describe, or an exit status if help, the version or an error was printed."""
    calls: list[Call] = []
    try:
        build(calls.append)(args=list(args), prog_name="dfopt")
    except SystemExit as end:
        if not calls:
            return end.code if isinstance(end.code, int) else 2
    return calls[0] if calls else 0


def build(use: Callable[[Call], None]) -> typer.Typer:
    """The application; `use` gets the parsed call."""
    app = typer.Typer(
        name="dfopt",
        help=_ABOUT,
        cls=_Group,
        context_settings=_CONTEXT,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=_MARKUP,
    )
    app.callback()(_main)
    groups: dict[str, typer.Typer] = {}
    for command in commands().values():
        group, _, last = command.name.rpartition(" ")
        if group and group not in groups:
            groups[group] = typer.Typer(
                help=GROUPS[group],
                cls=_Group,
                context_settings=_CONTEXT,
                no_args_is_help=True,
                rich_markup_mode=_MARKUP,
            )
            app.add_typer(groups[group], name=group)
        target = groups[group] if group else app
        target.command(last, help=command.help, cls=_HelpfulCommand, context_settings=_CONTEXT)(_function(command, use))
    return app


def _version(requested: bool) -> None:
    if requested:
        from dfopt.version import version

        typer.echo(f"dfopt {version()}")
        raise typer.Exit


def _main(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    pass


def _function(command: CommandSpec, use: Callable[[Call], None]) -> Callable[..., None]:
    """A function with the signature that typer reads the command's parameters from."""

    def call(**arguments: Any) -> None:
        use(finish(command, {name: _plain(value) for name, value in arguments.items()}))

    parameters = [_argument(argument) for argument in command.arguments]
    parameters += [_option(option) for option in command.options]
    call.__name__ = command.name.replace(" ", "_")
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _argument(spec: ArgumentSpec) -> inspect.Parameter:
    default = typer.Argument(
        ... if spec.required else None,
        help=spec.help,
        metavar=spec.metavar or None,
        show_default=False,
    )
    kind: Any = list[str] | None if spec.many else (str if spec.required else str | None)
    return inspect.Parameter(spec.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _option(spec: OptionSpec) -> inspect.Parameter:
    names = [*spec.flags]
    if spec.kind == "switch":
        names = [f"{spec.flags[0]}/{spec.negative}", *spec.flags[1:]]
    suffix = f" [{'|'.join(spec.choices)}]" if spec.choices else ""
    suffix += f" [default: {spec.default}]" if spec.default is not None else ""
    default = typer.Option(
        False if spec.kind == "flag" else None,
        *names,
        help=spec.help + suffix,
        metavar=spec.metavar or None,
        show_default=False,
        min=spec.low if spec.kind == "int" else None,
        rich_help_panel=spec.panel or None,
    )
    annotation = _annotation(spec)
    return inspect.Parameter(spec.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _annotation(spec: OptionSpec) -> Any:
    if spec.kind == "flag":
        return bool
    if spec.kind == "choice":
        make: Any = Enum  # the type checker wants a literal name
        return make(spec.name, {choice: choice for choice in spec.choices}, type=str) | None
    kinds: dict[str, Any] = {"switch": bool, "int": int, "list": list[str], "values": list[str], "string": str}
    return kinds[spec.kind] | None
