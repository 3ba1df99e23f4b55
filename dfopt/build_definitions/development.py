"""Dev Containers and Skaffold: images for development.

Sources: the Dev Container metadata reference (containers.dev), Skaffold's schema v4beta (`build.artifacts`).
"""

from __future__ import annotations

import os
import re

from dfopt.build_definitions.json_nodes import read_json
from dfopt.build_definitions.model import BuildTarget, NotLiteral, dockerfile_in, resolved
from dfopt.build_definitions.yaml_nodes import read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.build_definitions.located import LocatedValue
    from dfopt.build_definitions.model import DefinitionTree, Value

_OTHER_BUILDERS = ("bazel", "buildpacks", "custom", "jib", "ko")


_VARIABLE = re.compile(r"\$\{[^}]*(?:\}|\Z)|\{\{.*?(?:\}\}|\Z)", re.S)  # without an end, to that of the text


def _value(node: LocatedValue | None) -> Value | None:
    text = node.scalar() if node is not None else None
    if text is None:
        return None
    variable = _VARIABLE.search(text)
    return NotLiteral(f"{variable[0]} is not literal") if variable is not None else text


def read_devcontainer(text: str, file: str, tree: DefinitionTree) -> list[BuildTarget]:
    """The image of a devcontainer.json; one that starts from an image or from Compose builds nothing. Raises
    DefinitionError."""
    document = read_json(text, file, comments=True)
    build = document.get("build") or document
    dockerfile = _value(build.get("dockerfile") or document.get("dockerFile"))
    if dockerfile is None:
        return []
    base = os.path.dirname(file)
    context = resolved(base, _value(build.get("context") or document.get("context")) or ".")
    args = build.get("args") if build is not document else None
    ports = document.get("forwardPorts")
    numbers = [_value(port) for port in ports.sequence()] if ports is not None else []
    return [
        BuildTarget(
            _text(_value(document.get("name"))) or "devcontainer", file, build.line, build.column, context,
            resolved(base, dockerfile), None, _value(build.get("target")) if build is not document else None,
            {name: _value(value) for name, value in args.items()} if args is not None else {},
            user=_value(document.get("containerUser")),
            ports=tuple(f"{port}/tcp" if isinstance(port, str) else port for port in numbers if port is not None),
        )
    ]  # fmt: skip


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""


def read_skaffold(text: str, file: str, tree: DefinitionTree) -> list[BuildTarget]:
    """The artifacts of a Skaffold file that docker or kaniko builds, those of its profiles too. Raises
    DefinitionError."""
    base = os.path.dirname(file)
    targets: list[BuildTarget] = []
    for document in read_yaml(text, file):
        profiles = document.get("profiles")
        for holder in (document, *(profiles.sequence() if profiles is not None else ())):
            build = holder.get("build")
            artifacts = build.get("artifacts") if build is not None else None
            for artifact in artifacts.sequence() if artifacts is not None else ():
                if any(name in _OTHER_BUILDERS for name, _ in artifact.items()):
                    continue
                options = artifact.get("docker") or artifact.get("kaniko")
                image = _value(artifact.get("image"))
                context = resolved(base, _value(artifact.get("context")) or ".")
                args = options.get("buildArgs") if options is not None else None
                targets.append(
                    BuildTarget(
                        _text(image) or "artifact", file, artifact.line, artifact.column, context,
                        dockerfile_in(context, _value(options.get("dockerfile")) if options is not None else None),
                        None, _value(options.get("target")) if options is not None else None,
                        {name: _value(value) for name, value in args.items()} if args is not None else {},
                        tags=() if image is None else (image,),
                    )
                )  # fmt: skip
    return targets
