"""The facts that the command line gives to the optimizer: answers from the build context and, joined to them, others.

Nothing is looked at before a pass asks, and nothing is imported for it: making these costs a file nothing.
"""

from __future__ import annotations

from dfopt.facts import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from dfopt.facts import BuiltImage, Child, ObservedRun, Parent, RunEvidence, StatedBuild
    from dfopt.refusal import Refusal
    from dfopt.source import Source
    from dfopt.workspace.context import BuildContext
    from dfopt.workspace.fact_trace import FactTrace

PROFILE = "dfopt.profile"  # the name of a file's profile, beside it (see `dfopt.profile`)


class ContextFacts(Facts):
    """`context_paths` and `context_file` of one Dockerfile, from its build context on disk.

    path     of the Dockerfile; what is named by "-" (standard input) has a context only where one is given
    root     the directory that the search for the context does not leave
    source   the Dockerfile's content
    context  the directory that the user names as the build context; None: it is found out (see `context.find_context`)
    shared   whether files of one run may share a context's listing (see `context.KEPT`)
    """

    __slots__ = ("_found", "_looked", "_needs", "context", "path", "root", "shared", "source")

    def __init__(self, path: str, root: str, source: Source, context: str | None = None, shared: bool = False) -> None:
        self.path = path
        self.root = root
        self.source = source
        self.context = context
        self.shared = shared
        self._needs: tuple[tuple[str, bool], ...] | Literal[False] | None = False  # not yet looked for
        self._found: BuildContext | None = None
        self._looked = False

    def __reduce__(self) -> tuple[Any, ...]:
        return ContextFacts, (self.path, self.root, self.source, self.context, self.shared)

    @property
    def needs(self) -> tuple[tuple[str, bool], ...] | None:
        """What the file needs of its context (`context.needs_of`)."""
        if self._needs is False:
            from dfopt.workspace.context import needs_of

            self._needs = needs_of(self.source.text)
        return self._needs

    @needs.setter
    def needs(self, needs: tuple[tuple[str, bool], ...] | None) -> None:
        """As an earlier run found them in the same text."""
        self._needs = needs

    def known_needs(self) -> tuple[tuple[str, bool], ...] | None:
        """The needs, if anybody has looked for them; else None."""
        return None if self._needs is False else self._needs

    def build_context(self) -> BuildContext | None:
        """The build context; None where it is not known which directory that is, or what is left out of it."""
        if not self._looked:
            from dfopt.workspace.context import find_context

            self._found = find_context(self.path, self.root, lambda: self.needs, self.context)
            if self._found is not None:
                self._found.shared = self.shared
            self._looked = True
        return self._found

    def knows(self, question: str) -> bool:
        if question in ("parent", "stated_builds"):
            return bool(self.root)
        if question == "children":
            from dfopt.workspace.children import names_of

            return bool(self.root and names_of(self.path))
        return super().knows(question)

    def children(self) -> tuple[Child, ...] | None:
        from dfopt.workspace.children import children_of

        return children_of(self.path, self.root)

    def parent(self, image: str) -> Parent | None:
        from dfopt.workspace.parent_files import parent_of

        return parent_of(self.path, self.root, image)

    def stated_builds(self) -> tuple[StatedBuild, ...] | None:
        if not self.root or self.path == "-":
            return None
        from dfopt.workspace.stated_builds import stated_builds

        return stated_builds(self.path) or None

    def context_paths(self) -> frozenset[str] | None:
        context = self.build_context()
        return context.paths() if context is not None else None

    def context_holds(self, path: str) -> bool | None:
        context = self.build_context()
        return context.holds(path) if context is not None else None

    def context_leaves_out(self, path: str) -> bool | None:
        from dfopt.workspace.context import find_whole_directory

        context = self.build_context()
        if context is None and self.context is None and self.path != "-":
            # what .dockerignore leaves out speaks against a directory where it is asked for; here it is the question
            context = find_whole_directory(self.path, self.needs)
        return context.lacks(path) if context is not None else None

    def context_file(self, path: str) -> bytes | None:
        context = self.build_context()
        return context.read(path) if context is not None else None


