"""What `dotnet restore` reads of the project."""

from __future__ import annotations

import re

from dfopt.knowledge import table
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes.dependency_layers.command import Command


def restore(command: Command) -> None:
    facts = table("dependency_files")["dotnet"]
    operands = command.operands(facts, [word for word in command.values if word != "restore"])
    command.environment(facts)
    directory = command.directory
    here = [path[len(directory) :] for path in command.sources.paths if path.startswith(directory)]
    projects = sorted(path for path in here if re.search(r"\.(?:cs|fs|vb)proj\Z", path))
    named = [word.removeprefix("./") for word in operands]
    if not projects:
        raise Refusal("there is no project")
    if (
        len(projects) != 1
        or "/" in projects[0]
        or (named and named != projects)
        or any(p.endswith(".sln") for p in here)
    ):
        raise Refusal("there is more than one project")
    command.reads(projects[0])
    command.manifests(facts)
    for name in (projects[0], "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props"):
        if command.holds(name):
            match = re.search(
                r"<(ProjectReference|Import|Target|UsingTask|Reference|Restore\w*(?:Sources|Path|File)"
                r"|BaseIntermediateOutputPath|MSBuildProjectExtensionsPath)\b|\$\(MSBuildThisFile",
                command.text(name),
            )
            if match is not None:
                raise Refusal(f"{match[0]} in {name} may lead to other files")
    for name in ("NuGet.config", "NuGet.Config", "nuget.config"):
        for value in re.findall(r"\bvalue\s*=\s*[\"']([^\"']*)", command.text(name)) if command.holds(name) else ():
            if re.fullmatch(r"https?://\S*|(?i:true|false|\d+)", value) is None:
                raise Refusal(f"{value} in {name} may be a local path")
    if any(path.count("/") and path.rpartition("/")[2] in facts["read"] for path in here):
        raise Refusal("directories below configure the build too")
    command.locked(facts)
