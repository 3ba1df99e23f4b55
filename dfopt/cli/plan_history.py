"""`dfopt plan --git-history`: how often the latest commits make installs run anew, now and with each level."""

from __future__ import annotations

from dfopt.analysis.rebuilt_steps import rerun_installs
from dfopt.forecast import InstallHistory
from dfopt.ir.program import Program
from dfopt.refusal import Refusal
from dfopt.syntax.dockerfile import parse
from dfopt.workspace.git_history import changed_paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.results import Result
    from dfopt.workspace.facts import ContextFacts


def install_history(results: Mapping[int, Result], facts: ContextFacts | None, commits: int) -> InstallHistory:
    """What the latest commits to a file's build context, at most `commits`, make anew. `results`: of the file, by
    level. Raises Refusal where there is no such history, GitError."""
    context = facts.build_context() if facts is not None else None
    if facts is None or context is None:
        raise Refusal("which directory is the build context is not known: name it with --context")
    changes = changed_paths(context.root, commits)
    if not changes:
        raise Refusal("no commit of a git checkout changed its build context")
    texts = [next(iter(results.values())).source.text, *(result.output for result in results.values())]
    counts = [rerun_installs(Program(parse(text)), facts, changes) for text in texts]
    names = sorted({name for count in counts for name in count}, key=lambda name: (-counts[0][name], name))
    return InstallHistory(
        len(changes), tuple(results), tuple((name, tuple(count[name] for count in counts)) for name in names)
    )
