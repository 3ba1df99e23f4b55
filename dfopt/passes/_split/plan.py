"""The plan of a split: which image, packages, files and settings the new stage has. No text is made here."""

from __future__ import annotations

import fnmatch
import re

from dfopt.ir.effects import covers
from dfopt.knowledge import table
from dfopt.passes._split.bases import base_of
from dfopt.passes._split.config import Settings, settings
from dfopt.passes._split.files import SHARED, SYSTEM, Made, Unclear, is_scratch
from dfopt.passes._split.keep import Copy, copies, everything_kept, programs_kept
from dfopt.passes._split.packages import (
    bare,
    install_command,
    is_build,
    language_package,
    partition,
    providers,
)
from dfopt.passes._split.proofs import Proofs
from dfopt.passes._split.scripts import confined
from dfopt.passes._split.start import Need, needs, start_of
from dfopt.passes._split.steps import read
from dfopt.passes._split.toolbox import Context
from dfopt.passes._split.tools import outputs, tools
from dfopt.record import Record
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.ir.program import Program, Stage
    from dfopt.passes.base import Facts
    from dfopt.recipes.stages import StageRecipe

# What a split must save, or it does not pay: MB, and the share of the old image's base and packages
_LEAST = 20
_SHARE = 0.15
_OTHER_MB = 20  # of a distroless image
# What only builds read, or language tools own
_BUILD_PLACES = ("/etc/apt", "/etc/apk", "/root", "/usr/local/lib", "/usr/local/cargo")
_DISTROLESS = {"trixie": "debian13", "bookworm": "debian12"}


class Plan(Record):
    """The new stage. `packages`: the shell command that installs what is needed, or ""; `links`: whether the dynamic
    linker must be told of libraries that are copied; `accounts`: instructions that are
    repeated; `saves`: MB, as far as the tables tell."""

    recipe: StageRecipe
    image: str
    packages: str
    links: bool
    accounts: tuple[int, ...]
    copies: tuple[Copy, ...]
    settings: Settings
    saves: int


def make_plan(program: Program, stage: Stage, facts: Facts, prefer: str, own: tuple[str, ...] = ()) -> Plan | None:
    """The plan for a stage; None where there is nothing to split. Raises Unclear where a fact is missing."""
    if not _candidate(program, stage):
        return None
    return _Planner(program, stage, facts, prefer, own).plan()


_HINT = re.compile(
    r"(?<![\w.-])(?:go|cargo|gcc|g\+\+|cc|make|cmake|javac|mvn|mvnw|gradlew?|dotnet|pip3?|npm|yarn|pnpm|bundle|gem|composer"
    r"|build-essential|build-base|[\w.+-]+-dev)(?![\w-])"
)


def _candidate(program: Program, stage: Stage) -> bool:
    """Whether a stage may carry what only a build needs: a quick look."""
    base = base_of(stage.image)
    if base is not None and base.run != base.image and base.has & {"headers", "cc", "go", "rust", "java", "dotnet"}:
        return any(step.node.keyword == "RUN" for step in stage.steps)
    return any(step.node.keyword == "RUN" and _HINT.search(step.node.joined.text) for step in stage.steps)


def family_of(release: str) -> str:
    """The package manager of a release."""
    return "apk" if release == "alpine" else "apt"


