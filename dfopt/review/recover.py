"""Reconstructs a Dockerfile from an image's history and config as far as they allow, and marks what is unknown.

Each entry of the history becomes an instruction where its text allows that (the forms: image/created_by.py). Every
instruction is parsed again before it is accepted: one that would parse as something else becomes a comment. A layer
that no text explains (`docker commit`, an imported file system) is an `ADD` of its own tar, under a comment that says
what is in it. In the end the config is compared with what was set, and the rest is added.
"""

from __future__ import annotations

import re

from dfopt.image.errors import printable
from dfopt.image.layers import DIRECTORY, OPAQUE, WHITEOUT
from dfopt.record import Record
from dfopt.review.disclosure import masked
from dfopt.review.recreate import ReplayedConfig, comment_lines, from_config, from_entry, reads_back
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.image.history import Mapping, Origin
    from dfopt.image.layers import ImageContents, LayerFiles

_PATHS = 5
_DELETED = 40  # paths that a RUN rm may name; more are a comment
_LIST = re.compile(r"/var/lib/dpkg/info/([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\.list")
_NAME = re.compile(r"[A-Za-z0-9][\w./:@-]*")


class Recovered(Record):
    """text: the Dockerfile; unknown: the number of places in it marked as unknown."""

    text: str
    unknown: int


def recover(
    contents: ImageContents, mapping: Mapping, systems: dict[int, str], *, show_secrets: bool = False
) -> Recovered:
    """The Dockerfile of an image. systems: by layer, what its os-release calls the system; without `show_secrets`
    every secret is masked, and said to be."""
    return _Recovery(contents, systems, show_secrets).run(mapping)


