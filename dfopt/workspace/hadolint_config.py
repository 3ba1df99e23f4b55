"""hadolint's configuration file, as far as dfopt has a counterpart.

Keys: hadolint 2.15, README ("Configure") and src/Hadolint/Config. Nothing but the YAML's own nodes is read: no tags are
resolved and no aliases multiplied.
"""

from __future__ import annotations

from dfopt.files import read_regular
from dfopt.messages import suggestion
from dfopt.record import Record
from dfopt.workspace.paths import display_name
from dfopt.workspace.settings import ConfigError
from dfopt.yaml import YamlError, documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, NoReturn

NAMES = (".hadolint.yaml", ".hadolint.yml")
_MOST_BYTES = 1 << 18
_SEVERITIES = ("error", "warning", "info", "style")
_THRESHOLDS = (*_SEVERITIES, "ignore", "none")
_KEYS = (
    "disable-ignore-pragma", "failure-threshold", "format", "ignored", "label-schema", "no-color", "no-fail",
    "override", "strict-labels", "trustedRegistries",
)  # fmt: skip


class HadolintConfig(Record):
    """What a configuration of hadolint says.

    file        as shown to the user
    ignored     codes, upper case
    overrides   code -> severity
    registries  trustedRegistries
    threshold   failure-threshold ("none" also for `no-fail: true`); "" where it is not set
    format      the output format, "" where it is not set
    others      keys that are set and that dfopt has nothing for
    """

    file: str
    ignored: tuple[str, ...] = ()
    overrides: Mapping[str, str] = {}
    registries: tuple[str, ...] = ()
    threshold: str = ""
    format: str = ""
    others: tuple[str, ...] = ()


def read_hadolint_config(path: str) -> HadolintConfig:
    """The configuration in a file. Raises ConfigError with the place of what is wrong, and OSError."""
    reader = _NodeReader(display_name(path))
    root = reader.root(read_regular(path, _MOST_BYTES))
    keys: dict[str, Any] = {}
    for key, node in reader.pairs(root, "the file") if root is not None else ():
        if key not in _KEYS:
            reader.fail(root, f'unknown key "{key}"{suggestion(key, _KEYS)}', key)
        keys[key] = node
    overrides: dict[str, str] = {}
    for severity, node in reader.pairs(keys["override"], "override") if "override" in keys else ():
        if severity not in _SEVERITIES:
            reader.fail(keys["override"], f'unknown severity "{severity}"{suggestion(severity, _SEVERITIES)}', severity)
        overrides.update(dict.fromkeys(map(str.upper, reader.strings(node, f"override.{severity}")), severity))
    threshold = reader.text(keys["failure-threshold"], "failure-threshold") if "failure-threshold" in keys else ""
    if threshold and threshold not in _THRESHOLDS:
        reader.fail(keys["failure-threshold"], f'"{threshold}" is none of {", ".join(_THRESHOLDS)}')
    if "no-fail" in keys and reader.text(keys["no-fail"], "no-fail").lower() == "true":
        threshold = "none"
    return HadolintConfig(
        reader.file,
        tuple(map(str.upper, reader.strings(keys["ignored"], "ignored"))) if "ignored" in keys else (),
        overrides,
        tuple(reader.strings(keys["trustedRegistries"], "trustedRegistries")) if "trustedRegistries" in keys else (),
        threshold,
        reader.text(keys["format"], "format") if "format" in keys else "",
        tuple(key for key in keys if key in ("disable-ignore-pragma", "label-schema", "strict-labels")),
    )


class _NodeReader:
    """Reads the nodes of one YAML file."""

    def __init__(self, file: str) -> None:
        self.file = file

    def root(self, content: bytes) -> Any:
        """The node of the only document; None for an empty one. Raises ConfigError."""
        try:
            (root,) = documents(content.decode("utf-8"), single=True)
        except UnicodeDecodeError:
            raise ConfigError("not UTF-8", self.file) from None
        except YamlError as failure:
            raise ConfigError(failure.message, self.file, failure.line, failure.column) from None
        return root

    def fail(self, node: Any, message: str, key: str = "") -> NoReturn:
        """Raises the error of a node, or of a key of it."""
        at = next((name for name, _ in node.value if name.value == key), node) if key else node
        raise ConfigError(message, self.file, at.start_mark.line + 1, at.start_mark.column + 1)

    def pairs(self, node: Any, what: str) -> Iterator[tuple[str, Any]]:
        """Key and value of each entry of a mapping."""
        from ruamel.yaml.nodes import MappingNode, ScalarNode

        if not isinstance(node, MappingNode):
            self.fail(node, f"{what} must be a mapping")
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.fail(key, "a key must be a string")
            yield key.value, value

    def strings(self, node: Any, what: str) -> list[str]:
        """The items of a list of strings."""
        from ruamel.yaml.nodes import SequenceNode

        if not isinstance(node, SequenceNode):
            self.fail(node, f"{what} must be a list")
        return [self.text(item, f"an item of {what}") for item in node.value]

    def text(self, node: Any, what: str) -> str:
        """A scalar as it is written."""
        from ruamel.yaml.nodes import ScalarNode

        if not isinstance(node, ScalarNode) or not node.value:
            self.fail(node, f"{what} must be a string")
        return str(node.value)
