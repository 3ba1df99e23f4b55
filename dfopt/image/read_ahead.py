"""Reads a layer ahead of its parser in a second thread: hashing and decompression release Python's lock."""

from __future__ import annotations

import threading
from queue import SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_DEPTH = 4  # chunks that may wait: enough to keep both sides busy, little enough to keep memory flat


def read_ahead(chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The same chunks in the same order, and the same exception where they end in one.

    Close the generator to end the thread early; it is ended, too, when it is dropped. `chunks` runs in the thread from
    the first `next` on, and nowhere else.
    """
    ready: SimpleQueue[bytes | BaseException | None] = SimpleQueue()
    room = threading.Semaphore(_DEPTH)
    stopped = False

    def work() -> None:
        end: BaseException | None = None
        try:
            for chunk in chunks:
                room.acquire()
                if stopped:
                    return
                ready.put(chunk)
        except BaseException as error:
            end = error
        ready.put(end)

    thread = threading.Thread(target=work, name="dfopt-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            room.release()
            yield item
    finally:
        stopped = True
        room.release()
        thread.join()
