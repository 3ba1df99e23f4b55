"""What a command was asked to do with each file: configuration and command line merged, the optimizer called."""

from __future__ import annotations

import os
import sys

from dfopt import optimizer
from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.passes.base import NO_FACTS
from dfopt.source import Source
from dfopt.workspace.config import ConfigError, Lookup
from dfopt.workspace.discovery import Found, discover
from dfopt.workspace.facts import AskedFacts, ContextFacts, JoinedFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
    from typing import Any

    from dfopt.cli.options import Values
    from dfopt.optimizer import Options, Result
    from dfopt.passes.base import Facts
    from dfopt.recipes.plan import Plan
    from dfopt.workspace.cache import Store
    from dfopt.workspace.config import Config

STDIN = "-"


class Request:
    """Passes, tiers and settings for any file. Values of the command line win over the configuration: `select` replaces
    its `select` and `ignore`; `ignore` alone is added to its `ignore`. `recipes`, and `set` (values of their options),
    take the place of `select`. `context` is the build context of every file. `facts` are joined to what the build
    context answers (see `workspace.facts`). `shared`: settings that all passes see (`passes.base.SHARED`)."""

    def __init__(
        self,
        lookup: Lookup,
        select: tuple[str, ...] = (),
        ignore: tuple[str, ...] = (),
        unsafe: bool | None = None,
        recipes: tuple[str, ...] = (),
        set: tuple[str, ...] = (),
        context: str | None = None,
        facts: tuple[Facts, ...] = (),
        hosts: tuple[str, ...] = (),
        shared: Mapping[str, str] | None = None,
    ) -> None:
        self.lookup = lookup
        self.select = select
        self.ignore = ignore
        self.unsafe = unsafe
        self.recipes = recipes
        self.set = set
        self.context = context
        self.facts = facts
        self.hosts = hosts
        self.shared = shared or {}
        self._options: dict[int, tuple[Config, Options]] = {}
        self._plans: dict[int, tuple[Config, Plan]] = {}
        self.asked = False  # whether the last file's result depends on what facts said
        self._keys: dict[tuple[int, str | None], str] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        given = (
            self.lookup,
            self.select,
            self.ignore,
            self.unsafe,
            self.recipes,
            self.set,
            self.context,
            self.facts,
            self.hosts,
            self.shared,
        )
        return Request, given

    def passes_of(self, config: Config) -> Mapping[str, Mapping[str, Any]]:
        """The options of passes, and what all passes see ("*"), for files with a configuration."""
        passes = config.passes
        return {**passes, "*": {**passes.get("*", {}), **self.shared}} if self.shared else passes

    def options(self, directory: str) -> Options:
        """The optimizer's options for files of a directory: one object for each configuration. Raises ConfigError."""
        config = self.lookup.directory(directory)
        known = self._options.get(id(config))
        if known is None:
            ignore = self.ignore if self.select else (*config.get("ignore", ()), *self.ignore)
            unsafe = self.unsafe if self.unsafe is not None else config.get("unsafe", False)
            options = optimizer.Options(
                self.select or tuple(config.get("select", ())),
                ignore,
                ("safe", "unsafe") if unsafe else ("safe",),
                self.passes_of(config),
            )
            known = self._options[id(config)] = (config, options)
        return known[1]

    def plan(self, directory: str) -> Plan | None:
        """The recipes for files of a directory; None where passes are selected without one. Raises ConfigError."""
        config = self.lookup.directory(directory)
        words = self.recipes or (() if self.select else tuple(config.get("recipes.use", ())))
        if not words:
            return None
        known = self._plans.get(id(config))
        if known is None:
            from dfopt.cli.recipes import plan_of

            known = self._plans[id(config)] = (config, plan_of(self, config, words))
        return known[1]

    def directory_of(self, found: Found) -> str:
        """The directory whose configuration holds for a file (for standard input: that of the name it goes by)."""
        return os.path.dirname(found.name if found.path == STDIN else found.path)

    def optimize(self, found: Found) -> Result:
        """Reads a file and optimizes it. Raises OSError and ConfigError."""
        return self.optimize_source(found, self.read(found))

    def read(self, found: Found) -> Source:
        """Reads a file. Raises OSError."""
        if found.error:
            raise OSError(0, found.error)
        return Source.from_bytes(read_input(found.path), found.name)

    def optimize_source(
        self,
        found: Found,
        source: Source,
        only: Container[tuple[str, int]] | None = None,
        more: tuple[Facts, ...] = (),
    ) -> Result:
        """Optimizes what was read of a file; `only` as in `optimizer.optimize`; `more`: facts of this file alone.
        Raises ConfigError."""
        directory = self.directory_of(found)
        plan = self.plan(directory)
        known = self.facts_of(found, source)
        facts = AskedFacts(JoinedFacts((known, *more)) if more else known)
        kind = self.host_kind(found)
        if kind is not None:
            from dfopt.hosts.run import optimize_host

            options = self.options(directory) if plan is None else plan.options(plan.choose("FROM scratch\n", NO_FACTS))
            result = optimize_host(source, kind, options, facts)
        elif plan is not None:
            result = plan.optimize(source, facts, only)
        else:
            result = optimizer.optimize(source, self.options(directory), facts, only)
        self.asked = facts.asked
        return result

    def options_for(self, found: Found, source: Source) -> Options:
        """The optimizer's options for one file, those that recipes choose included. Raises ConfigError."""
        directory = self.directory_of(found)
        plan = self.plan(directory)
        if plan is None:
            return self.options(directory)
        return plan.options(plan.choose(source.text, self.facts_of(found, source)))

    def host_kind(self, found: Found) -> str | None:
        """The kind of host that a file is, where hosts were asked for; None: it is a Dockerfile."""
        if not self.hosts:
            return None
        from dfopt.hosts.kinds import kind_of

        return kind_of(os.path.abspath(found.path).replace(os.sep, "/"), self.hosts)

    def settings_for(self, found: Found) -> Options | Plan:
        """What the optimizer is told for a file. Raises ConfigError."""
        directory = self.directory_of(found)
        return self.plan(directory) or self.options(directory)

    def settings_key(self, found: Found) -> str:
        """A digest of all that decides what becomes of a file beside its content and what facts say: the version of
        dfopt, and the passes, tiers and options for its directory. Raises ConfigError."""
        chosen = self.settings_for(found)
        context = self.context_of(found)
        known = self._keys.get((id(chosen), context))
        if known is None:
            from hashlib import sha256

            from dfopt.version import fingerprint

            text = repr((fingerprint(), chosen, context, self.hosts))
            known = self._keys[id(chosen), context] = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return known

    def facts_of(self, found: Found, source: Source) -> Facts:
        """What the outside can tell about a file, told when it is asked for. Raises ConfigError."""
        own = ContextFacts(found.path, found.root, source, self.context_of(found))
        return JoinedFacts((own, *self.facts)) if self.facts else own

    def context_of(self, found: Found) -> str | None:
        """The directory that the command line or the configuration names as the build context. Raises ConfigError."""
        if self.context is not None:
            return self.context
        setting = self.lookup.directory(self.directory_of(found)).settings.get("context")
        if setting is None:
            return None
        directory = os.path.join(os.path.dirname(os.path.abspath(setting.file)), setting.value)
        if not os.path.isdir(directory):
            raise ConfigError(f'context: no such directory: "{setting.value}"', setting.file)
        return directory


