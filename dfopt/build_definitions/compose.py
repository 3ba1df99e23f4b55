"""Compose files: services that are built, with what they extend and include.

Rules: the Compose specification (2024), and compose-go, which `docker compose config` prints the result of.
"""

from __future__ import annotations

import os
from contextlib import suppress

from dfopt.build_definitions.compose_service import Service, ServiceReader, context_of
from dfopt.build_definitions.interpolation import read_env
from dfopt.build_definitions.located import LocatedValue
from dfopt.build_definitions.model import (
    DEEPEST,
    MOST_FILES,
    MOST_VALUES,
    BuildTarget,
    DefinitionError,
    NotLiteral,
    dockerfile_in,
)
from dfopt.build_definitions.yaml_nodes import read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.build_definitions.model import DefinitionTree, Value


def read_compose(text: str, file: str, tree: DefinitionTree) -> list[BuildTarget]:
    """The services of a Compose file at the absolute path `file` that are built. Raises DefinitionError."""
    return _Project(tree).load(text, file, os.path.dirname(file), {}, 0)


class _Project:
    def __init__(self, tree: DefinitionTree) -> None:
        self.tree = tree
        self.files = 0
        self.values = 0

    def load(
        self,
        text: str,
        file: str,
        base: str,
        variables: Mapping[str, Value],
        depth: int,
        env_files: tuple[str, ...] = (),
    ) -> list[BuildTarget]:
        """The services that are built by a file whose paths are relative to `base`; `variables` of the one that
        includes it."""
        environment = dict(variables)
        for path in env_files or (os.path.join(base, ".env"),):
            if self.tree.is_file(path):
                with suppress(OSError):
                    environment = {**read_env(self.tree.read(path)), **environment}
        document = _document(text, file)
        targets: list[BuildTarget] = []
        include = document.get("include")
        for entry in include.sequence() if include is not None else []:
            targets += self._included(entry, file, base, environment, depth)
        services = _services(document, file)
        reader = ServiceReader(file, base, environment)
        for name in services:
            service = self._service(name, services, reader, ())
            if service is not None and service.scalars is not None:
                targets.append(_target(name, service, file, base))
        return targets

    def _service(
        self, name: str, services: Mapping[str, LocatedValue], reader: ServiceReader, path: tuple[tuple[str, str], ...]
    ) -> Service | None:
        """A service with what it extends; None where what it extends is not known."""
        node = services[name]
        if (reader.file, name) in path or len(path) > DEEPEST:
            raise DefinitionError(f"service {name} extends itself", reader.file, node.line, node.column)
        service = reader.read(node)
        self.values += service.size()
        if self.values > MOST_VALUES:
            message = f"aliases and `extends` make more than {MOST_VALUES:,} values"
            raise DefinitionError(message, reader.file, node.line, node.column)
        extends = node.get("extends")
        if extends is None:
            return service
        inner = extends.get("service")
        base_name = reader.text(extends if inner is None else inner)
        base_file = reader.optional(extends.get("file"))
        if isinstance(base_name, NotLiteral) or isinstance(base_file, NotLiteral):
            return service
        other, other_services = reader, services
        if base_file is not None:
            place = os.path.normpath(os.path.join(reader.base, base_file))
            text = self._read(place, extends, reader.file)
            other = ServiceReader(place, os.path.dirname(place), reader.variables)
            other_services = _services(_document(text, place), place)
        if base_name not in other_services:
            raise DefinitionError(f"no service {base_name}", reader.file, extends.line, extends.column)
        below = self._service(base_name, other_services, other, (*path, (reader.file, name)))
        return service if below is None else service.over(below)

    def _included(
        self, entry: LocatedValue, file: str, base: str, variables: Mapping[str, Value], depth: int
    ) -> list[BuildTarget]:
        if depth > DEEPEST:
            raise DefinitionError("nested too deeply", file, entry.line, entry.column)
        reader = ServiceReader(file, base, variables)
        path = entry if entry.scalar() is not None else entry.get("path")
        paths = [] if path is None else path.sequence() or [path]
        if not paths:
            raise DefinitionError("include names no path", file, entry.line, entry.column)
        word = reader.text(paths[0])
        if isinstance(word, NotLiteral) or "://" in word or word.startswith("git@"):
            return []
        place = os.path.normpath(os.path.join(base, word))
        directory = reader.optional(entry.get("project_directory"))
        if isinstance(directory, NotLiteral):
            return []
        inner_base = os.path.dirname(place) if directory is None else os.path.normpath(os.path.join(base, directory))
        env = entry.get("env_file")
        named = [reader.text(item) for item in (env.sequence() or [env])] if env is not None else []
        env_files = tuple(os.path.join(base, item) for item in named if isinstance(item, str))
        text = self._read(place, entry, file)
        return self.load(text, place, inner_base, variables, depth + 1, env_files)

    def _read(self, place: str, node: LocatedValue, file: str) -> str:
        self.files += 1
        if self.files > MOST_FILES:
            raise DefinitionError(f"more than {MOST_FILES} files", file, node.line, node.column)
        try:
            return self.tree.read(place)
        except OSError as failure:
            message = f"{os.path.basename(place)}: {failure.strerror or failure}"
            raise DefinitionError(message, file, node.line, node.column) from None


def _document(text: str, file: str) -> LocatedValue:
    documents = read_yaml(text, file)
    if not documents:
        return LocatedValue({}, 1, 1)
    document = documents[0]
    if not isinstance(document.value, dict):
        raise DefinitionError("a mapping was expected", file, document.line, document.column)
    return document


def _services(document: LocatedValue, file: str) -> dict[str, LocatedValue]:
    services = document.get("services")
    if services is None:
        return {}
    if not isinstance(services.value, dict):
        raise DefinitionError("services is no mapping", file, services.line, services.column)
    for name, node in services.value.items():
        if not isinstance(node.value, dict):
            raise DefinitionError(f"service {name} is no mapping", file, node.line, node.column)
    return services.value


def _target(name: str, service: Service, file: str, base: str) -> BuildTarget:
    scalars = service.scalars
    assert scalars is not None
    context = context_of(service, base)
    inline = scalars.get("dockerfile_inline")
    tags = [*service.tags]
    if service.image is not None:
        tags.insert(0, service.image)
    return BuildTarget(
        name, file, service.line, service.column, context,
        None if inline is not None else dockerfile_in(context, scalars.get("dockerfile")), inline,
        scalars.get("target"), service.args, service.contexts, tuple(tags), service.user, tuple(service.ports),
        tuple(service.mounts), tuple(service.platforms),
    )  # fmt: skip
