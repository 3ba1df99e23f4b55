"""`RUN --mount=...`, parsed.

Source: BuildKit, frontend/dockerfile/docs/reference.md (RUN --mount) and instructions/commands_runmount.go.
"""

from __future__ import annotations

from dfopt.record import Record
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.tree import Flag, Instruction

_LONG_NAMES = {"dst": "target", "destination": "target", "src": "source", "ro": "readonly", "rw": "readwrite"}


class Mount(Record):
    """One `--mount`, as written: variables are not expanded.

    flag     the flag
    fields   the fields by lower-case key, short keys under their long names; "" without `=`
    """

    flag: Flag
    fields: dict[str, str]

    @property
    def kind(self) -> str:
        """ "bind" (also where none is given), "cache", "secret", "ssh" or "tmpfs"."""
        return self.fields.get("type", "bind").lower()

    @property
    def target(self) -> str:
        """Where it is mounted; "" where nothing says so. A relative path counts from the working directory."""
        return self.fields.get("target", "")

    @property
    def image(self) -> str:
        """The stage, image or build context of `from=`; "" without."""
        return self.fields.get("from", "")

    @property
    def source(self) -> str:
        """The path in `image`, or in the build context."""
        return self.fields.get("source", "/")


def mounts(node: Instruction) -> list[Mount]:
    """The mounts of an instruction, in the order of its flags."""
    return [Mount(flag, parse_mount(flag.value)) for flag in node.flags if flag.name == "mount" and flag.value]


def parse_mount(value: str, at: int = 0) -> dict[str, str]:
    """The fields of a `--mount` value, as in `Mount.fields`; of a key that is given twice, the last one. Raises
    DockerfileError (at `at`) where the value is not CSV."""
    fields: dict[str, str] = {}
    for field in mount_fields(value, at):
        key, _, setting = field.partition("=")
        key = key.strip().lower()
        fields[_LONG_NAMES.get(key, key)] = setting
    return fields


def mount_fields(value: str, at: int = 0) -> list[str]:
    """The comma-separated fields of a `--mount` value (RFC 4180 quotes). Raises DockerfileError."""
    if '"' not in value:
        return value.split(",")
    import csv

    try:
        rows = list(csv.reader([value], strict=True))
    except csv.Error as error:
        raise DockerfileError(f"failed to parse csv mounts: {error}", at) from None
    return rows[0] if rows else []
