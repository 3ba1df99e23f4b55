"""What Composer reads of the project that it installs."""

from __future__ import annotations

import re

from dfopt.analysis.context_documents import json_object, member
from dfopt.knowledge import table
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.passes.dependency_layers.command import Command


def install(command: Command) -> None:
    """What `composer install` reads. Raises Refusal."""
    facts = table("dependency_files")["composer"]
    if any(word in ("-o", "--optimize-autoloader", "-a", "--classmap-authoritative") for word in command.values):
        raise Refusal("the class map of composer.json is made from the sources")
    command.operands(facts, command.values[1:])
    command.environment(facts)
    command.manifests(facts)
    project = json_object(command.text("composer.json"))
    lock = json_object(command.text("composer.lock")) if command.holds("composer.lock") else {}
    if project is None or lock is None:
        raise Refusal("composer.json or composer.lock is not a JSON object")
    _check_project(command, project)
    if "version" not in project and "COMPOSER_ROOT_VERSION" not in command.scope.env:
        for name in facts["versions"]:
            if command.holds(name) or command.above(name):
                raise Refusal(f"composer takes the version of the project from {name}")
    listed = [value for key in ("packages", "packages-dev") if isinstance(value := lock.get(key), list)]
    packages = [package for value in listed for package in value if isinstance(package, dict)]
    if any(member(package, "dist").get("type") == "path" for package in packages):
        raise Refusal("composer.lock names local packages")
    if "--no-plugins" not in command.values:
        requires = project.get("require") or project.get("require-dev")
        if requires and not packages:
            command.doubts.append("plugins of composer may look for files of the project")
        for package in packages:
            if package.get("type") in ("composer-plugin", "composer-installer"):
                raise Refusal(
                    f"{package.get('name')} is a plugin, which may read the sources", "install with --no-plugins"
                )


def _check_project(command: Command, project: dict[str, Any]) -> None:
    options = command.values
    repositories = project.get("repositories") or []
    if not isinstance(repositories, (dict, list)) or not isinstance(project.get("config") or {}, dict):
        raise Refusal("composer.json is not understood")
    for repository in repositories.values() if isinstance(repositories, dict) else repositories:
        if not isinstance(repository, dict):
            continue
        if repository.get("type") not in ("composer", "vcs", "git", "github", "package", None):
            raise Refusal(f"composer.json names a repository of the type {repository.get('type')}")
        if not re.match(r"https?://|git@", str(repository.get("url", "https://"))):
            raise Refusal("composer.json names a local repository")
    if project.get("scripts") and "--no-scripts" not in options:
        raise Refusal(
            "the scripts of composer.json may read the sources",
            "install with --no-scripts, and run them behind the copy",
        )
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
            raise Refusal(f'"{key}" in composer.json')
    if "--no-autoloader" not in options:
        for section in ("autoload", "autoload-dev"):
            if member(project, section).get("classmap"):
                raise Refusal("the class map of composer.json is made from the sources")
