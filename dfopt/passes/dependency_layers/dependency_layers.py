from __future__ import annotations

from dfopt.cost import rebuild_benefit
from dfopt.findings import Declares, Finding, refused
from dfopt.passes.base import Pass
from dfopt.passes.dependency_layers.copy_fix import fix_of
from dfopt.passes.dependency_layers.files_copy import move_files
from dfopt.passes.dependency_layers.sources_copy import compiles, copy_of, installs, steps_behind
from dfopt.refusal import Refusal
from dfopt.rewrites.move_copies import MoveCopies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.facts import Facts
    from dfopt.findings import Fix
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

    _Behind = tuple[Step | None, Step | None]


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
            behind = steps_behind(stage.steps)
            copies = [place for place, step in enumerate(stage.steps) if step.node.keyword in ("COPY", "ADD")]
            files = self._files(program, stage, copies, behind, facts)
            if files is not None:
                yield files
                continue
            for position in copies:
                finding = self._of_copy(program, stage, position, behind[position], facts)
                if finding is not None:
                    yield finding
                    if finding.fix is not None:
                        break  # a stage's next one is found when this one is applied

    def _files(
        self, program: Program, stage: Stage, copies: list[int], behind: Sequence[_Behind], facts: Facts
    ) -> Finding | None:
        """The move of the lowest copies that may go behind installs of packages, which takes those above them along."""
        for position in reversed(copies):
            files = (
                move_files(program, stage.steps, position, facts) if installs(program, behind[position][0]) else None
            )
            if files is None:
                continue
            other = self._of_copy(program, stage, position, behind[position], facts)
            if other is not None and other.fix is not None and _reach(other.fix) > files.before:
                return None
            start, end = files.first.node.start, stage.steps[position].node.end
            benefit = rebuild_benefit(files.message)
            return Finding(self.name, files.message, start, end, files.fix, benefit=benefit)
        return None

    def _of_copy(self, program: Program, stage: Stage, position: int, behind: _Behind, facts: Facts) -> Finding | None:
        """What may be done about the copy at `position`, or why not."""
        moves, adds = installs(program, behind[0]), compiles(program, behind[1])
        adds = adds and self.shared["package-cache"] != "mount"  # then a cache mount keeps what is downloaded
        step = stage.steps[position]
        copy = copy_of(program, step, facts) if moves or adds else None
        if copy is None:
            return None
        start, end = step.node.start, step.node.end
        try:
            message_and_fix = fix_of(program, copy, stage, position, moves, adds)
        except Refusal as refusal:
            return refused(self.name, "the install could stand before the copy of the sources", start, end, refusal)
        if message_and_fix is None:
            return None
        message, fix = message_and_fix
        return Finding(self.name, message, start, end, fix, benefit=rebuild_benefit(message))


def _reach(fix: Fix) -> int:
    """The index of the instruction that the copy stands before; 0 where it does not move."""
    return max((rewrite.before for rewrite in fix.rewrites if isinstance(rewrite, MoveCopies)), default=0)