class _Recovery:
    def __init__(self, contents: ImageContents, systems: dict[int, str], show_secrets: bool) -> None:
        self.contents = contents
        self.systems = systems
        self.show_secrets = show_secrets
        self.lines: list[str] = []
        self.unknown = 0
        self.built = ReplayedConfig(contents.image)

    def run(self, mapping: Mapping) -> Recovered:
        image = self.contents.image
        what = f"{image.name} ({image.platform}, {image.digest or image.config_digest})"
        self.comment(f"Recovered by dfopt from the history and the config of {what}.")
        self.comment("Comments that begin with 'unknown:' tell what the image does not say.")
        origins = list(mapping.origins)
        first = self.base(origins)
        with_entry = {origin.layer for origin in origins if origin.layer is not None}
        for layer in range(len(self.contents.layers)):  # layers of no entry lie below those that have one
            if layer not in with_entry and not first:
                self.layer(layer, "no entry of the history tells how it was made")
        for origin in origins[first:]:
            self.entry(origin)
        missing = from_config(self.built)
        if missing:
            self.lines.append("")
            self.comment("In the image's config, but not told by its history:")
            for text in missing:
                self.instruction(text)
        return Recovered("\n".join(self.lines) + "\n", self.unknown)

    def base(self, origins: list[Origin]) -> int:
        """Writes FROM; returns the first entry that is not the base image's."""
        noted = [origin for origin in origins if origin.entry.comment.startswith("FROM ")]
        if noted:  # buildah notes the base image on its first entry
            name = noted[-1].entry.comment.split()[1]
            if _NAME.fullmatch(name) and noted[-1].index:
                self.lines.append("")
                self.comment(f"Its {noted[-1].index} oldest history entries are the base image's.")
                self.lines.append(f"FROM {name}")
                return noted[-1].index
        labels = self.contents.image.settings().get("Labels")
        stated = labels.get("org.opencontainers.image.base.name") if isinstance(labels, dict) else None
        self.lines.append("")
        system = self.systems.get(0)
        hint = f"; layer 0 holds {system}" if system else ""
        if isinstance(stated, str) and _NAME.fullmatch(stated):
            hint += f"; a label names {stated}"
        self.mark(f"the base image and where its part ends{hint}.")
        self.lines.append("FROM scratch")
        return 0

    def entry(self, origin: Origin) -> None:
        text = origin.entry.created_by
        instruction = from_entry(origin, self.built)
        self.lines.append("")
        if instruction is None:
            if origin.layer is not None:
                description = "the history says nothing about it"
                if remark := text.strip() or origin.entry.comment.strip():
                    description = f"made by hand or by another tool ({_cut(self.shown(remark))})"
                self.layer(origin.layer, description, separate=False)
            elif text.strip():
                self.mark(f"an entry of no files that is no instruction: {_cut(self.shown(text))}")
            else:
                self.lines.pop()
            return
        for note in instruction.notes:
            self.mark(note)
        if instruction.files and origin.layer is not None:
            self.comment(f"  {self.inventory(self.contents.layers[origin.layer])}")
        for text in instruction.before:
            self.instruction(text)
        if instruction.text:
            self.instruction(instruction.text)
        elif origin.layer is not None:
            self.layer(origin.layer, "", separate=False)

    def layer(self, index: int, why: str, separate: bool = True) -> None:
        """A layer that no instruction recreates: its own tar, and its deletions."""
        layer = self.contents.layers[index]
        if separate:
            self.lines.append("")
        if why:
            self.mark(f"layer {index}: {why}.")
        self.comment(f"  {self.inventory(layer)}")
        packages = sorted({match[1] for entry in layer.entries if (match := _LIST.fullmatch(entry.path))})
        if packages and index:
            self.comment(f"  Debian packages that it brings or changes: {_cut(', '.join(packages), 600)}")
        deleted = [entry.path for entry in layer.entries if entry.kind == WHITEOUT]
        if deleted:
            words = " ".join(_quoted(path) for path in deleted[:_DELETED])
            if len(deleted) <= _DELETED and reads_back(f"RUN rm -rf {words}"):
                self.lines.append(f"RUN rm -rf {words}")
            else:
                self.mark(f"it deletes {len(deleted)} paths: {_cut(', '.join(map(printable, deleted)), 600)}")
        if any(entry.kind not in (WHITEOUT, OPAQUE) for entry in layer.entries):
            digest = layer.layer.digest or layer.layer.diff_id
            self.comment(f"  layer-{index}.tar is the layer's own tar, unpacked from {digest}, without its whiteouts.")
            self.lines.append(f"ADD layer-{index}.tar /")

    def inventory(self, layer: LayerFiles) -> str:
        files = [entry for entry in layer.entries if entry.kind not in (DIRECTORY, WHITEOUT, OPAQUE)]
        size = sum(entry.size for entry in files if entry.kind == "file")
        largest = sorted(files, key=lambda entry: (-entry.size, entry.path))[:_PATHS]
        text = f"{len(files)} files, {human(size)}"
        if largest:
            text += ": " + ", ".join(printable(entry.path) for entry in largest)
        return text + (", ..." if len(files) > _PATHS else "")

    # -- text

    def shown(self, text: str) -> str:
        return printable(text if self.show_secrets else masked(text))

    def instruction(self, text: str) -> None:
        if not self.show_secrets:
            safe = masked(text, word=True)
            if safe != text and not reads_back(safe):
                self.mark("an instruction with a secret in it that cannot be masked (--show-secrets shows it).")
                return
            if safe != text:
                self.mark("a value, which is masked here (--show-secrets shows it).")
                text = safe
        self.lines.append(text)

    def mark(self, text: str) -> None:
        self.unknown += 1
        self.comment(f"unknown: {text}")

    def comment(self, text: str) -> None:
        """A comment, wrapped; a line of it is never a parser directive."""
        self.lines += comment_lines(text)


def _quoted(path: str) -> str:
    """A path as a word of a shell; one that a line of a Dockerfile cannot hold reads back as something else."""
    return path if re.fullmatch(r"[\w./+@:,%-]+", path) else "'" + path.replace("'", "'\\''") + "'"


def _cut(text: str, length: int = 200) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 3] + "..."
