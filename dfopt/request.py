"""The resolved request for each file: the configuration merged with the command line, and the call of the optimizer."""

from __future__ import annotations

import os
import sys

from dfopt import optimizer
from dfopt.facts import NO_FACTS
from dfopt.files import LIMIT, read_named
from dfopt.ir.work import TooMuchWorkError
from dfopt.pass_selection import Options
from dfopt.results import Problem, Result
from dfopt.source import Source
from dfopt.workspace.facts import PROFILE, AskedFacts, ContextFacts, JoinedFacts
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from typing import Any

    from dfopt.facts import Facts
    from dfopt.findings import Finding
    from dfopt.ir.program import Program
    from dfopt.own_edits import OwnEdits
    from dfopt.profile.fit import FittingProfile
    from dfopt.recipes.plan import RecipePlan
    from dfopt.workspace.config import Config, ConfigLookup
    from dfopt.workspace.discovery import InputFile
    from dfopt.workspace.fact_trace import FactTrace

STDIN = "-"
NO_PROFILE = "none"


class Request:
    """Passes, tiers and settings for any file. Values of the command line win over the configuration: `select` replaces
    its `select` and `ignore`; `ignore` alone is added to its `ignore`. `recipes`, with `set` (values of their options),
    choose the passes, and `select` adds to them. `level` and `modernize` are as in `Options`; a level above 1 takes
    unsafe fixes unless `unsafe` says otherwise. `context` is the build context of every file. `facts` are joined to
    what the build context answers (see `workspace.facts`). `shared`: settings that all passes see
    (`passes.base.SHARED`). `report`: as in `Options`, where no recipe chooses. `batch`: all files
    are asked about at once, so that they may share what is seen of their contexts. `image_names`: whether image names
    are taken of files that the command line names, though their kind is none of `hosts`. `profile`: the profile of
    every file; None: PROFILE beside each, where there is one; NO_PROFILE: none is read."""

    image_names = False

    def __init__(
        self,
        lookup: ConfigLookup,
        select: tuple[str, ...] = (),
        ignore: tuple[str, ...] = (),
        unsafe: bool | None = None,
        recipes: tuple[str, ...] = (),
        set: tuple[str, ...] = (),
        context: str | None = None,
        facts: tuple[Facts, ...] = (),
        hosts: tuple[str, ...] = (),
        shared: Mapping[str, str] | None = None,
        level: int | None = None,
        modernize: bool | None = None,
        report: bool = True,
        batch: bool = False,
        profile: str | None = NO_PROFILE,
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
        self.level = level
        self.modernize = modernize
        self.report = report
        self.batch = batch
        self.profile = profile
        self._profile_paths: dict[str, str] = {}  # by directory; "": it has none
        self._profiles: dict[str, tuple[object, dict[str, Any]]] = {}  # the state of the file, and its document
        self._fitting: tuple[tuple[str, str], FittingProfile] | None = None  # of the latest file
        self._options: dict[int, tuple[Config, Options]] = {}
        self._optimizers: dict[int, optimizer.Optimizer] = {}
        self._plans: dict[int, tuple[Config, RecipePlan]] = {}
        self.observer: optimizer.Observer | None = None  # stays in this process
        self.trace: FactTrace | None = None  # where questions to facts are noted; stays in this process
        self.context_facts: ContextFacts | None = None  # of the latest file
        self._keys: dict[tuple[int, object], str] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (
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
            self.level,
            self.modernize,
            self.report,
            self.batch,
            self.profile,
        )
        return Request, arguments

    def passes_of(self, config: Config) -> Mapping[str, Mapping[str, Any]]:
        """The options of passes, and what all passes see ("*"), for files with a configuration."""
        passes = config.passes
        return {**passes, "*": {**passes.get("*", {}), **self.shared}} if self.shared else passes

    def options(self, directory: str) -> Options:
        """The optimizer's options for files of a directory: one object for each configuration. Raises ConfigError."""
        config = self.lookup.directory(directory)
        cached = self._options.get(id(config))
        if cached is None:
            ignore = self.ignore if self.select else (*config.get("ignore", ()), *self.ignore)
            level = self.level or config.get("level", 1)
            unsafe = self.unsafe
            if unsafe is None:
                unsafe = config.get("unsafe", False) if self.level is None and level == 1 else level > 1
            modernize = self.modernize if self.modernize is not None else config.get("modernize", False)
            options = Options(
                self.select or tuple(config.get("select", ())),
                ignore,
                ("safe", "unsafe") if unsafe else ("safe",),
                self.passes_of(config),
                min(level, 2),  # what level 3 has beyond that, builds decide (`proof.search`)
                modernize,
                self.report,
            )
            cached = self._options[id(config)] = (config, options)
        return cached[1]

    @property
    def searches(self) -> bool:
        """Whether builds are to choose among what the optimizer can make of a file: level 3, named by the user, or by
        the configuration of the working directory where the user names no passes."""
        if self.level is not None:
            return self.level > 2
        named = self.select or self.recipes
        return not named and bool(self.lookup.directory(".").get("level", 1) > 2)

    def optimizer(self, directory: str) -> optimizer.Optimizer:
        """The optimizer for files of a directory: one for each configuration. Raises ConfigError."""
        options = self.options(directory)
        cached = self._optimizers.get(id(options))
        if cached is None:
            cached = self._optimizers[id(options)] = optimizer.Optimizer(options, self.observer)
        return cached

    def plan(self, directory: str) -> RecipePlan | None:
        """The recipes for files of a directory; None where passes are selected without one. Raises ConfigError."""
        config = self.lookup.directory(directory)
        named = self.select or self.level is not None
        words = self.recipes or (() if named else tuple(config.get("recipes.use", ())))
        if not words:
            return None
        cached = self._plans.get(id(config))
        if cached is None:
            from dfopt.workspace.recipes import plan_of

            passes = self.passes_of(config)
            unsafe = True if self.unsafe is None and (self.level or 1) > 1 else self.unsafe
            plan = plan_of(config, words, bool(self.recipes), self.set, self.select, self.ignore, unsafe, passes)
            cached = self._plans[id(config)] = (config, plan)
        return cached[1]

    def directory_of(self, file: InputFile) -> str:
        """The directory whose configuration holds for a file (for standard input: that of the name it goes by)."""
        return os.path.dirname(file.name if file.path == STDIN else file.path)

    def optimize(self, file: InputFile) -> Result:
        """Reads a file and optimizes it. Raises OSError and ConfigError."""
        if file.error and file.place[0]:
            return Result(Source.from_bytes(b"", file.name), "", problem=Problem(file.error, *file.place))
        return self.optimize_source(file, self.read(file))

    def read(self, file: InputFile) -> Source:
        """Reads a file. Raises OSError."""
        if file.error:
            raise OSError(0, file.error)
        return Source.from_bytes(read_input(file.path), file.name)

    def optimize_source(
        self,
        file: InputFile,
        source: Source,
        only: Container[tuple[str, int]] | None = None,
        more: tuple[Facts, ...] = (),
        options: Options | None = None,
    ) -> Result:
        """Optimizes what was read of a file; `only` as in `optimizer.optimize`; `more`: facts of this file alone;
        `options`: in place of those that were asked for. Raises ConfigError."""
        try:
            return self._optimized(file, source, only, more, options)
        except Exception as failure:
            from dfopt.stage_templates.errors import RecipeError

            if not isinstance(failure, RecipeError):
                raise
            # of a template: what is wrong in it shows where a pass fills it in
            place = failure.file or "recipe"
            raise ConfigError(failure.message, place, failure.line, failure.column) from None

    def _optimized(
        self,
        file: InputFile,
        source: Source,
        only: Container[tuple[str, int]] | None,
        more: tuple[Facts, ...],
        chosen: Options | None,
    ) -> Result:
        directory = self.directory_of(file)
        plan = self.plan(directory)
        file_facts = self.facts_of(file, source)
        facts = JoinedFacts((file_facts, *more)) if more else file_facts
        kind = self.host_kind(file)
        if kind is not None:
            from dfopt.embedded.optimize import optimize_host, with_unknown

            options = self.options(directory) if plan is None else plan.options(plan.choose("FROM scratch\n", NO_FACTS))
            with_images = self.image_names or kind in self.hosts
            result = optimize_host(source, kind, options, facts, only, with_images)
            result = with_unknown(result, file.unknown)
        elif chosen is not None:
            result = optimizer.optimize(source, chosen, facts, only)
        elif plan is not None:
            result = plan.optimize(source, facts, only, self.observer)
        else:
            result = self.optimizer(directory).run(source, facts, only)
        profile = self.profile_of(file, source)
        return profile.measured(result) if profile is not None else result

    def own_edits(
        self, file: InputFile, result: Result, more: tuple[Facts, ...] = (), options: Options | None = None
    ) -> Mapping[tuple[str, int, int, str], OwnEdits]:
        """The own edits of each finding of a file's result (`own_edits.Separator`); `more`, `options`: as they were
        given to `optimize_source`. Raises ConfigError."""
        from dfopt.own_edits import Separator

        if not result.applied and not any(finding.fixable for finding in result.reported):
            return {}
        source, directory = result.source, self.directory_of(file)
        program: Program | None = None
        findings: list[Finding] = []
        if self.host_kind(file) is None:
            facts = JoinedFacts((self.facts_of(file, source), *more))
            plan = self.plan(directory)
            if options is not None:
                optimizer_of_file = optimizer.Optimizer(options)
            elif plan is not None:
                optimizer_of_file = plan.optimizer(plan.choose(source.text, facts))
            else:
                optimizer_of_file = self.optimizer(directory)
            try:
                program, findings = optimizer_of_file.findings(source, facts)
            except (TooMuchWorkError, RecursionError):  # what a run with fixes had left
                return {}
        return Separator(
            result, program, findings, lambda only: self.optimize_source(file, source, only, more, options)
        ).of_all()

    def options_for(self, file: InputFile, source: Source) -> Options:
        """The optimizer's options for one file, those that recipes choose included. Raises ConfigError."""
        directory = self.directory_of(file)
        plan = self.plan(directory)
        if plan is None:
            return self.options(directory)
        return plan.options(plan.choose(source.text, self.facts_of(file, source)))

    def host_kind(self, file: InputFile) -> str | None:
        """The kind of host that a file is, where hosts were asked for, or the format of a build definition; None: it is
        a Dockerfile."""
        if file.embedded or not self.hosts:
            return file.embedded or None
        from dfopt.workspace.embedded_kinds import kind_of

        return kind_of(os.path.abspath(file.path).replace(os.sep, "/"), self.hosts)

    def settings_for(self, file: InputFile) -> Options | RecipePlan:
        """What the optimizer is told for a file. Raises ConfigError."""
        directory = self.directory_of(file)
        return self.plan(directory) or self.options(directory)

    def settings_key(self, file: InputFile) -> str:
        """A digest of all that decides what becomes of a file beside its content and what facts say: the version of
        dfopt, and the passes, tiers and options for its directory. Raises ConfigError."""
        chosen = self.settings_for(file)
        context = self.context_of(file)
        about = context, file.embedded, file.unknown
        key = self._keys.get((id(chosen), about))
        if key is None:
            from dfopt.hashing import sha256
            from dfopt.version import fingerprint

            text = repr((fingerprint(), chosen, about, self.hosts))
            key = self._keys[id(chosen), about] = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return key

    def facts_of(self, file: InputFile, source: Source) -> Facts:
        """What the outside can tell about a file, told when it is asked for. Raises ConfigError."""
        context_facts = ContextFacts(file.path, file.root, source, self.context_of(file), self.batch)
        self.context_facts = context_facts
        profile = self.profile_of(file, source)
        more = self.facts if profile is None else (*self.facts, profile.facts)
        facts = JoinedFacts((context_facts, *more)) if more else context_facts
        return AskedFacts(facts, self.trace) if self.trace is not None else facts

    def profile_path(self, file: InputFile) -> str:
        """The profile that may be one of a file; "" where there is none."""
        if self.profile is not None or file.path == STDIN or file.embedded:
            return "" if self.profile == NO_PROFILE else self.profile or ""
        directory = os.path.dirname(file.path)
        path = self._profile_paths.get(directory)
        if path is None:
            path = os.path.join(directory, PROFILE)
            self._profile_paths[directory] = path = path if os.path.lexists(path) else ""
        return path

    def profile_of(self, file: InputFile, source: Source) -> FittingProfile | None:
        """What of a file's profile fits it; None where it has none. Raises ConfigError."""
        path = self.profile_path(file)
        if not path or self.host_kind(file) is not None:
            return None
        key = file.path, source.text
        if self._fitting is None or self._fitting[0] != key:
            from dfopt.profile.fit import fitting_profile

            context_facts = self.context_facts
            if context_facts is None or (context_facts.path, context_facts.source) != (file.path, source):
                context_facts = ContextFacts(file.path, file.root, source, self.context_of(file), self.batch)
            digest = JoinedFacts(self.facts).digest
            profile = fitting_profile(path, self.profile is not None, self._profiles, source, context_facts, digest)
            self._fitting = key, profile
        return self._fitting[1]

    def context_of(self, file: InputFile) -> str | None:
        """The directory that the command line, the build definition that names the file, or the configuration states as
        the build context. Raises ConfigError."""
        if self.context is not None:
            return self.context
        if file.context is not None:
            return file.context
        setting = self.lookup.directory(self.directory_of(file)).settings.get("context")
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
        return read_named(path)
    if sys.stdin is None:
        raise OSError(0, "standard input is closed")
    if _stdin is None:
        content = sys.stdin.buffer.read(LIMIT + 1)
        if len(content) > LIMIT:
            raise OSError(0, f"larger than {LIMIT} bytes")
        _stdin = content
    return _stdin
