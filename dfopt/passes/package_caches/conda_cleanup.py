from __future__ import annotations

from dfopt.findings import Declares
from dfopt.passes.base import STAGES, Pass
from dfopt.passes.package_caches.clean_after import CleanAfter
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class CondaCleanup(CleanAfter, Pass):
    """Removes the archives and indexes that conda, mamba and micromamba keep, in the layer that downloaded them.

    conda keeps the archive of every package and the index of every channel under pkgs/. This pass appends `conda clean
    --all --yes` (of the program that the RUN uses) in the RUN's own style. Unpacked packages that an environment uses
    stay: the environment's files are hard links of them.

    Why: nothing at run time reads the archives, which hold a copy of every package.

    Example:

    ```dockerfile
    FROM continuumio/miniconda3
    RUN conda install -y numpy
    ```

    ```dockerfile
    FROM continuumio/miniconda3
    RUN conda install -y numpy && conda clean --all --yes
    ```

    Refuses: where a later step uses the cache (`--offline`, its path, a copy of it); where packages are symbolic links
    into it; where conda runs on a condition only, in a shell of its own, or is taken away by the end of the RUN; a
    background job or a comment at the end; a heredoc script that is not under `set -e`; ONBUILD. Does nothing where the
    RUN cleans up in any spelling, or where a cache mount holds the cache.

    Declares: the RUN gains one command at its end.
    """

    name = "conda-cleanup"
    group = "size"
    phase = "caches"
    triggers = ("conda", "mamba")
    order = 32
    options = (STAGES,)
    family = "conda"
    words = ("conda", "mamba")
    pattern = r"\b(?:conda|mamba|micromamba)\s+(?:env\s+)?(?:install|create|update)\b"
    what = "conda's cache"
    homes = ("conda", "mamba")
    declares = Declares(caches=("conda",))

    def veto(self, program: Program, facts: Facts, stage: Stage, position: int, step: Step, tool: Tool) -> None:
        if "softlink" in program.text:
            raise Refusal("packages may be symbolic links into the cache")
