"""The text of a rebuilt Dockerfile. Whatever an image says stands in it as an instruction that was read back, or in a
comment without line breaks; in the end the whole text must parse as exactly the instructions that were meant."""

from __future__ import annotations

import json
import re

from dfopt.analysis.users import is_root
from dfopt.image.model import host_platform
from dfopt.rebuild.model import RebuildError
from dfopt.review.disclosure import environment, masked
from dfopt.review.recreate import comment_lines
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dfopt.image.history import Mapping as HistoryMapping
    from dfopt.image.layers import ImageContents
    from dfopt.rebuild.model import CopyGroup, PlannedStep, ProvedInstall, RebuildPlan

_PLATFORM = re.compile(r"[a-z0-9_]+/[a-z0-9_]+(?:/[a-z0-9_]+)?")
_LONGEST = 600  # characters of one entry of the history
_MOST_NAMES = 12
_FEW = 5  # paths that a comment names
_WORDS = 1 << 19  # bytes of the arguments of one RUN: Linux takes two megabytes, environment included


class DockerfileText:
    """Collects instructions and comments. `text` is the file."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.keywords: list[str] = []

    def comment(self, text: str) -> None:
        """A comment, wrapped; a line of it is never a directive, because the file begins with one that is none."""
        self.lines += comment_lines(text)

    def blank(self) -> None:
        self.lines.append("")

    def instruction(self, text: str) -> None:
        self.lines.append(text)
        self.keywords.append(text.split(None, 1)[0])

    def finished(self) -> str:
        """Raises RebuildError where the text would be read as something else than was meant."""
        text = "\n".join(self.lines) + "\n"
        try:
            text.encode()
            nodes = parse(text).instructions
        except (DockerfileError, UnicodeEncodeError) as failure:
            raise RebuildError(f"the image cannot be written as a Dockerfile: {failure}") from None
        if [node.keyword for node in nodes] != self.keywords or any(node.heredocs for node in nodes):
            raise RebuildError(
                "the image cannot be written as a Dockerfile: a text in it would be read as instructions"
            )
        return text


def render(
    contents: ImageContents,
    plan: RebuildPlan,
    history: HistoryMapping,
    instructions: Sequence[str],
    notes: Sequence[str],
    secret_files: dict[int, list[str]],
    installs: Mapping[int, ProvedInstall],
    *,
    equal: bool = True,
) -> str:
    """The Dockerfile. notes: of the whole; secret_files: layer -> names of files that hold a secret; installs: by the
    number of the step; equal: False where the caches of package managers are left out. Raises RebuildError."""
    image, base = contents.image, plan.base
    out = DockerfileText()
    out.comment(f"Rebuilt by dfopt from {image.name} ({image.platform}, {image.digest or image.config_digest}).")
    if equal:
        out.comment("Building it in this directory gives an equal image: files, modes, owners and config.")
    else:
        out.comment("The indexes and caches of package managers were left out, and files that a layer deletes.")
    for note in notes:
        out.comment(f"Note: {note}.")
    out.blank()
    if base.layers:
        out.comment(f"The lowest {base.layers} of {len(contents.layers)} layers are those of this image.")
    foreign = image.platform.key() != host_platform().key() and _PLATFORM.fullmatch(str(image.platform))
    out.instruction(f"FROM --platform={image.platform} {base.name}" if foreign else f"FROM {base.name}")
    acting = _Actor(out, plan)
    for step in plan.steps:
        out.blank()
        for index in range(step.first, step.last + 1):
            _origin(out, history, index)
            for name in sorted(secret_files.get(index, ()))[:_MOST_NAMES]:
                out.comment(f"  secret: {name}")
        install = installs.get(step.number)
        if install is not None:
            for remark in install.remarks:
                out.comment(f"  {remark}")
            acting.run(install.instruction)
        if step.deleted:
            acting.delete(step.deleted)
        if step.has_tar:
            out.comment(f"  {step.tar}, {_why(step)}")
            out.instruction(f"ADD {step.tar} /")
        for group in step.copies:
            out.instruction(_copy(step, group))
        if not (step.deleted or step.has_tar or step.copies or install):
            out.comment("  (it changes no file)")
    instructions = [*acting.restored(instructions), *instructions]
    if instructions:
        out.blank()
    for place, what, _ in environment(dict(image.settings())):
        out.comment(f"secret: {place} holds {what}")
    for text in instructions:
        out.instruction(text)
    return out.finished()


class _Actor:
    """RUNs that must work whatever user, directory and shell the base sets."""

    def __init__(self, out: DockerfileText, plan: RebuildPlan) -> None:
        self.out, self.plan = out, plan
        self.user = self.workdir = ""

    def prepare(self) -> None:
        settings = self.plan.base.settings
        if not (self.user or is_root(str(settings.get("User") or ""))):
            self.user = str(settings["User"])
            self.out.instruction("USER 0")
        if not self.workdir and (settings.get("WorkingDir") or "/") != "/":
            self.workdir = str(settings["WorkingDir"])
            self.out.instruction("WORKDIR /")

    def run(self, text: str) -> None:
        self.prepare()
        self.out.instruction(text)

    def delete(self, paths: Sequence[str]) -> None:
        for chunk in _chunks(paths):
            words = ["rm", "-rf", "--", *chunk]
            words[0] = self.plan.remover
            separator = ", " if len(chunk) == 1 else ", \\\n    "
            self.run(f"RUN [{', '.join(map(_word, words[:3]))}{separator}{separator.join(map(_word, chunk))}]")

    def restored(self, instructions: Iterable[str]) -> list[str]:
        """What takes back the settings that `prepare` changed, where no later instruction sets them."""
        from dfopt.rebuild.config_instructions import ConfigInstructions

        keywords = {text.split(None, 1)[0] for text in instructions}
        changed = {}
        if self.user and "USER" not in keywords:
            changed["User"] = self.user
        if self.workdir and "WORKDIR" not in keywords:
            changed["WorkingDir"] = self.workdir
        return ConfigInstructions(changed, {}).instructions


def _word(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _chunks(paths: Sequence[str]) -> Iterable[list[str]]:
    chunk: list[str] = []
    size = 0
    for path in paths:
        length = len(path.encode()) + 16
        if chunk and size + length > _WORDS:
            yield chunk
            chunk, size = [], 0
        chunk.append(path)
        size += length
    if chunk:
        yield chunk


def _copy(step: PlannedStep, group: CopyGroup) -> str:
    flags = "" if group.owner == (0, 0) else f"--chown={group.owner[0]}:{group.owner[1]} "
    target = group.destination.rstrip("/") + "/"
    if group.source:
        return f"COPY {flags}{step.folder}{group.source} {target}"
    return f"COPY {flags}{' '.join(step.folder + path for path in group.files)} {target}"


def _origin(out: DockerfileText, history: HistoryMapping, index: int) -> None:
    """What the history says of a layer."""
    origin = history.of_layer(index)
    said = ""
    if origin is not None:
        command = origin.entry.created_by.removesuffix(" # buildkit").strip() or origin.entry.comment.strip()
        said = " ".join(masked(command).split())
    if len(said) > _LONGEST:
        said = said[: _LONGEST - 3] + "..."
    out.comment(f"layer {index}: {said or 'the history does not say what made it'}")


def _why(step: PlannedStep) -> str:
    """What is in the tar of a step, and why COPY does not carry it."""
    tarred = {path: entry for path, entry in step.contents.values() if path not in step.copied}
    others = [packed.path for packed in (*step.before, *step.after)]
    if len(tarred) + len(others) <= _FEW:
        what = ", ".join([*tarred, *others])
    else:
        parts = [f"{count} {reason}" for reason, count in step.reasons.items()]
        parts += [f"{len(others)} directories, links and devices"] if others else []
        what = f"{', '.join(parts)}; {human(sum(entry.size for entry in tarred.values()))}"
    return f"with modes, owners and times as they are, which COPY would not keep or nobody would review: {what}"
