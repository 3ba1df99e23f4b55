"""What a Compose service says of its build and its containers, and how one service extends another.

Rules: the Compose specification, "Build Specification", "services top-level element", "extends", and compose-go
(loader/, override/).
"""

from __future__ import annotations

import os
import re

from dfopt.build_definitions.interpolation import InterpolationError, interpolate
from dfopt.build_definitions.model import ContainerMount, DefinitionError, NotLiteral, resolved
from dfopt.lazy import regex
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dfopt.build_definitions.located import LocatedValue
    from dfopt.build_definitions.model import Value

MOST_PORTS = 200  # of one range
_PORT = regex(
    r"(?:(?:\[[^\]]*\]|[\d.]+):)?(?:(?P<published>\d*(?:-\d+)?):)?(?P<first>\d+)(?:-(?P<last>\d+))?"
    r"(?:/(?P<protocol>\w+))?\Z"
)
_WINDOWS_PATH = regex(r"[A-Za-z]:[\\/]")


class Service:
    """The fields of a service that matter here, each as it stands after its `extends`."""

    __slots__ = (
        "args", "column", "contexts", "image", "line", "mounts", "platforms", "ports", "scalars", "tags", "user",
    )  # fmt: skip

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.scalars: dict[str, Value] | None = None  # of `build`; None without one
        self.args: dict[str, Value | None] = {}
        self.contexts: dict[str, Value] = {}
        self.tags: list[Value] = []
        self.platforms: list[Value] = []
        self.image: Value | None = None
        self.user: Value | None = None
        self.ports: list[Value] = []
        self.mounts: list[ContainerMount] = []

    def size(self) -> int:
        """How many values it has."""
        return 1 + len(self.args) + len(self.contexts) + len(self.tags) + len(self.ports) + len(self.mounts)

    def over(self, base: Service) -> Service:
        """This service on top of the one that it extends."""
        if base.scalars is not None:
            own = self.scalars or {}
            self.scalars = {**base.scalars, **own}
            if "dockerfile" in own or "dockerfile_inline" in own:  # one takes the place of the other
                for name in ("dockerfile", "dockerfile_inline"):
                    if name not in own:
                        self.scalars.pop(name, None)
        self.args = {**base.args, **self.args}
        self.contexts = {**base.contexts, **self.contexts}
        for name in ("tags", "platforms", "ports"):
            below = dict.fromkeys(getattr(base, name))
            setattr(self, name, [*getattr(base, name), *(value for value in getattr(self, name) if value not in below)])
        targets = {mount.target for mount in self.mounts}
        self.mounts = [*(mount for mount in base.mounts if mount.target not in targets), *self.mounts]
        self.image = base.image if self.image is None else self.image
        self.user = base.user if self.user is None else self.user
        return self


