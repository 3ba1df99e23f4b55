"""The plan of a split: which image, packages, files and settings the new stage has. No text is made here."""

from __future__ import annotations

import fnmatch
import re

from dfopt.analysis.package_managers import package_name
from dfopt.analysis.startup import UNCLEAR, command_elsewhere
from dfopt.analysis.system_paths import SYSTEM
from dfopt.ir.effects import covers, overlap
from dfopt.ir.liveness import layer_steps
from dfopt.ir.stages import SCRATCH
from dfopt.knowledge import table
from dfopt.passes.multi_stage.attributes import repeated
from dfopt.passes.multi_stage.bases import base_of
from dfopt.passes.multi_stage.copy_selection import StageCopy, check_paths
from dfopt.passes.multi_stage.language import module_packages
from dfopt.passes.multi_stage.links import BuilderLinks
from dfopt.passes.multi_stage.node_modules import prune_of
from dfopt.passes.multi_stage.packages import install_command, is_build
from dfopt.passes.multi_stage.project_scripts import confined, writes_nothing
from dfopt.passes.multi_stage.runtime import family_of
from dfopt.passes.multi_stage.stage_settings import StageSettings, inherited_workdir, settings
from dfopt.passes.multi_stage.start_programs import SourceNeeds, needs, start_of
from dfopt.passes.multi_stage.static_site import site_plan
from dfopt.passes.multi_stage.steps import read
from dfopt.passes.multi_stage.tool_outputs import ToolContext
from dfopt.passes.multi_stage.tool_rules import outputs, tools
from dfopt.passes.multi_stage.unblock import APART, BY_HAND, PREFIX, START
from dfopt.passes.multi_stage.written_paths import WrittenPath, is_scratch
from dfopt.record import Record, replace
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.passes.multi_stage.bases import BuilderImage
    from dfopt.passes.multi_stage.packages import RunPackages
    from dfopt.stage_templates.stage_recipes import StageRecipe

# What a split must save, or it does not pay: MB, and the share of the old image's base and packages
_LEAST = 20
_SHARE = 0.15
_OTHER_MB = 20  # of a distroless image
_THE_IMAGE = frozenset(
    ("/", "/bin", "/etc", "/lib", "/lib64", "/sbin", "/usr", "/usr/bin", "/usr/lib", "/usr/sbin", "/var")
)


class SplitPlan(Record):
    """The new stage.

    packages  the shell command that installs what is needed, or ""
    commands  what runs behind the copies
    accounts  instructions that are repeated
    base_mb   of the old base image, by the table; `run_mb`: of the new one; `left_mb`: of the packages that stay behind
    config    of a site, the text of the web server's configuration
    note      why a program that serves files stays, or what a split by evidence does not know
    last      a command that the builder runs last, or ""; `as_root`, where the builder ends as another user
    inherited instructions for settings of the old base image that the new one lacks, before all others; `behind` the
              copies; and at the end, what it `starts`
    saved     bytes, where a build showed them
    """

    recipe: StageRecipe
    image: str
    packages: str
    commands: tuple[str, ...]
    accounts: tuple[int, ...]
    copies: tuple[StageCopy, ...]
    settings: StageSettings
    base_mb: int | None
    run_mb: int | None
    left_mb: int = 0
    config: str = ""
    note: str = ""
    last: str = ""
    as_root: bool = False
    inherited: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    saved: int | None = None


def split_plan(
    program: Program, stage: Stage, facts: Facts, prefer: str, own: tuple[str, ...] = ()
) -> SplitPlan | None:
    """The plan for a stage; None where there is nothing to split. Raises Refusal where a fact is missing."""
    if program.root(stage).image == SCRATCH:
        return None
    note = Refusal("")
    if prefer == "auto":
        try:
            site = site_plan(program, stage, facts, own)
        except Refusal as refusal:
            note = refusal
        else:
            if site is not None:
                return SplitPlan(
                    site.recipe, site.image, "", (), (), site.copies, site.settings, site.base_mb,
                    site.run_mb, config=site.config,
                )  # fmt: skip
    try:
        plan = _Planner(program, stage, facts, prefer, own).plan() if _candidate(program, stage) else None
    except Refusal:
        if note.reason:
            raise note from None
        raise
    if note.reason and plan is None:
        raise note
    return replace(plan, note=f"not on nginx: {note.reason}") if plan is not None and note.reason else plan


