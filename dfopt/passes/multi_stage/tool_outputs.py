"""What build tools write: the common ground. Sources: the tools' own documentation (go 1.25 `go help build`, The Cargo
Book 1.85, GCC 14, javac 21, maven 3.9 and gradle 8 user guides, dotnet 9 CLI, pip 25, npm 11, yarn 1.22 and 4, bundler
2.6, composer 2.8)."""

from __future__ import annotations

from posixpath import normpath

from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.passes.multi_stage.unblock import CONTEXT, WRITE_OUT
from dfopt.passes.multi_stage.written_paths import WrittenPath
from dfopt.record import Record
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.passes.multi_stage.flow import Flow, ToolCall


class ToolOutputs:
    """What the tools of a stage leave.

    paths     with roles: "program", "library" (that a program loads by name), "data", "packages" (of a language),
              "classes", "jars"
    work      directories in which a tool worked: sources and intermediate files
    linked    libraries by name, `modules` by pkg-config's name
    languages the languages whose tools ran
    """

    def __init__(self) -> None:
        self.paths: list[WrittenPath] = []
        self.linked: list[tuple[str, int]] = []
        self.modules: list[tuple[str, int]] = []
        self.loads: list[tuple[str, int]] = []
        self.static: set[str] = set()
        self.work: list[str] = []
        self.crates: list[str] = []
        self.notes: dict[str, str] = {}
        self.scripts: list[tuple[int, str]] = []  # programs of the project itself that the build runs: line, words
        self.ran: list[tuple[int, str]] = []  # programs that a tool has built and that the build runs: line, name
        self.gone: list[WrittenPath] = []  # what later commands delete or move away
        self.console: set[str] = set()  # programs that a language's packages bring

    def delete(self, path: str) -> None:
        """What tools have written at or below `path` is gone."""
        self.gone += [entry for entry in self.paths if covers(path, entry.path)]
        self.paths = [entry for entry in self.paths if not covers(path, entry.path)]


class ToolContext(Record):
    """The stage, the file tree at hand, and the facts: what a rule needs to read build files."""

    flow: Flow
    facts: Facts
    features: frozenset[str]
    release: str

    def text(self, path: str) -> str | None:
        """The text of the file at `path` in the image, where it comes from the build context."""
        for entry in reversed([*self.flow.gone, *self.flow.paths]):
            if entry.path == path and entry.kind == "context" and entry.source:
                data = self.facts.context_file(entry.source)
                return None if data is None else data.decode("utf-8", "surrogateescape")
            if entry.kind == "tree" and path.startswith(entry.path.rstrip("/") + "/"):
                source = normpath((entry.source if entry.source != "." else "") + "/" + path[len(entry.path) :]).lstrip(
                    "/"
                )
                data = self.facts.context_file(source)
                return None if data is None else data.decode("utf-8", "surrogateescape")
        return None

    def need(self, path: str, call: ToolCall, what: str) -> str:
        text = self.text(path)
        if text is None:
            raise Refusal(
                f"{what} is not at hand, so that what line {call.line} writes is not known",
                CONTEXT,
            )
        return text


def add(out: ToolOutputs, call: ToolCall, path: str | None, role: str) -> None:
    target = join_path(call.directory, path) if path is not None else None
    if not isinstance(target, str):
        raise Refusal(f"what {call.program} writes in line {call.line} depends on something unknown", WRITE_OUT)
    out.paths.append(WrittenPath(target, call.step, "tool", role=role))


def fixed(call: ToolCall) -> None:
    if any(word is None for word in call.words[:1]):
        raise Refusal(f"the words of {call.program} in line {call.line} are not fixed", WRITE_OUT)


def own_script(context: ToolContext, call: ToolCall, out: ToolOutputs, word: str) -> None:
    """A program of the project's own, which is run by its interpreter: its text must be at hand."""
    path = join_path(call.directory, word)
    if not isinstance(path, str) or context.text(path) is None:
        raise Refusal(
            f"{word} is not at hand, so that what line {call.line} writes is not known",
            CONTEXT,
        )
    out.scripts.append((call.line, f"{call.program} {word}"))
    out.work.append(call.directory)
