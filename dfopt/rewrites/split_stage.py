"""The declared rewrite of a split: the last stage becomes a builder, and a stage that runs what it built follows it.

What is checked here, on the original program and on the edited one, does not use what the pass found out:

- the builder holds the original instructions, in their order and byte for byte (the gate compares them), but for
  settings that no build step needs and that stand in the new stage instead;
- the config of the new image is the one of the original, but for the ENV names that are declared to stay behind;
- what is copied was written by a step of the builder, and what CMD, ENTRYPOINT and HEALTHCHECK name among what the
  steps wrote is copied or written again;
- a user that the steps created exists in the new stage.
"""

from __future__ import annotations

import re

from dfopt.facts import LAYOUT
from dfopt.ir.effects import covers
from dfopt.ir.image_config import image_config
from dfopt.ir.liveness import layer_steps
from dfopt.ir.model import ModelInstruction, item
from dfopt.ir.written_paths import home_of, names_in_commands, paths_written_by
from dfopt.refusal import Refusal
from dfopt.rewrites.base import Claim, Rewrite
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.image_config import ImageConfig
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.rewrites.base import Model

# Settings that an image starts with; no step of a build reads them, so that they may leave the builder.
STARTS = frozenset(("CMD", "ENTRYPOINT", "HEALTHCHECK", "EXPOSE", "STOPSIGNAL", "LABEL", "VOLUME", "MAINTAINER"))
# ... and those that the steps after them read too: they are doubled, or leave where no such step follows.
SCOPED = frozenset(("ENV", "ARG", "USER", "WORKDIR", "SHELL"))
_INSTALLS = re.compile(
    r"(?:(?:mkdir -p(?: /usr/share/man/man\d)+ && )?apt-get update && (?:DEBIAN_FRONTEND=noninteractive )?"
    r"apt-get install -y(?: --no-install-recommends)?"
    r"(?: [\w.+:=~-]+)+ && rm -rf /var/lib/apt/lists/\*"
    r"|apk add --no-cache(?: [\w.+:=~<>-]+)+|ldconfig)\Z"
)
# Modes and owners of directories, and links, which a COPY does not keep, and what packages bring that was taken away
_REPEATS = re.compile(
    r"(?:(?:(?:^| && )(?:mkdir -p|ch(?:mod|own|grp)(?: -R)? [\w.,:+=-]+)(?: /[\w./@+~-]*)+)"
    r"|(?:(?:^| && )ln -sn?f [\w./@+-]+ /[\w./@+~-]+)"
    r"|(?:(?:^| && )rm -f(?: /etc/[\w./@+-]+)+))+\Z"
)
_PRUNES = re.compile(
    r"(?:cd /[\w./@+-]+ && )?npm prune --omit=dev(?: && rm /usr/local/bin/node)?|rm /usr/local/bin/node"
    r"|rm -rf (/usr/local/lib/python\d+\.\d+/site-packages)/pip \1/pip-\*\.dist-info"
)
_LAYS_OUT = re.compile(
    rf"(?:(?:^| && )install -d(?: -m [0-7]+)?(?: -o \d+ -g \d+)?(?: {LAYOUT}/[\w./@+~-]*)+)+"
    rf"(?: && ln -s [\w./@+-]+ {LAYOUT}/[\w./@+~-]+)*"
)
_READERS = frozenset(("RUN", "COPY", "ADD"))
_CONFIG = ("cmd", "entrypoint", "ports", "volumes", "labels", "stop_signal", "user", "workdir", "healthcheck")
# What a base image brings may be copied from the builder: certificates, time zones, accounts, locales
SYSTEM = ("/etc/ssl/certs", "/usr/share/zoneinfo", "/etc/passwd", "/etc/group", "/usr/lib/locale")


class Part(Rewrite):
    """One instruction of the new stage: `step` is the index of the original one that it is, byte for byte; -1: a new
    one of `keyword`, `flags` and `value` (as in `model.ModelInstruction`)."""

    step: int
    keyword: str = ""
    flags: tuple[tuple[str, str | None], ...] = ()
    value: tuple[object, ...] = ()


