"""What a command is doing, on the last line of a terminal; nothing where standard error is none.

All commands show it by this one mechanism. What a command prints takes the line away; the next step brings it back.
An interrupt ends it with a note of what was done, on a terminal or not. rich is imported here alone, when there is
something to show.
"""

from __future__ import annotations

import sys
import time

from dfopt.cli import out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType
    from typing import Any, TypeVar

    T = TypeVar("T")

_active: list[StatusDisplay] = []


class StatusDisplay:
    """Shows steps while it is entered.

    step     what is being done at first
    total    how many items there are, where that is known
    quiet    whether the user wants to see nothing
    after    seconds in which nothing is shown: most runs are over by then
    done     what to say that was done, at an interrupt; without it, the step and the items are told
    """

    def __init__(
        self,
        step: str,
        total: int | None = None,
        quiet: bool = False,
        after: float = 0.0,
        done: Callable[[], str] | None = None,
    ) -> None:
        self.step = step
        self.total = total
        self.after = after
        self.done = done
        self.count = 0
        self._shows = not quiet and is_shown()
        self._began = time.monotonic()
        self._lock: Any = None
        self._display: Any = None
        self._timer: Any = None
        self._visible = False

    def __enter__(self) -> StatusDisplay:
        _active.append(self)
        try:
            if self._shows:
                self._start()
        except BaseException:  # an interrupt: `with` has not begun
            self.__exit__(*sys.exc_info())
            raise
        return self

    def _start(self) -> None:
        from threading import RLock, Timer

        self._lock = RLock()
        out.before_output = hide
        if self.after:
            self._timer = Timer(self.after, self._update)  # the first step may take long
            self._timer.daemon = True
            self._timer.start()
        self._update()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._shows = False
        self.hide()
        _active.remove(self)
        if not _active:
            out.before_output = None
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            out.note(f"dfopt: interrupted: {self.done() if self.done is not None else self.state()}\n")

    def say(self, step: str) -> None:
        """Shows another step."""
        self.step = step
        self._update()

    def advance(self, *_: object) -> None:
        """An item is done."""
        self.count += 1
        self._update()

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """The items; each counts as done when the next one is asked for."""
        for item in items:
            yield item
            self.advance()

    def state(self) -> str:
        """The step, and how many items are done."""
        if self.total is not None:
            return f"{self.step} ({self.count} of {self.total} done)"
        return f"{self.step} ({self.count} done)" if self.count else self.step

    def hide(self) -> None:
        """Takes the line away, until there is another step."""
        if self._lock is not None:
            with self._lock:
                if self._visible:
                    self._visible = False
                    self._display.stop()

    def _update(self) -> None:
        if not self._shows or time.monotonic() - self._began < self.after:
            return
        with self._lock:
            if not self._shows:
                return  # it ended meanwhile
            text = out.printable(self.step) if self.total is not None else out.printable(self.state())
            if self._display is None:
                self._display = _display(text, self.total)
            self._display.update(self._display.task_ids[0], description=text, completed=self.count)
            if not self._visible:
                self._visible = True
                self._display.start()


def is_shown() -> bool:
    """Whether there is a terminal to show anything on."""
    return sys.stderr is not None and sys.stderr.isatty()


def shown(step: str, items: Sequence[T], quiet: bool = False, after: float = 0.0) -> Iterator[T]:
    """The items, with a display of how many of them are done."""
    with StatusDisplay(step, len(items), quiet, after) as display:
        yield from display.over(items)


def listed(files: Iterable[T], quiet: bool = False) -> list[T]:
    """What a search finds, all of it."""
    with StatusDisplay("looking for files", quiet=quiet, after=0.5) as display:
        return list(display.over(files))


def say(step: str) -> None:
    """Shows another step in the display that is entered; nothing without one."""
    if _active:
        _active[-1].say(step)


def build_log(line: str, about: str = "") -> None:
    """Shows what a build says: dfopt's own steps, and behind the latest of them the engine's latest line; `about`: the
    file that is built."""
    if _active:
        own = line.removeprefix("dfopt: ")
        head = _active[-1].step.partition(" | ")[0]
        prefix = f"{about}: " if about else ""
        _active[-1].say(f"{prefix}{own}" if own != line else f"{head} | {line.strip()}")


def hide() -> None:
    """Takes the line away before something is printed."""
    for display in _active:
        display.hide()


def _display(step: str, total: int | None) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    text = TextColumn(
        "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
    )
    counted = (BarColumn(20), MofNCompleteColumn()) if total is not None else ()
    display = Progress(
        SpinnerColumn(), text, *counted, TimeElapsedColumn(), console=Console(stderr=True), transient=True, expand=True,
        redirect_stdout=False, redirect_stderr=False,
    )  # fmt: skip
    display.add_task(step, total=total)
    return display
