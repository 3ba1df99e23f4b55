"""What the tools of Java and .NET write."""

from __future__ import annotations

import re

from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.passes.multi_stage.tool_outputs import add, fixed
from dfopt.passes.multi_stage.unblock import APART
from dfopt.passes.multi_stage.written_paths import WrittenPath
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes.multi_stage.flow import ToolCall
    from dfopt.passes.multi_stage.tool_outputs import ToolContext, ToolOutputs


def javac(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    if "-version" in call.words or "--version" in call.words:
        return
    out.work.append(call.directory)
    target = (call.after("-d") or [None])[-1]
    if target is not None:
        add(out, call, target, "classes")
        return
    sources = call.operands("-cp", "-classpath", "--class-path", "-source", "-target", "--release", "-encoding")
    for word in sources or [None]:
        where = (word or "").rpartition("/")[0] if word else "."
        place = join_path(call.directory, where or ".")
        if isinstance(place, str):
            out.paths.append(WrittenPath(place, call.step, "tool", role="classes"))


def jar(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    words = [word or "$" for word in call.words]
    first = words[0] if words else ""
    name = (call.after("--file", "-f") or [None])[-1]
    if name is None and re.fullmatch(r"-?[cu][^\Wf]*f\w*", first):
        name = (
            words[1]
            if (len(words) > 1 and first.lstrip("-").find("f") < (first + "m").find("m")) or "m" not in first
            else (words[2] if len(words) > 2 and first.find("m") < first.find("f") else words[1])
        )
    if name is None or "$" in name:
        raise Refusal(f"what jar in line {call.line} writes is not known", APART)
    add(out, call, name, "program")


def _jars(context: ToolContext, call: ToolCall, out: ToolOutputs, files: tuple[str, ...], name: str) -> None:
    """The directories `name` of a project and of the projects in it, which have build `files` of their own."""
    projects = {call.directory: None}
    for entry in context.flow.sources():
        directory, _, base = entry.path.rpartition("/")
        if entry.kind == "context" and base in files and covers(call.directory, directory):
            projects[directory] = None
    for project in projects:
        out.paths.append(WrittenPath(f"{project.rstrip('/')}/{name}", call.step, "tool", role="jars"))


# Goals that make an archive: phases, and goals of plugins
_PACKAGES = re.compile(
    r"\A(?:package|install|verify|deploy)\Z|assembly:(?:single|assembly)|shade:shade|jar:jar|spring-boot:repackage"
)


def maven(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    goals = [word for word in call.words if word and not word.startswith("-")]
    if not any(_PACKAGES.search(goal) for goal in goals):
        if (
            any(
                re.search(r"dependency:(?:go-offline|resolve)|compile|clean|test|validate|\.xml$|^\d", goal)
                for goal in goals
            )
            or not goals
        ):
            return
        raise Refusal(f"what maven in line {call.line} writes is not known", APART)
    out.work.append(call.directory)
    text = context.need(call.directory.rstrip("/") + "/pom.xml", call, "pom.xml")
    if re.search(r"<modules>", text):
        out.notes["modules"] = "maven"
    if "copy-dependencies" in text or "copy-dependencies" in " ".join(goals) or "classpathPrefix" in text:
        out.notes["beside"] = "maven"
    _jars(context, call, out, ("pom.xml",), "target")
    fat = re.search(r"spring-boot-maven-plugin|maven-shade-plugin|maven-assembly-plugin|quarkus|<packaging>war", text)
    depends = any(
        end and not re.search(r"<scope>(?:test|provided)</scope>", dependency)
        for dependency, end, _ in (part.partition("</dependency>") for part in text.split("<dependency>")[1:])
    )
    if depends and not fat and "copy-dependencies" not in text and "copy-dependencies" not in " ".join(goals):
        raise Refusal("the pom.xml puts the libraries that the program needs nowhere beside it")


def gradle(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    tasks = [word for word in call.words if word and not word.startswith("-")]
    if not tasks or all(task in ("dependencies", "clean", "test", "--version") for task in tasks):
        return
    if not any(re.search(r"build|jar|assemble|war|installDist|distTar", task, re.I) for task in tasks):
        raise Refusal(f"what gradle in line {call.line} writes is not known", APART)
    out.work.append(call.directory)
    _jars(context, call, out, ("build.gradle", "build.gradle.kts"), "build")


def dotnet(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    fixed(call)
    name = call.words[0] if call.words else ""
    if name in ("restore", "test", "--info", "--version", "nuget", "tool", "new", "add", "clean", "workload", "build"):
        out.work.append(call.directory)
        if name == "build" and call.after("-o", "--output"):
            add(out, call, call.after("-o", "--output")[-1], "classes")
        return
    if name != "publish":
        raise Refusal(f"what `dotnet {name}` in line {call.line} writes is not known", APART)
    out.work.append(call.directory)
    target = (call.after("-o", "--output") or [None])[-1]
    if target is None:
        raise Refusal(
            f"line {call.line} does not say where dotnet publish writes (-o)", "give `dotnet publish` the option -o DIR"
        )
    if any(word in ("--self-contained", "-p:PublishAot=true", "/p:PublishAot=true") for word in call.words):
        raise Refusal(f"line {call.line} builds a program of its own run time")
    add(out, call, target, "classes")
