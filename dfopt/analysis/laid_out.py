"""What a stage lays out for another one to copy: directories and links, and nothing else."""

from __future__ import annotations

from dfopt.ir.effects import covers
from dfopt.ir.liveness import layer_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

# directories in which systems keep programs
PROGRAM_PLACES = frozenset(("/", "/bin", "/sbin", "/usr", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/lib"))
# what makes directories and links, by its first word
_LAYS_OUT = {"install": {"-d"}, "ln": {"-s", "-sf"}, "mkdir": {"-p"}}


def laid_out(program: Program, stage: Stage, path: str) -> frozenset[str] | None:
    """The directories and links that RUNs of a stage make at `path`, an absolute path, and below; None where something
    else may be there: of its base image, or written by another step."""
    path = path.rstrip("/")
    if not path or path in PROGRAM_PLACES:
        return None
    text = program.text
    touching = [step for step in layer_steps(program, stage) if path in text[step.node.start : step.node.end]]
    made: set[str] = set()
    for step in touching:
        words = _made_by(program, step)
        if not words:
            return None
        made.update(words)
    return frozenset(word for word in made if covers(path, word)) if touching else None


def _made_by(program: Program, step: Step) -> set[str]:
    """The words of the commands of a RUN that makes directories and links; none where it does anything else."""
    words: set[str] = set()
    for command in program.commands(step).invocations if step.node.keyword == "RUN" else ():
        values = [value for value in command.values if value is not None]
        if len(values) < len(command.values) or not set(values[:1]) & _LAYS_OUT.get(command.program or "", set()):
            return set()  # not fixed, or something else
        words.update(values)
    return words
