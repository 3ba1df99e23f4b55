"""What Go, Bundler, Composer, Maven and .NET read of the project that they install."""

from __future__ import annotations

import re

from dfopt.ir.bases import split_image
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes._dependencies import Reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dfopt.passes._dependencies import Command


def reader(name: str, values: list[str]) -> Callable[[Command], None] | None:
    operands = [word for word in values if not word.startswith("-")]
    if name == "go":
        return _go if operands == ["mod", "download"] else None
    if name in ("bundle", "bundler"):
        if operands[:1] == ["config"]:
            return _bundle_config
        return _bundle if operands[:1] in (["install"], []) else None
    if name == "composer":
        return _composer if operands[:1] == ["install"] else None
    if name == "mvn":
        goals = [word for word in operands if word.startswith("dependency:")]
        return _maven if goals and goals == operands else None
    return _dotnet if operands[:1] == ["restore"] else None


def _go(command: Command) -> None:
    facts = table("dependency_files")["go"]
    command.known(facts, command.values)
    command.environment(facts)
    flags = command.scope.env.get("GOFLAGS")
    if flags is not None and not (isinstance(flags, str) and re.search(r"-mod(?:file)?\b", flags) is None):
        raise Reads("GOFLAGS may lead go to other files")
    command.manifests(facts)
    if command.holds("go.work"):
        raise Reads("go.work names other modules")
    for line in command.text("go.mod").splitlines():
        if re.search(r"=>\s*(?:\"?\.{0,2}/|`?\.{0,2}/)", line.partition("//")[0]):
            raise Reads("go.mod replaces a module by a local one")
    release = _go_release(command.scope.image)
    if release is None or release < 18:  # before, a download could add to go.sum
        command.doubts.append("go.sum stays as it is in the context, where go before 1.18 may add to it")
    if not command.holds("go.sum") and re.search(
        r"^\s*(?:require\s+)?[\w.-]+\.[a-z]+/\S+\s+v", command.text("go.mod"), re.M
    ):
        raise Reads("there is no go.sum")


def _go_release(image: str | None) -> int | None:
    """The minor version of Go 1 that an official image brings; a tag without a number is a current one."""
    name, tag = split_image(image or "")
    if name != "golang" or tag is None:
        return None
    match = re.match(r"1\.(\d+)", tag)
    return int(match[1]) if match is not None else None if re.match(r"\d", tag) else 99


_GEM_LINE = regex(
    r"""(?:source\s*\(?\s*["']https?://[^"']+["']\s*\)?(?:\s+do)?
      | gem\s*\(?\s*["'][\w.-]+["'](?:\s*,\s*(?:["'][^"']*["']
          |:?["']?(?:require|groups?|platforms?|git|github|branch|tag|ref|source|force_ruby_platform)["']?\s*(?:=>|:)
           \s*(?:["'][^"']*["']|:\w+|%[iw]\[[\w\s-]*\]|\[[^\[\]]*\]|true|false|nil)))*\s*\)?
      | (?:group|platforms?)\s*\(?[\s:\w,"'-]+\)?\s+do
      | ruby\s*\(?\s*(?:["'][^"']*["'](?:\s*,\s*["'][^"']*["'])*|file:\s*["']\.(?:ruby-version|tool-versions)["'])\s*\)?
      | end)\s*(?:\#.*)?\Z""",
    re.X,
)  # fmt: skip


def _bundle_config(command: Command) -> None:
    words = [word for word in command.values[1:] if word not in ("set", "--local", "--global", "--delete", "unset")]
    known = table("dependency_files")["bundle"]["settings"]
    if not words or words[0].lower().replace("_", "-").lstrip("-") not in known or (
        any(word.startswith((".", "/")) for word in words[1:])
    ):  # fmt: skip
        raise Reads("what `bundle config` sets is not known")
    command.writes.append(command.directory + ".bundle/")


