"""Which image runs what the stage builds, and what of the builder's system it needs there: certificates, time zones,
users."""

from __future__ import annotations

import re

from dfopt.analysis.build_facts import built_image
from dfopt.analysis.package_managers import package_name
from dfopt.passes.multi_stage.proofs import Proofs
from dfopt.passes.multi_stage.stage_settings import reads, settings
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.ir.stages import Step
    from dfopt.passes.multi_stage.start_programs import SourceNeeds
    from dfopt.passes.multi_stage.written_paths import WrittenPath

_DISTROLESS = {"trixie": "debian13", "bookworm": "debian12"}


def family_of(release: str) -> str:
    """The package manager of a release."""
    return "apk" if release == "alpine" else "apt"


class Runtime(Proofs):
    """Chooses the image for the run."""

    def runtime(
        self, need: SourceNeeds, names: dict[str, None], kept: Sequence[WrittenPath], runs: bool
    ) -> tuple[str, list[str]]:
        """The image for the run, and system files that are copied into it. `runs`: the new stage runs commands."""
        flow, base = self.flow, self.base
        programs = [entry.path for entry in kept if entry.kind == "tool" and entry.role == "program"]
        proved: set[str] = set()
        if programs and all(self.is_static(path) or self.static_go(need) for path in programs):
            proved.add("static")
        own = {entry.path.rpartition("/")[2] for entry in (*self.outputs.paths, *flow.paths)}
        if not self.start.shell:
            proved.add("exec-form")
        if all(name in own for name in (*self.start.names, *need.programs)):
            proved.add("own-programs")
        if "temp" not in need.places:
            proved.add("no-temp")
        if "zones" not in need.places:
            proved.add("no-zones")
        rest = [name for name in names if package_name(name) not in ("ca-certificates", "tzdata")]
        if not rest and not self.own_libraries():
            proved.add("no-packages")
        for row in self.recipe.runtimes:
            image = row["image"]
            if image == "scratch" and (rest or runs or self.prefer != "auto" or self.inherits()):
                continue
            if image == "scratch" and "cuda" in base.has:  # what has the GPU passed in are variables of its images
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
                if release and set(wanted["when"]) <= proved and not rest and not runs:
                    return str(wanted["image"]).replace("{debian}", release), []
            return base.run if image == "base" else image, []
        raise Refusal("no image of the recipe fits")

    def accounts(self, image: str, need: SourceNeeds) -> tuple[list[int], list[str]]:
        """Steps that are repeated, and files that are copied, for the users that the builder has."""
        flow = self.flow
        user = self.program.end_scope(self.stage).user
        bare_image = image == "scratch" or "distroless" in image
        number = not isinstance(user, Unknown) and re.fullmatch(r"(?:\d+|root)(?::(?:\d+|root))?", user or "0")
        named = not number or "accounts" in need.places
        if not flow.accounts and not (bare_image and named):
            return [], []
        if not bare_image and all(step in flow.alone and not self.reads_variables(step) for step in flow.accounts):
            return [step.index for step in flow.accounts], []
        return [], ["/etc/passwd", "/etc/group"]

    def reads_variables(self, step: Step) -> bool:
        """Whether a step reads a variable that the file sets: the new stage may not have it, or not yet."""
        scope = self.program.scope(step)
        return reads(self.program.body(step).text, (*scope.args, *scope.env))

    def system_files(self, need: SourceNeeds, names: dict[str, None]) -> list[str] | None:
        """Files of the builder that a program on an empty image reads; None where one is needed that is not there."""
        installed = {package_name(package.name) for package in self.flow.packages}
        paths: list[str] = []
        if "ca-certificates" in installed or (self.tls(need) and "certs" in self.base.has):
            paths.append("/etc/ssl/certs/ca-certificates.crt")
        zone = "zones" in need.places or "TZ" in self.program.end_scope(self.stage).env
        if zone or "tzdata" in installed:
            if "tzdata" not in installed:
                return None
            paths.append("/usr/share/zoneinfo")
        return paths

    def certificates(self, need: SourceNeeds, names: dict[str, None], installed: set[str], image: str) -> None:
        """Packages that the builder's base image brought and the other one lacks."""
        base = self.base
        if image != base.run or base.run == base.image:
            return
        if "certs" in base.has and "certs" not in base.run_has and "ca-certificates" not in names:
            uses = self.tls(need) or (self.recipe.keeps == "all" and self.recipe.name not in ("node",))
            if uses and base.release != "alpine":
                names["ca-certificates"] = None
        if "zones" in need.places and "tzdata" not in names:
            names["tzdata"] = None

    def is_static(self, path: str) -> bool:
        """Whether the build says so, or an image that was built has such a program."""
        image = built_image(self.program, self.stage, self.facts)
        if image is None:
            return path in self.outputs.static
        artifact = image.artifact(path)
        return artifact.kind == "elf" and artifact.static

    def static_go(self, need: SourceNeeds) -> bool:
        """Whether Go links its programs statically here: there is no C compiler, or nothing is imported that has a part
        in C. Source: cmd/cgo's documentation, and net's and os/user's on cgo."""
        if not any(call.program == "go" for call in self.flow.calls):
            return False
        compilers = {package_name(package.name) for package in self.flow.packages} & {
            "gcc",
            "g++",
            "build-base",
            "build-essential",
            "clang",
            "alpine-sdk",
            "musl-dev",
        }
        if "go-no-cc" in self.base.has and not compilers:
            return True
        return "dynamic" not in need.places and not self.requires()

    def requires(self) -> bool:
        """Whether a Go module has others, of which nothing is known."""
        return any(
            entry.source.endswith("go.mod") and b"require" in (self.facts.context_file(entry.source) or b"require")
            for entry in self.flow.sources()
            if entry.kind == "context"
        )

    def tls(self, need: SourceNeeds) -> bool:
        """Whether the program may check certificates."""
        return "certificates" in need.places or (self.recipe.name == "go" and self.requires())

    def inherits(self) -> bool:
        """Whether an ENV that the new stage keeps adds to one of the base image's, such as PATH."""
        left = settings(self.program, self.stage, self.recipe.environment, self.recipe.stays, False).left
        env = self.program.end_scope(self.stage).env
        return any(isinstance(value, Unknown) and name not in left for name, value in env.items())
