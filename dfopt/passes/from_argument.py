"""Build arguments in FROM: those that nothing declares, and those that have no default."""

from __future__ import annotations

from dfopt.analysis.near_names import NearNames
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.ir.scopes import BUILD_ARGUMENTS
from dfopt.passes.base import Pass
from dfopt.syntax.expand import ExpansionError, expand_word, variables
from dfopt.syntax.image_ref import ImageRefError, parse_image_ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage

_GIVEN = ":-", "-", ":+", "+"  # operators that make something of a variable that is not set


class FromArgument(Pass):
    """Finds build arguments in FROM that no ARG before the first FROM declares.

    Only those are known in FROM. An ARG in a stage is known in that stage alone.

    Why: the argument is empty there, and `--build-arg` does not change that.

    Example:

    ```dockerfile
    ARG ALPINE_VERSION=3.22
    FROM alpine:${ALPINE_VERSOIN}
    ```

    Reported, not changed: which image to take is not written in the file. An argument with a default in the FROM
    (`${ALPINE_VERSION:-3.22}`) and those that BuildKit sets (`TARGETARCH`) are left alone.

    Refuses: nothing.

    Declares: nothing; it is a suggestion.
    """

    name = "from-argument"
    group = "correct"
    tiers = ()
    phase = "repair"
    codes = ("UndefinedArgInFrom",)
    triggers = ("$",)
    order = 23

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        declared = {pair.name for node in program.meta for pair in node.pairs}
        near: NearNames | None = None
        for stage in program.stages:
            unset = [name for name in _without_default(program, stage) if name not in declared]
            if unset and not BUILD_ARGUMENTS.issuperset(unset):
                name = next(name for name in unset if name not in BUILD_ARGUMENTS)
                message = f"no ARG before the first FROM declares {name}: it is empty here"
                near = near or NearNames([*declared, *sorted(BUILD_ARGUMENTS)])
                meant = near.nearest(name)
                lines = [
                    step.node.line
                    for other in program.stages
                    for step in other.steps
                    if step.node.keyword == "ARG" and any(pair.name == name for pair in step.node.pairs)
                ]
                if meant:
                    message += f"; did you mean {meant}?"
                elif lines:
                    message += f"; the one in line {lines[0]} is known in its stage alone"
                yield Finding(self.name, message, stage.node.start, stage.node.end)


class FromArgumentDefault(Pass):
    """Finds FROMs that name no image unless a build gives an argument: an ARG without a default, or with one that makes
    no image name.

    Where every build is started by a script that gives it, that is meant: off by default for that reason. Where every
    build that a build definition at hand states (Compose, bake, CI ...) gives it, nothing is reported.

    Why: a plain `docker build` fails with "invalid reference format" or "base name should not be blank".

    Example:

    ```dockerfile
    ARG ALPINE_VERSION
    FROM alpine:${ALPINE_VERSION}
    ```

    Reported, not changed: which image to take is not written in the file.

    Refuses: nothing.

    Declares: nothing; it is a suggestion.
    """

    name = "from-argument-default"
    group = "advice"
    tiers = ()
    phase = "repair"
    codes = ("InvalidDefaultArgInFrom",)
    triggers = ("$",)
    default = False
    order = 23

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        values = dict.fromkeys(BUILD_ARGUMENTS, "x")  # any value does: only the form of the image's name is looked at
        declared = {pair.name for node in program.meta for pair in node.pairs}
        escape = program.dockerfile.escape
        for node in program.meta:
            for pair in node.pairs:
                if pair.value is not None:
                    try:
                        values[pair.name] = expand_word(pair.value, values, escape=escape)
                    except ExpansionError:
                        return
        builds = facts.stated_builds()
        for stage in program.stages:
            names = [name for name in _without_default(program, stage) if not values.get(name)]
            if not names or not declared.issuperset(names):
                continue
            if builds and all(name in build.arguments for build in builds for name in names):
                continue
            try:
                image = expand_word(stage.base, values, escape=escape)
                if not any(other.name == image.lower() for other in program.stages[: stage.index]):
                    parse_image_ref(image)
            except ExpansionError:
                continue
            except ImageRefError:
                given = " ".join([f"--build-arg {name}" for name in dict.fromkeys(names)])
                message = f"the FROM names no image without {given}: the ARG has no default"
                yield Finding(self.name, message, stage.node.start, stage.node.end)


def _without_default(program: Program, stage: Stage) -> list[str]:
    """The variables in a FROM and its platform for which nothing is put where they are not set."""
    platform = stage.node.flag("platform")
    words = [stage.base, platform.value if platform is not None and platform.value else ""]
    try:
        uses = [use for word in words for use in variables(word, program.dockerfile.escape)]
    except ExpansionError:
        return []
    return [use.name for use in uses if use.operator not in _GIVEN]
