"""The declared rewrite of a split in which a web server's image takes the place of a program that serves files.

What is checked besides `split.SplitStage`: the new image starts what its base says; nothing but CMD, ENTRYPOINT, USER
and SHELL is lost; one directory is copied, which steps of the builder write, and the text of the server's configuration
names it.
"""

from __future__ import annotations

import re

from dfopt.ir.effects import covers
from dfopt.ir.image_config import image_config
from dfopt.ir.written_paths import names_in_commands, paths_written_by
from dfopt.refusal import Refusal
from dfopt.rewrites.split_stage import SplitStage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.rewrites.base import Model

_LOST = frozenset(("CMD", "ENTRYPOINT", "USER", "SHELL"))


class SplitSite(SplitStage):
    """As `SplitStage`; `root` is the directory that is served. Instructions of `moved` that are not in `runtime` are
    gone; the comments above them stay."""

    root: str = ""

    def lost(self) -> list[int]:
        """The instructions that are in neither stage."""
        again = {part.step for part in self.runtime}
        return [index for index in self.moved if index not in again]

    def apply(self, model: Model) -> None:
        nodes = model.program.dockerfile.instructions
        super().apply(model)
        for index in self.lost():
            if nodes[index].keyword not in _LOST:
                raise Refusal(f"the {nodes[index].keyword} of instruction {index} would be lost")
            for comment in nodes[index].comments:
                model.removed.append(model.program.text[comment.start : comment.end].rstrip())

    def gone(self) -> frozenset[int]:
        return frozenset(self.lost())

    def same(self) -> tuple[str, ...]:
        return ("ports", "volumes", "labels", "stop_signal", "workdir", "healthcheck")

    def _files(self, program: Program, old: Stage, edited: Program, new: Stage) -> str:
        config = image_config(edited, new)
        if config.cmd or config.entrypoint or config.user is not None:
            return "the new stage says what to start, or as whom"
        paths = paths_written_by(program, old)
        copied = texts = 0
        for part in self.runtime:
            if part.step >= 0:
                continue
            if part.keyword != "COPY":
                return f"the new stage has a {part.keyword} that the old one has not"
            words = part.value[2]
            assert isinstance(words, tuple)
            if len(part.value) > 3:
                text = str(part.value[3][0][4])  # type: ignore[index]
                if not re.search(rf"^[^\S\n]*root {re.escape(self.root)};", text, re.M):
                    return f"the configuration does not serve {self.root}"
                texts += 1
            elif ("from", self.builder) not in part.flags or words != (self.root, self.root):
                return "a COPY of the new stage is not that of what is served"
            else:
                copied += 1
        if (copied, texts) != (1, 1):
            return "the new stage does not have what is served once"
        if not any(covers(written_path, self.root) or covers(self.root, written_path) for written_path in paths):
            return f"no step of the builder writes {self.root}, which is copied from it"
        for path in names_in_commands(edited, new):
            if any(covers(written_path, path) for written_path in paths) and not covers(self.root, path):
                return f"{path}, which the image reads, is not copied from the builder"
        return ""
