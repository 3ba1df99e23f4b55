"""`dfopt history`: how an image was built, and a Dockerfile reconstructed from it."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.cli.progress import StatusDisplay
from dfopt.files import read_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values
    from dfopt.image.created_by import DockerfileStep
    from dfopt.image.layers import ImageContents, LayerEntry
    from dfopt.image.tar_member import Sink

_SYSTEM = ("/etc/os-release", "/usr/lib/os-release")
_LARGEST = 1 << 16


def run(values: Values) -> int:
    """Runs the command. Raises UsageError, also for everything that is wrong with an image."""
    from dfopt.image.errors import ImageError
    from dfopt.image.history import map_history
    from dfopt.image.ledger import make_ledger
    from dfopt.image.open_image import open_image
    from dfopt.review.recover import recover
    from dfopt.review.reports.history import HistoryReport, render_json, render_text

    if values.rebuild is not None:
        if values.file is not None or values.dockerfile or values.show_secrets or values.all:
            raise UsageError("--rebuild excludes --file, --dockerfile, --show-secrets and --all")
        for name in ("engine", "builder", "network", "timeout"):
            if values.given[name] not in (None, (), "auto") and not values.verify:
                raise UsageError(f"--{name} needs --verify")
        from dfopt.cli.rebuild import run as run_rebuild

        return run_rebuild(values)
    for name in ("base", "squash", "verify", "builder", "network", "timeout"):
        if values.given[name]:
            raise UsageError(f"--{name} needs --rebuild")
    if values.file is not None and values.dockerfile:
        raise UsageError("--dockerfile and --file exclude each other: one reconstructs what the other gives")
    steps = _steps(values.file) if values.file is not None else []
    release_files: list[tuple[LayerEntry, bytes]] = []

    def visit(entry: LayerEntry) -> Sink | None:
        if entry.path not in _SYSTEM or entry.size > _LARGEST:
            return None
        content = bytearray()
        release_files.append((entry, content))  # type: ignore[arg-type]  # it grows while the layer passes
        return content.extend

    try:
        with StatusDisplay(f"reading {values.image}"), open_image(values.image, values.platform) as image:
            contents = image.read(hashes=False, visit=visit)
            name = image.name
        mapping = map_history(contents.image, steps)
        recovered = None
        if values.file is None:
            recovered = recover(contents, mapping, _systems(contents, release_files), show_secrets=values.show_secrets)
        history = HistoryReport(name, contents, make_ledger(contents.layers), mapping, recovered, values.show_secrets)
    except ImageError as failure:
        raise UsageError(str(failure)) from None
    if values.dockerfile and recovered is not None:
        (out.text if out.is_terminal() else out.data)(recovered.text)
        places = recovered.unknown
        out.note(f"dfopt: {places} place{'' if places == 1 else 's'} in it marked as unknown\n" if places else "")
    elif values.output_format == "json":
        out.data(render_json(history))
    else:
        out.text(render_text(history, everything=values.all))
    return 0


def _steps(path: str) -> list[DockerfileStep]:
    from dfopt.image.history import stage_steps
    from dfopt.review.dockerfile_review import DockerfileError, steps_of
    from dfopt.source import LineIndex, decode

    try:
        text = decode(read_named(path))
    except OSError as failure:
        raise UsageError(f"{out.printable(path)}: {failure.strerror or failure}") from None
    try:
        return stage_steps(steps_of(text))
    except DockerfileError as failure:
        line, column = LineIndex(text).position(min(failure.offset, len(text)))
        raise UsageError(f"{out.printable(path)}:{line + 1}:{column + 1}: {failure.message}") from None


def _systems(contents: ImageContents, release_files: list[tuple[LayerEntry, bytes]]) -> dict[int, str]:
    """PRETTY_NAME of the os-release of each layer that has one."""
    from dfopt.image.errors import printable

    names: dict[int, str] = {}
    for entry, content in release_files:
        for line in bytes(content).decode("utf-8", "replace").split("\n"):
            if line.startswith("PRETTY_NAME="):
                names[id(entry)] = printable(line.partition("=")[2].strip().strip("\"'"))[:100]
    return {
        number: names[id(entry)]
        for number, layer in enumerate(contents.layers)
        for entry in (layer.entries if names else ())
        if id(entry) in names
    }