_stdin: bytes | None = None


def read_input(path: str) -> bytes:
    """The content of a file; of standard input, what was read from it at the first call. Raises OSError."""
    global _stdin
    if path != STDIN:
        with open(path, "rb") as file:
            return file.read()
    if sys.stdin is None:
        raise OSError(0, "standard input is closed")
    if _stdin is None:
        _stdin = sys.stdin.buffer.read()
    return _stdin


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
    if values.recipe and values.select:
        raise UsageError("--select and --recipe exclude each other")
    request = Request(
        lookup, words["select"], words["ignore"], values.unsafe, values.recipe, values.set, values.context,
        locked_facts(values), hosts_of(values), shared_of(values),
    )  # fmt: skip
    try:
        if request.plan(".") is None and values.set:
            raise UsageError("--set needs --recipe")
    except ConfigError as failure:
        raise UsageError(str(failure)) from None
    return request


def shared_of(values: Values) -> dict[str, str]:
    """The settings that all passes see, as far as the command line has them."""
    found: dict[str, str] = {}
    if values.package_cache is not None:
        found["package-cache"] = values.package_cache
    if values.buildkit is not None:
        found["engine"] = "buildkit" if values.buildkit else "any"
    return found


def locked_facts(values: Values) -> tuple[Facts, ...]:
    """What the lock file knows; nothing where there is none. Raises UsageError for a file that is named and is not
    there."""
    from dfopt.workspace.locked import LockFacts, find_lock

    if values.lock is not None and not os.path.isfile(values.lock):
        raise UsageError(f'--lock: no such file: "{out.printable(values.lock)}"')
    path = values.lock or find_lock(os.getcwd())
    return (LockFacts(path),) if path is not None else ()


def hosts_of(values: Values) -> tuple[str, ...]:
    """The kinds of hosts to work on beside Dockerfiles. Raises UsageError."""
    if not values.hosts:
        return ()
    from dfopt.hosts.kinds import GROUPS, KINDS, expand
    from dfopt.words import suggestion

    try:
        return expand(values.hosts)
    except KeyError as failure:
        word = failure.args[0]
        hint = suggestion(word, (*KINDS, *GROUPS)) or f" (known: {', '.join((*KINDS, *GROUPS))})"
        raise UsageError(f'--hosts: unknown kind "{word}"{hint}') from None


def store_of(values: Values) -> Store | None:
    """The cache of a run; None where there is to be none."""
    if values.no_cache:
        return None
    from dfopt.workspace.cache import Store, default_directory

    return Store(default_directory())


def lookup_of(values: Values) -> Lookup:
    """How configuration is found. Raises UsageError where the one of the working directory cannot be used."""
    if values.config is not None and values.isolated:
        raise UsageError("--config and --isolated exclude each other")
    lookup = Lookup(values.config, values.isolated)
    try:
        lookup.directory(".")
    except ConfigError as failure:
        raise UsageError(str(failure)) from None
    return lookup


def files_of(values: Values, lookup: Lookup) -> Iterator[Found]:
    """The files that the command line names. Raises UsageError."""
    paths: tuple[str, ...] = values.paths or (".",)
    if STDIN in paths:
        if len(paths) > 1:
            raise UsageError("'-' (standard input) stands alone")
        return iter((Found(STDIN, values.stdin_filename or "<stdin>", ""),))
    if values.stdin_filename is not None:
        raise UsageError("--stdin-filename needs '-' (standard input)")
    return discover(paths, lookup, exclude=values.exclude, ignore_files=not values.no_ignore, hosts=hosts_of(values))
