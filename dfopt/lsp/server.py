"""The server: pygls's transport and our handlers.

It uses full synchronization and our own line index: pygls splits lines with `str.splitlines`, which treats form feeds
and U+2028 as line ends and so would shift every later edit.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from dfopt.lsp import pages
from dfopt.lsp.actions import KINDS, SOURCE, Actions, Client, diagnostics, range_of
from dfopt.lsp.analysis import Analysis, Refused
from dfopt.lsp.client_settings import ClientSettings, settings_from
from dfopt.pass_selection import Options
from dfopt.request import Request
from dfopt.source import Source
from dfopt.stage_templates.errors import RecipeError
from dfopt.version import version
from dfopt.workspace.config import NAMES, ConfigLookup
from dfopt.workspace.discovery import InputFile
from dfopt.workspace.facts import PROFILE
from dfopt.workspace.settings import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    T = TypeVar("T")

APPLY = "dfopt.fixAll"
_LOCK = "dfopt.lock"


class Server(LanguageServer):
    """One client's session: its settings, its open documents and the newest analysis of each."""

    def __init__(self) -> None:
        super().__init__("dfopt", version(), text_document_sync_kind=types.TextDocumentSyncKind.Full, max_workers=1)
        self.client = Client(types.ClientCapabilities())
        self.settings = ClientSettings()
        self.request = Request(ConfigLookup(), profile=None)
        self._analyses: dict[str, tuple[int | None, str, Analysis]] = {}
        self._pending: dict[str, asyncio.Task[None]] = {}
        self._told: set[str] = set()
        # Analyses run here, one at a time, so that messages (a cancellation, a newer text) can arrive meanwhile.
        self._worker = ThreadPoolExecutor(1, "dfopt-analysis")

    async def work(self, job: Callable[[], T]) -> T:
        """Runs `job()` in the worker. A job cancelled while waiting never runs."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, job)

    def configure(self, value: Any) -> None:
        """Takes settings from the client and shows errors in them, once."""
        self.settings, wrong = settings_from(value)
        self.read_anew()
        for message in wrong:
            self.tell(message)

    def forget(self) -> None:
        """Configuration or facts on disk have changed."""
        self.read_anew()
        self._told.clear()

    def read_anew(self) -> None:
        """Drops cached configuration and every analysis that depends on it."""
        chosen = self.settings
        self.request = Request(
            ConfigLookup(chosen.config, chosen.isolated), chosen.select, chosen.ignore, chosen.unsafe, profile=None
        )
        self._analyses.clear()

    def tell(self, message: str) -> None:
        """Shows a message to the user, each only once."""
        if message not in self._told:
            self._told.add(message)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, message))

    def analysis(self, uri: str) -> Analysis:
        """The analysis of the current document, computed once per version. Only in the worker."""
        document = self.workspace.get_text_document(uri)
        # of one that is not open, pygls would read the file, whatever it is: a FIFO too
        text = document.source if self.is_open(uri) else ""
        cached = self._analyses.get(uri)
        if cached is not None and cached[0] == document.version and cached[1] == text:
            return cached[2]
        path = uris.to_fs_path(uri) or ""
        try:
            analysis = self._analyse(text, path, uri)
        except (ConfigError, RecipeError) as failure:  # the configuration, a lock file or template that a pass asked
            self.tell(f"dfopt: {failure}")
            analysis = Analysis(text, path or uri, Options(), None, self.unit)
        self._analyses[uri] = document.version, text, analysis
        return analysis

    def is_open(self, uri: str) -> bool:
        return unquote(uri) in self.workspace.text_documents

    def _analyse(self, text: str, path: str, uri: str) -> Analysis:
        """The analysis with the file's configuration and facts. Raises ConfigError."""
        from dfopt.lsp.facts import facts_for, locked_facts

        if not path:  # a text that is not saved yet
            return Analysis(text, uri, self.request.options("."), None, self.unit)
        folders = [place for folder in self.workspace.folders if (place := uris.to_fs_path(folder))]
        root = next((folder for folder in folders if path.startswith(os.path.join(folder, ""))), os.path.dirname(path))
        document, source = InputFile(path, path, root), Source(path, text)
        self.request.facts = locked_facts(path)
        profile = self.request.profile_of(document, source)
        if profile is not None and profile.note not in ("", *self._told):
            self._told.add(profile.note)  # most often the text that is being edited: nothing to interrupt anybody for
            self.window_log_message(types.LogMessageParams(types.MessageType.Info, f"dfopt: {profile.note}"))
        more = (profile.facts,) if profile is not None else ()
        facts = facts_for(path, root, source, self.request.context_of(document), *more)
        return Analysis(text, path, self.request.options_for(document, source), facts, self.unit, profile)

    @property
    def unit(self) -> str:
        encoding = self.workspace.position_encoding
        return str(getattr(encoding, "value", encoding) or "utf-16")

    def reports(self, analysis: Analysis) -> list[types.Diagnostic]:
        """The diagnostics of a document, with the addresses of their pages where its configuration names them."""
        try:
            settings = self.request.lookup.directory(os.path.dirname(analysis.source.name) or ".")
            documentation = str(settings.get("documentation", ""))
        except ConfigError:  # it was told before
            documentation = ""
        return diagnostics(analysis, self.settings.refusals, documentation)

    def actions(self, uri: str, shown_diagnostics: Sequence[types.Diagnostic] = ()) -> Actions:
        version = self.workspace.get_text_document(uri).version
        document = types.VersionedTextDocumentIdentifier(version=version or 0, uri=uri)
        return Actions(self.analysis(uri), self.client, document, shown_diagnostics)

    def changed(self, uri: str) -> None:
        """A document has changed: its findings are pushed after a pause, unless the client pulls them."""
        if self.client.pulls:
            return
        waiting = self._pending.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        self._pending[uri] = asyncio.ensure_future(self._push(uri))

    async def _push(self, uri: str) -> None:
        await asyncio.sleep(self.settings.pause / 1000)
        self._pending.pop(uri, None)
        await self.publish(uri)

    async def publish(self, uri: str) -> None:
        """Pushes the findings of a document, unless it was closed or changed meanwhile."""
        if uri not in self.workspace.text_documents:
            return
        version = self.workspace.get_text_document(uri).version
        reports = await self.work(lambda: self.reports(self.analysis(uri)))
        document = self.workspace.text_documents.get(uri)
        if document is None or document.version != version:
            return
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, reports, version))

    def closed(self, uri: str) -> None:
        self._analyses.pop(uri, None)
        waiting = self._pending.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        if not self.client.pulls:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def refresh(self) -> None:
        """Recomputes all findings: something that they depend on has changed."""
        if self.client.pulls:
            if self.client.refreshes_pull:
                self.workspace_diagnostic_refresh(None)
            return
        for uri in list(self.workspace.text_documents):
            self.changed(uri)


