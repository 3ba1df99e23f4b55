"""Who owns what the builder's steps make: a COPY into the new stage keeps the owners of what is in a directory, and not
that of the directory itself.

Sources: BuildKit 0.13, frontend/dockerfile/dockerfile2llb (WORKDIR makes directories as USER's; COPY without --chown
as root's) and solver/llbsolver/file (the target of a COPY is made as root's, or as --chown says).
"""

from __future__ import annotations

from dfopt.ir.effects import covers
from dfopt.record import Record
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.ir.scopes import Scope
    from dfopt.passes.multi_stage.written_paths import WrittenPath

ROOT = "root"


class OwnerCommand(Record):
    """A command gives a path an owner. `deep`: also all that is below; `step`: the index of the command's step."""

    path: str
    owner: str
    deep: bool
    step: int


class DirectoryOwners:
    """The owners of paths behind the last step.

    makers   index of a step -> the owner of what it makes; None: not known
    changes  in the order of the commands
    made     what the steps make
    """

    def __init__(
        self, makers: dict[int, str | None], changes: Sequence[OwnerCommand], made: Sequence[WrittenPath]
    ) -> None:
        self.makers = makers
        self.changes = changes
        self.made = sorted(made, key=lambda entry: entry.step.index)

    def of_directory(self, path: str) -> tuple[str | None, bool]:
        """(owner, whether all that is in it is the same owner's) of a directory; the owner is None where it is root's,
        or not known."""
        inside = [entry for entry in self.made if covers(path, entry.path)]
        if not inside:
            return None, False
        owner = self._end(path, inside[0])
        if owner is None or owner.partition(":")[0] in (ROOT, "0"):
            return None, False
        contents = {
            _account(self._end(entry.path if entry.path != path else f"{path}/", entry))
            for entry in inside
            if entry.kind != "directory" or entry.path != path
        }
        return owner, contents <= {_account(owner)}

    def maker(self, path: str) -> int | None:
        """The index of the step that makes a directory; None where none does."""
        return next((entry.step.index for entry in self.made if covers(path, entry.path)), None)

    def _end(self, path: str, entry: WrittenPath) -> str | None:
        """The owner that a path has in the end, which a step has made; one that ends in "/" is what is in there."""
        owner = None if entry.kind == "stage" else self.makers.get(entry.step.index, ROOT)
        for change in self.changes:
            if change.step >= entry.step.index and (
                change.path == path or (change.deep and covers(change.path, path.rstrip("/")))
            ):
                owner = change.owner
        return owner


def _account(owner: str | None) -> str | None:
    """An owner without a group that is its own: `web:web` is `web`."""
    user, _, group = (owner or "").partition(":")
    return user if group == user else owner


def with_group(owner: str) -> str:
    """An owner as chown(1) takes it: with the user's own group, which WORKDIR and COPY --chown give, too."""
    return owner if ":" in owner or owner.isdigit() or owner == "$" else f"{owner}:"


def user_of(scope: Scope) -> str | None:
    """Whose what a step makes is; None where that is not known. A base image's own user counts as root."""
    if isinstance(scope.user, Unknown):
        return None
    return ROOT if scope.user is None or scope.root else scope.user
