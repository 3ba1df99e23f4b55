"""What an editor shows of a profile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lsprotocol import types
from profiles.samples import DOCKERFILE, project
from pytest_lsp import LanguageClient

from lsp.conftest import capabilities, initialized
from lsp.test_lsp_protocol import changed, everything, opened


async def hints(client: LanguageClient, uri: str) -> list[tuple[int, str]]:
    """Line (from 0) and text of each hint."""
    params = types.InlayHintParams(types.TextDocumentIdentifier(uri), everything(DOCKERFILE))
    found = await client.text_document_inlay_hint_async(params) or []
    return [(hint.position.line, str(hint.label)) for hint in found]


@pytest.mark.asyncio
async def test_measured_bytes_by_line(client: LanguageClient, tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "dfopt.toml").write_text('select = ["apt-cleanup", "merge-run"]\n')
    await initialized(client, capabilities("utf-16"))
    uri = opened(client, tmp_path / "Dockerfile", DOCKERFILE)
    assert await hints(client, uri) == [(1, " 38.0 MB"), (3, " 9.00 MB, 9.00 MB dead")]
    document = types.TextDocumentIdentifier(uri)
    (lens,) = await client.text_document_code_lens_async(types.CodeLensParams(document)) or []
    assert lens.command is not None
    assert ", 30.0 MB less" in lens.command.title
    hover = await client.text_document_hover_async(types.HoverParams(document, types.Position(1, 2)))
    assert hover is not None
    assert isinstance(hover.contents, types.MarkupContent)
    assert "Brings 21.0 MB less, wrote 38.0 MB (dfopt.profile)." in hover.contents.value


@pytest.mark.asyncio
async def test_a_text_that_is_edited_has_none(client: LanguageClient, tmp_path: Path) -> None:
    project(tmp_path)
    await initialized(client, capabilities("utf-16"))
    uri = opened(client, tmp_path / "Dockerfile", DOCKERFILE)
    for version in (2, 3):
        changed(client, uri, DOCKERFILE + "# more\n" * version, version)
        assert await hints(client, uri) == []
    told = [message.message for message in client.log_messages if "changed since it was made" in message.message]
    assert len(told) == 1
    assert client.messages == []
    changed(client, uri, DOCKERFILE, 4)
    assert len(await hints(client, uri)) == 2


@pytest.mark.asyncio
async def test_a_broken_profile_is_told(client: LanguageClient, tmp_path: Path) -> None:
    made = project(tmp_path)
    (tmp_path / "dfopt.profile").write_text(json.dumps({**made, "version": 2}))
    await initialized(client, capabilities("utf-16"))
    uri = opened(client, tmp_path / "Dockerfile", DOCKERFILE)
    assert await hints(client, uri) == []
    assert any("dfopt.profile:1:13: version is not 1" in message.message for message in client.messages)