def make_server() -> Server:
    """A server with all its handlers."""
    server = Server()
    _lifecycle(server)
    _findings(server)
    _pages(server)
    return server


def _lifecycle(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.client = Client(params.capabilities)
        server.configure(params.initialization_options)

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        if server.client.watches:
            watchers = [types.FileSystemWatcher(f"**/{name}") for name in (*NAMES, _LOCK, PROFILE, "*.dockerignore")]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            await server.client_register_capability_async(
                types.RegistrationParams([types.Registration("dfopt-watch", method, options)])
            )

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        if not server.client.pulls:
            await server.publish(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: types.DidChangeWatchedFilesParams) -> None:
        server.forget()
        server.refresh()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configured(params: types.DidChangeConfigurationParams) -> None:
        value = params.settings
        if not value and server.client.configures:
            items = [types.ConfigurationItem(section="dfopt")]
            value = (await server.workspace_configuration_async(types.ConfigurationParams(items)))[0]
        server.configure(value)
        server.refresh()


def _findings(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, types.DiagnosticOptions(False, False, identifier=SOURCE))
    async def pull(params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        uri = params.text_document.uri
        if not server.is_open(uri):
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        analysis = await server.work(lambda: server.analysis(uri))
        key = f"{server.workspace.get_text_document(uri).version}:{id(analysis)}"
        if params.previous_result_id == key:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=key)
        return types.RelatedFullDocumentDiagnosticReport(
            items=await server.work(lambda: server.reports(analysis)), result_id=key
        )

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=list(KINDS), resolve_provider=True),
    )
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        def list_actions() -> list[types.CodeAction]:
            document_actions = server.actions(params.text_document.uri, params.context.diagnostics)
            places = document_actions.analysis.places
            start = places.offset(params.range.start.line, params.range.start.character)
            end = places.offset(params.range.end.line, params.range.end.character)
            return list(document_actions.at(start, end, params.context.only))

        return await server.work(list_actions)

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        data: Any = action.data
        if not isinstance(data, dict) or "uri" not in data:
            return action
        try:
            return await server.work(lambda: server.actions(data["uri"]).resolve(action))
        except Refused as refusal:
            server.window_show_message(
                types.ShowMessageParams(types.MessageType.Warning, f"dfopt: not changed: {refusal}")
            )
            return action

    @server.command(APPLY)
    async def apply(uri: str) -> None:
        def list_actions() -> types.WorkspaceEdit | None:
            actions = server.actions(uri)
            edits = actions.fix_all() if actions.analysis.problem is None else []
            return actions.edit(edits, False) if edits else None

        edit = await server.work(list_actions)
        if edit is not None:
            await server.workspace_apply_edit_async(
                types.ApplyWorkspaceEditParams(edit, "Fix all safe findings (dfopt)")
            )


