"""`dfopt config import`: another linter's configuration, written as a dfopt.toml."""

from __future__ import annotations

import os

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.passes.index import entries
from dfopt.workspace.hadolint_config import NAMES, HadolintConfig, read_hadolint_config
from dfopt.workspace.settings import ConfigError
from dfopt.writing import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.cli.options import Values

# what of hadolint's findings fails a build -> which of dfopt's do
_FAIL_ON = {"error": "safe", "warning": "unsafe", "info": "suggestion", "style": "suggestion", "ignore": "suggestion"}
_FORMATS = {"json": "json", "sarif": "sarif", "gitlab_codeclimate": "gitlab", "codeclimate": "gitlab", "tty": "text"}


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    path: str | None = values.file or hadolint_file(".")
    if path is None:
        raise UsageError(f"no {' or '.join(NAMES)} here: name the file")
    target: str = values.output or "dfopt.toml"
    text, notes = converted(read(path))
    if target == "-":
        out.text(text)
    else:
        refuse_overwriting(target, values.force)
        with Output(target) as file:
            file.write(text.encode())
        out.note(f"wrote {out.printable(target)}, from {out.printable(path)}\n")
    for note in notes:
        out.note(f"{out.printable(note)}\n")
    return 0


def hadolint_file(directory: str) -> str | None:
    """The configuration of hadolint in a directory; None where there is none."""
    paths = [os.path.normpath(os.path.join(directory, name)) for name in NAMES]
    return next((path for path in paths if os.path.isfile(path)), None)


def read(path: str) -> HadolintConfig:
    """As `read_hadolint_config`. Raises UsageError."""
    try:
        return read_hadolint_config(path)
    except ConfigError as failure:
        raise UsageError(str(failure)) from None


def refuse_overwriting(path: str, force: bool) -> None:
    """Raises UsageError where a file is there already."""
    if not force and os.path.lexists(path):
        raise UsageError(f"{out.printable(path)} is there already; --force overwrites it")


def converted(config: HadolintConfig) -> tuple[str, list[str]]:
    """(the text of a dfopt.toml, what could not be said in it, and what it turns off)."""
    lines = [f"# From {_comment(config.file)}, by `dfopt config import`; `dfopt config show` prints what is in force\n"]
    ignored, notes = _ignored(config)
    if ignored:
        lines.append(f"ignore = [{', '.join(map(_string, ignored))}]\n")
    if config.threshold:
        fail_on = _FAIL_ON.get(config.threshold, "never")
        lines.append(f'fail-on = "{fail_on}"  # failure-threshold: {config.threshold}\n')
        if fail_on != "never":
            notes.append(f'failure-threshold: {config.threshold}: fail-on = "{fail_on}" goes by what a fix changes')
    if config.format in _FORMATS:
        lines.append(f'output-format = "{_FORMATS[config.format]}"\n')
    elif config.format:
        notes.append(f"format: {config.format}: dfopt has none like it")
    if config.registries:
        registries = ", ".join(map(_string, config.registries))
        lines.append(f"\n[passes.trusted-registry]\nregistries = [{registries}]\n")
    notes += _left_out(config)
    return "".join(lines), notes


def _ignored(config: HadolintConfig) -> tuple[list[str], list[str]]:
    """The codes that are to be ignored and that passes answer; a note on each."""
    codes: list[str] = []
    notes: list[str] = []
    for code in dict.fromkeys(config.ignored):
        answering = [entry for entry in entries() if code in entry.codes]
        if not answering:
            notes.append(f"ignored: {code}: dfopt does not report it")
            continue
        codes.append(code)
        for entry in answering:
            others = [other for other in entry.codes if other != code and other.startswith("DL")]
            more = f", which answers {', '.join(others)} too" if others else ""
            notes.append(f"ignored: {code}: turns off {entry.name}{more}")
    return codes, notes


def _left_out(config: HadolintConfig) -> Iterator[str]:
    for severity in dict.fromkeys(config.overrides.values()):
        codes = ", ".join(code for code, given in config.overrides.items() if given == severity)
        yield f"override.{severity}: {codes}: dfopt has no severities of rules"
    for key in config.others:
        yield f"{key}: dfopt has nothing like it"


def _string(text: str) -> str:
    """A TOML string."""
    import json

    return json.dumps(text).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
