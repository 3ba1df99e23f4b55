"""Findings as the protocol's diagnostics and code actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from dfopt.lsp.analysis import Refused
from dfopt.passes.base import registered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dfopt.edit import Edit
    from dfopt.lsp.analysis import Analysis
    from dfopt.lsp.place import Range
    from dfopt.results import Reported

SOURCE = "dfopt"
FIX_ALL = "source.fixAll.dfopt"
REWRITE = "refactor.rewrite.dfopt"
KINDS = (types.CodeActionKind.QuickFix, FIX_ALL, REWRITE)
_ANNOTATION = "dfopt-unsafe"


class Client:
    """What the client can take, as far as it matters for edits."""

    def __init__(self, capabilities: types.ClientCapabilities) -> None:
        document, workspace = capabilities.text_document, capabilities.workspace
        action = document.code_action if document else None
        edit = workspace.workspace_edit if workspace else None
        resolve = action.resolve_support if action else None
        self.versioned = bool(edit and edit.document_changes)
        self.annotations = bool(self.versioned and edit and edit.change_annotation_support)
        self.resolves = bool(action and action.data_support and resolve and "edit" in resolve.properties)
        self.preferred = bool(action and action.is_preferred_support)
        self.literals = bool(action and action.code_action_literal_support)
        self.disabled = bool(action and action.disabled_support)
        self.pulls = bool(document and document.diagnostic)
        self.refreshes_pull = bool(workspace and workspace.diagnostics and workspace.diagnostics.refresh_support)
        self.watches = bool(
            workspace and workspace.did_change_watched_files and workspace.did_change_watched_files.dynamic_registration
        )
        self.configures = bool(workspace and workspace.configuration)


def diagnostics(analysis: Analysis, refusals: bool) -> list[types.Diagnostic]:
    """The findings of a document in its order."""
    problem = analysis.problem
    if problem is not None:
        start, end = analysis.places.line_span(
            analysis.places.index.starts[min(problem.line, len(analysis.places.index.starts)) - 1]
        )
        column = min(start + problem.column - 1, end)
        where = range_of(analysis.places.range(column, max(end, column)))
        return [
            types.Diagnostic(
                where, problem.message, severity=types.DiagnosticSeverity.Error, code="syntax", source=SOURCE
            )
        ]
    known = registered()
    result: list[types.Diagnostic] = []
    for one in sorted(analysis.findings, key=lambda one: (one.start, one.end, one.name)):
        if one.reason and not refusals:
            continue
        first, last = one.start, one.end
        if "\n" in analysis.source.text[first:last]:  # the first line says where; the whole may be half a screen
            last = max(first, analysis.places.line_span(first)[1])
        group = known[one.name].group if one.name in known else ""
        result.append(
            types.Diagnostic(
                range_of(analysis.places.range(first, last)),
                _plain(one.full_message),
                severity=_severity(one, group),
                code=one.name,
                source=SOURCE,
                data={"name": one.name, "start": one.start, "end": one.end},
            )
        )
    return result


def _severity(one: Reported, group: str) -> types.DiagnosticSeverity:
    if one.reason:
        return types.DiagnosticSeverity.Hint
    if group == "modernize":
        return types.DiagnosticSeverity.Hint
    if one.fixable and one.tier == "safe":
        return types.DiagnosticSeverity.Warning
    return types.DiagnosticSeverity.Information


class Actions:
    """The code actions of one document version."""

    def __init__(
        self,
        analysis: Analysis,
        client: Client,
        document: types.VersionedTextDocumentIdentifier,
        given: Sequence[types.Diagnostic] = (),
    ) -> None:
        self.analysis = analysis
        self.client = client
        self.document = document
        self.given = given

    def at(self, start: int, end: int, only: Sequence[str] | None) -> Iterator[types.CodeAction]:
        """What can be done about a span. `only`: the kinds that the client asks for, with what lies below them."""
        if self.analysis.problem is not None:
            return
        found = self.analysis.between(start, end)
        for one in found:
            if one.fixable and one.tier == "safe" and wanted(types.CodeActionKind.QuickFix, only):
                yield self._fix(one, types.CodeActionKind.QuickFix)
            elif one.fixable and one.tier != "safe" and wanted(REWRITE, only):
                yield self._fix(one, REWRITE)
        if wanted(types.CodeActionKind.QuickFix, only):
            known = registered()
            for name in dict.fromkeys(one.name for one in found if one.name in known and not one.reason):
                yield from self._suppress(name, next(one for one in found if one.name == name))
        # a source action is for whoever asks for it by kind, or opens the whole menu
        if wanted(FIX_ALL, only) and (
            only or any(one.fixable and one.tier == "safe" for one in self.analysis.findings)
        ):
            action = self._lazily({"all": True}, "Fix all safe findings (dfopt)", FIX_ALL, self.fix_all)
            if action is not None:
                yield action

    def resolve(self, action: types.CodeAction) -> types.CodeAction:
        """The action with its edit. Raises Refused where the document has changed since, or the gate refuses."""
        data: Any = action.data
        if data.get("version") != self.document.version:
            raise Refused("the document has changed since")
        if data.get("all"):
            action.edit = self.edit(self.fix_all(), False)
            return action
        for one in self.analysis.findings:
            if (one.name, one.start, one.end, one.message) == tuple(data["finding"]):
                action.edit = self.edit(self.analysis.edits(one), one.tier != "safe", one.message)
                return action
        raise Refused("this finding is gone")

    def fix_all(self) -> list[Edit]:
        return self.analysis.fix_all(("safe",))

    def edit(self, edits: Sequence[Edit], confirm: bool, why: str = "") -> types.WorkspaceEdit:
        """Edits of the document's text as a workspace edit, in the best form that the client takes."""
        texts = [(range_of(self.analysis.places.range(one.start, one.end)), one.text) for one in edits]
        if not self.client.versioned:
            return types.WorkspaceEdit(changes={self.document.uri: [types.TextEdit(*pair) for pair in texts]})
        annotated = confirm and self.client.annotations
        made: list[Any] = [
            types.AnnotatedTextEdit(_ANNOTATION, where, text) if annotated else types.TextEdit(where, text)
            for where, text in texts
        ]
        document = types.OptionalVersionedTextDocumentIdentifier(self.document.uri, self.document.version)
        return types.WorkspaceEdit(
            document_changes=[types.TextDocumentEdit(document, made)],
            change_annotations={
                _ANNOTATION: types.ChangeAnnotation(
                    "Changes what the image holds or how it runs", needs_confirmation=True, description=_plain(why)
                )
            }
            if annotated
            else None,
        )

    def _fix(self, one: Reported, kind: str) -> types.CodeAction:
        title = _plain(f"{one.message} ({one.name})")
        confirm = one.tier != "safe"
        action = types.CodeAction(title[:1].upper() + title[1:], kind=kind, diagnostics=self._diagnostics(one))
        if self.client.preferred and not confirm:
            action.is_preferred = True
        try:
            # the gate's verdict is part of the offer: what it refuses must not be offered
            edits = self.analysis.edits(one)
        except Refused as refusal:
            action.disabled = types.CodeActionDisabled(reason=_plain(str(refusal))) if self.client.disabled else None
            action.is_preferred = None
            if action.disabled is None:
                action.title = f"{action.title}: refused: {_plain(str(refusal))}"
                action.edit = types.WorkspaceEdit(changes={})
            return action
        if self.client.resolves:
            action.data = self._data({"finding": [one.name, one.start, one.end, one.message]})
        else:
            action.edit = self.edit(edits, confirm, one.message)
        return action

    def _lazily(
        self, data: dict[str, Any], title: str, kind: str, edits: Callable[[], list[Edit]]
    ) -> types.CodeAction | None:
        action = types.CodeAction(title, kind=kind)
        if self.client.resolves:
            action.data = self._data(data)
            return action
        found = edits()
        if not found:
            return None
        action.edit = self.edit(found, False)
        return action

    def _suppress(self, name: str, one: Reported) -> Iterator[types.CodeAction]:
        for whole, title in ((False, f"Ignore {name} here"), (True, f"Ignore {name} in this file")):
            try:
                edits = self.analysis.suppress(name, one.start, whole)
            except Refused:
                continue
            yield types.CodeAction(
                f"{title} (dfopt)",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=self._diagnostics(one),
                edit=self.edit(edits, False),
            )

    def _data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "uri": self.document.uri, "version": self.document.version}

    def _diagnostics(self, one: Reported) -> list[types.Diagnostic] | None:
        """The diagnostics of the client's that this finding is."""
        found = [
            given
            for given in self.given
            if given.source == SOURCE
            and given.code == one.name
            and given.range.start == range_of(self.analysis.places.range(one.start, one.start)).start
        ]
        return found or None


def wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Whether a client that asks for the kinds `only` wants this one: kinds are hierarchical at their dots."""
    return not only or any(kind == asked or kind.startswith(asked + ".") or asked == "" for asked in only)


def range_of(found: Range) -> types.Range:
    line, column, last, end = found
    return types.Range(types.Position(line, column), types.Position(last, end))


def _plain(text: str) -> str:
    """Text for a client: one line, no lone surrogates."""
    return " ".join("".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text).split())
