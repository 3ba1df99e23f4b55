"""Delivers changes: into the files, as patch files, or as branches."""

from __future__ import annotations

import os

from dfopt.campaign.branch import BranchRequest, make_branches
from dfopt.campaign.message import MessageError
from dfopt.hashing import sha256
from dfopt.record import replace
from dfopt.source import encode
from dfopt.workspace.git import Checkout
from dfopt.workspace.patches import patch_of
from dfopt.workspace.writer import write_result
from dfopt.writing import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.campaign.groups import DeliveryGroup
    from dfopt.campaign.message import Message
    from dfopt.campaign.model import FileResult


def write(row: FileResult) -> FileResult:
    """Writes one changed file; returns its updated row: delivered or failed."""
    assert row.result is not None
    try:
        write_result(row.result, row.path, row.root)
    except OSError as failure:
        return failed(row, f"not written: {failure.strerror or failure}")
    digest = sha256(encode(row.result.output)).hexdigest()
    done: FileResult = replace(row, delivered="written", digest=digest, result=None)
    return done


def patches(groups: list[DeliveryGroup], directory: str) -> Iterator[FileResult]:
    """One patch for each group, `SLUG.patch` in `directory`, for `git apply` at the root of its repository (for files
    outside a repository: in the working directory). Returns the updated rows, group by group."""
    os.makedirs(directory, exist_ok=True)
    for group in groups:
        path = os.path.join(directory, f"{group.slug}.patch")
        text = "".join(patch_of_row(row, group.top) for row in group.files)
        reason = ""
        try:
            with Output(path) as file:
                file.write(encode(text))
        except OSError as failure:
            reason = f"{path}: {failure.strerror or failure}"
        yield from _delivered(group, path, reason)


def branches(groups: list[DeliveryGroup], prefix: str, message: Message) -> Iterator[FileResult]:
    """One branch for each group, `PREFIX/SLUG` in its repository. Returns the updated rows, by repository."""
    prefix = prefix.rstrip("/")
    by_top: dict[str, list[tuple[DeliveryGroup, BranchRequest]]] = {}
    for group in groups:
        name = f"{prefix}/{group.slug}"
        if group.top is None:
            yield from _delivered(group, name, "lies in no git repository")
            continue
        try:
            request = BranchRequest(name, message.render(group), group.files)
        except MessageError as failure:
            yield from _delivered(group, name, f"no branch {name}: {failure}")
            continue
        by_top.setdefault(group.top, []).append((group, request))
    for top, members in by_top.items():
        reasons = make_branches(Checkout(top), prefix, [request for _, request in members])
        for (group, request), reason in zip(members, reasons, strict=True):
            yield from _delivered(group, request.name, reason and f"no branch {request.name}: {reason}")


def _delivered(group: DeliveryGroup, place: str, reason: str) -> Iterator[FileResult]:
    """The updated rows of a group: delivered to `place`, or failed for a reason."""
    for row in group.files:
        yield failed(row, reason) if reason else replace(row, delivered=place, result=None)


def patch_of_row(row: FileResult, top: str | None) -> str:
    """The diff of a changed file, with paths relative to `top` (None: as displayed)."""
    assert row.result is not None
    name = row.name
    if top is not None:
        name = os.path.relpath(os.path.realpath(row.path), os.path.realpath(top)).replace(os.sep, "/")
    return patch_of(row.result, name)


def failed(row: FileResult, reason: str) -> FileResult:
    """The row of a file whose change could not be delivered."""
    failed_row: FileResult = replace(row, state="failed", error=reason, result=None)
    return failed_row