class SplitStage(Rewrite):
    """Stage `stage` (the last one, whose FROM is instruction `position`) is renamed to `builder`, and a new last stage
    of its old name follows.

    end       the number of instructions of the file
    image     the FROM word of the new stage
    runtime   its instructions
    moved     the instructions of the old stage that stand in the new one alone
    left      ENV names whose values stay in the builder alone
    last      a command that the builder runs last, or "": it takes away what only developers need or what the
              image for the run has itself, or lays out directories for an empty image
    as_root   whether it runs as root, where the builder ends as another user
    """

    stage: int
    position: int
    end: int
    builder: str
    image: str
    runtime: tuple[Part, ...]
    moved: tuple[int, ...]
    left: tuple[str, ...] = ()
    last: str = ""
    as_root: bool = False

    def claim(self) -> Claim:
        """Every instruction of the stage, and those of the stages that it stands on that come again."""
        again = {part.step for part in self.runtime if part.step >= 0}
        return Claim(frozenset(range(self.position, self.end)) | again)

    def changed(self) -> frozenset[int]:
        return frozenset((self.position,))

    def apply(self, model: Model) -> None:
        program = model.program
        stage = program.final
        size = len(program.dockerfile.instructions)
        if stage is None or (stage.index, stage.position, size) != (self.stage, self.position, self.end):
            raise Refusal("only the last stage can be split")
        if any(other.name == self.builder for other in program.stages if other is not stage):
            raise Refusal(f"another stage is called {self.builder} already")
        self._keep_order(program, stage)
        node = stage.node
        start = model.item(stage.position)
        model.items[stage.position] = ModelInstruction(
            start.index,
            "FROM",
            start.flags,
            ("list", "", (node.arguments[0].value, self._as(program, stage), self.builder)),
        )
        if self.last:
            if not (_PRUNES.fullmatch(self.last) or _LAYS_OUT.fullmatch(self.last)):
                raise Refusal(
                    "the builder would run more than what takes modules, Node or pip away or makes directories"
                )
            if self.as_root:
                model.tail.append(ModelInstruction(-1, "USER", (), ("text", "", ("root",))))
            model.tail.append(ModelInstruction(-1, "RUN", (), ("shell", "", (self.last,))))
        words = (self.image, "AS", node.arguments[2].value) if stage.name else (self.image,)
        model.tail.append(ModelInstruction(-1, "FROM", start.flags, ("list", "", words)))
        for part in self.runtime:
            if part.step >= 0:
                model.tail.append(item(part.step, program.dockerfile.instructions[part.step], program.text))
            else:
                model.tail.append(ModelInstruction(-1, part.keyword, part.flags, part.value))
        for index in self.moved:
            model.item(index)
            del model.items[index]
        for part in self.runtime:  # what stands twice brings the comments inside it twice
            if part.step >= 0 and part.step not in self.moved:
                for comment in program.dockerfile.instructions[part.step].comments:
                    model.added.append(program.text[comment.start : comment.end].rstrip())

    @staticmethod
    def _as(program: Program, stage: Stage) -> str:
        return stage.node.arguments[1].value if stage.name else "AS"

    def _keep_order(self, program: Program, stage: Stage) -> None:
        """Raises Refusal unless what leaves the builder is of no use there, and comes again in its order."""
        steps = {step.index: step for step in layer_steps(program, stage)}
        last = max(
            [
                step.index
                for step in steps.values()
                if step.effective.keyword in _READERS
                or (step.node.keyword == "WORKDIR" and step.index not in self.moved)
            ],
            default=-1,
        )
        again = [part.step for part in self.runtime if part.step >= 0]
        keywords = [program.dockerfile.instructions[index].keyword for index in again]
        config = [index for index, keyword in zip(again, keywords, strict=True) if keyword != "RUN"]
        if config != sorted(set(config)) or len(again) != len(set(again)):
            raise Refusal("the instructions of the new stage are not in the order of the old one")
        if "USER" in keywords and "RUN" in keywords[keywords.index("USER") :]:
            raise Refusal("a RUN of the new stage would run as another user")
        for index in (*again, *self.moved):
            if index not in steps:
                raise Refusal(f"instruction {index} is not one of the stage that is split")
        for index in self.moved:
            keyword = steps[index].node.keyword
            if index not in again and index not in self.gone():
                raise Refusal(f"the {keyword} of instruction {index} would be lost")
            if steps[index].stage != stage.index:
                raise Refusal(f"instruction {index} is one of a stage that others may stand on")
            free = keyword in STARTS or (keyword in SCOPED and index > last)
            if not free:
                raise Refusal(f"the builder needs the {keyword} of instruction {index}")

    def gone(self) -> frozenset[int]:
        """The instructions of `moved` that the new stage does not have."""
        return frozenset()

    def same(self) -> tuple[str, ...]:
        """The settings of the image that stay."""
        return _CONFIG

    def check(self, program: Program, edited: Program) -> str:
        """What speaks against the edited program, as far as the outcome alone does not tell; "" if nothing."""
        old, new = program.final, edited.final
        assert old is not None
        if new is None or len(edited.stages) != len(program.stages) + 1:
            return "the result does not have one stage more"
        before, after = image_config(program, old), image_config(edited, new)
        says = any(step.node.keyword == "WORKDIR" for step in layer_steps(program, old))
        reason = self._config(before, after, says_workdir=says)
        return reason or self._files(program, old, edited, new)

    def _config(self, before: ImageConfig, after: ImageConfig, *, says_workdir: bool) -> str:
        for field in self.same():
            pair, other = getattr(before, field), getattr(after, field)
            if field == "workdir" and (isinstance(pair, Unknown) or (isinstance(other, Unknown) and not says_workdir)):
                continue  # the base image's own, which the new stage may have to say
            if pair != other:
                return f"the {field.replace('_', ' ')} of the image would change from {pair!r} to {other!r}"
        for name in {*before.env, *after.env}:
            if name in self.left and name not in after.env:
                continue
            if before.env.get(name, "") != after.env.get(name, "") and not _both_unknown(before, after, name):
                return f"the ENV {name} of the image would change"
        return ""

    def _files(self, program: Program, old: Stage, edited: Program, new: Stage) -> str:
        paths = paths_written_by(program, old)
        copied: list[str] = []
        for part in self.runtime:
            if part.step >= 0:
                continue
            reason = runs_more(part, self.builder)
            if reason:
                return reason
            if part.keyword == "RUN":
                copied += re.findall(r"(?:^| && )ln -sn?f \S+ (/\S+)", str(part.value[2][0]))  # type: ignore[index]
            if part.keyword != "COPY":
                continue
            words = [str(word) for word in part.value[2]]  # type: ignore[attr-defined]
            for word in words[:-1]:
                path = "/" + word.strip("/")
                if not _produced(path, paths) and not any(covers(base_path, path) for base_path in SYSTEM):
                    return f"no step of the builder writes {path}, which is copied from it"
                base = path.rpartition("/")[2]
                target = words[-1]
                copied.append(target.rstrip("/") + "/" + base if target.endswith("/") else target)
        users = any(path in ("/etc/passwd",) for path in copied) or any(
            part.step >= 0 and program.dockerfile.instructions[part.step].keyword == "RUN" for part in self.runtime
        )
        if home_of(program, old) and not users:
            return "the user of the image is created in the builder alone"
        for path in names_in_commands(program, old):
            if not any(covers(base_path, path) for base_path in paths):
                continue  # the base image's, or none at all
            if not any(covers(base_path, path) or covers(path, base_path) for base_path in copied):
                return f"{path}, which the image starts or reads, is not copied from the builder"
        return ""


def runs_more(part: Part, builder: str) -> str:
    """Why a new instruction is none that the stage for the run may have; "" where it is one."""
    if part.keyword == "RUN":
        command = str(part.value[2][0])  # type: ignore[index]
        if not _INSTALLS.match(command) and not _REPEATS.match(command):
            return "the new stage runs more than the installation of packages and commands of the builder"
    if part.keyword not in ("RUN", "COPY", "WORKDIR"):
        return f"the new stage has a {part.keyword} that the old one has not"
    if part.keyword == "COPY" and ("from", builder) not in part.flags:
        return "a COPY of the new stage does not come from the builder"
    return ""


def _both_unknown(before: ImageConfig, after: ImageConfig, name: str) -> bool:
    return isinstance(before.env.get(name), Unknown) and isinstance(after.env.get(name), Unknown)


def _produced(path: str, paths: list[str]) -> bool:
    return any(covers(written_path, path) or covers(path, written_path) for written_path in paths)
