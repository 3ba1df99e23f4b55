"""Findings as the protocol's diagnostics and code actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from dfopt.documentation import address
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


def diagnostics(analysis: Analysis, refusals: bool, documentation: str = "") -> list[types.Diagnostic]:
    """The findings of a document in its order. `documentation`: where the pages about them are."""
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
    passes = registered()
    result: list[types.Diagnostic] = []
    for finding in sorted(analysis.findings, key=lambda finding: (finding.start, finding.end, finding.name)):
        if finding.reason and not refusals:
            continue
        first, last = finding.start, finding.end
        if "\n" in analysis.source.text[first:last]:  # the first line says where; the whole may be half a screen
            last = max(first, analysis.places.line_span(first)[1])
        group = passes[finding.name].group if finding.name in passes else ""
        page = address(documentation, finding.name, finding.reason, finding.unblock)
        result.append(
            types.Diagnostic(
                range_of(analysis.places.range(first, last)),
                _plain(finding.full_message),
                severity=_severity(finding, group),
                code=finding.name,
                source=SOURCE,
                code_description=types.CodeDescription(page) if page else None,
                data={"name": finding.name, "start": finding.start, "end": finding.end},
            )
        )
    return result


def _severity(finding: Reported, group: str) -> types.DiagnosticSeverity:
    if finding.reason:
        return types.DiagnosticSeverity.Hint
    if group == "modernize":
        return types.DiagnosticSeverity.Hint
    if finding.fixable and finding.tier == "safe":
        return types.DiagnosticSeverity.Warning
    return types.DiagnosticSeverity.Information


class Actions:
    """The code actions of one document version."""

    def __init__(
        self,
        analysis: Analysis,
        client: Client,
        document: types.VersionedTextDocumentIdentifier,
        reported: Sequence[types.Diagnostic] = (),
    ) -> None:
        self.analysis = analysis
        self.client = client
        self.document = document
        self.reported = reported

    def at(self, start: int, end: int, only: Sequence[str] | None) -> Iterator[types.CodeAction]:
        """What can be done about a span. `only`: the kinds that the client asks for, with what lies below them."""
        if self.analysis.problem is not None:
            return
        findings = self.analysis.between(start, end)
        for finding in findings:
            if finding.fixable and finding.tier == "safe" and is_requested(types.CodeActionKind.QuickFix, only):
                yield self._fix(finding, types.CodeActionKind.QuickFix)
            elif finding.fixable and finding.tier != "safe" and is_requested(REWRITE, only):
                yield self._fix(finding, REWRITE)
        if is_requested(types.CodeActionKind.QuickFix, only):
            passes = registered()
            for name in dict.fromkeys(
                finding.name for finding in findings if finding.name in passes and not finding.reason
            ):
                yield from self._suppress(name, next(finding for finding in findings if finding.name == name))
        # a source action is for whoever asks for it by kind, or opens the whole menu
        if is_requested(FIX_ALL, only) and (
            only or any(finding.fixable and finding.tier == "safe" for finding in self.analysis.findings)
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
        for finding in self.analysis.findings:
            if (finding.name, finding.start, finding.end, finding.message) == tuple(data["finding"]):
                action.edit = self.edit(self.analysis.edits(finding), finding.tier != "safe", finding.message)
                return action
        raise Refused("this finding is gone")

    def fix_all(self) -> list[Edit]:
        return self.analysis.fix_all(("safe",))

    def edit(self, edits: Sequence[Edit], confirm: bool, why: str = "") -> types.WorkspaceEdit:
        """Edits of the document's text as a workspace edit, in the best form that the client takes."""
        texts = [(range_of(self.analysis.places.range(edit.start, edit.end)), edit.text) for edit in edits]
        if not self.client.versioned:
            return types.WorkspaceEdit(changes={self.document.uri: [types.TextEdit(*pair) for pair in texts]})
        annotated = confirm and self.client.annotations
        changes: list[Any] = [
            types.AnnotatedTextEdit(_ANNOTATION, where, text) if annotated else types.TextEdit(where, text)
            for where, text in texts
        ]
        document = types.OptionalVersionedTextDocumentIdentifier(self.document.uri, self.document.version)
        return types.WorkspaceEdit(
            document_changes=[types.TextDocumentEdit(document, changes)],
            change_annotations={
                _ANNOTATION: types.ChangeAnnotation(
                    "Changes what the image holds or how it runs", needs_confirmation=True, description=_plain(why)
                )
            }
            if annotated
            else None,
        )

    def _fix(self, finding: Reported, kind: str) -> types.CodeAction:
        title = _plain(f"{finding.message} ({finding.name})")
        confirm = finding.tier != "safe"
        action = types.CodeAction(title[:1].upper() + title[1:], kind=kind, diagnostics=self._diagnostics(finding))
        if self.client.preferred and not confirm:
            action.is_preferred = True
        try:
            # the gate's verdict is part of the offer: what it refuses must not be offered
            edits = self.analysis.edits(finding)
        except Refused as refusal:
            action.disabled = types.CodeActionDisabled(reason=_plain(str(refusal))) if self.client.disabled else None
            action.is_preferred = None
            if action.disabled is None:
                action.title = f"{action.title}: refused: {_plain(str(refusal))}"
                action.edit = types.WorkspaceEdit(changes={})
            return action
        if self.client.resolves:
            action.data = self._data({"finding": [finding.name, finding.start, finding.end, finding.message]})
        else:
            action.edit = self.edit(edits, confirm, finding.message)
        return action

    def _lazily(
        self, data: dict[str, Any], title: str, kind: str, edits: Callable[[], list[Edit]]
    ) -> types.CodeAction | None:
        action = types.CodeAction(title, kind=kind)
        if self.client.resolves:
            action.data = self._data(data)
            return action
        text_edits = edits()
        if not text_edits:
            return None
        action.edit = self.edit(text_edits, False)
        return action

    def _suppress(self, name: str, finding: Reported) -> Iterator[types.CodeAction]:
        for whole, title in ((False, f"Ignore {name} here"), (True, f"Ignore {name} in this file")):
            try:
                edits = self.analysis.suppress(name, finding.start, whole)
            except Refused:
                continue
            yield types.CodeAction(
                f"{title} (dfopt)",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=self._diagnostics(finding),
                edit=self.edit(edits, False),
            )

    def _data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "uri": self.document.uri, "version": self.document.version}

    def _diagnostics(self, finding: Reported) -> list[types.Diagnostic] | None:
        """The diagnostics of the client's that this finding is."""
        matching = [
            diagnostic
            for diagnostic in self.reported
            if diagnostic.source == SOURCE
            and diagnostic.code == finding.name
            and diagnostic.range.start == range_of(self.analysis.places.range(finding.start, finding.start)).start
        ]
        return matching or None


def is_requested(kind: str, only: Sequence[str] | None) -> bool:
    """Whether a client that asks for the kinds `only` wants this one: kinds are hierarchical at their dots."""
    return not only or any(
        kind == requested_kind or kind.startswith(requested_kind + ".") or requested_kind == ""
        for requested_kind in only
    )


def range_of(place: Range) -> types.Range:
    line, column, last, end = place
    return types.Range(types.Position(line, column), types.Position(last, end))


def _plain(text: str) -> str:
    """Text for a client: one line, no lone surrogates."""
    return " ".join("".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text).split())
