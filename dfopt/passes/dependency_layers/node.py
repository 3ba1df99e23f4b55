"""What npm, Yarn 1 and pnpm read of the project that they install. Facts: the table `dependency_files`."""

from __future__ import annotations

import re

from dfopt.analysis.context_documents import json_object
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dfopt.passes.dependency_layers.command import Command

_VERBS = {
    "npm": ("ci", "clean-install", "install", "i"),
    "yarn": ("install",),
    "pnpm": ("install", "i"),
}
# scripts of the project itself that an install runs (docs.npmjs.com/cli/v10/using-npm/scripts)
_SCRIPTS = (
    "preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare", "dependencies",
    "predependencies", "postdependencies", "pnpm:devPreinstall",
)  # fmt: skip
_LOCAL = regex(r"(?:file|link|portal|workspace|patch|catalog):|\.{0,2}/|~/|[A-Za-z]:\\")
_SECTIONS = (
    "dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides", "resolutions",
)  # fmt: skip


def reader(name: str, verb: str, everywhere: bool) -> Callable[[Command], None] | None:
    """The reader of `NAME VERB`; `everywhere`: with --global."""
    if name == "npm" and verb == "cache":
        return _nothing
    if name in ("npm", "pnpm") and everywhere and verb in ("install", "i", "add"):
        return _global
    if verb in _VERBS[name] or (name == "yarn" and (not verb or verb.startswith("-"))):
        return _install
    return _nothing if name == "yarn" and verb == "cache" else None


def _nothing(command: Command) -> None:
    if ".npmrc" in command.sources.paths:
        raise Refusal("the .npmrc of the context may name the cache")


def _global(command: Command) -> None:
    operands = [word for word in command.values[1:] if not word.startswith("-")]
    if any(_LOCAL.match(word) or word.endswith((".tgz", ".tar.gz", ".tar")) for word in operands) or not operands:
        raise Refusal("npm installs something local")
    if any(word.startswith("-") and word not in ("-g", "--global") for word in command.values):
        command.operands(
            {"options": ("-g", "--global", *table("dependency_files")["npm"]["options"])}, command.values[1:]
        )
    command.environment(table("dependency_files")["npm"])
    if command.holds(".npmrc"):
        _check_npmrc(command)
        command.reads(".npmrc")


def _install(command: Command) -> None:
    name = command.program
    facts = table("dependency_files")[name]
    words = command.values if name == "yarn" and command.values[:1] != ["install"] else command.values[1:]
    if command.operands(facts, words):
        raise Refusal(f"`{name} install` of named packages writes package.json")
    command.environment(facts)
    command.manifests(facts)
    package = _json(command, "package.json")
    for path in command.above("package.json"):
        text = command.sources.text(path)
        if '"workspaces"' in text:
            raise Refusal(f"{path} makes a workspace of directories below it")
        if name != "npm" and ('"packageManager"' in text or '"devEngines"' in text):
            raise Refusal(f"{path} tells corepack which {name} to run")
    ignored = "--ignore-scripts" in words
    npmrc = _check_npmrc(command) if command.holds(".npmrc") else {}
    ignored = ignored or npmrc.get("ignore-scripts") == "true"
    _check_package(command, package, ignored)
    if name == "yarn":
        _check_yarn(command, package)
    if name == "pnpm":
        for other in ("pnpm-workspace.yaml", ".pnpmfile.cjs", "pnpmfile.js", ".pnpmfile.mjs"):
            if command.holds(other):
                raise Refusal(f"{other} may lead to other files")
    if not (name == "npm" and words is not None and command.values[0] in ("ci", "clean-install")):
        command.locked(facts)
    _check_lock(command, name, ignored, package)


def _json(command: Command, name: str) -> dict[str, Any]:
    value = json_object(command.text(name))
    if value is None:
        raise Refusal(f"{name} is not a JSON object")
    return value


def _check_package(command: Command, package: dict[str, Any], ignored: bool) -> None:
    for key in ("workspaces", "pnpm", "dependenciesMeta", "installConfig", "patchedDependencies"):
        if package.get(key):
            raise Refusal(f'"{key}" in package.json leads to other files')
    scripts = package.get("scripts")
    if isinstance(scripts, dict) and not ignored:
        script = next((script for script in _SCRIPTS if script in scripts), None)
        if script is not None:
            raise Refusal(
                f"the script {script} of package.json may read the sources",
                "install with --ignore-scripts, and run the script behind the copy",
            )
    if command.holds("binding.gyp") and not ignored:
        raise Refusal("binding.gyp makes the install compile the sources")
    for section in _SECTIONS:
        for word in _strings(package.get(section)):
            if _LOCAL.match(word):
                raise Refusal(f'"{word}" in package.json is a local path')
    if package.get("bundleDependencies") or package.get("bundledDependencies"):
        raise Refusal("package.json bundles dependencies")


