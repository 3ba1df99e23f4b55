"""How long the language server takes to answer after a keystroke: `python -m tests.bench.lsp_latency FILE [ROUNDS]`.

Each round sends the document with one more character and asks for its findings (a pull, so that the answer to this very
version is awaited), then for the code actions of its middle line, for a hover and for the lenses. Prints milliseconds.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient


async def measure(path: Path, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each kind of request, one entry a round."""
    text = path.read_text(encoding="utf-8", errors="replace")
    uri = path.resolve().as_uri()
    client = LanguageClient("bench", "1")
    await client.start_io(sys.executable, "-m", "dfopt", "lsp")
    await client.initialize_async(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(
                text_document=types.TextDocumentClientCapabilities(diagnostic=types.DiagnosticClientCapabilities())
            )
        )
    )
    client.initialized(types.InitializedParams())
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "dockerfile", 0, text)))
    document = types.TextDocumentIdentifier(uri)
    middle = text.count("\n") // 2
    where = types.Range(types.Position(middle, 0), types.Position(middle, 0))
    taken: dict[str, list[float]] = {}

    async def timed(name: str, answer: Awaitable[Any]) -> None:
        start = time.perf_counter()
        await answer
        taken.setdefault(name, []).append((time.perf_counter() - start) * 1000)

    for number in range(1, rounds + 1):
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version=number, uri=uri),
                [types.TextDocumentContentChangeWholeDocument(text + "# " + "x" * number)],
            )
        )
        await timed("findings", client.text_document_diagnostic_async(types.DocumentDiagnosticParams(document)))
        context = types.CodeActionContext([])
        await timed("actions", client.text_document_code_action_async(types.CodeActionParams(document, where, context)))
        await timed("hover", client.text_document_hover_async(types.HoverParams(document, where.start)))
        await timed("lenses", client.text_document_code_lens_async(types.CodeLensParams(document)))
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    return taken


def main(args: list[str]) -> int:
    path, rounds = Path(args[0]), int(args[1]) if len(args) > 1 else 50
    taken = asyncio.run(measure(path, rounds))
    print(f"{path.name}: {path.read_bytes().count(bytes([10]))} lines, {rounds} rounds; milliseconds")
    for name, values in taken.items():
        values.sort()
        print(
            f"  {name:9} median {statistics.median(values):6.1f}  "
            f"95 % {values[int(len(values) * 0.95)]:6.1f}  worst {values[-1]:6.1f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
