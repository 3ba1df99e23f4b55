"""The declared rewrite of a split by evidence: as that of a split, but what is copied is what a build showed.

A build and a smoke test of the result judge the files, since the text does not tell which a tool wrote; of the text is
checked what it can tell: the builder, the settings, and that the new stage only installs, copies from the builder, sets
modes, owners and links, and says settings that the old base image brought.
"""

from __future__ import annotations

from dfopt.record import replace
from dfopt.rewrites.split_stage import SplitStage, runs_more
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.image_config import ImageConfig
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.rewrites.base import Model

_FIELDS = {"CMD": "cmd", "ENTRYPOINT": "entrypoint", "USER": "user", "STOPSIGNAL": "stop_signal"}


class SplitObserved(SplitStage):
    """As SplitStage.

    comments   above COPYs of the new stage, why they are there
    inherited  keywords of instructions that say what the old base image brought, and the file does not say
    """

    comments: tuple[str, ...] = ()
    inherited: frozenset[str] = frozenset()

    def apply(self, model: Model) -> None:
        super().apply(model)
        model.added += self.comments

    def _config(self, before: ImageConfig, after: ImageConfig, *, says_workdir: bool) -> str:
        """What the file did not say, the new stage may."""
        known = after
        for keyword, field in _FIELDS.items():
            said = getattr(before, field)
            if keyword in self.inherited and (said is None or isinstance(said, Unknown)):
                known = replace(known, **{field: said})
        if "WORKDIR" in self.inherited:
            known = replace(known, workdir=before.workdir)
        if "EXPOSE" in self.inherited:
            known = replace(known, ports=tuple(port for port in known.ports if port in before.ports))
        if "VOLUME" in self.inherited:
            known = replace(known, volumes=tuple(path for path in known.volumes if path in before.volumes))
        if "ENV" in self.inherited:
            env = {name: value for name, value in known.env.items() if name in before.env}
            known = replace(known, env={**env, **{n: v for n, v in before.env.items() if isinstance(v, Unknown)}})
        return super()._config(before, known, says_workdir=says_workdir)

    def _files(self, program: Program, old: Stage, edited: Program, new: Stage) -> str:
        for part in self.runtime:
            if part.step < 0 and part.keyword not in self.inherited and (reason := runs_more(part, self.builder)):
                return reason
        return ""