def _bundle(command: Command) -> None:
    facts = table("dependency_files")["bundle"]
    command.known(facts, [word for word in command.values if word != "install"])
    command.environment(facts)
    for name in ("RUBYOPT", "RUBYLIB"):
        if name in command.scope.env:
            raise Reads(f"{name} may lead Ruby to the sources")
    command.manifests(facts)
    for line in re.sub(r",\s*\n", ", ", command.text("Gemfile").replace("\r", "")).splitlines():
        text = line.strip()
        if text and text[0] != "#" and not _GEM_LINE.match(text):
            raise Reads(f"`{text[:60]}` of the Gemfile may read other files")
    lock = command.text("Gemfile.lock") if command.holds("Gemfile.lock") else ""
    if re.search(r"^PATH$", lock, re.M):
        raise Reads("Gemfile.lock names local gems")
    env = command.scope.env
    if not any(env.get(name) in ("1", "true") for name in ("BUNDLE_FROZEN", "BUNDLE_DEPLOYMENT")):
        command.locked(facts)


def _composer(command: Command) -> None:
    import json

    facts = table("dependency_files")["composer"]
    command.known(facts, command.values[1:])
    command.environment(facts)
    command.manifests(facts)
    try:
        project = json.loads(command.text("composer.json"))
        lock = json.loads(command.text("composer.lock")) if command.holds("composer.lock") else {}
    except (ValueError, RecursionError):
        raise Reads("composer.json or composer.lock is not JSON") from None
    if not isinstance(project, dict) or not isinstance(lock, dict):
        raise Reads("composer.json is no object")
    _composer_project(command, project)
    packages = [*lock.get("packages", ()), *lock.get("packages-dev", ())]
    if any(one.get("dist", {}).get("type") == "path" for one in packages if isinstance(one, dict)):
        raise Reads("composer.lock names local packages")
    if "--no-plugins" not in command.values:
        wanted = project.get("require") or project.get("require-dev")
        if wanted and not packages:
            command.doubts.append("plugins of composer may look for files of the project")
        for one in packages:
            if one.get("type") in ("composer-plugin", "composer-installer"):
                raise Reads(f"{one.get('name')} is a plugin, which may read the sources")


def _composer_project(command: Command, project: dict[str, Any]) -> None:
    options = command.values
    repositories = project.get("repositories") or []
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
            if (project.get(section) or {}).get("classmap"):
                raise Reads("the class map of composer.json is made from the sources")


def _maven(command: Command) -> None:
    facts = table("dependency_files")["mvn"]
    command.known(facts, command.values)
    command.environment(facts)
    command.manifests(facts)
    if command.holds(".mvn"):
        raise Reads(".mvn configures Maven")
    text = command.text("pom.xml")
    for tag in ("modules", "systemPath", "relativePath", "extensions"):
        if re.search(rf"<{tag}\s*>", text):
            raise Reads(f"<{tag}> in pom.xml leads to other files")
    if re.search(r"file:|\$\{(?:project\.)?basedir\}", text):
        raise Reads("pom.xml names local files")


def _dotnet(command: Command) -> None:
    facts = table("dependency_files")["dotnet"]
    operands = command.known(facts, [word for word in command.values if word != "restore"])
    command.environment(facts)
    directory = command.directory
    here = [path[len(directory) :] for path in command.sources.paths if path.startswith(directory)]
    projects = sorted(path for path in here if re.search(r"\.(?:cs|fs|vb)proj\Z", path))
    named = [word.removeprefix("./") for word in operands]
    if (
        len(projects) != 1
        or "/" in projects[0]
        or (named and named != projects)
        or any(p.endswith(".sln") for p in here)
    ):
        raise Reads("there is more than one project")
    command.reads(projects[0])
    command.manifests(facts)
    for name in (projects[0], "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"):
        if command.holds(name):
            match = re.search(
                r"<(ProjectReference|Import|Target|UsingTask|Reference)\b|\$\(MSBuildThisFile", command.text(name)
            )
            if match is not None:
                raise Reads(f"{match[0]} in {name} may lead to other files")
    if any(path.count("/") and path.rpartition("/")[2] in facts["read"] for path in here):
        raise Reads("directories below configure the build too")
    command.locked(facts)
