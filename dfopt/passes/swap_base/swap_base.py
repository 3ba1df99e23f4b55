from __future__ import annotations

from dfopt.analysis.image_references import declare
from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix, refused
from dfopt.passes.base import Option, Pass
from dfopt.passes.swap_base.bare import bare_fault
from dfopt.passes.swap_base.installs import preparation, unproved
from dfopt.passes.swap_base.needs import Needs
from dfopt.passes.swap_base.savings import swap_benefit
from dfopt.passes.swap_base.survey import StageSurvey
from dfopt.passes.swap_base.target import BARE, pinned_name, target_of
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.passes.swap_base.target import ReplacementBase

BY_HAND = "write the smaller image in FROM yourself"
_TARGETS = (
    "slim", "cuda-base", "alpine", "busybox", "distroless-static", "distroless-base", "distroless-cc", "scratch",
    "chainguard-static", "chainguard-glibc", "dhi-static", "dhi-glibc", "dhi", "ubi-micro",
)  # fmt: skip
_HARDENED = Declares(settings=("Env*", "Cmd", "Entrypoint", "User", "Labels*"), files="any")


class SwapBase(Pass):
    """Builds the image on a smaller base: the slim variant, Alpine, busybox, distroless, scratch, or one that you name.

    `to = "slim"` takes the variant without compilers and manuals (`debian:13-slim`, `python:3.13-slim`,
    `node:22-slim`); what a command needs of the full image is installed. A JDK that only runs a program which was
    compiled elsewhere becomes its JRE (`eclipse-temurin:21-jre`, `openjdk:8-jre`). Of UBI, AlmaLinux, Rocky Linux,
    Oracle Linux and Fedora that is the minimal image, whose microdnf is spoken to in place of dnf (not proved by
    builds).
    `to = "alpine"` takes the image's Alpine variant or Alpine itself, and says the commands of apt, dnf, useradd
    and adduser in its words. `busybox` is for a stage without packages, `distroless-static`, `-base`, `-cc` and
    `scratch` for a last stage that only copies files into it. `images =
    ["python:3.12=registry.example/python:3.12-min"]` names your own ones.

    Why: what the base brings is most of most images, and every program in it is one that can have a hole. Measured: a
    Flask application from 516 MB on `python:3.13` to 138 MB on `python:3.13-slim`, Node with express from 708 MB to
    298 MB.

    Example:

    ```dockerfile
    FROM debian:13
    RUN apt-get update && apt-get install -y curl
    CMD ["curl", "--version"]
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y curl
    CMD ["curl", "--version"]
    ```

    A build (`fix --verify`) tells which libraries, of which packages, programs need that are copied from elsewhere.

    `by = "trial"` has the smoke test of `fix --verify` decide where it is not known what a command needs; -O3 does so
    with each base that no proof allows. What a failing build or test names is installed, where a package of the old
    base has it, and tried again. So NVIDIA's CUDA images change: from devel to runtime (`slim`), or to base, which has
    cudart alone (`cuda-base`). What no smoke test sees is refused all the same: accounts, locales, time zones,
    options that mean something else. By trial alone come the images that their makers harden (`chainguard-static`,
    `chainguard-glibc`, `dhi-static`, `dhi-glibc`, `dhi` for Python, Node, Ruby and Java, `ubi-micro`), for a last stage
    that runs nothing: as their own user, unless USER says another one.

    A pinned image is replaced by one that is pinned, too: its digest comes from dfopt.lock or from the registry
    (`--online`).

    Refuses: a pinned image where the other one's digest is not known, an image named by its digest alone, or by a build
    argument; any command of which it is not known what it needs: a compiler's libraries, packages of pip and npm that
    may compile, scripts that cannot be read, programs that start others; for Alpine also packages without a known name
    there, options that busybox does not know, scripts for bash, locales, programs built for glibc; for an image without
    a shell any RUN.

    Declares: the FROM, one RUN that installs what is missing, the words of translated commands, commands that go. Files
    and packages of the base differ, so it is always `unsafe`, and it runs only where it is selected.
    """

    name = "swap-base"
    group = "size"
    tiers = ("unsafe",)
    phase = "restructure"
    default = False
    by_name = True
    triggers = ("from",)
    order = 75
    options = (
        Option("to", "choice", "slim", "the kind of image that comes", _TARGETS),
        Option(
            "by", "choice", "proof", "what says that it holds: text and build, or a smoke test of `fix --verify`",
            ("proof", "trial"),
        ),
        Option("images", "strings", (), "images of your own, as FROM=TO; * in FROM stands for any text"),
    )  # fmt: skip
    declares = Declares(settings=("Env*", "Cmd", "Entrypoint"), files="any")

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        shipped = program.shipped()
        for stage in program.stages:
            if stage.index in shipped and stage.image is not None and stage.image != "scratch":
                found = target_of(stage.image, self.settings["to"], self.settings["images"])
                if found is not None:
                    yield self.check(program, stage, found, facts)

    def check(self, program: Program, stage: Stage, target: ReplacementBase | str, facts: Facts) -> Finding:
        node = stage.node
        argument = node.arguments[0]
        start, end = node.joined.span(argument.at, argument.stop)
        if isinstance(target, str):
            return refused(self.name, f"a smaller base than {stage.image}", start, end, Refusal(target, BY_HAND))
        message = f"{target.image} in place of {(stage.image or '').partition('@')[0]}"
        if argument.value != stage.image:
            reason = Refusal("the image is named by a build argument", "write the image in FROM")
            return refused(self.name, message, start, end, reason)
        packages: list[str] = []
        trial = self.settings["by"] == "trial" and facts.has_judge()
        needs = (Needs if target.kind == BARE else StageSurvey)(program, stage, target, facts, trial=trial)
        try:
            image = pinned_name(target.image, argument.value, facts)
            edits = [Edit(start, end, image)]
            rewrites = list(declare(program, stage.position, {0: image}))
            if not isinstance(needs, StageSurvey):
                bare_fault(needs)
            else:
                needs.read()
                edits += needs.translation.edits
                rewrites += needs.translation.rewrites
                prepared = preparation(needs)
                edits += prepared.edits
                rewrites += prepared.rewrites
                message += prepared.message
                packages = list(needs.packages)
        except Refusal as refusal:
            refusal.unblock = refusal.unblock or f"write {target.image} in FROM yourself if it has what is needed"
            return refused(self.name, message, start, end, refusal)
        benefit = swap_benefit(program, stage, target.image, packages, facts)
        message += unproved(needs.doubts)
        declares = _HARDENED if target.hardened else None
        fix = Fix(tuple(edits), tuple(rewrites), "unsafe", declares)
        return Finding(self.name, message, start, end, fix, benefit=benefit)
