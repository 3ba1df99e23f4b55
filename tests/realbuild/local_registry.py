"""A server on loopback that hands out packages and counts what is asked of it, for builds on the host's network."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from posixpath import normpath
from urllib.parse import unquote, urlsplit


class Registry:
    """`url`: its address, without a slash at the end. `served`: path -> how often it was sent; `sent`: bytes in all."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.served: Counter[str] = Counter()
        self.sent = 0
        self.missing: Counter[str] = Counter()
        self._lock = threading.Lock()

    def publish(self, files: Mapping[str, bytes]) -> None:
        """Serves `files`: absolute path -> content. In their text `{url}` stands for the address."""
        for path, content in files.items():
            self.files[normpath(path)] = content.replace(b"{url}", self.url.encode())

    def answer(self, path: str, body: bool) -> bytes | None:
        """The content at `path`; it counts as served where `body` is sent."""
        content = self.files.get(path)
        with self._lock:
            if content is None:
                self.missing[path] += 1
            elif body:
                self.served[path] += 1
                self.sent += len(content)
        return content


@contextmanager
def serving() -> Iterator[Registry]:
    """A registry at a free port of 127.0.0.1."""
    registry = Registry("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content = registry.answer(normpath(unquote(urlsplit(self.path).path)), self.command == "GET")
            self.send_response(404 if content is None else 200)
            if (content or b"").startswith((b"{", b"[")):
                self.send_header("Content-Type", "application/json")
            elif (content or b"").startswith(b"<!DOCTYPE html>"):
                self.send_header("Content-Type", "text/html")
            else:
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Cache-Control", "public, max-age=31536000")  # pip asks for it, as PyPI has it
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content or b"")

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: the registry counts."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up has all that it wanted."""

    with Server(("127.0.0.1", 0), Handler) as server:
        registry.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield registry
        finally:
            server.shutdown()
