"""What editors show next to the text: hover pages, lenses, the digests of tags, links to images."""

from __future__ import annotations

from dfopt.analysis.image_references import SYNTAX, sites
from dfopt.cost import Total, benefit_text, written_text
from dfopt.findings import Benefit
from dfopt.knowledge import table
from dfopt.lsp.analysis import savings
from dfopt.passes.base import registered
from dfopt.record import Record
from dfopt.syntax.image_ref import DEFAULT_TAG
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.lsp.analysis import Analysis
    from dfopt.syntax.image_ref import ImageRef

_SHORT = 12  # hexadecimal digits of a digest, as docker shows them


class Mark(Record):
    """A text for a span: a lens, a hint after `end`, the address of a link."""

    start: int
    end: int
    text: str
    detail: str = ""


def hover(analysis: Analysis, offset: int) -> Mark | None:
    """Markdown for `offset`: the image there with its digest, else the findings there with their pages."""
    for site in sites(analysis.program):
        if site.start <= offset <= site.end and (site.kind != "FROM" or _in_name(analysis, site.ref, offset)):
            return Mark(site.start, site.end, _image(analysis, site.ref))
    findings = analysis.between(offset, offset)
    if not findings:
        return None
    parts: list[str] = []
    for finding in findings:
        worth = benefit_text(finding.benefit)
        source = finding.benefit.source if worth and finding.benefit is not None else ""
        parts.append(
            f"**{finding.name}** ({'refused' if finding.reason else finding.tier}): {plain(finding.full_message)}"
            + (f"\n\nBrings {worth}{f' ({plain(source)})' if source else ''}." if worth else "")
        )
    passes = registered()
    for name in dict.fromkeys(finding.name for finding in findings):
        if name in passes:
            parts.append(page(name))
    return Mark(
        min(finding.start for finding in findings), max(finding.end for finding in findings), "\n\n".join(parts)
    )


def page(name: str) -> str:
    """The published page of a pass, as Markdown."""
    from inspect import cleandoc

    cls = registered()[name]
    codes = f" ({', '.join(cls.codes)})" if cls.codes else ""
    return f"---\n### {cls.name}{codes}\n\n{cleandoc(cls.__doc__ or '')}"


def plain(text: str) -> str:
    """Text for Markdown: markup and tags are escaped; bytes that are not UTF-8 become U+FFFD."""
    text = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return "".join("\\" + char if char in "\\`*_{}[]<>#|" else char for char in text)


def lenses(analysis: Analysis) -> Iterator[Mark]:
    """A lens above each stage with fixes: their number, and what is known of what they bring together."""
    for saving in savings(analysis):
        node = analysis.program.stages[saving.stage].node
        parts = [f"{saving.safe} safe {'fix' if saving.safe == 1 else 'fixes'}"] if saving.safe else []
        parts += [f"{saving.unsafe} unsafe"] if saving.unsafe else []
        total = Total(saving.benefits)
        about = "about " if total.estimated else ""
        size = f", {about}{human(total.bytes)} less" if total.bytes >= 1_000_000 else ""
        names = ", ".join(saving.names)
        yield Mark(node.start, node.end, f"dfopt: {' and '.join(parts)}{size}", names)


def hints(analysis: Analysis) -> Iterator[Mark]:
    """A hint after each image that is not pinned: the digest of its tag, if known; and after each instruction of which
    a profile knows what it wrote."""
    for site in sites(analysis.program):
        if site.ref.digest or site.kind == "syntax":
            continue
        digest = analysis.facts.digest(site.ref.text)
        if digest and site.tail is not None and site.tail.index != SYNTAX:
            algorithm, _, value = digest.partition(":")
            yield Mark(site.start, site.tail.offset, f"@{algorithm}:{value[:_SHORT]}…", digest)
    rows = {row["line"]: row for row in analysis.profile.lines} if analysis.profile is not None else {}
    for node in analysis.program.dockerfile.instructions:
        row = rows.get(node.line)
        if row is not None and row["bytes"]:
            written = Benefit(wrote=row["bytes"], dead=row["dead"])
            yield Mark(node.start, node.end, f" {written_text(written)}", "measured by a build (dfopt profile)")


def links(analysis: Analysis) -> Iterator[Mark]:
    """A link to the page of each image whose registry has one."""
    for site in sites(analysis.program):
        address = image_page(site.ref)
        at = analysis.source.text.find(site.ref.text, site.start, site.end + len(site.ref.text))
        if address and at >= 0:
            yield Mark(at, at + len(site.ref.text), address)


def image_page(ref: ImageRef) -> str | None:
    """The address of an image's page, or None."""
    sites = table("image_pages")
    if ref.path.startswith("library/") and ref.domain in sites["official"]:
        return str(sites["official"][ref.domain]).format(name=ref.path.removeprefix("library/"))
    form = sites["registries"].get(ref.domain)
    return str(form).format(path=ref.path) if form else None


def _in_name(analysis: Analysis, ref: ImageRef, offset: int) -> bool:
    """Whether `offset` is on the name itself (a finding marks the whole FROM)."""
    text = analysis.source.text
    start = text.rfind("\n", 0, offset) + 1
    at = text.find(ref.text, start)
    return at >= 0 and at <= offset <= at + len(ref.text)


def _image(analysis: Analysis, ref: ImageRef) -> str:
    lines = [f"**{plain(ref.domain)}/{plain(ref.path)}:{plain(ref.tag or DEFAULT_TAG)}**"]
    if ref.digest:
        lines.append(f"pinned to `{ref.digest}`")
    else:
        digest = analysis.facts.digest(ref.text)
        lines.append(f"stands for `{digest}`" if digest else "not pinned; no digest is known (`dfopt pin` asks for it)")
    address = image_page(ref)
    if address:
        lines.append(f"[{address}]({address})")
    return "\n\n".join(lines)
