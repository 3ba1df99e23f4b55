"""What `cargo fetch` reads of a package: the manifest, the lock file, and that a file to compile is there at all.

Cargo refuses a manifest without a target, and looks for the file of each target whose path the manifest does not say;
it does not look into these files (cargo 1.85 and 1.95, by trial).
"""

from __future__ import annotations

from dfopt.analysis.context_documents import member, members, toml_table
from dfopt.knowledge import table
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.passes.dependency_layers.command import Command

_PLACES = ("src/main.rs", "src/lib.rs")


def fetch(command: Command) -> None:
    """Raises Refusal where it is not known to read manifests alone."""
    facts = table("dependency_files")["cargo"]
    command.operands(facts, [word for word in command.values if word != "fetch"])
    command.environment(facts)
    command.manifests(facts)
    if command.holds(".cargo"):
        raise Refusal(".cargo configures cargo")
    manifest = _toml(command, "Cargo.toml")
    if manifest.get("workspace") or member(manifest, "package").get("workspace"):
        raise Refusal("the package belongs to a workspace")
    for key in ("dependencies", "dev-dependencies", "build-dependencies", "target", "patch", "replace"):
        _no_paths(manifest.get(key))
    if not command.holds("Cargo.lock"):
        raise Refusal("there is no Cargo.lock", "commit Cargo.lock (cargo generate-lockfile)")
    local = [package for package in members(_toml(command, "Cargo.lock"), "package") if "source" not in package]
    if len(local) > 1:
        raise Refusal("Cargo.lock names local packages")
    _check_targets(command, manifest)


def placeholders(command: Command) -> list[str]:
    """The files that must be there for cargo to take the manifest; what they hold does not matter."""
    return [path for path in _PLACES if command.holds(path)]


def _toml(command: Command, name: str) -> dict[str, Any]:
    try:
        return toml_table(command.text(name))
    except ValueError:
        raise Refusal(f"{name} is not TOML") from None


def _no_paths(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("path", "workspace") and not isinstance(inner, dict):
                raise Refusal(f"Cargo.toml names a dependency by `{key}`")
            _no_paths(inner)


def _check_targets(command: Command, manifest: dict[str, Any]) -> None:
    package = member(manifest, "package")
    targets = [target for kind in ("bin", "test", "bench", "example") for target in members(manifest, kind)]
    for target in targets:
        name = target.get("name")
        if "path" not in target and not (name == package.get("name") and command.holds("src/main.rs")):
            raise Refusal(f"cargo looks for the file of the target {name}")
    library = member(manifest, "lib")
    if "lib" in manifest and "path" not in library and not command.holds("src/lib.rs"):
        raise Refusal("cargo looks for the file of the library")
    programs = [target.get("name") for target in members(manifest, "bin")]
    if "default-run" in package and package["default-run"] not in programs:
        raise Refusal("cargo looks for the file of default-run")
    if not (placeholders(command) or programs or "lib" in manifest):
        raise Refusal("there is neither src/main.rs nor src/lib.rs")
