"""The parser of the hot path: strict, small, over the tables in `specs/`.

It accepts a subset of what the typer application accepts, with the same meaning (a test compares the two on random
command lines). For whatever it does not fully understand (help, completion, an unknown option, a bad value, a value
that looks like an option) it returns None, which leaves the command line to the typer application.
"""

from __future__ import annotations

from dfopt.cli.options import command_named, finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dfopt.cli.options import Call, CommandSpec, OptionSpec


def parse(args: Sequence[str], environ: Mapping[str, str]) -> Call | None:
    """The call that `args` (without the program's name) describe, or None: leave them to the typer application."""
    if "_DFOPT_COMPLETE" in environ or not args:
        return None
    command, start = command_named(args[0]), 1
    if command is None and len(args) > 1:
        command, start = command_named(f"{args[0]} {args[1]}"), 2
    if command is None:
        return None
    values = _read(command, args[start:])
    return None if values is None else finish(command, values)


def _read(command: CommandSpec, args: Sequence[str]) -> dict[str, Any] | None:
    flags: dict[str, tuple[OptionSpec, bool]] = {}
    for option in command.options:
        for flag in option.flags:
            flags[flag] = option, True
        if option.kind == "switch":
            flags[option.negative] = option, False
    values: dict[str, Any] = {}
    operands: list[str] = []
    at = 0
    while at < len(args):
        word = args[at]
        at += 1
        if word[:1] != "-" or word == "-":
            operands.append(word)
            continue
        flag, equals, value = word.partition("=")
        if word[:2] != "--":  # a short option: alone, or with its value attached
            flag, value, equals = word[:2], word[2:], word[2:]
        match = flags.get(flag)
        if match is None:
            return None
        option, positive = match
        if not option.takes_value:
            if equals:
                return None
            values[option.name] = positive
            continue
        if not equals:
            if at == len(args):
                return None
            value = args[at]
            at += 1
        if (value[:1] == "-" and value != "-") or not _store(option, value, values):
            return None
    return values if _place(command, operands, values) else None


def _store(option: OptionSpec, value: str, values: dict[str, Any]) -> bool:
    if option.repeatable:
        values.setdefault(option.name, []).append(value)
    elif option.kind == "int":
        if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) >= option.low):
            return False
        values[option.name] = int(value)
    else:
        if option.kind == "choice" and value not in option.choices:
            return False
        values[option.name] = value
    return True


def _place(command: CommandSpec, operands: list[str], values: dict[str, Any]) -> bool:
    """Assigns the operands to the arguments; False if their number does not fit."""
    for argument in command.arguments:
        if argument.many:
            if argument.required and not operands:
                return False
            values[argument.name] = operands
            operands = []
        elif operands:
            values[argument.name] = operands[0]
            operands = operands[1:]
        elif argument.required:
            return False
    return not operands
