"""The server as a client meets it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.source import Source
from lsp.conftest import capabilities, initialized
from lsp.editing import applied, edits_of

# a form feed, NEL, U+2028 and a lone CR; an emoji before what is changed; Windows newlines
TRICKY = (
    "# caf\u00e9 \U0001f680 \u2028 \x0c \x85 end\r\n"
    "FROM debian:13-slim\r\n"
    'ENV NOTE="\U0001f680\U0001f680"\r\n'
    "RUN echo '\U0001f680' && apt-get update && apt-get install -y --no-install-recommends curl\r\n"
    'CMD ["curl"]\r\n'
)
ENCODINGS = ("utf-8", "utf-16", "utf-32")


def opened(client: LanguageClient, path: Path, text: str, version: int = 1) -> str:
    uri = path.as_uri()
    item = types.TextDocumentItem(uri, "dockerfile", version, text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    return uri


def changed(client: LanguageClient, uri: str, text: str, version: int) -> None:
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(version=version, uri=uri),
            [types.TextDocumentContentChangeWholeDocument(text)],
        )
    )


def everything(text: str) -> types.Range:
    return types.Range(types.Position(0, 0), types.Position(text.count("\n"), 0))


async def actions(
    client: LanguageClient, uri: str, where: types.Range, only: list[str] | None = None
) -> list[types.CodeAction]:
    params = types.CodeActionParams(
        types.TextDocumentIdentifier(uri),
        where,
        types.CodeActionContext([], only=only),  # type: ignore[arg-type]
    )
    found = await client.text_document_code_action_async(params)
    return [one for one in found or [] if isinstance(one, types.CodeAction)]


@pytest.mark.asyncio
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_fix_lands_where_it_belongs(client: LanguageClient, tmp_path: Path, encoding: str) -> None:
    agreed = await initialized(client, capabilities(encoding), {"select": ["apt-cleanup"]})
    assert agreed == encoding
    uri = opened(client, tmp_path / "Dockerfile", TRICKY)
    (fix,) = [one for one in await actions(client, uri, everything(TRICKY), ["quickfix"]) if one.is_preferred]
    assert fix.edit is None
    resolved = await client.code_action_resolve_async(fix)
    assert resolved.edit is not None
    result = applied(TRICKY, edits_of(resolved.edit, uri, 1), encoding)
    expected = TRICKY.replace("recommends curl\r\n", "recommends curl && rm -rf /var/lib/apt/lists/*\r\n")
    assert result == expected


@pytest.mark.asyncio
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_fix_all_is_what_the_command_line_does(client: LanguageClient, tmp_path: Path, encoding: str) -> None:
    await initialized(client, capabilities(encoding))
    uri = opened(client, tmp_path / "Dockerfile", TRICKY, 7)
    (action,) = await actions(client, uri, everything(TRICKY), ["source.fixAll"])
    assert action.kind == "source.fixAll.dfopt"
    assert action.command is None
    resolved = await client.code_action_resolve_async(action)
    assert resolved.edit is not None
    expected = optimize(Source("Dockerfile", TRICKY), Options()).output
    assert expected != TRICKY
    assert applied(TRICKY, edits_of(resolved.edit, uri, 7), encoding) == expected


@pytest.mark.asyncio
async def test_a_client_that_can_little_gets_whole_edits(client: LanguageClient, tmp_path: Path) -> None:
    assert await initialized(client, capabilities(rich=False)) == "utf-16"
    uri = opened(client, tmp_path / "Dockerfile", TRICKY)
    (action,) = await actions(client, uri, everything(TRICKY), ["source.fixAll.dfopt"])
    assert action.edit is not None
    assert applied(TRICKY, edits_of(action.edit, uri), "utf-16") != TRICKY


@pytest.mark.asyncio
async def test_pushed_findings_follow_the_text(client: LanguageClient, tmp_path: Path) -> None:
    await initialized(client, capabilities("utf-16"), {"select": ["apt-cleanup"]})
    uri = opened(client, tmp_path / "Dockerfile", TRICKY)
    await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    (found,) = client.diagnostics[uri]
    assert (found.code, found.source, found.range.start) == ("apt-cleanup", "dfopt", types.Position(3, 0))
    assert found.severity == types.DiagnosticSeverity.Warning
    changed(client, uri, "FROM scratch\n", 2)
    await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert not client.diagnostics[uri]
    changed(client, uri, "FROM scratch\nRUM x\n", 3)
    await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    (broken,) = client.diagnostics[uri]
    assert (broken.severity, broken.range.start.line) == (types.DiagnosticSeverity.Error, 1)
    assert await actions(client, uri, broken.range) == []


@pytest.mark.asyncio
async def test_pulled_findings(client: LanguageClient, tmp_path: Path) -> None:
    await initialized(client, capabilities("utf-16", pull=True), {"select": ["apt-cleanup"]})
    uri = opened(client, tmp_path / "Dockerfile", TRICKY)
    params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    report = await client.text_document_diagnostic_async(params)
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    assert [one.code for one in report.items] == ["apt-cleanup"]
    params.previous_result_id = report.result_id
    again = await client.text_document_diagnostic_async(params)
    assert isinstance(again, types.RelatedUnchangedDocumentDiagnosticReport)
    changed(client, uri, "FROM scratch\n", 2)
    after = await client.text_document_diagnostic_async(params)
    assert isinstance(after, types.RelatedFullDocumentDiagnosticReport)
    assert not after.items
    assert uri not in client.diagnostics


UNSAFE = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"


@pytest.mark.asyncio
async def test_an_unsafe_fix_asks_first(client: LanguageClient, tmp_path: Path) -> None:
    await initialized(client, capabilities("utf-16"), {"select": ["no-recommends"]})
    uri = opened(client, tmp_path / "Dockerfile", UNSAFE)
    assert [one for one in await actions(client, uri, everything(UNSAFE), ["quickfix"]) if one.is_preferred] == []
    (action,) = await actions(client, uri, everything(UNSAFE), ["refactor.rewrite"])
    assert action.kind == "refactor.rewrite.dfopt"
    assert not action.is_preferred
    resolved = await client.code_action_resolve_async(action)
    assert resolved.edit is not None
    assert resolved.edit.change_annotations is not None
    ((name, annotation),) = resolved.edit.change_annotations.items()
    assert annotation.needs_confirmation
    edits = edits_of(resolved.edit, uri, 1)
    assert {one.annotation_id for one in edits} == {name}
    assert applied(UNSAFE, edits, "utf-16") == UNSAFE.replace(
        "install -y curl", "install -y --no-install-recommends curl ca-certificates"
    )
    assert await actions(client, uri, everything(UNSAFE), ["source.fixAll"]) == [] or all(
        not edits_of(one.edit, uri, 1)
        for one in [
            await client.code_action_resolve_async(one)
            for one in await actions(client, uri, everything(UNSAFE), ["source.fixAll"])
        ]
        if one.edit
    )


@pytest.mark.asyncio
async def test_suppressing_holds_back(client: LanguageClient, tmp_path: Path) -> None:
    await initialized(client, capabilities("utf-16"), {"select": ["apt-cleanup", "no-recommends"]})
    text = "FROM debian:13-slim\r\n  RUN apt-get update && apt-get install -y curl\r\n"
    uri = opened(client, tmp_path / "Dockerfile", text)
    version = 1
    for name in ("apt-cleanup", "no-recommends"):
        found = await actions(client, uri, everything(text), ["quickfix"])
        (action,) = [one for one in found if one.title == f"Ignore {name} here (dfopt)"]
        assert action.edit is not None
        text = applied(text, edits_of(action.edit, uri, version), "utf-16")
        version += 1
        changed(client, uri, text, version)
    expected = "  # dfopt: ignore=apt-cleanup,no-recommends\r\n  RUN apt-get"
    assert expected in text
    assert await actions(client, uri, everything(text), ["quickfix"]) == []


@pytest.mark.asyncio
async def test_suppressing_in_the_whole_file(client: LanguageClient, tmp_path: Path) -> None:
    await initialized(client, capabilities("utf-16"), {"select": ["apt-cleanup"]})
    text = f"# escape=\\\n{UNSAFE}".replace(" && rm -rf /var/lib/apt/lists/*", "")
    uri = opened(client, tmp_path / "Dockerfile", text)
    found = await actions(client, uri, everything(text), ["quickfix"])
    (action,) = [one for one in found if one.title == "Ignore apt-cleanup in this file (dfopt)"]
    assert action.edit is not None
    text = applied(text, edits_of(action.edit, uri, 1), "utf-16")
    assert text.startswith("# escape=\\\n# dfopt: file-ignore=apt-cleanup\nFROM")
    changed(client, uri, text, 2)
    assert await actions(client, uri, everything(text), ["quickfix"]) == []


@pytest.mark.asyncio
async def test_an_action_of_an_old_version_is_not_made(client: LanguageClient, tmp_path: Path) -> None:
    await initialized(client, capabilities("utf-16"), {"select": ["apt-cleanup"]})
    uri = opened(client, tmp_path / "Dockerfile", TRICKY)
    (fix,) = [one for one in await actions(client, uri, everything(TRICKY), ["quickfix"]) if one.is_preferred]
    changed(client, uri, "# one more line\n" + TRICKY, 2)
    assert (await client.code_action_resolve_async(fix)).edit is None
    assert any("has changed" in message.message for message in client.messages)


@pytest.mark.asyncio
async def test_what_is_shown_beside_the_text(client: LanguageClient, tmp_path: Path) -> None:
    await initialized(client, capabilities("utf-16"))
    uri = opened(client, tmp_path / "Dockerfile", TRICKY)
    document = types.TextDocumentIdentifier(uri)
    hover = await client.text_document_hover_async(types.HoverParams(document, types.Position(3, 2)))
    assert hover is not None
    assert isinstance(hover.contents, types.MarkupContent)
    assert "### apt-cleanup (DL3009" in hover.contents.value
    image = await client.text_document_hover_async(types.HoverParams(document, types.Position(1, 7)))
    assert image is not None
    assert isinstance(image.contents, types.MarkupContent)
    assert "docker.io/library/debian:13-slim" in image.contents.value
    (link,) = await client.text_document_document_link_async(types.DocumentLinkParams(document)) or []
    assert link.target == "https://hub.docker.com/_/debian"
    assert (link.range.start, link.range.end) == (types.Position(1, 5), types.Position(1, 19))
    (lens,) = await client.text_document_code_lens_async(types.CodeLensParams(document)) or []
    assert lens.command is not None
    assert "safe" in lens.command.title
    assert "MB less" in lens.command.title


DIGEST = "sha256:" + "a1" * 32


def lock(directory: Path, content: str | None = None) -> None:
    (directory / "dfopt.lock").write_text(
        content
        or f'version = 1\n[[image]]\nreference = "docker.io/library/debian:13-slim"\ndigest = "{DIGEST}"\n'
        'media-type = "application/vnd.oci.image.index.v1+json"\n'
    )


@pytest.mark.asyncio
async def test_digests_of_the_lock_file_are_hints(client: LanguageClient, tmp_path: Path) -> None:
    await initialized(client, capabilities("utf-16"))
    lock(tmp_path)
    uri = opened(client, tmp_path / "Dockerfile", TRICKY)
    document = types.TextDocumentIdentifier(uri)
    (hint,) = await client.text_document_inlay_hint_async(types.InlayHintParams(document, everything(TRICKY))) or []
    assert (hint.position, hint.label, hint.tooltip) == (types.Position(1, 19), "@sha256:a1a1a1a1a1a1…", DIGEST)
    image = await client.text_document_hover_async(types.HoverParams(document, types.Position(1, 7)))
    assert image is not None
    assert isinstance(image.contents, types.MarkupContent)
    assert DIGEST in image.contents.value


@pytest.mark.asyncio
async def test_a_broken_lock_file_is_told(client: LanguageClient, tmp_path: Path) -> None:
    await initialized(client, capabilities("utf-16", pull=True))
    lock(tmp_path, "nothing\n")
    uri = opened(client, tmp_path / "Dockerfile", TRICKY)
    report = await client.text_document_diagnostic_async(
        types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    )
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    assert report.items
    assert any("dfopt.lock" in message.message for message in client.messages)


@pytest.mark.asyncio
async def test_configuration_is_the_projects(client: LanguageClient, tmp_path: Path) -> None:
    (tmp_path / "dfopt.toml").write_text('select = ["no-recommends"]\n')
    await initialized(client, capabilities("utf-16", pull=True))
    uri = opened(client, tmp_path / "Dockerfile", TRICKY.replace("--no-install-recommends ", ""))
    params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))

    async def codes() -> list[object]:
        report = await client.text_document_diagnostic_async(params)
        assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
        return [one.code for one in report.items]

    assert await codes() == ["no-recommends"]
    (tmp_path / "dfopt.toml").write_text('select = ["apt-cleanup"]\n')
    event = types.FileEvent((tmp_path / "dfopt.toml").as_uri(), types.FileChangeType.Changed)
    client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    assert await codes() == ["apt-cleanup"]
    client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams({"dfopt": {"ignore": ["apt-cleanup"]}})
    )
    assert await codes() == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"selcet": []}, 'unknown setting "selcet"; did you mean "select"?'),
        ({"select": ["aptcleanup"]}, 'unknown pass, group or code "aptcleanup"'),
        ({"unsafe": "yes"}, "unsafe must be true or false"),
        (["size"], "the settings are no object"),
    ],
)
async def test_wrong_settings_are_told(client: LanguageClient, tmp_path: Path, options: object, message: str) -> None:
    await initialized(client, capabilities("utf-16", pull=True), options)
    uri = opened(client, tmp_path / "Dockerfile", TRICKY)
    report = await client.text_document_diagnostic_async(
        types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    )
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    assert report.items
    assert any(message in told.message for told in client.messages)


@pytest.mark.asyncio
async def test_a_cancelled_request_ends(client: LanguageClient, tmp_path: Path) -> None:
    """A request that waits behind another is cancelled; the server goes on."""
    await initialized(client, capabilities("utf-16", pull=True))
    long = TRICKY + "".join(f"RUN apt-get update && apt-get install -y package{number}\r\n" for number in range(300))
    first, second = (opened(client, tmp_path / name, long) for name in ("Dockerfile", "Dockerfile.b"))

    def ask(uri: str, name: str) -> asyncio.Future[object]:
        params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
        return asyncio.wrap_future(client.protocol.send_request(types.TEXT_DOCUMENT_DIAGNOSTIC, params, msg_id=name))

    one, other = ask(first, "one"), ask(second, "other")
    client.cancel_request(types.CancelParams("other"))
    with pytest.raises(JsonRpcException) as caught:
        await other
    assert caught.value.code == types.LSPErrorCodes.RequestCancelled
    assert isinstance(await one, types.RelatedFullDocumentDiagnosticReport)


@pytest.mark.asyncio
async def test_the_lens_applies_all_safe_fixes(client: LanguageClient, tmp_path: Path) -> None:
    await initialized(client, capabilities("utf-16"))
    uri = opened(client, tmp_path / "Dockerfile", TRICKY)
    given: list[types.ApplyWorkspaceEditParams] = []

    @client.feature(types.WORKSPACE_APPLY_EDIT)
    def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        given.append(params)
        return types.ApplyWorkspaceEditResult(applied=True)

    await client.workspace_execute_command_async(types.ExecuteCommandParams("dfopt.fixAll", [uri]))
    assert applied(TRICKY, edits_of(given[0].edit, uri, 1), "utf-16") == optimize(Source("", TRICKY), Options()).output


@pytest.mark.asyncio
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs")
async def test_a_file_that_is_not_open_is_not_read(client: LanguageClient, tmp_path: Path) -> None:
    """pygls would read it, and wait for ever for the other end of a FIFO."""
    await initialized(client, capabilities("utf-16"))
    os.mkfifo(tmp_path / "Dockerfile")
    document = types.TextDocumentIdentifier((tmp_path / "Dockerfile").as_uri())
    assert await client.text_document_hover_async(types.HoverParams(document, types.Position(0, 0))) is None
    report = await client.text_document_diagnostic_async(types.DocumentDiagnosticParams(document))
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    assert not report.items


def test_what_is_no_message_is_a_line_and_the_session_goes_on() -> None:
    bodies: list[dict[str, object]] = [
        {"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover", "params": {"textDocument": 7, "x": "\x1b[2J"}},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "textDocument/codeLens",
            "params": {"textDocument": {"uri": "file:///x"}},
        },
        {"jsonrpc": "2.0", "id": 3, "method": "initialize", "params": {"processId": None, "capabilities": {}}},
        {"jsonrpc": "2.0", "id": 4, "method": "shutdown"},
        {"jsonrpc": "2.0", "method": "exit"},
    ]
    sent = b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in map(_json, bodies))
    done = subprocess.run(
        [sys.executable, "-m", "dfopt", "lsp"], input=sent, capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0
    assert b'"id": 3' in done.stdout or b'"id":3' in done.stdout
    lines = done.stderr.decode().splitlines()
    assert lines
    assert [line for line in lines if not line.startswith("dfopt: error: ")] == []
    assert "\x1b" not in done.stderr.decode()
    assert "internal error" not in done.stderr.decode()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
