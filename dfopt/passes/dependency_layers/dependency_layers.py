from __future__ import annotations

from dfopt.cost import rebuild_benefit
from dfopt.findings import Declares, Finding, refused
from dfopt.passes.base import Pass
from dfopt.passes.dependency_layers.added_download import add_download, has_download
from dfopt.passes.dependency_layers.copy_move import move_behind_installs
from dfopt.passes.dependency_layers.files_copy import move_files
from dfopt.passes.dependency_layers.sources_copy import SourcesCopy, compiles, copy_of, installs, steps_behind
from dfopt.refusal import Refusal
from dfopt.rewrites.move_copies import MoveCopies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.facts import Facts
    from dfopt.findings import Fix
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class DependencyLayers(Pass):
    """Installs dependencies before the sources are copied, from their manifests and lock files alone.

    Where a whole directory of the build context is copied and the steps behind it install packages, this pass copies
    the files that those installs read, and moves the copy of the directory behind them. Where one RUN downloads and
    compiles (go build, cargo build, mvn package), it copies the manifests and adds a RUN that downloads alone: `go mod
    download`, `cargo fetch`, `mvn dependency:go-offline`. Any other copies of the context that stand before a RUN which
    calls nothing but the package manager of the system move behind it.

    Why: a layer is built anew when anything before it changed. With the sources copied first, every change of a source
    file installs all dependencies again. Measured, seconds of a rebuild after a change of one file, before and after:
    `npm install` of express, lodash and axios 17.3, 0.4; `yarn install` of the same 11.7, 0.5; `pip install` of flask,
    requests and pandas 22.8, 0.5; with one tiny package from loopback `composer install` 3.7, 0.6, `bundle install`
    3.7, 1.8, `cargo build` 7.0, 4.5, `go build` 25.2, 17.5, `mvn package` 88.3, 61.2 (the compilers run as before).

    Example:

    ```dockerfile
    FROM debian:13
    WORKDIR /app
    COPY . .
    RUN apt-get update && apt-get install -y python3
    CMD ["python3", "app.py"]
    ```

    ```dockerfile
    FROM debian:13
    WORKDIR /app
    RUN apt-get update && apt-get install -y python3
    COPY . .
    CMD ["python3", "app.py"]
    ```

    Refuses: unless the build context proves that the install reads nothing else. Reasons: a context that
    is not known; local paths (`file:`, `link:`, `path =`, `-e .`, `replace`), workspaces, scripts of the project
    itself, an install of the project itself, plugins, settings that may lead to other files; variables that configure
    the installer; files of the context where the install writes (node_modules that .dockerignore does not leave out);
    a RUN that does anything else that is not known; a destination that programs of the image read (/, /usr/lib), or
    that a variable leads them to (PATH, PYTHONPATH); a WORKDIR on the way that would make the directory for another
    user than root.
    The fix is `unsafe` where just one thing is open: install scripts of packages, or a lock file that the install may
    write anew. An added download is `unsafe`, unless the RUN begins with the very same `go mod download`: it fetches
    all that the manifests name, also what the build does not need (Maven's even the plugins of phases that do not run),
    so that it may fail where the build does not; `fix --verify` tells. It is refused where the base is no image of the
    tool, where workspaces, modules or parents lie in the sources, and for cargo where a target's file is found by its
    place: cargo wants that file, and only src/main.rs and src/lib.rs are known not to matter (they stand there empty
    while it fetches). Where `package-cache = "mount"`, nothing is added: cache mounts keep what is downloaded. Gradle
    is left alone: what it downloads is known to build scripts alone, which are programs and may read anything, and no
    command of its own downloads it.

    Declares: COPY of the manifests before the copy of the directory, which moves behind the installs; an added RUN, and
    what it leaves in the cache of modules, crates or artifacts.
    """

    name = "dependency-layers"
    group = "cache"
    phase = "layers"
    triggers = ("copy", "add")
    order = 12
    declares = Declares()

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for position, (step, behind) in enumerate(zip(stage.steps, steps_behind(stage.steps), strict=True)):
                if step.node.keyword in ("COPY", "ADD"):
                    finding = self._of_copy(program, stage, position, behind, facts)
                    if finding is not None:
                        yield finding
                        if finding.fix is not None:
                            break  # a stage's next one is found when this one is applied

    def _of_copy(
        self, program: Program, stage: Stage, position: int, behind: tuple[Step | None, Step | None], facts: Facts
    ) -> Finding | None:
        """What may be done about the copy at `position`, with those before it, or why not."""
        moves, adds = installs(program, behind[0]), compiles(program, behind[1])
        adds = adds and self.shared["package-cache"] != "mount"  # then a cache mount keeps what is downloaded
        if not moves and not adds:
            return None
        step = stage.steps[position]
        start, end = step.node.start, step.node.end
        copy = copy_of(program, step, facts)
        files = move_files(program, stage.steps, position, facts) if moves else None
        try:
            found = _fix(program, copy, stage, position, moves, adds) if copy is not None else None
        except Refusal as refusal:
            if files is None:
                return refused(self.name, "the install could stand before the copy of the sources", start, end, refusal)
            found = None
        if files is not None and (found is None or files.before >= _reach(found[1])):
            found, start = (files.message, files.fix), files.first.node.start
        if found is None:
            return None
        return Finding(self.name, found[0], start, end, found[1], benefit=rebuild_benefit(found[0]))


def _reach(fix: Fix) -> int:
    """The index of the instruction that the copy stands before; 0 where it does not move."""
    return max((rewrite.before for rewrite in fix.rewrites if isinstance(rewrite, MoveCopies)), default=0)


def _fix(
    program: Program, copy: SourcesCopy, stage: Stage, position: int, moves: bool, adds: bool
) -> tuple[str, Fix] | None:
    """The copy behind installs, else a download before the copy: what it does, and the fix. Raises Refusal."""
    refusal: Refusal | None = None
    before, behind = stage.steps[:position], stage.steps[position + 1 :]
    parent = stage.parent
    while parent is not None:  # the image has what these made, too
        before = (*program.stages[parent].steps, *before)
        parent = program.stages[parent].parent
    if moves:
        try:
            move = move_behind_installs(program, copy, behind)
        except Refusal as error:
            move, refusal = None, error.copy()
        if move is not None:
            return move
    download = add_download(program, copy, before, behind) if adds else None
    if download is None and refusal is not None and not (adds and has_download(program, before)):
        raise refusal.copy()
    return download