_HINT = re.compile(
    r"(?<![\w.+-])(?:go|cargo|gcc|g\+\+|cc|gfortran|ld|nasm|meson|ninja|autoreconf|make|cmake|javac|mvn|mvnw|gradlew?|dotnet|pip3?|uv|poetry|pipenv|npm|yarn|pnpm|bundle|gem|composer"
    r"|build-essential|build-base|[\w.+-]+-dev)(?![\w-])"
)


def _candidate(program: Program, stage: Stage) -> bool:
    """Whether a stage may carry what only a build needs: a quick look."""
    steps = layer_steps(program, stage)
    base = base_of(program.root(stage).image)
    if base is not None and base.run != base.image and base.has & {"headers", "cc", "go", "rust", "java", "dotnet"}:
        return any(step.node.keyword == "RUN" for step in steps)
    return any(step.node.keyword == "RUN" and _HINT.search(step.node.joined.text) for step in steps)


def _builds(program: Program, stage: Stage) -> bool:
    """Whether the text of a step looks as if it called a build tool, or installed what only builds need: a quick look,
    which reads no shell."""
    known = tools()
    for step in layer_steps(program, stage):
        if step.node.keyword != "RUN":
            continue
        text = step.node.joined.text + "".join([program.text[doc.start : doc.end] for doc in step.node.heredocs])
        for command in re.split(r"[;&|\n(){}]|\bRUN\b", text):
            words = [word for word in command.split() if "=" not in word and not word.startswith("-")]
            if words and words[0].rpartition("/")[2] in known:
                return True
            if any(word in ("install", "add", "build-dep") for word in words) and any(map(is_build, words)):
                return True
    return False


def _flags(stage: Stage) -> list[tuple[str, str | None]]:
    return [(flag.name, flag.value) for flag in stage.node.flags]