class ServiceReader:
    """Reads the services of one file: `base` is the directory that its paths are relative to, `variables` what it
    interpolates."""

    def __init__(self, file: str, base: str, variables: Mapping[str, Value]) -> None:
        self.file = file
        self.base = base
        self.variables = variables

    def read(self, node: LocatedValue) -> Service:
        """Raises DefinitionError."""
        build = node.get("build")
        at = build or node
        service = Service(at.line, at.column)
        service.image = self.optional(node.get("image"))
        service.user = self.optional(node.get("user"))
        for port in self._list(node.get("ports")):
            service.ports += self._ports(port)
        service.mounts = [self._mount(volume) for volume in self._list(node.get("volumes"))]
        platform = self.optional(node.get("platform"))
        if build is not None:
            self._build(build, service)
        if platform is not None and not service.platforms:
            service.platforms = [platform]
        return service

    def text(self, node: LocatedValue) -> Value:
        """A scalar with its variables filled in. Raises DefinitionError."""
        scalar = node.scalar()
        if scalar is None:
            raise DefinitionError("a string was expected", self.file, node.line, node.column)
        try:
            return interpolate(scalar, self.variables)
        except InterpolationError as failure:
            raise DefinitionError(str(failure), self.file, node.line, node.column) from None

    def optional(self, node: LocatedValue | None) -> Value | None:
        return None if node is None else self.text(node)

    def _list(self, node: LocatedValue | None) -> list[LocatedValue]:
        if node is None:
            return []
        if not isinstance(node.value, list):
            raise DefinitionError("a list was expected", self.file, node.line, node.column)
        return node.value

    def _build(self, node: LocatedValue, service: Service) -> None:
        if node.scalar() is not None:
            service.scalars = {"context": self._context(self.text(node))}
            return
        if not isinstance(node.value, dict):
            raise DefinitionError("build is neither a path nor a mapping", self.file, node.line, node.column)
        service.scalars = {
            name: self.text(inner)
            for name in ("context", "dockerfile", "dockerfile_inline", "target")
            if (inner := node.get(name)) is not None
        }
        if "context" in service.scalars:
            service.scalars["context"] = self._context(service.scalars["context"])
        service.args = {name: self._argument(name, value) for name, value in self.pairs(node.get("args"))}
        for name, value in self.pairs(node.get("additional_contexts")):
            service.contexts[name] = self._context(value) if value is not None else NotLiteral("it names no context")
        service.tags = [self.text(tag) for tag in self._list(node.get("tags"))]
        service.platforms = [self.text(platform) for platform in self._list(node.get("platforms"))]

    def _argument(self, name: str, value: Value | None) -> Value | None:
        return self.variables.get(name) if value is None else value

    def _context(self, path: Value) -> Value:
        if isinstance(path, str) and path.startswith("~"):
            return NotLiteral("it lies in a home directory")
        return resolved(self.base, path)

    def pairs(self, node: LocatedValue | None) -> Iterator[tuple[str, Value | None]]:
        """The names and values of a mapping, or of a list of NAME=VALUE. Raises DefinitionError."""
        if node is None:
            return
        if isinstance(node.value, dict):
            for name, inner in node.value.items():
                yield name, None if inner.value is None else self.text(inner)
            return
        for item in self._list(node):
            text = self.text(item)
            if isinstance(text, NotLiteral):
                name, equals, _ = (item.scalar() or "").partition("=")
                if "$" not in name:
                    yield name, text
                continue
            name, equals, value = text.partition("=")
            yield name, value if equals else None

    def _ports(self, node: LocatedValue) -> list[Value]:
        """The container's ports that an entry names, with protocol."""
        if isinstance(node.value, dict):
            target, protocol = node.get("target"), self.optional(node.get("protocol"))
            if target is None:
                return [NotLiteral("it names no target")]
            number = self.text(target)
            if isinstance(number, NotLiteral) or isinstance(protocol, NotLiteral):
                return [number if isinstance(number, NotLiteral) else protocol or number]
            return [f"{number}/{protocol or 'tcp'}"]
        text = self.text(node)
        if isinstance(text, NotLiteral):
            raw = node.scalar() or ""
            match = re.search(r":(\d+(?:/\w+)?)\Z", raw)  # only where it is published is not known
            if match is None:
                return [text]
            text = match[1]
        match = _PORT.match(text)
        if match is None:
            raise DefinitionError(f'"{text}" is no port', self.file, node.line, node.column)
        first, last = whole_number(match["first"]), whole_number(match["last"] or match["first"])
        protocol = match["protocol"] or "tcp"
        if last - first >= MOST_PORTS:
            return [NotLiteral(f"more than {MOST_PORTS} ports")]
        return [f"{number}/{protocol}" for number in range(first, last + 1)]

    def _mount(self, node: LocatedValue) -> ContainerMount:
        if isinstance(node.value, dict):
            kind, source = self.optional(node.get("type")), self.optional(node.get("source"))
            target = self.optional(node.get("target"))
            word = kind if isinstance(kind, str) else "volume"
            where = (resolved(self.base, source) if word == "bind" else source) if source is not None else ""
            read_only = node.get("read_only")
            return ContainerMount(
                word, where, target if target is not None else NotLiteral("it names no target"),
                read_only is not None and read_only.scalar() == "true",
            )  # fmt: skip
        text = self.text(node)
        if isinstance(text, NotLiteral):
            # the container's side stands behind the last variable, as a rule
            match = re.search(r"\}?:(/[^:${}]*)(?::([a-zA-Z,]*))?\Z", node.scalar() or "")
            if match is None:
                return ContainerMount("", text, text)
            return ContainerMount("bind", text, match[1], "ro" in (match[2] or "").split(","))
        drive = text[:2] if _WINDOWS_PATH.match(text) else ""
        parts = text[len(drive) :].split(":")
        parts[0] = drive + parts[0]
        if len(parts) == 1:
            return ContainerMount("volume", "", parts[0].rstrip("/") or "/")
        options = parts[2].split(",") if len(parts) > 2 else []
        target = parts[1].rstrip("/") or "/"
        if parts[0][:1] in (".", "/", "~", "\\") or _WINDOWS_PATH.match(parts[0]):
            source = NotLiteral("it lies in a home directory") if parts[0][0] == "~" else resolved(self.base, parts[0])
            return ContainerMount("bind", source, target, "ro" in options)
        return ContainerMount("volume", parts[0], target, "ro" in options)


def context_of(service: Service, base: str) -> Value:
    """The build context of a service that builds: its file's directory without one."""
    assert service.scalars is not None
    context = service.scalars.get("context")
    return os.path.normpath(base) if context is None else context
