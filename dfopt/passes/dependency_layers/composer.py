"""What Composer reads of the project that it installs."""

from __future__ import annotations

import re

from dfopt.analysis.json_files import json_object, member
from dfopt.knowledge import table
from dfopt.passes.dependency_layers.sources import Reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.passes.dependency_layers.command import Command


def install(command: Command) -> None:

    facts = table("dependency_files")["composer"]
    if any(word in ("-o", "--optimize-autoloader", "-a", "--classmap-authoritative") for word in command.values):
        raise Reads("the class map of composer.json is made from the sources")
    command.known(facts, command.values[1:])
    command.environment(facts)
    command.manifests(facts)
    project = json_object(command.text("composer.json"))
    lock = json_object(command.text("composer.lock")) if command.holds("composer.lock") else {}
    if project is None or lock is None:
        raise Reads("composer.json or composer.lock is not a JSON object")
    _check_project(command, project)
    if "version" not in project and "COMPOSER_ROOT_VERSION" not in command.scope.env:
        for name in facts["versions"]:
            if command.holds(name) or command.above(name):
                raise Reads(f"composer takes the version of the project from {name}")
    listed = [value for key in ("packages", "packages-dev") if isinstance(value := lock.get(key), list)]
    packages = [one for value in listed for one in value if isinstance(one, dict)]
    if any(member(one, "dist").get("type") == "path" for one in packages):
        raise Reads("composer.lock names local packages")
    if "--no-plugins" not in command.values:
        wanted = project.get("require") or project.get("require-dev")
        if wanted and not packages:
            command.doubts.append("plugins of composer may look for files of the project")
        for one in packages:
            if one.get("type") in ("composer-plugin", "composer-installer"):
                raise Reads(f"{one.get('name')} is a plugin, which may read the sources")


def _check_project(command: Command, project: dict[str, Any]) -> None:
    options = command.values
    repositories = project.get("repositories") or []
    if not isinstance(repositories, (dict, list)) or not isinstance(project.get("config") or {}, dict):
        raise Reads("composer.json is not understood")
    for one in repositories.values() if isinstance(repositories, dict) else repositories:
        if isinstance(one, dict) and one.get("type") not in ("composer", "vcs", "git", "github", "package", None):
            raise Reads(f"composer.json names a repository of the type {one.get('type')}")
        if isinstance(one, dict) and not re.match(r"https?://|git@", str(one.get("url", "https://"))):
            raise Reads("composer.json names a local repository")
    if project.get("scripts") and "--no-scripts" not in options:
        raise Reads("the scripts of composer.json may read the sources")
    config = project.get("config") or {}
    for key in (
        "vendor-dir",
        "bin-dir",
        "cache-dir",
        "classmap-authoritative",
        "optimize-autoloader",
        "platform-check",
    ):
        if config.get(key) and not (key == "platform-check"):
            raise Reads(f'"{key}" in composer.json')
    if "--no-autoloader" not in options:
        for section in ("autoload", "autoload-dev"):
            if member(project, section).get("classmap"):
                raise Reads("the class map of composer.json is made from the sources")