def _strings(value: Any) -> list[str]:
    """All strings in a value and its tables."""
    strings: list[str] = []
    pending = [value]
    while pending:
        inner = pending.pop()
        if isinstance(inner, str):
            strings.append(inner)
        elif isinstance(inner, dict):
            pending += inner.values()
    return strings


def _check_npmrc(command: Command) -> dict[str, str]:
    """The settings of .npmrc. Raises Refusal for one that may lead to a file."""
    settings: dict[str, str] = {}
    for line in command.text(".npmrc").splitlines():
        key, _, value = line.strip().partition("=")
        key = key.strip()
        if not key or key[0] in "#;":
            continue
        harmless = key in table("dependency_files")["npmrc"]["harmless"] or key.endswith(":registry")
        if not harmless and not (
            key.startswith("//") and re.search(r":(?:_authToken|_auth|username|_password|email)\Z", key)
        ):
            raise Refusal(f"{key} in .npmrc may lead to other files")
        settings[key] = value.strip().strip("\"'")
    return settings


def _check_yarn(command: Command, package: dict[str, Any]) -> None:
    for section in _SECTIONS[:3]:
        for word in _strings(package.get(section)):  # a tag that is the name of a directory means the directory
            if re.fullmatch(r"[\w.-]+", word) and command.holds(word + "/package.json"):
                raise Refusal(f'"{word}" in package.json is a local path')
    for other in (".yarnrc.yml", ".pnp.cjs", ".pnp.js", ".yarn"):
        if command.holds(other):
            raise Refusal(f"{other}: Yarn 2 and later read more of the project")
    manager = package.get("packageManager")
    if isinstance(manager, str) and manager.startswith("yarn@") and not manager.startswith("yarn@1"):
        raise Refusal(f"{manager} reads more of the project than Yarn 1")
    if command.holds(".yarnrc"):
        for line in command.text(".yarnrc").splitlines():
            word = line.split(" ")[0].strip("\"'")
            if (
                word
                and word[0] != "#"
                and word not in ("registry", "network-timeout", "lastUpdateCheck", "save-prefix")
            ):
                raise Refusal(f"{word} in .yarnrc may lead to other files")


def _check_lock(command: Command, name: str, ignored: bool, package: dict[str, Any]) -> None:
    """Install scripts of the packages, which may look into the project: what the lock file tells of them."""
    if not any(package.get(section) for section in _SECTIONS[:3]):
        return
    lock = next((lock for lock in ("npm-shrinkwrap.json", "package-lock.json") if command.holds(lock)), None)
    scripts = "install scripts of packages may look for files of the project"
    if name != "npm":
        for other in table("dependency_files")[name]["locks"]:
            if command.holds(other) and re.search(r"[\"'@ ](?:file|link|portal):", command.text(other)):
                raise Refusal(f"{other} names local packages")
        if not ignored:
            command.doubts.append(scripts)
        return
    if lock is None:
        if not ignored:
            command.doubts.append(scripts)
        return
    packages = _json(command, lock).get("packages")
    if not isinstance(packages, dict):
        if not ignored:
            command.doubts.append(scripts)
        if re.search(r'"version": "file:', command.text(lock)):
            raise Refusal(f"{lock} names local packages")
        return
    facts = table("dependency_files")["install-scripts"]
    settings = next((name for name in facts["looked-for"] if command.holds(name)), None)
    for path, entry in packages.items():
        if not path or not isinstance(entry, dict):
            continue
        local = entry.get("link") or str(entry.get("resolved", "")).startswith("file:")
        if local or not path.startswith("node_modules/"):
            raise Refusal(f"{lock} names local packages")
        package_name = path.rpartition("node_modules/")[2]
        if not entry.get("hasInstallScript") or ignored:
            continue
        if package_name not in facts["known"] or settings is not None:
            sought = settings or "files of the project"
            command.doubts.append(f"the install script of {package_name} may look for {sought}")
            return
