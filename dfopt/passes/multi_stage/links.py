"""Symbolic links that steps make: in a directory that is copied as a whole they stay links; others are made again.

A COPY of a link would copy what it points to, and a COPY over a link that the image has would write through it."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.system_paths import SYSTEM
from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.passes.multi_stage.contents import BuilderFiles
from dfopt.record import replace
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.passes.multi_stage.copy_selection import StageCopy
    from dfopt.passes.multi_stage.written_paths import WrittenPath

_ZONES = "/usr/share/zoneinfo"


class BuilderLinks(BuilderFiles):
    """Sorts the links of the builder into those that are copied and those that are made again."""

    def follow_links(self) -> None:
        """What the image starts by a link is what the link points to."""
        links = [entry for entry in self.flow.paths if entry.role == "link"]
        for link in links:
            directory, name = posixpath.split(link.path)
            if link.path in self.start.paths or (name in self.start.names and directory in self.search_path()):
                self.start = replace(self.start, paths=(*self.start.paths, _target(link)))

    def made_again(
        self, kept: Sequence[WrittenPath], copies: Sequence[StageCopy], names: dict[str, None], image: str
    ) -> tuple[list[WrittenPath], list[str]]:
        """(`kept` without the links that are made again, the commands that make them). `names`: the packages of the new
        stage on `image`, which a link may add to. Raises Refusal."""
        links = [entry for entry in kept if entry.role == "link" and not _inside(entry.path, copies)]
        others = [entry for entry in kept if entry not in links]
        if image == "scratch" or "distroless" in image:
            for link in links:
                if not any(entry.path == _target(link) and entry.kind != "directory" for entry in others):
                    line = link.step.node.line
                    raise Refusal(f"the link of line {line} to {link.source} takes a shell, which {image} has not")
            return list(kept), []
        commands: list[str] = []
        for link in links:
            self.check_target(link, copies, names)
            above = posixpath.dirname(link.path)
            if above not in SYSTEM and not any(covers(copy.target.rstrip("/"), above) for copy in copies):
                commands.append(f"mkdir -p {above}")
            commands.append(f"ln -{'snf' if covers(_ZONES, _target(link)) else 'sf'} {link.source} {link.path}")
        return others, commands

    def check_target(self, link: WrittenPath, copies: Sequence[StageCopy], names: dict[str, None]) -> None:
        """Raises Refusal unless what a link points to is in the new stage; its package is added to `names`."""
        target = _target(link)
        if not re.fullmatch(r"[\w./@+-]+", link.source):
            raise Refusal(f"the link of line {link.step.node.line} points to a path with unusual characters")
        if covers(_ZONES, target):
            if not {self.base.release, *self.base.run_has} & {*table("split_programs")["zones"]}:
                names["tzdata"] = None
            return
        if covers("/dev", target) or covers("/proc", target) or target in SYSTEM:
            return
        for copy in copies:
            for source in copy.sources:
                place = copy.target + posixpath.basename(source) if copy.target.endswith("/") else copy.target
                if covers(place, target):
                    return
        name = posixpath.basename(target)
        brings = table("split_programs")["brings"]
        if any(name in programs for programs in brings.values()) or (self.of_language(name) and covers("/usr", target)):
            return
        self.add_providers({name: f"line {link.step.node.line}"}, names, {*names})


def _target(link: WrittenPath) -> str:
    """The path that a link points to."""
    return str(join_path(posixpath.dirname(link.path), link.source))


def _inside(path: str, copies: Sequence[StageCopy]) -> bool:
    """Whether a path lies in a directory that is copied as a whole."""
    return any(covers(copy.target, path) and path not in (*copy.sources, copy.target) for copy in copies)
