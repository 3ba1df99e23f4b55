"""What the failure of a smoke test names that the tried image lacks and the original one has."""

from __future__ import annotations

import posixpath
import re

from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dfopt.proof.observed.run_needs import Additions, RunNeeds

_LONGEST = 4000  # characters, from the end
_PATH = re.compile(r"(?<![\w.:/-])(/[\w@.+-]+(?:/[\w@.+-]+)+)")


def add_missing(needs: RunNeeds, output: str, added: Additions) -> bool:
    """Adds what the output of a failure names; whether that is anything new."""
    before = added.size()
    for path in _named(needs, output[-_LONGEST:]):
        package = needs.beyond.packaged.get(needs.image.resolved(path)) or needs.beyond.packaged.get(path)
        if package is not None and not needs.bare:
            added.packages.add(package)
        elif package is not None or path in needs.beyond.own or path in needs.beyond.toolchain:
            added.paths.add(path)
        elif path in output and (directory := needs.directory_above(path)):
            added.directories.add(directory)
    return before != added.size()


def named_things(output: str, rows: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    """(kind, name) of what an output says is missing, by expressions of each kind."""
    for kind, expressions in rows.items():
        for expression in expressions:
            for match in re.finditer(expression, output):
                yield kind, match[1]


def is_thing(path: str, kind: str, name: str) -> bool:
    """Whether the file at a path is what that name means, of that kind."""
    if kind == "python" and re.search(rf"/{re.escape(name)}\.[\w-]+\.so\Z", path):
        return True
    return path.endswith({
        "library": (f"/{name}",),
        "helper": (f"/{name}",),
        "python": (f"/{name.replace('.', '/')}.py", f"/{name.replace('.', '/')}/__init__.py"),
        "perl": (f"/{name}", f"/{name.replace('::', '/')}.pm"),
        "ruby": (f"/{name}.rb", f"/{name}.so", f"/{name}"),
        "node": (f"/node_modules/{name}/package.json", f"/{name}.js"),
        "lua": (f"/{name.replace('.', '/')}.lua", f"/{name.replace('.', '/')}.so"),
        "header": (f"/include/{name}", f"/{name}"),
        "linked": (f"/lib{name}.so", f"/lib{name}.a", f"/{name}"),
        "pkg-config": (f"/pkgconfig/{name}.pc",),
    }[kind])  # fmt: skip


def _named(needs: RunNeeds, output: str) -> Iterator[str]:
    """Paths of files of the original image that the output means."""
    for path in _PATH.findall(output):
        yield path.rstrip(".:,")
    for kind, name in named_things(output, table("observed")["missing"]):
        if kind == "program":
            path = needs.program(name)
            if path:
                yield path
        elif kind == "file":
            yield posixpath.normpath(posixpath.join(needs.workdir, name))
        else:
            every = (*needs.beyond.own, *needs.beyond.toolchain, *needs.beyond.packaged)
            yield from (path for path in every if is_thing(path, kind, name))
