"""Worker processes end with the process that started them, whatever ends it.

A worker that waits for work would wait for ever once its parent is gone: its siblings hold the other end of its pipe.
So each has a thread that reads a pipe which the parent alone can write to, and ends the process at the pipe's end; on
Linux the kernel does the same at once, also while a worker runs code that no thread can interrupt (prctl(2)).
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_PR_SET_PDEATHSIG = 1


class Leash:
    """What ties workers to the process that makes it. Handed to each as an argument of its process."""

    def __init__(self) -> None:
        from multiprocessing import Pipe, get_start_method

        self.parent = os.getpid()
        self.forks = get_start_method() == "fork"
        self.reader: Connection
        self.writer: Connection | None
        self.reader, self.writer = Pipe(duplex=False)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "writer": None}  # a worker that is not forked must not have it

    def close(self) -> None:
        """In the parent, when all workers have ended."""
        self.reader.close()
        if self.writer is not None:
            self.writer.close()

    def hold(self) -> None:
        """In a worker, first of all."""
        from threading import Thread

        if self.writer is not None:
            self.writer.close()
        Thread(target=self._watch, daemon=True).start()
        if self.forks and sys.platform == "linux":
            import ctypes
            import signal

            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self.parent:  # it ended before that
                os._exit(1)

    def _watch(self) -> None:
        try:
            self.reader.recv_bytes()
        except (EOFError, OSError):
            os._exit(1)
