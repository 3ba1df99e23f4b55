"""The request of a command line: which files, which passes, and what else it says of them."""

from __future__ import annotations

import os

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.request import NO_PROFILE, STDIN, Request
from dfopt.workspace.config import ConfigLookup
from dfopt.workspace.discovery import InputFile, discover
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.cli.options import Values
    from dfopt.facts import Facts
    from dfopt.workspace.cache import OutcomeStore


def request_of(values: Values) -> Request:
    """The request of `fix` or `check`. Raises UsageError, also for a configuration that cannot be used."""
    from dfopt.workspace.selection import UnknownPass, canonical

    lookup = lookup_of(values)
    words: dict[str, tuple[str, ...]] = {}
    for name in ("select", "ignore"):
        try:
            words[name] = canonical(getattr(values, name))
        except UnknownPass as failure:
            raise UsageError(f"--{name}: {failure}") from None
    if values.context is not None and not os.path.isdir(values.context):
        raise UsageError(f'--context: no such directory: "{out.printable(values.context)}"')
    request = Request(
        lookup, words["select"], words["ignore"], values.unsafe, values.recipe, values.set, values.context,
        locked_facts(values), hosts_of(values), shared_of(values), int(values.level) if values.level else None,
        values.modernize, profile=values.given.get("profile", NO_PROFILE),
    )  # fmt: skip
    try:
        if request.plan(".") is None and values.set:
            raise UsageError("--set needs --recipe")
    except ConfigError as failure:
        raise UsageError(str(failure)) from None
    return request


def groups_refusals(values: Values, format: str) -> bool:
    """Whether refusals are shown by group, for all files together: not those of a file that is named alone, nor in a
    format that programs read."""
    if not values.show_refusals or format not in ("text", "concise"):
        return False
    return len(values.paths) != 1 or os.path.isdir(values.paths[0])


def shared_of(values: Values) -> dict[str, str]:
    """The settings that all passes see, as far as the command line has them."""
    shared: dict[str, str] = {}
    if values.package_cache is not None:
        shared["package-cache"] = values.package_cache
    if values.buildkit is not None:
        shared["engine"] = "buildkit" if values.buildkit else "any"
    return shared


def locked_facts(values: Values) -> tuple[Facts, ...]:
    """What the lock file knows; nothing where there is none. Raises UsageError for a file that is named and is not
    there."""
    from dfopt.workspace.lock_facts import LockFacts, find_lock

    if values.lock is not None and not os.path.isfile(values.lock):
        raise UsageError(f'--lock: no such file: "{out.printable(values.lock)}"')
    try:
        path = values.lock or find_lock(os.getcwd())
    except ConfigError as failure:
        raise UsageError(str(failure)) from None
    return (LockFacts(path),) if path is not None else ()


def hosts_of(values: Values) -> tuple[str, ...]:
    """The kinds of hosts to work on beside Dockerfiles. Raises UsageError."""
    if not values.hosts:
        return ()
    from dfopt.messages import suggestion
    from dfopt.workspace.embedded_kinds import GROUPS, KINDS, expand

    try:
        return expand(values.hosts)
    except KeyError as failure:
        word = failure.args[0]
        hint = suggestion(word, (*KINDS, *GROUPS)) or f" (known: {', '.join((*KINDS, *GROUPS))})"
        raise UsageError(f'--hosts: unknown kind "{word}"{hint}') from None


def documentation_of(lookup: ConfigLookup) -> str:
    """Where the configuration of the working directory says that the pages about findings are; "" without one."""
    return str(lookup.directory(".").get("documentation", ""))


def store_of(values: Values) -> OutcomeStore | None:
    """The cache of a run; None where there is to be none."""
    if values.no_cache:
        return None
    from dfopt.workspace.cache import OutcomeStore, default_directory

    return OutcomeStore(default_directory())


def lookup_of(values: Values) -> ConfigLookup:
    """How configuration is found. Raises UsageError where the one of the working directory cannot be used."""
    if values.config is not None and values.isolated:
        raise UsageError("--config and --isolated exclude each other")
    lookup = ConfigLookup(values.config, values.isolated)
    try:
        lookup.directory(".")
    except ConfigError as failure:
        raise UsageError(str(failure)) from None
    return lookup


def files_of(values: Values, lookup: ConfigLookup, named_hosts: tuple[str, ...] = ()) -> Iterator[InputFile]:
    """The files that the command line names; `named_hosts` as in `discover`. Raises UsageError."""
    paths: tuple[str, ...] = values.paths or (".",)
    if STDIN in paths:
        if len(paths) > 1:
            raise UsageError("'-' (standard input) stands alone")
        return iter((InputFile(STDIN, values.stdin_filename or "<stdin>", ""),))
    if values.stdin_filename is not None:
        raise UsageError("--stdin-filename needs '-' (standard input)")
    return discover(
        paths, lookup, exclude=values.exclude, ignore_files=not values.no_ignore, hosts=hosts_of(values),
        named_hosts=named_hosts,
    )  # fmt: skip