class _Planner(BuilderLinks):
    def __init__(self, program: Program, stage: Stage, facts: Facts, prefer: str, own: tuple[str, ...]) -> None:
        self.program = program
        self.stage = stage
        self.facts = facts
        self.prefer = prefer
        self.own = own
        self.line = stage.node.line

    def plan(self) -> SplitPlan | None:
        from dfopt.stage_templates.stage_recipes import stage_recipes

        program, stage = self.program, self.stage
        if base_of(program.root(stage).image) is None and not _builds(program, stage):
            return None
        self.base = self.known_base()
        self.flow = read(program, stage, self.facts, tools(), self.base.home)
        if not self.flow.calls:
            return None
        if command_elsewhere(program, stage):
            raise Refusal(UNCLEAR, "write CMD or ENTRYPOINT in the last stage")
        context = ToolContext(self.flow, self.facts, self.base.has, self.base.release)
        self.outputs = outputs(context)
        built = self.outputs.paths
        self.follow_copies(built)
        self.start = start_of(program, stage, self.facts, [*self.flow.paths, *built], self.base.starts, self.base.home)
        self.follow_links()
        self.recipe = self.chosen(stage_recipes(self.own), built)
        need = needs(self.recipe, self.flow.sources(), self.facts)
        self.check_needs(need)
        self.check_changes(built)
        self.check_scripts()
        plan = self.decide(need, built, context)
        if plan is not None:
            self.check_copies(plan)
            self.check_arguments(plan)
        return plan

    def check_copies(self, plan: SplitPlan) -> None:
        """Of directories that the other image has, too, nobody knows what would be copied. Raises Refusal."""
        for copy in plan.copies:
            for path in copy.sources:
                if path in _THE_IMAGE:
                    raise Refusal(f"all of {path} would be copied", PREFIX)

    def check_arguments(self, plan: SplitPlan) -> None:
        """Another value of a build argument must not lead to other paths, owners or packages. Raises Refusal."""
        said = [plan.packages, *plan.commands]
        for copy in plan.copies:
            said += [*copy.sources, copy.target, copy.owner or ""]
        for name, default in self.flow.arguments.items():
            if any(default in text for text in said):
                raise Refusal(
                    f"a path, an owner or a package depends on the build argument {name}",
                    "write the value instead of the argument",
                )

    def known_base(self) -> BuilderImage:
        """What is known of the image that the stage starts from, or the stages that it stands on. Raises Refusal."""
        root = self.program.root(self.stage)
        base = base_of(root.image)
        if base is None:
            unblock = BY_HAND if root.image else "give the build argument a default that names an image"
            raise Refusal(f"which image runs what {root.image or root.base} builds is not known", unblock)
        if any("BUILDPLATFORM" in (flag.value or "") for flag in root.node.flags):
            raise Refusal("the stage is made for the platform that builds", "remove --platform=$BUILDPLATFORM")
        if _flags(root) != _flags(self.stage):
            line = root.node.line
            raise Refusal(f"the image is of the platform that line {line} names", "give both FROMs the same --platform")
        return self.of_release(base)

    def follow_copies(self, built: list[WrittenPath]) -> None:
        """What a command copied out of a tool's output is that output, at another place."""
        for number, entry in self.flow.paths.below("/"):
            if entry.role != "copy":
                continue
            origin = next((other for other in (*built, *self.outputs.gone) if covers(other.path, entry.source)), None)
            if origin is None and self.built_elsewhere(entry.source):
                origin = WrittenPath(entry.source, entry.step, "tool", role="program")
            if origin is not None:
                self.flow.paths.remove(number)
                role = origin.role if origin.path == entry.source or origin.role != "jars" else "program"
                built.append(WrittenPath(entry.path, entry.step, "tool", role=role))
                if origin.path in self.outputs.static:
                    self.outputs.static.add(entry.path)

    def built_elsewhere(self, path: str) -> bool:
        """Whether a file lies where a tool worked on sources that were downloaded: what it made there is not told."""
        return any(covers(place, path) for place in self.outputs.work) and any(
            overlap(place, path) for place, _ in self.flow.fetched
        )

    def chosen(self, recipes: Sequence[StageRecipe], built: Sequence[WrittenPath]) -> StageRecipe:
        """The recipe whose toolchain makes what the image starts. Raises Refusal."""
        recipe = self.choose(recipes, built)
        if recipe is None:
            raise Refusal("no recipe knows how what the image starts is built", START)
        return recipe

    def choose(self, recipes: Sequence[StageRecipe], built: Sequence[WrittenPath]) -> StageRecipe | None:
        for recipe in recipes:
            if recipe.keeps == "site":
                continue
            if recipe.starts:
                if any(fnmatch.fnmatchcase(name, pattern) for name in self.start.names for pattern in recipe.starts):
                    return recipe
                if recipe.name == "python" and self.outputs.console & set(self.start.names):
                    return recipe
                continue
            if any(call.program in recipe.tools for call in self.flow.calls) and any(map(self.is_started, built)):
                return recipe
        return None

    def check_needs(self, need: SourceNeeds) -> None:
        """Raises Refusal where not all that the program starts and loads is known."""
        for key, text in (
            ("loads", "loads libraries or code by name"),
            ("any-program", "starts a program whose name is not fixed"),
        ):
            if key in need.places:
                raise Refusal(f"the program {text} ({need.places[key]})")
        if self.recipe.keeps != "all":
            self.own_libraries()
        if self.recipe.keeps != "programs":
            return
        if self.same_programs():
            return
        for path, line in self.flow.fetched:
            if any(overlap(path, place) for place in self.outputs.work):
                raise Refusal(f"what the program that is built from line {line}'s download starts is not known", APART)

    def check_changes(self, built: Sequence[WrittenPath]) -> None:
        """Raises Refusal where a command changes a file that is the base image's or a package's: that would be lost."""
        own = [entry.path for entry in (*self.flow.paths, *built)] + self.outputs.work
        repeats = {
            attribute.path for attribute in self.flow.attributes if attribute.path in SYSTEM and not attribute.deep
        }
        for path, line in self.flow.changed:
            if any(overlap(entry, path) for entry in own) or is_scratch(path) or path in repeats:
                continue
            if not any(covers(name, path) for name in table("split_programs")["build-places"]):
                raise Refusal(f"line {line} changes {path}, which no step makes")

    def check_scripts(self) -> None:
        """Raises Refusal where programs of the project itself may write what is not copied."""
        if self.outputs.ran:
            writes_nothing(self.recipe, self.flow, self.outputs, self.facts)
        if not self.outputs.scripts:
            return
        if self.recipe.keeps != "all":
            line, words = self.outputs.scripts[0]
            raise Refusal(f"what `{words}` in line {line} writes is not known", APART)
        confined(self.flow, self.outputs, self.facts, self.program.end_scope(self.stage).env)

    def decide(self, need: SourceNeeds, built: Sequence[WrittenPath], context: ToolContext) -> SplitPlan | None:
        """The plan, or None where it does not pay. Raises Refusal."""
        names, packages = self.demand(need, built)
        kept, left = self.contents(need, built)
        names.update(dict.fromkeys(self.libraries(kept, context)))
        installed = {package_name(package.name) for package in self.flow.packages}
        for package in module_packages(self.recipe, context, self.outputs):
            if package in installed or "headers" in self.base.has:
                names[package] = None
        kept = self.git_settings(kept, names)
        copies = self.copy_list(kept, left, ())
        attributes = self.attributes(copies, kept)
        commands = repeated(attributes, copies, self.directories(kept, left), self.workdir())
        image, system = self.runtime(need, names, kept, bool(commands))
        bare_image = image == "scratch" or "distroless" in image
        kept, links = self.made_again(kept, copies, names, image)
        commands += links
        if not bare_image:
            self.certificates(need, names, installed, image)
        accounts, tables = self.accounts(image, need)
        copies = self.copy_list(kept, left, (*system, *tables))
        if bare_image:
            names = {}
        self.check_sources(names)
        prune = (
            prune_of(self.program, self.stage, self.facts, self.base, context)
            if self.recipe.language == "node"
            else None
        )
        if prune is not None:
            packages = replace(packages, left=packages.left + prune.mb)
        last = [*([prune.command] if prune is not None else []), *self.stored_again(kept, image)]
        sizes = {"scratch": 0, self.base.image: self.base.mb, self.base.run: self.base.run_mb}
        run_mb = sizes.get(image, _OTHER_MB)
        if not self.pays(run_mb, packages):
            return None
        check_paths(path for copy in copies for path in (*copy.sources, copy.target))
        runs = [" && ".join(commands)] if commands else []
        owned = any(copy.owner for copy in copies) or any(" chown " in f" {command} " for command in commands)
        if self.own_libraries() and self.base.release != "alpine" and image == self.base.run:
            runs.append("ldconfig")
        return SplitPlan(
            self.recipe, image, self.command(image, names, packages), tuple(runs), tuple(accounts), tuple(copies),
            settings(self.program, self.stage, self.recipe.environment, self.recipe.stays, owned),
            self.base.mb, run_mb, packages.left, last=" && ".join(last),
            inherited=inherited_workdir(self.program, self.stage, image, self.base),
        )  # fmt: skip

    def check_sources(self, names: dict[str, None]) -> None:
        """Raises Refusal where packages cannot be had in the new stage under the same names."""
        if not names:
            return
        for entry in self.flow.paths:
            if covers("/etc/apt", entry.path) or covers("/etc/apk", entry.path):
                raise Refusal(f"line {entry.step.node.line} sets up other package sources")
        if not self.base.release and self.recipe.keeps == "programs":
            reason = f"the release that {self.base.image} is built on is not known, and with it the names of packages"
            raise Refusal(reason, "name the release in the tag, as in -trixie")

    def pays(self, run_mb: int | None, packages: RunPackages) -> bool:
        """Whether the split saves enough, as far as the tables tell."""
        if self.base.mb is None or run_mb is None:
            return self.base.run != self.base.image  # a compiler stays behind
        if self.same_programs() and not packages.left:
            return False  # the base alone could be smaller, for which swap-base needs no second stage
        before = self.base.mb + packages.left
        return before - run_mb >= max(_LEAST, _SHARE * before)

    def command(self, image: str, names: dict[str, None], packages: RunPackages) -> str:
        """The shell command that installs `names` on `image`; "" for none."""
        if not names:
            return ""
        quiet = "tzdata" in names or "DEBIAN_FRONTEND" in self.program.text
        lean = packages.lean or not packages.names
        return install_command(family_of(self.base.release), list(names), lean, quiet, "slim" in image)
