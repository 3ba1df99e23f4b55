"""A registry on the loopback that answers what the files of the current input hold, byte for byte.

`python -m tests.tools.fuzz.registry FILE`: FILE holds the path of the directory whose `answers/` are given. Prints its
port, and ends with its standard input. The answer to a request is `answers/KIND-DIGEST`, else `answers/KIND`, where KIND
is ping, token, manifest, blob or other; an answer to HEAD is its head alone.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

KINDS = (("ping", r"/v2/?(\?.*)?"), ("token", r"/token.*"), ("manifest", r".*/manifests/.*"), ("blob", r".*/blobs/.*"))
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def answer(place: Path, method: str, target: str, port: int) -> bytes:
    kind = next((name for name, pattern in KINDS if re.fullmatch(pattern, target)), "other")
    for name in (f"{kind}-{target.rpartition(':')[2]}", kind):
        with suppress(OSError):
            content = (place / "answers" / name).read_bytes().replace(b"@PORT@", str(port).encode())
            return content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else content
    return NOT_FOUND


def serve(connection: socket.socket, current: Path, port: int) -> None:
    with connection, suppress(OSError, ValueError):
        connection.settimeout(10)
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(65536)
            if not piece:
                return
            request += piece
        method, target = request.split(b" ", 2)[:2]
        connection.sendall(
            answer(
                Path(current.read_text()), method.decode("ascii", "replace"), target.decode("ascii", "replace"), port
            )
        )
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def main() -> None:
    current = Path(sys.argv[1])
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = listener.getsockname()[1]
    print(port, flush=True)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, current, port), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
