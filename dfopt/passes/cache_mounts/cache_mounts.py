from __future__ import annotations

from dfopt.analysis.cache_readers import index_reader
from dfopt.analysis.frontend import syntax_obstacle
from dfopt.analysis.index_at_start import index_reader_at_start
from dfopt.analysis.run_steps import shipped_runs
from dfopt.editing.command_removal import without_cleanups
from dfopt.editing.flag_edits import flags_edit
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.passes.base import Pass
from dfopt.passes.cache_mounts.obstacles import check_uses
from dfopt.passes.cache_mounts.option_removal import option_edits
from dfopt.passes.cache_mounts.places import check_parents, owner, targets, uses
from dfopt.passes.cache_mounts.verdicts import MountVerdict, agree, finding
from dfopt.refusal import Refusal
from dfopt.rewrites.cache_mounts import AddCacheMounts, check_cache_is_free, mount_targets, paths_overlap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.passes.cache_mounts.places import CacheUse


class CacheMounts(Pass):
    """Keeps package managers' caches in cache mounts, which builds share and no layer holds.

    The other strategy for what the cleanup passes delete: with `--package-cache=mount`, or `package-cache = "mount"`
    in the configuration (or where it is selected by its name) this pass gives each RUN that downloads packages a
    `--mount=type=cache` at the manager's cache, and removes what would empty it: `--no-cache-dir`,
    `rm -rf /var/lib/apt/lists/*`. It knows apt, apk, dnf and yum, pip, uv, npm, Yarn 1, pnpm, Composer, RubyGems, Go,
    Cargo, Maven, Gradle and NuGet. Where it refuses, the cleanup passes do their work.

    apt keeps its packages in a directory of its own inside of the mount: the `docker-clean` of the Debian and Ubuntu
    images does not empty that one, so that no file of the image has to change. Only /var/lib/apt/lists is mounted,
    not /var/lib/apt: the list of automatically installed packages is there too, and belongs to the image.

    Why: the layer stays as small as with a cleanup, and a changed package list downloads only what is new. Measured:
    one package added to gcc, git, make and curl, apt downloads 1.2 MB in place of 93 MB; one added to pandas, uv
    downloads 0.1 MB in place of 27 MB. The images are equal, byte for byte, outside of the caches.

    Proved by builds, in which the changed file finds its packages in the mount and fetches none of them again: apt,
    apk, dnf 4, pip, uv, npm, Yarn 1, pnpm, Composer, RubyGems and Bundler, Go, Cargo, Maven, and Gradle in its version
    4.4. By documentation alone: yum 3, dnf 5, NuGet. `docker build --no-cache` empties the mounts of the file's RUNs.

    Example:

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM python:3.13-slim
    COPY requirements.txt .
    RUN pip install --no-cache-dir -r requirements.txt
    ```

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM python:3.13-slim
    COPY requirements.txt .
    RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
    ```

    Refuses: where nothing shows that BuildKit reads the file; where the user or its home directory is not known, or a
    directory above the cache would come to belong to root; an apt installation without `apt-get update` in its own
    RUN, or whose index a later step needs; where a later step, another stage or the program itself reads the cache;
    builds without network; a variable that turns the cache off; a cleanup that cannot be removed by itself. All uses
    of a cache in stages that are built on one another get the mount, or none does.

    Declares: the RUN gains the mounts, some commands lose or gain a word, cleanups of the cache go.
    """

    name = "cache-mounts"
    group = "cache"
    phase = "caches"
    default = False
    triggers = (
        "apt-get", "aptitude", "apk", "dnf", "yum", "pip", "uv", "npm", "yarn", "composer", "bundle", "gem", "go",
        "cargo", "mvn", "gradle", "dotnet",
    )  # fmt: skip
    order = 26
    strategy = ("package-cache", "mount")

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        trees: dict[tuple[str, int], list[MountVerdict]] = {}
        runs: dict[int, list[MountVerdict]] = {}
        for stage, position, step in shipped_runs(program, "all", *self.triggers):
            if step.node.keyword == "ONBUILD" or program.body(step).program is None:
                continue
            by_family: dict[str, list[CacheUse]] = {}
            for use in uses(program, step):
                by_family.setdefault(use.family, []).append(use)
            for family, family_uses in by_family.items():
                verdict = self.judge(program, facts, stage, position, step, family_uses)
                if verdict is not None:
                    trees.setdefault((family, program.root(stage).index), []).append(verdict)
                    runs.setdefault(step.index, []).append(verdict)
        for verdicts in trees.values():
            agree(verdicts)
        for verdicts in runs.values():
            fixed = False  # one fix for a RUN in a round: the order of its mounts is that of its commands
            for verdict in verdicts:
                if not (fixed and not verdict.reason):
                    fixed = fixed or not verdict.reason
                    yield finding(self.name, verdict)

    def judge(
        self, program: Program, facts: Facts, stage: Stage, position: int, step: Step, family_uses: list[CacheUse]
    ) -> MountVerdict | None:
        """What a RUN's uses of one cache permit; None where a mount is there already, or may be."""
        use, verdict = family_uses[0], MountVerdict(family_uses[0].family, step)
        try:
            user = owner(program, step, facts, use)
            paths = verdict.paths = targets(program, step, facts, use, user)
            mounted = mount_targets(program, step)
            if any(there is None or paths_overlap(there, path) for there in mounted for path in paths):
                return None
            check_parents(paths, user)
            unseen = syntax_obstacle(program, self.shared["engine"], (1, 2), "RUN --mount")
            if unseen:
                raise Refusal(unseen)
            check_uses(program, facts, stage, step, family_uses)
            for path in paths:
                check_cache_is_free(program, step, path)
            if use.family == "apt":
                reader, verdict.opaque = index_reader(program, stage, position, "apt")
                if reader is not None:
                    raise Refusal(f"line {reader.node.line} needs the package index and does not refresh it")
                call = index_reader_at_start(program, facts, stage, "apt")
                if call:
                    raise Refusal(f"the image runs `{call}` when it starts, and needs the index")
            edits, rewrites = without_cleanups(program, step, paths, use.family)
            option_changes, words = option_edits(program, step, family_uses)
        except Refusal as refusal:
            verdict.reason = str(refusal)
            return verdict
        verdict.shipped = stage.index in program.shipped() and not edits
        verdict.shipped = verdict.shipped and all(change.start == change.end for change in option_changes)
        sharing = f",sharing={use.row['sharing']}" if "sharing" in use.row else ""
        ids = f",uid={user.uid},gid={user.gid}" if user.uid else ""
        values = [f"type=cache,target={path}{sharing}{ids}" for path in paths]
        flags = flags_edit(program, step, [f"--mount={value}" for value in values])
        verdict.edits = (flags, *edits, *option_changes)
        verdict.rewrites = (*rewrites, *words, AddCacheMounts(step.index, tuple(values)))
        return verdict
