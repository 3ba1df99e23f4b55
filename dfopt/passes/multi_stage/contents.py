"""What of the builder's files is copied into the new stage, and to which places."""

from __future__ import annotations

import fnmatch
import re

from dfopt.analysis.system_paths import SHARED
from dfopt.passes.multi_stage.attributes import Attribute
from dfopt.passes.multi_stage.copy_selection import StageCopy, copies, everything_kept, programs_kept
from dfopt.passes.multi_stage.file_commands import GIT_CONFIG
from dfopt.passes.multi_stage.language import package_places, requirement_files
from dfopt.passes.multi_stage.owners import DirectoryOwners, with_group
from dfopt.passes.multi_stage.package_demand import Demand
from dfopt.passes.multi_stage.proofs import TREES
from dfopt.passes.multi_stage.unblock import PREFIX
from dfopt.passes.multi_stage.written_paths import WrittenPath, is_scratch
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dfopt.passes.multi_stage.start_programs import SourceNeeds


class BuilderFiles(Demand):
    """Sorts the files of the builder into those that are copied and those that stay."""

    def contents(self, need: SourceNeeds, built: Sequence[WrittenPath]) -> tuple[list[WrittenPath], list[WrittenPath]]:
        """(kept, left) of what the steps make. Raises Refusal."""
        scope = self.program.end_scope(self.stage)
        workdir = self.workdir()
        mentioned = [attribute.path for attribute in self.flow.attributes]
        mentioned += [v for k, v in scope.env.items() if k != "PATH" and isinstance(v, str) and v.startswith("/")]
        if self.recipe.keeps == "programs":
            kept, left = programs_kept(
                [*self.flow.paths], built, self.outputs.work, self.recipe.build_files, self.start.paths,
                workdir, (*self.start.names, *need.programs), self.search_path(), mentioned,
            )  # fmt: skip
            named = self.named_in_sources(left)
            kept += named
            left = [entry for entry in left if entry not in named]
        else:
            read = requirement_files(self.outputs)
            kept, left = everything_kept([*self.flow.paths], built, self.start.paths, workdir, mentioned, read)
            kept += self.language_files()
            kept += self.workplaces()
        return kept, left

    def git_settings(self, kept: Sequence[WrittenPath], names: Iterable[str]) -> list[WrittenPath]:
        """`kept` with what `git config` writes only where the new stage has git. Raises Refusal."""
        has_git = "git" in names or "git" in self.base.run_has
        for entry in kept:
            if entry.role == GIT_CONFIG and has_git and not entry.path:
                raise Refusal(f"whose home directory line {entry.step.node.line} configures git in is not known")
        return [entry for entry in kept if entry.role != GIT_CONFIG or has_git]

    def workdir(self) -> str:
        """Where the image starts."""
        workdir = self.program.end_scope(self.stage).workdir
        return workdir if isinstance(workdir, str) else self.base.home

    def named_in_sources(self, left: Iterable[WrittenPath]) -> list[WrittenPath]:
        """Files that look as if only the build read them, and that the sources name in quotes: the program may read
        them. Sources themselves are none, which name each other."""
        wanted = self.recipe.scan["files"]

        def is_source(entry: WrittenPath) -> bool:
            return any(fnmatch.fnmatchcase(entry.path.rpartition("/")[2], pattern) for pattern in wanted)

        # what lies in these is built in
        folders = [pattern[:-2] for pattern in self.recipe.build_files if pattern.endswith("/**")]
        files = [
            entry for entry in left
            if entry.kind == "context" and not is_source(entry)
            and not any("/" + folder in "/" + entry.source for folder in folders)
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

    def copy_list(
        self, kept: Sequence[WrittenPath], left: Sequence[WrittenPath], system: Iterable[str]
    ) -> list[StageCopy]:
        """The COPY instructions: `system` files first."""
        flow = self.flow
        roots = {entry.path for entry in flow.paths if entry.kind in ("directory", "tree")} | flow.roots - {"/"}
        work = self.outputs.work if self.recipe.keeps == "programs" else ()
        clean = work if all(call.program == "go" for call in flow.calls) else ()
        owners = self.owners(kept)

        def owner_of(path: str) -> str | None:
            owner, alone = owners.of_directory(path)
            return owner if alone else None

        return [
            *[StageCopy((path,), path, None) for path in system],
            *copies(kept, left, work, roots, self.moved(kept), owner_of, clean),
        ]

    def owners(self, kept: Sequence[WrittenPath]) -> DirectoryOwners:
        flow = self.flow
        return DirectoryOwners(flow.makers, flow.owned, [*flow.paths, *self.outputs.paths, *kept])

    def attributes(self, copies: Iterable[StageCopy], kept: Sequence[WrittenPath]) -> list[Attribute]:
        """What the new stage sets of directories behind its copies: what commands set, and the owners of those in which
        not all is the same owner's."""
        flow = self.flow
        attributes = list(flow.attributes)
        owners = self.owners(kept)
        for copy in copies:
            path = copy.sources[0]
            owner, alone = owners.of_directory(path) if copy.target == path else (None, False)
            said = any(attribute.path == path and attribute.program == "chown" for attribute in attributes)
            if owner is not None and not alone and not said:
                attributes.append(Attribute(path, "chown", with_group(owner), False, self.line))
            mask = flow.masks.get(owners.maker(path) or -1)
            if mask is not None and copy.target == path and self.is_directory(path, kept):
                attributes.insert(0, Attribute(path, "chmod", f"{0o777 & ~mask:o}", False, self.line))
        return attributes

    def is_directory(self, path: str, kept: Sequence[WrittenPath]) -> bool:
        """Whether a path that is copied is a directory for certain."""
        return path in self.directories(kept, ())

    def workplaces(self) -> list[WrittenPath]:
        """The directories in which a project's tools and programs worked: what they wrote there is not told."""
        entries: list[WrittenPath] = []
        for path in dict.fromkeys(self.outputs.work):
            if path in SHARED:
                raise Refusal(f"a build tool works in {path}, among the files of the base image", PREFIX)
            if not is_scratch(path):
                entries.append(WrittenPath(path, self.flow.calls[-1].step, "tool", role="tree"))
        return entries

    def language_files(self) -> list[WrittenPath]:
        """Where a language's packages are that its tools installed."""
        step = self.flow.calls[-1].step if self.flow.calls else self.stage.steps[-1]
        places = package_places(self.recipe, self.outputs, self.base, self.flow, self.facts)
        return [WrittenPath(path, step, "tool", role="packages") for path in places]

    def moved(self, kept: Sequence[WrittenPath]) -> dict[str, str]:
        """Programs that are found by name, in a directory that the new image does not search."""
        paths: dict[str, str] = {}
        said = [p for p in self.search_path() if p not in ("/go/bin", "/usr/local/cargo/bin")]
        for entry in kept:
            directory, _, name = entry.path.rpartition("/")
            by_name = name in self.start.names and entry.path not in self.start.paths
            if entry.kind == "tool" and entry.role == "program" and by_name and directory not in said:
                paths[entry.path] = f"/usr/local/bin/{name}"
        return paths

    def stored_again(self, kept: Iterable[WrittenPath], image: str) -> list[str]:
        """Commands for the builder's last step, which take away what the copied directories would store a second time:
        `image`, for the run, has Node or pip itself."""
        steps = [step for step in self.stage.steps if step.node.keyword == "RUN"]
        if not steps or not self.program.scope(steps[-1]).root or self.stage.parent is not None:
            return []
        both = self.base.has & self.base.run_has if image == self.base.run else frozenset[str]()
        commands = []
        for path in (entry.path for entry in kept if entry.role == "packages"):
            if self.recipe.name == "node" and "node" in both and path == "/usr/local/bin":
                commands.append("rm /usr/local/bin/node")
            if self.recipe.name == "python" and "python" in both and path.endswith("/site-packages"):
                commands.append(f"rm -rf {path}/pip {path}/pip-*.dist-info")
        return commands

    def directories(self, kept: Iterable[WrittenPath], left: Iterable[WrittenPath]) -> set[str]:
        """The paths of the image that are directories for certain."""
        paths = self.flow.paths.directories() | self.flow.roots | set(self.outputs.work)
        for entry in (*kept, *left):
            if entry.role in TREES or entry.kind == "tree":
                paths.add(entry.path)
        for path in [entry.path for entry in (*kept, *left)]:
            while path != "/":
                path = path.rpartition("/")[0] or "/"
                paths.add(path)
        return paths
