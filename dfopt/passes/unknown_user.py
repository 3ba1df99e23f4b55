from __future__ import annotations

from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.ir.base_images import split_image
from dfopt.ir.liveness import layer_steps
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.rewrites.copy_mode import destination
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_NAME = regex(r"[A-Za-z_][\w.-]*\Z")
_DISTROLESS = "gcr.io/distroless/"
_USERS = frozenset(("root", "nobody", "nonroot"))  # GoogleContainerTools/distroless, common/variables.bzl


class UnknownUser(Pass):
    """Finds a USER given by name on scratch, where no /etc/passwd knows a name, and on distroless images, for another
    name than theirs (root, nobody, nonroot).

    Why: the container does not start: "unable to find user app: no matching entries in passwd file".

    Example:

    ```dockerfile
    FROM scratch
    COPY app /app
    USER app
    ENTRYPOINT ["/app"]
    ```

    Reported, not changed: the number of the user, which needs no file, is the author's to choose (`USER 65532`), and so
    is a /etc/passwd.

    Refuses: nothing. Where a COPY or ADD may bring /etc/passwd, or the base is another one, nothing is said.

    Declares: nothing; it is a suggestion.
    """

    name = "unknown-user"
    group = "correct"
    tiers = ()
    phase = "repair"
    triggers = ("scratch", "distroless")
    order = 31

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            image = program.root(stage).image
            known = _known(image)
            if known is None:
                continue
            for step in stage.steps:
                if step.node.keyword != "USER":
                    continue
                value = program.scope(step).expand(step.node.arguments[0].value, program.dockerfile.escape)
                if isinstance(value, Unknown):
                    continue
                name = value.partition(":")[0]
                if _NAME.match(name) and name not in known and not _brings_users(program, stage):
                    message = f"no /etc/passwd of {image} knows {name}: give the number of the user"
                    yield Finding(self.name, message, step.node.start, step.node.end)


def _known(image: str | None) -> frozenset[str] | None:
    """The users that an image has; None where that is not known."""
    if image == "scratch":
        return frozenset(("root",))  # engines differ about it
    return _USERS if image is not None and split_image(image)[0].startswith(_DISTROLESS) else None


def _brings_users(program: Program, stage: Stage) -> bool:
    """Whether a step of the image may write /etc/passwd."""
    return any(_may_write(program, step) for step in layer_steps(program, stage))


def _may_write(program: Program, step: Step) -> bool:
    node = step.node
    if node.keyword not in ("COPY", "ADD"):
        return node.keyword in ("RUN", "ONBUILD")
    target = destination(program, step)
    if target is None or target in ("/", "/etc", "/etc/passwd"):
        return True
    return node.keyword == "ADD"  # an archive may hold anything
