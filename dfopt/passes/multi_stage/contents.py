"""What of the builder's files is copied into the new stage, and to which places."""

from __future__ import annotations

import fnmatch
import re

from dfopt.analysis.system_paths import SHARED, SYSTEM
from dfopt.passes.multi_stage.demand import Demand
from dfopt.passes.multi_stage.files import Made, is_scratch
from dfopt.passes.multi_stage.keep import Copy, copies, everything_kept, programs_kept
from dfopt.passes.multi_stage.language import package_places
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dfopt.passes.multi_stage.start import Need


class Contents(Demand):
    """Sorts the files of the builder into those that are copied and those that stay."""

    def contents(self, need: Need, built: Sequence[Made]) -> tuple[list[Made], list[Made]]:
        """(kept, left) of what the steps make. Raises Refusal."""
        scope = self.program.end_scope(self.stage)
        workdir = scope.workdir if isinstance(scope.workdir, str) else "/"
        mentioned = [attribute.path for attribute in self.flow.attributes]
        mentioned += [v for k, v in scope.env.items() if k != "PATH" and isinstance(v, str) and v.startswith("/")]
        if self.recipe.keeps == "programs":
            kept, left = programs_kept(
                self.flow.made, built, self.outputs.work, self.recipe.build_files, self.start.paths,
                workdir, (*self.start.names, *need.programs), self.search_path(), mentioned,
            )  # fmt: skip
            named = self.named_in_sources(left)
            kept += named
            left = [entry for entry in left if entry not in named]
        else:
            kept, left = everything_kept(self.flow.made, built, self.start.paths, workdir, mentioned)
            kept += self.language_files()
            kept += self.workplaces()
        for link in kept:
            if link.role == "link" and link.source.startswith(("/dev/", "/proc/")):
                line = link.step.node.line
                raise Refusal(f"the link of line {line} to {link.source} cannot be copied")
        return kept, left

    def named_in_sources(self, left: Iterable[Made]) -> list[Made]:
        """Files that look as if only the build read them, and that the sources name in quotes: the program may read
        them. Sources themselves are none, which name each other."""
        wanted = self.recipe.scan["files"]

        def is_source(entry: Made) -> bool:
            return any(fnmatch.fnmatchcase(entry.path.rpartition("/")[2], pattern) for pattern in wanted)

        folders = [
            pattern[:-2] for pattern in self.recipe.build_files if pattern.endswith("/**")
        ]  # what is there is built in
        files = [
            entry for entry in left
            if entry.kind == "context" and not is_source(entry) and not any("/" + f in "/" + entry.source for f in folders)
        ]  # fmt: skip
        if not files:
            return []
        texts = [
            self.facts.context_file(entry.source) or b""
            for entry in self.flow.sources()
            if entry.kind == "context" and is_source(entry)
        ]
        text = b"\n".join(texts)
        return [
            entry
            for entry in files
            if re.search(rb"[\"'`/]" + re.escape(entry.path.rpartition("/")[2].encode()) + rb"[\"'`]", text)
        ]

    def check_prefixes(self, prefixes: Iterable[Made]) -> None:
        """Raises Refusal where an install fills a directory in which the base image has files of its own."""
        for prefix in prefixes:
            if prefix.path in SYSTEM and self.base.has & {"go", "rust", "python", "node", "ruby", "php", "local"}:
                line = prefix.step.node.line
                raise Refusal(f"which of the files in {prefix.path} line {line} installs is not known")

    def copy_list(self, kept: Sequence[Made], left: Sequence[Made], system: Iterable[str]) -> list[Copy]:
        """The COPY instructions: `system` files first."""
        flow = self.flow
        roots = {entry.path for entry in flow.made if entry.kind in ("directory", "tree")} | flow.roots - {"/"}
        work = self.outputs.work if self.recipe.keeps == "programs" else ()
        return [
            *[Copy((path,), path, None) for path in system],
            *copies(kept, left, work, roots, self.moved(kept), flow.owned),
        ]

    def workplaces(self) -> list[Made]:
        """The directories in which a project's tools and programs worked: what they wrote there is not told."""
        found: list[Made] = []
        for path in dict.fromkeys(self.outputs.work):
            if path in SHARED:
                raise Refusal(f"a build tool works in {path}, among the files of the base image")
            if not is_scratch(path):
                found.append(Made(path, self.flow.calls[-1].step, "tool", role="tree"))
        return found

    def language_files(self) -> list[Made]:
        """Where a language's packages are that its tools installed."""
        step = self.flow.calls[-1].step if self.flow.calls else self.stage.steps[-1]
        places = package_places(self.recipe, self.outputs, self.base, self.flow, self.facts)
        return [Made(path, step, "tool", role="packages") for path in places]

    def moved(self, kept: Sequence[Made]) -> dict[str, str]:
        """Programs that are found by name, in a directory that the new image does not search."""
        found: dict[str, str] = {}
        said = [p for p in self.search_path() if p not in ("/go/bin", "/usr/local/cargo/bin")]
        for entry in kept:
            directory, _, name = entry.path.rpartition("/")
            by_name = name in self.start.names and entry.path not in self.start.paths
            if entry.kind == "tool" and entry.role == "program" and by_name and directory not in said:
                found[entry.path] = f"/usr/local/bin/{name}"
        return found
