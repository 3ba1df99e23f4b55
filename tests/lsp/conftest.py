"""A server of our own in a process of its own, spoken to as an editor would."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

PACKAGES = "neovim emacs-nox hx tmux nodejs npm"
LEFT_OUT = "editors left out: "
COMMAND = [sys.executable, "-m", "dfopt", "lsp"]


def capabilities(*encodings: str, rich: bool = True, pull: bool = False) -> types.ClientCapabilities:
    """What a client can do: much (`rich`: as VS Code), or little (as an old client)."""
    document = types.TextDocumentClientCapabilities()
    if pull:
        document.diagnostic = types.DiagnosticClientCapabilities()
    workspace = types.WorkspaceClientCapabilities(apply_edit=True)
    if rich:
        document.code_action = types.CodeActionClientCapabilities(
            is_preferred_support=True,
            disabled_support=True,
            data_support=True,
            resolve_support=types.ClientCodeActionResolveOptions(["edit"]),
            code_action_literal_support=types.ClientCodeActionLiteralOptions(types.ClientCodeActionKindOptions([""])),
        )
        workspace.workspace_edit = types.WorkspaceEditClientCapabilities(
            document_changes=True,
            change_annotation_support=types.ChangeAnnotationsSupportOptions(),
        )
    general = types.GeneralClientCapabilities(
        position_encodings=[types.PositionEncodingKind(one) for one in encodings] or None
    )
    return types.ClientCapabilities(text_document=document, workspace=workspace, general=general)


async def initialized(client: LanguageClient, made: types.ClientCapabilities, options: Any = None) -> str:
    """Starts the session; the position encoding that was agreed on."""
    answer = await client.initialize_session(
        types.InitializeParams(capabilities=made, initialization_options=options, root_uri=None)
    )
    return str(getattr(answer.capabilities.position_encoding, "value", answer.capabilities.position_encoding))


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND))
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    """A client whose test starts the session itself (`initialized`)."""
    yield
    await lsp_client.shutdown_session()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = [
        report.longrepr[2].partition(LEFT_OUT)[2]
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple) and LEFT_OUT in report.longrepr[2]
    ]
    if reasons:
        terminalreporter.write_line(f"{len(reasons)} tests with real editors were left out: {reasons[0]}", yellow=True)
