"""`dfopt init`: a first configuration, a baseline of what is found today, and what was seen."""

from __future__ import annotations

import os

from dfopt.cli import out
from dfopt.cli.check import run as check
from dfopt.cli.config_import import converted, hadolint_file, read, refuse_overwriting
from dfopt.cli.errors import UsageError
from dfopt.cli.options import command_named, finish
from dfopt.cli.progress import listed
from dfopt.cli.stream import NO_FILES, count
from dfopt.workspace.config import NAMES, ConfigLookup, load
from dfopt.workspace.discovery import discover
from dfopt.workspace.settings import ConfigError
from dfopt.writing import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values

_CONFIG, _BASELINE = "dfopt.toml", "dfopt-baseline.json"
_HEAD = """\
# Settings of dfopt, by `dfopt init`; `dfopt config show` prints what is in force, and where it comes from

# level = 1                # 2: restructuring, too; 3: searched and proved by builds
# select = ["size"]        # passes, groups or codes (DL3009); all that are on by default
# unsafe = false           # also what changes the image
# package-cache = "clean"  # "mount": package managers' caches in cache mounts
# exclude = ["vendor/"]
"""


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    directory = values.directory or "."
    if not os.path.isdir(directory):
        raise UsageError(f"{out.printable(directory)}: no such directory")
    config, baseline = (os.path.normpath(os.path.join(directory, name)) for name in (_CONFIG, _BASELINE))
    for path in (config, baseline):
        refuse_overwriting(path, values.force)
    _refuse_configured(directory, values.force)
    number = len(listed(discover((directory,), ConfigLookup(isolated=True))))
    if not number:
        out.note(NO_FILES)
        return 0
    imported = hadolint_file(directory)
    text, notes = converted(read(imported)) if imported is not None else ("", [])
    with Output(config) as file:
        file.write((_HEAD + (f"\n{text}" if text else "")).encode())
    out.text(f"{count(number, 'Dockerfile')} in {out.printable(directory)}\n")
    out.text(f"wrote {out.printable(config)}" + (f", from {out.printable(imported)}" if imported else "") + "\n")
    for note in notes:
        out.text(f"  {out.printable(note)}\n")
    command = command_named("check")
    assert command is not None
    given = {"paths": [directory], "baseline": baseline, "update_baseline": True, "statistics": True, "quiet": True}
    if values.force and os.path.lexists(baseline):
        with Output(baseline) as file:  # an old one may be no baseline at all
            file.write(b'{"version": 1, "files": {}}\n')
    out.text("findings of today:\n")
    status = check(finish(command, given).values)
    out.text(
        f"wrote {out.printable(baseline)}: `dfopt check --baseline {out.printable(baseline)}` reports what is new\n"
        "next: `dfopt plan` shows what fixes would bring, `dfopt fix` their diff\n"
    )
    return status


def _refuse_configured(directory: str, force: bool) -> None:
    """Raises UsageError where the directory has a configuration of another name."""
    for name in NAMES:
        path = os.path.join(directory, name)
        if force or not os.path.isfile(path):
            continue
        try:
            configured = load(path) is not None
        except ConfigError as failure:
            raise UsageError(str(failure)) from None
        if configured:
            name = out.printable(os.path.normpath(path))
            raise UsageError(f"{name} configures dfopt already; --force writes {_CONFIG} all the same")
