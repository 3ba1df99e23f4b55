"""The images and downloads that the files of a run name: gathered before anybody is asked, so that each is asked for
once however many files name it."""

from __future__ import annotations

from dfopt.analysis.downloads import downloads
from dfopt.analysis.image_references import sites
from dfopt.ir.program import Program
from dfopt.passes.base import registered
from dfopt.record import Record
from dfopt.source import LineIndex
from dfopt.suppress import rules
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.suppress import SuppressionRule


class ImageUse(Record):
    """One place where a file names an image, or an ADD a download.

    file          as it is shown
    line, column  from 1
    text          as it is named, with the defaults of build arguments: an image's reference without digest, a URL
    pinned        the digest or checksum that is written there; "" for none
    settable      whether a pin can be written there
    download      whether it is a download
    base          whether a stage is built on it
    """

    file: str
    line: int
    column: int
    text: str
    pinned: str
    settable: bool
    download: bool = False
    base: bool = False

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def uses(name: str, text: str) -> Iterator[ImageUse]:
    """The images with a tag (written or meant) and the downloads that a file names, in its order, but for those that a
    comment keeps from being pinned; none for a file that is no Dockerfile."""
    try:
        program = Program(parse(text))
    except DockerfileError:
        return
    suppressions = rules(program.dockerfile)
    index = LineIndex(text)

    def place(start: int, end: int, pass_name: str) -> tuple[int, int] | None:
        line, column = index.position(start)
        last = index.line(end)
        return None if _held(suppressions, pass_name, line + 1, last + 1) else (line + 1, column + 1)

    for site in sites(program):
        ref = site.ref
        if ref.digest and not ref.tag:
            continue  # nothing can move
        position = place(site.start, site.end, "pin-digest")
        if position is not None:
            named, settable = ref.text.partition("@")[0], site.tail is not None
            yield ImageUse(name, *position, named, ref.digest, settable, base=site.kind == "FROM")
    for step, url in downloads(program):
        node = step.effective
        flag = node.flag("checksum")
        position = place(step.node.start, step.node.end, "add-checksum")
        if position is not None and "$" not in url:
            yield ImageUse(name, *position, url, (flag.value or "") if flag is not None else "", True, True)


def _held(suppressions: list[SuppressionRule], pass_name: str, first: int, last: int) -> bool:
    return any(rule.covers(registered()[pass_name], first, last) for rule in suppressions)