class _Planner(Proofs):
    def __init__(self, program: Program, stage: Stage, facts: Facts, prefer: str, own: tuple[str, ...]) -> None:
        self.program = program
        self.stage = stage
        self.facts = facts
        self.prefer = prefer
        self.own = own
        self.line = stage.node.line

    def plan(self) -> Plan | None:
        from dfopt.recipes.stages import stage_recipes

        program, stage = self.program, self.stage
        base = base_of(stage.image)
        if stage.parent is not None:
            raise Unclear("the stage is built on another stage of the file", self.line)
        if base is None:
            raise Unclear(f"which image runs what {stage.image or stage.base} builds is not known", self.line)
        if any("BUILDPLATFORM" in (flag.value or "") for flag in stage.node.flags):
            raise Unclear("the stage is made for the platform that builds", self.line)
        self.base = base
        self.flow = read(program, stage, self.facts, tools(), base.home)
        if not self.flow.calls and not any(is_build(one.name) for one in self.flow.packages):
            return None
        context = Context(self.flow, self.facts, base.has, base.release)
        self.outputs = outputs(context)
        built = self.outputs.made
        self.follow_copies(built)
        self.start = start_of(program, stage, self.facts, [*self.flow.made, *built])
        recipe = self.choose(stage_recipes(self.own), built)
        if recipe is None:
            raise Unclear("no recipe knows how what the image starts is built", self.start.line)
        if recipe.keeps != "all" and self.outputs.loads:
            name, line = self.outputs.loads[0]
            raise Unclear(f"line {line} builds {name or 'a library'}, which a program may load by name", line)
        self.recipe = recipe
        if recipe.keeps == "site":
            raise Unclear("sites are not split yet", self.line)
        need = needs(recipe, self.flow.made, self.facts)
        for key, text in (
            ("loads", "loads libraries or code by name"),
            ("any-program", "starts a program whose name is not fixed"),
        ):
            if key in need.found:
                raise Unclear(f"the program {text} ({need.found[key]})", self.start.line)
        if recipe.keeps == "programs":
            for path, line in self.flow.fetched:
                if any(covers(path, place) or covers(place, path) for place in self.outputs.work):
                    raise Unclear(
                        f"what the program that is built from line {line}'s download starts is not known", line
                    )
        self.unchanged(built)
        if self.outputs.scripts:
            if recipe.keeps != "all":
                line, words = self.outputs.scripts[0]
                raise Unclear(f"what `{words}` in line {line} writes is not known", line)
            confined(self.flow, self.outputs, self.facts, program.end_scope(stage).env)
        return self.decide(need, built, context)

    def unchanged(self, built: Sequence[Made]) -> None:
        """Raises Unclear where a command changes a file that is the base image's or a package's: that would be lost."""
        own = [one.path for one in (*self.flow.made, *built)] + self.outputs.work
        for path, line in self.flow.changed:
            if any(covers(one, path) or covers(path, one) for one in own) or is_scratch(path):
                continue
            if not any(
                covers(one, path) for one in ("/etc/apt", "/etc/apk", "/root", "/usr/local/lib", "/usr/local/cargo")
            ):
                raise Unclear(f"line {line} changes {path}, which no step makes", line)

    def follow_copies(self, built: list[Made]) -> None:
        """What a command copied out of a tool's output is that output, at another place."""
        for one in list(self.flow.made):
            if one.role != "copy":
                continue
            origin = next((other for other in built if covers(other.path, one.source)), None)
            if origin is not None:
                self.flow.made.remove(one)
                role = (
                    origin.role if origin.path == one.source or origin.role not in ("jars", "programs") else "program"
                )
                built.append(Made(one.path, one.step, "tool", role=role))
                if origin.path in self.outputs.static:
                    self.outputs.static.add(one.path)

    def choose(self, recipes: Sequence[StageRecipe], built: Sequence[Made]) -> StageRecipe | None:
        """The recipe whose toolchain makes what the image starts."""
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

    def decide(self, need: Need, built: list[Made], context: Context) -> Plan | None:
        recipe, flow, base, start = self.recipe, self.flow, self.base, self.start
        own = {one.path.rpartition("/")[2] for one in (*built, *flow.made)} | self.installed_names()
        brings = table("split_programs")["brings"]
        family = family_of(base.release)
        distribution = "alpine" if family == "apk" else "debian"
        known = {*brings["shell"], *brings[distribution]}
        asked = {**dict.fromkeys(start.names, ""), **need.programs}
        foreign = {name: place for name, place in asked.items() if name not in own}
        if recipe.language:
            foreign = {n: p for n, p in foreign.items() if not any(fnmatch.fnmatchcase(n, s) for s in recipe.starts)}
        missing = [name for name in foreign if name not in known]
        seen = not flow.fetched and not any(one.kind in ("file", "stage") for one in flow.made)
        packages = partition(flow, base.release, foreign, recipe.language, seen)
        names = dict.fromkeys(packages.names)
        installed = {bare(one.name) for one in flow.packages}
        providing = providers(family)
        for name in missing:
            package = providing.get(name, "")
            if name in installed or package in installed or name in names or package in names:
                continue
            if package and base.has & {"cc", "headers", "certs"}:  # the builder's base image brought it
                names[package] = None
                continue
            place = f" ({foreign[name]})" if foreign[name] else ""
            if self.console_script(name):
                continue
            raise Unclear(f"where {name}, which the program calls{place}, comes from is not known", start.line)
        if recipe.language and recipe.language not in base.run_has:
            found = language_package(recipe.language, family, installed, names)
            if found is None:
                raise Unclear(f"where the image for the run gets {recipe.language} from is not known", self.line)
            names.update(dict.fromkeys(found))
        workdir = self.program.end_scope(self.stage).workdir
        place = workdir if isinstance(workdir, str) else "/"
        if recipe.keeps == "programs":
            kept, left = programs_kept(
                flow.made,
                built,
                self.outputs.work,
                recipe.build_files,
                start.paths,
                place,
                start.names,
                self.search_path(),
            )
        else:
            kept, left = everything_kept(flow.made, built, start.paths)
            kept += self.language_files()
            kept += self.workplaces()
        for link in kept:
            if link.role == "link" and link.source.startswith(("/dev/", "/proc/")):
                line = link.step.node.line
                raise Unclear(f"the link of line {line} to {link.source} cannot be copied", line)
        names.update(dict.fromkeys(self.libraries(kept, context)))
        prefixes = [one for one in kept if one.role == "prefix"]
        for prefix in prefixes:
            if prefix.path in SYSTEM and base.has & {"go", "rust", "python", "node", "ruby", "php", "local"}:
                raise Unclear(
                    f"which of the files in {prefix.path} line {prefix.step.node.line} installs is not known",
                    prefix.step.node.line,
                )
        image, system = self.runtime(need, names, kept)
        links = bool(prefixes) and base.release != "alpine" and image == base.run
        moved = self.moved(kept)
        if image != "scratch" and "distroless" not in image:
            self.certificates(need, names, installed, image)
        accounts, system2 = self.accounts(image, need)
        roots = {one.path for one in flow.made if one.kind in ("directory", "tree")} | flow.roots - {"/"}
        made = copies(kept, left, self.outputs.work if recipe.keeps == "programs" else (), roots, moved, flow.owned)
        made = [*[Copy((p,), p, None) for p in (*system, *system2)], *made]
        if image == "scratch" or "distroless" in image:
            names = {}
        if names and any(covers("/etc/apt", m.path) or covers("/etc/apk", m.path) for m in flow.made):
            step = next(m.step for m in flow.made if covers("/etc/apt", m.path) or covers("/etc/apk", m.path))
            raise Unclear(f"line {step.node.line} sets up other package sources", step.node.line)
        if names and not base.release and recipe.keeps == "programs":
            raise Unclear(
                f"the release that {base.image} is built on is not known, and with it the names of packages", self.line
            )
        known_mb = {"scratch": 0, base.image: base.mb, base.run: base.run_mb}
        saves = base.mb - known_mb.get(image, _OTHER_MB) + packages.left
        if saves < _LEAST or saves < _SHARE * (base.mb + packages.left):
            return None
        lean = packages.lean or not packages.names
        quiet = "tzdata" in names or "DEBIAN_FRONTEND" in self.program.text
        command = install_command(family, names, lean, quiet) if names else ""
        for one in made:
            for path in (*one.sources, one.target):
                if not re.fullmatch(r"[\w./@+~-]+", path):
                    raise Unclear(f"the path {path} has unusual characters", self.line)
        return Plan(
            recipe, image, command, links, tuple(accounts), tuple(made),
            settings(self.program, self.stage, recipe.environment, recipe.stays, bool(flow.owned)), saves,
        )  # fmt: skip

    def workplaces(self) -> list[Made]:
        """The directories in which a project's tools and programs worked: what they wrote there is not told."""
        found: list[Made] = []
        for path in dict.fromkeys(self.outputs.work):
            if path in SHARED:
                raise Unclear(f"a build tool works in {path}, among the files of the base image", self.line)
            if not is_scratch(path):
                found.append(Made(path, self.flow.calls[-1].step, "tool", role="tree"))
        return found

    def console_script(self, name: str) -> bool:
        """Whether a program comes with a language's packages: gunicorn of pip, serve of npm."""
        known = any(fnmatch.fnmatchcase(name, one) for one in self.recipe.starts) or name in self.outputs.console
        return self.recipe.keeps == "all" and known

    def language_files(self) -> list[Made]:
        """Where a language's packages are that its tools installed."""
        from dfopt.passes._split.language import package_places

        step = self.flow.calls[-1].step if self.flow.calls else self.stage.steps[-1]
        return [
            Made(path, step, "tool", role="packages")
            for path in package_places(self.recipe, self.outputs, self.base, self.flow, self.facts)
        ]

    def moved(self, kept: Sequence[Made]) -> dict[str, str]:
        """Programs that are found by name, in a directory that the new image does not search."""
        found: dict[str, str] = {}
        for one in kept:
            directory, _, name = one.path.rpartition("/")
            if (
                one.kind == "tool"
                and one.role == "program"
                and name in self.start.names
                and one.path not in self.start.paths
            ):
                said = [p for p in self.search_path() if p not in ("/go/bin", "/usr/local/cargo/bin")]
                if directory not in said:
                    found[one.path] = f"/usr/local/bin/{name}"
        return found

    def runtime(self, need: Need, names: dict[str, None], kept: Sequence[Made]) -> tuple[str, list[str]]:
        """The image for the run, and system files that are copied into it."""
        flow, base = self.flow, self.base
        programs = [one.path for one in kept if one.kind == "tool" and one.role in ("program", "programs")]
        proved: set[str] = set()
        if programs and all(self.is_static(path) or self.static_go(need) for path in programs):
            proved.add("static")
        own = {one.path.rpartition("/")[2] for one in (*self.outputs.made, *flow.made)}
        if not self.start.shell:
            proved.add("exec-form")
        if all(name in own for name in (*self.start.names, *need.programs)):
            proved.add("own-programs")
        if "temp" not in need.found:
            proved.add("no-temp")
        if "zones" not in need.found:
            proved.add("no-zones")
        rest = [name for name in names if bare(name) not in ("ca-certificates", "tzdata")]
        if not rest:
            proved.add("no-packages")
        for row in self.recipe.runtimes:
            image = row["image"]
            if image == "scratch" and (rest or self.prefer != "auto" or self.inherits()):
                continue
            if not set(row.get("when", ())) <= proved:
                continue
            if image == "scratch":
                system = self.system_files(need, names)
                if system is None:
                    continue
                return image, system
            if self.prefer == "distroless" and self.recipe.distroless is not None:
                wanted = self.recipe.distroless
                release = _DISTROLESS.get(base.release)
                if release and set(wanted["when"]) <= proved and not rest:
                    return str(wanted["image"]).replace("{debian}", release), []
            # Debian's packages of Java want directories of manuals, which slim images do not have
            manuals = family_of(base.release) == "apt" and any("-jre" in name for name in names)
            return (base.image if manuals else base.run) if image == "base" else image, []
        raise Unclear("no image of the recipe fits", self.line)

    def accounts(self, image: str, need: Need) -> tuple[list[int], list[str]]:
        """Steps that are repeated, and files that are copied, for the users that the builder has."""
        flow = self.flow
        user = self.program.end_scope(self.stage).user
        if isinstance(user, Unknown):
            raise Unclear("the user of the image depends on a variable", self.line)
        bare_image = image == "scratch" or "distroless" in image
        named = not re.fullmatch(r"(?:\d+|root)(?::(?:\d+|root))?", user or "0") or "accounts" in need.found
        if not flow.accounts and not (bare_image and named):
            return [], []
        if not bare_image and all(step in flow.alone for step in flow.accounts):
            return [step.index for step in flow.accounts], []
        return [], ["/etc/passwd", "/etc/group"]
