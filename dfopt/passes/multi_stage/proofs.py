"""What is proved of the program that a stage builds: where it is, how it is linked, and what it reads."""

from __future__ import annotations

import re

from dfopt.analysis.build_facts import EVERYWHERE, built_image, find_program
from dfopt.ir.base_images import split_image
from dfopt.ir.effects import covers
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table
from dfopt.passes.multi_stage.language import language_needs
from dfopt.passes.multi_stage.packages import libraries
from dfopt.passes.multi_stage.unblock import BUILD
from dfopt.record import replace
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.passes.multi_stage.bases import BuilderImage
    from dfopt.passes.multi_stage.flow import Flow
    from dfopt.passes.multi_stage.start_programs import StartPrograms
    from dfopt.passes.multi_stage.tool_outputs import ToolContext, ToolOutputs
    from dfopt.passes.multi_stage.written_paths import WrittenPath
    from dfopt.stage_templates.stage_recipes import StageRecipe

# What is a directory of many files: its own name is no program's
TREES = ("inside", "repository", "packages", "tree", "workdir")
_DEFAULT_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Proofs:
    """Base of the planner, which fills the attributes one after the other."""

    program: Program
    stage: Stage
    facts: Facts
    line: int
    prefer: str
    base: BuilderImage
    flow: Flow
    outputs: ToolOutputs
    start: StartPrograms
    recipe: StageRecipe

    def is_started(self, entry: WrittenPath) -> bool:
        """Whether a program that a tool has built is one of those that the image starts."""
        if entry.path in self.start.paths or any(
            covers(entry.path, path) for path in self.start.paths if entry.role == "classes"
        ):
            return True
        directory, _, name = entry.path.rpartition("/")
        return name in self.start.names and directory in self.search_path()

    def search_path(self) -> tuple[str, ...]:
        path = self.program.end_scope(self.stage).env.get("PATH")
        named = tuple(part for part in path.split(":") if part.startswith("/")) if isinstance(path, str) else ()
        extra = {"go": "/go/bin", "rust": "/usr/local/cargo/bin"}
        raw = [
            pair.value or "" for step in layer_steps(self.program, self.stage) if step.node.keyword == "ENV"
            for pair in step.node.pairs if pair.name == "PATH"
        ]  # fmt: skip
        said = tuple(part for value in raw for part in value.strip("\"'").split(":") if part.startswith("/"))
        return (*_DEFAULT_PATH, *named, *said, *[extra[feature] for feature in self.base.has if feature in extra])

    def own_libraries(self) -> set[str]:
        """Names (as in -lNAME) of the shared libraries that the steps build, put in place and link programs with.
        Raises Refusal for one that no program is linked with: it may be loaded by name."""
        names: set[str] = set()
        if self.recipe.keeps == "all":
            return names
        placed = {entry.path.rpartition("/")[2] for entry in self.outputs.paths}
        linked = {name for name, _ in self.outputs.linked}
        for path, line in self.outputs.loads:
            base = path.rpartition("/")[2]
            name = re.match(r"lib([\w.+-]+?)\.so(?:\.|\Z)", base)
            if name is None or name[1] not in linked or base not in placed:
                raise Refusal(f"line {line} builds {path or 'a library'}, which a program may load by name")
            names.add(name[1])
        return names

    def of_some_release(self, package: str, name: str, line: int) -> tuple[str, ...] | None:
        """The libraries of a -dev package. Raises Refusal where they differ and the builder's release is not known."""
        if self.base.release:
            return libraries(package, self.base.release)
        packages = libraries(package, "trixie")
        if "headers" in self.base.has and packages != libraries(package, "bookworm"):
            reason = (
                f"the release that {self.base.image} is built on is not known, and with it the package of the library"
            )
            raise Refusal(f"{reason} {name}, linked in line {line}", "name the release in the tag, as in -trixie")
        return packages

    def linked(self) -> list[str]:
        """Packages of the libraries that build files name. Raises Refusal for one that is not known, where the base
        image's own headers may be what it was linked with."""
        packages: list[str] = []
        links = table("split_libraries")["links"]
        own = self.own_libraries()
        for feature in self.base.run_has:
            own.update(table("split_libraries")["brought"].get(feature, ()))
        for name, line in (*self.outputs.linked, *self.outputs.modules):
            if name in own:
                continue
            package = links.get(name)
            if package == "":
                continue
            runs = self.of_some_release(package, name, line) if package else None
            if runs is None:
                if "headers" in self.base.has or "cc" in self.base.has:
                    raise Refusal(f"the package of the library {name}, linked in line {line}, is not known", BUILD)
                continue
            packages += runs
        return packages

    def of_release(self, base: BuilderImage) -> BuilderImage:
        """The base with its release as an image that was built says it, where the table has none. The image for the run
        must be of that release, too: by its tag, or as another variant of the same image."""
        settled = bool(base.release) or base.run == base.image
        image = None if settled else built_image(self.program, self.stage, self.facts)
        if image is None:
            return base
        name, release = image.release()
        same = base.run == f"{name}:{release}-slim" or split_image(base.run)[0] == split_image(base.image)[0]
        return replace(base, release=release) if name == "debian" and same else base

    def package_of(self, name: str) -> str:
        """The package that brings a program, as an image that was built has it; "" where that is not known."""
        image = built_image(self.program, self.stage, self.facts)
        artifact = find_program(image, name, self.search_path()) if image is not None else None
        return (artifact.package or "") if artifact is not None else ""

    def libraries(self, kept: Sequence[WrittenPath], context: ToolContext) -> list[str]:
        """Packages of what programs and modules are linked with: as the tables say, or as a build shows. Raises Refusal
        where neither does."""
        proved = self.needed(kept)
        try:
            return [*language_needs(self.recipe, context, self.outputs, self.base), *self.linked(), *(proved or ())]
        except Refusal:
            if proved is None:
                raise
            return proved

    def needed(self, kept: Sequence[WrittenPath]) -> list[str] | None:
        """Packages of the libraries that what is copied needs, as an image that was built has them; None where there is
        none. Raises Refusal."""
        packages: dict[str, None] = {}
        places = [entry.path for entry in kept if entry.kind == "tool"]
        image = built_image(self.program, self.stage, self.facts) if places else None
        if image is None:
            return None
        for path in places:
            for name, library in image.needs_below(path).items():
                if library.package is None and not any(covers(entry.path, library.path) for entry in kept):
                    raise Refusal(f"{path} needs {name}, which no package of the built image has")
                if library.package is not None and library.package not in EVERYWHERE:
                    packages[library.package] = None
        return list(packages)