def _pages(server: Server) -> None:
    async def marks(uri: str, make: Callable[[Analysis], Iterable[T]]) -> tuple[Analysis, list[T]]:
        """The results of `make` for a document; none if it cannot be parsed."""

        def run() -> tuple[Analysis, list[T]]:
            analysis = server.analysis(uri)
            return analysis, list(make(analysis)) if analysis.problem is None else []

        return await server.work(run)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        def at_position(analysis: Analysis) -> list[pages.Mark]:
            at = analysis.places.offset(params.position.line, params.position.character)
            mark = pages.hover(analysis, at)
            return [mark] if mark is not None else []

        analysis, page_marks = await marks(params.text_document.uri, at_position)
        if not page_marks:
            return None
        content = types.MarkupContent(types.MarkupKind.Markdown, page_marks[0].text)
        return types.Hover(content, range_of(analysis.places.range(page_marks[0].start, page_marks[0].end)))

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False))
    async def lens(params: types.CodeLensParams) -> list[types.CodeLens]:
        uri = params.text_document.uri
        analysis, page_marks = await marks(uri, pages.lenses)
        return [
            types.CodeLens(
                range_of(analysis.places.range(mark.start, mark.start)),
                types.Command(f"{mark.text} ({mark.detail})", APPLY, arguments=[uri]),
            )
            for mark in page_marks
        ]

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT, types.InlayHintOptions(resolve_provider=False))
    async def hints(params: types.InlayHintParams) -> list[types.InlayHint]:
        analysis, page_marks = await marks(params.text_document.uri, pages.hints)
        first = analysis.places.offset(params.range.start.line, params.range.start.character)
        last = analysis.places.offset(params.range.end.line, params.range.end.character)
        return [
            types.InlayHint(
                types.Position(*analysis.places.range(mark.end, mark.end)[:2]), mark.text, tooltip=mark.detail
            )
            for mark in page_marks
            if first <= mark.end <= last
        ]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK, types.DocumentLinkOptions(resolve_provider=False))
    async def links(params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        analysis, page_marks = await marks(params.text_document.uri, pages.links)
        return [
            types.DocumentLink(range_of(analysis.places.range(mark.start, mark.end)), target=mark.text)
            for mark in page_marks
        ]