class JoinedFacts(Facts):
    """Several sources of facts as one: for each question, the first that knows an answer gives it."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Facts, ...]) -> None:
        self.parts = parts

    def __reduce__(self) -> tuple[Any, ...]:
        return JoinedFacts, (self.parts,)

    def knows(self, question: str) -> bool:
        return any(part.knows(question) for part in self.parts)

    def digest(self, image: str) -> str | None:
        return next((answer for part in self.parts if (answer := part.digest(image)) is not None), None)

    def checksum(self, url: str) -> str | None:
        return next((answer for part in self.parts if (answer := part.checksum(url)) is not None), None)

    def context_paths(self) -> frozenset[str] | None:
        return next((answer for part in self.parts if (answer := part.context_paths()) is not None), None)

    def context_holds(self, path: str) -> bool | None:
        return next((answer for part in self.parts if (answer := part.context_holds(path)) is not None), None)

    def context_leaves_out(self, path: str) -> bool | None:
        return next((answer for part in self.parts if (answer := part.context_leaves_out(path)) is not None), None)

    def context_file(self, path: str) -> bytes | None:
        return next((answer for part in self.parts if (answer := part.context_file(path)) is not None), None)

    def children(self) -> tuple[Child, ...] | None:
        return next((answer for part in self.parts if (answer := part.children()) is not None), None)

    def parent(self, image: str) -> Parent | None:
        return next((answer for part in self.parts if (answer := part.parent(image)) is not None), None)

    def stated_builds(self) -> tuple[StatedBuild, ...] | None:
        return next((answer for part in self.parts if (answer := part.stated_builds()) is not None), None)

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        return next((answer for part in self.parts if (answer := part.image_config(image)) is not None), None)

    def base_image(self, image: str) -> BuiltImage | None:
        return next((answer for part in self.parts if (answer := part.base_image(image)) is not None), None)

    def image_bytes(self, image: str) -> int | None:
        return next((answer for part in self.parts if (answer := part.image_bytes(image)) is not None), None)

    def built(self, stage: int, base: str) -> BuiltImage | None:
        return next((answer for part in self.parts if (answer := part.built(stage, base)) is not None), None)

    def built_config(self, image: str) -> Mapping[str, Any] | None:
        return next((answer for part in self.parts if (answer := part.built_config(image)) is not None), None)

    def run_evidence(self, stage: int, base: str, image: str) -> RunEvidence | Refusal | None:
        answers = (part.run_evidence(stage, base, image) for part in self.parts)
        return next((answer for answer in answers if answer is not None), None)

    def lacking(self, stage: int, base: str, image: str) -> Mapping[str, str] | Refusal:
        answers = (part.lacking(stage, base, image) for part in self.parts)
        return next((answer for answer in answers if answer), {})

    def observed_run(self, stage: int, base: str) -> ObservedRun | None:
        answers = (part.observed_run(stage, base) for part in self.parts)
        return next((answer for answer in answers if answer is not None), None)

    def has_judge(self) -> bool:
        return any(part.has_judge() for part in self.parts)

    def unbuilt(self) -> str:
        return next((answer for part in self.parts if (answer := part.unbuilt())), "")


class AskedFacts(Facts):
    """Other facts, and whether they were asked anything that they could know: what came of it then depends on more than
    the file and the settings.

    trace  where each question is noted, with a digest of the answer (see `workspace.fact_trace`); None: nowhere
    """

    __slots__ = ("asked", "inner", "trace")

    def __init__(self, inner: Facts, trace: FactTrace | None = None) -> None:
        self.inner = inner
        self.asked = False
        self.trace = trace

    def knows(self, question: str) -> bool:
        known = self.inner.knows(question)
        if self.trace is not None:
            self.trace.note(known, "knows", question)
        return known

    def _ask(self, question: str, *about: Any) -> Any:
        known = self.knows(question)
        self.asked = self.asked or known
        answer = getattr(self.inner, question)(*about)
        if known and self.trace is not None:
            self.trace.note(answer, question, *about)
        return answer

    def digest(self, image: str) -> str | None:
        return self._ask("digest", image)  # type: ignore[no-any-return]

    def checksum(self, url: str) -> str | None:
        return self._ask("checksum", url)  # type: ignore[no-any-return]

    def context_paths(self) -> frozenset[str] | None:
        return self._ask("context_paths")  # type: ignore[no-any-return]

    def context_holds(self, path: str) -> bool | None:
        return self._ask("context_holds", path)  # type: ignore[no-any-return]

    def context_leaves_out(self, path: str) -> bool | None:
        return self._ask("context_leaves_out", path)  # type: ignore[no-any-return]

    def context_file(self, path: str) -> bytes | None:
        return self._ask("context_file", path)  # type: ignore[no-any-return]

    def children(self) -> tuple[Child, ...] | None:
        return self._ask("children")  # type: ignore[no-any-return]

    def parent(self, image: str) -> Parent | None:
        return self._ask("parent", image)  # type: ignore[no-any-return]

    def stated_builds(self) -> tuple[StatedBuild, ...] | None:
        return self._ask("stated_builds")  # type: ignore[no-any-return]

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        return self._ask("image_config", image)  # type: ignore[no-any-return]

    def base_image(self, image: str) -> BuiltImage | None:
        return self._ask("base_image", image)  # type: ignore[no-any-return]

    def image_bytes(self, image: str) -> int | None:
        return self._ask("image_bytes", image)  # type: ignore[no-any-return]

    def built(self, stage: int, base: str) -> BuiltImage | None:
        return self._ask("built", stage, base)  # type: ignore[no-any-return]

    def built_config(self, image: str) -> Mapping[str, Any] | None:
        return self._ask("built_config", image)  # type: ignore[no-any-return]

    def run_evidence(self, stage: int, base: str, image: str) -> RunEvidence | Refusal | None:
        return self._ask("run_evidence", stage, base, image)  # type: ignore[no-any-return]

    def lacking(self, stage: int, base: str, image: str) -> Mapping[str, str] | Refusal:
        return self._ask("lacking", stage, base, image)  # type: ignore[no-any-return]

    def observed_run(self, stage: int, base: str) -> ObservedRun | None:
        return self._ask("observed_run", stage, base)  # type: ignore[no-any-return]

    def has_judge(self) -> bool:
        return self._ask("has_judge")  # type: ignore[no-any-return]

    def unbuilt(self) -> str:
        return self._ask("unbuilt")  # type: ignore[no-any-return]
