"""Which files the processes of a container open: by fanotify on the overlay that is the container's root.

An engine mounts the overlay of a container as it starts it, some tenths of a second before the runtime executes the
program. So the mounts of this machine are watched, and the overlay is as soon as it is mounted: nothing is changed in
the container. Whether that was in time, before anything of the image was executed, is looked at each time.
"""

from __future__ import annotations

import threading
from contextlib import suppress

from dfopt.engine.containers import container_state, has_begun, of_container, overlay_mounts
from dfopt.engine.fanotify import EXECUTED, OVERFLOW, Fanotify, OpenEvent
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.engine.base import Container, Engine, EngineImage
    from dfopt.engine.containers import State

_PAUSE = 0.1  # seconds until the end is looked for
_MOUNTED = 0.5  # seconds that the mount of a container that runs is waited for
_EXECUTED = 5.0  # seconds until its program is executed
_MOST = 200_000  # paths
_DELETED = " (deleted)"  # what the kernel adds to the path of a file that has no name any more


class OpenWatch:
    """Takes events in a thread, until `end`. `state`: of a container that has been created and not started.

    paths       what was opened, for reading or else, and executed, as the container sees it. What lies on other file
                systems (volumes, mounted files, /proc) is not among it; nor are names that were only looked at, and
                links that were followed
    complete    whether no event was lost
    from_start  whether the first program was seen to be executed

    What the engine's runtime opens in a container before it executes the program is left out. Raises Refusal where this
    process may not watch."""

    def __init__(self, state: State) -> None:
        self.paths: set[str] = set()
        self.complete = True
        self.from_start = False
        self._state = state
        self._members: set[int] = set()
        self._mount_point = ""
        self._in_time = False
        self._takes_all = False
        self._marked, self._executed, self._ended = threading.Event(), threading.Event(), threading.Event()
        try:
            self._fanotify = Fanotify()
        except PermissionError:
            raise Refusal("fanotify needs the rights of root (CAP_SYS_ADMIN)") from None
        except OSError as failure:
            raise Refusal(f"this system has no fanotify: {failure.strerror}") from None
        self._thread = threading.Thread(target=self._run, name="dfopt-opened", daemon=True)
        self._thread.start()

    def sees_start(self) -> bool:
        """Whether the program of the container, which the engine has started, was seen to be executed."""
        self.from_start = self._marked.wait(_MOUNTED) and self._in_time and self._executed.wait(_EXECUTED)
        return self.from_start

    def since_now(self, pid: int) -> bool:
        """Takes what is opened from now on; `pid`: of a process of the container. Returns whether it can."""
        with suppress(OSError):
            if not self._marked.is_set():
                if not of_container(pid, self._state.identity) or "/" not in overlay_mounts(str(pid)):
                    return False
                self._fanotify.mark(f"/proc/{pid}/root")
            self._takes_all = True
            return True
        return False

    def end(self) -> None:
        """Takes what has been opened so far, and stops."""
        self._ended.set()
        self._thread.join()
        self._fanotify.close()

    def _run(self) -> None:
        with open("/proc/self/mountinfo", "rb") as table:
            while not self._ended.is_set():
                with suppress(OSError):
                    self._look_for_mount()
                self._fanotify.wait(_PAUSE, None if self._marked.is_set() else table.fileno())
                self._drain()
        self._drain()

    def _look_for_mount(self) -> None:
        """Only an overlay is marked: it is the container's alone. Raises OSError."""
        for point in overlay_mounts() if not self._marked.is_set() else ():
            # containerd's are named by the container's ID
            if point == self._state.root or self._state.identity in point.split("/"):
                self._mount_point = f"{point}/"
                self._fanotify.mark(point)
                self._in_time = not has_begun(self._state.identity)
                self._marked.set()
                break

    def _drain(self) -> None:
        try:
            for event in self._fanotify.events():
                self._take(event)
        except OSError:
            self.complete = False

    def _take(self, event: OpenEvent) -> None:
        if event.mask & OVERFLOW or not event.path:
            self.complete = False
            return
        # the engine's own processes have the overlay where it is mounted for them
        is_outside = bool(self._mount_point) and event.path.startswith(self._mount_point)
        if is_outside or not self._is_member(event.pid):
            return
        if event.mask & EXECUTED:
            self._executed.set()
        if self._takes_all or self._executed.is_set():
            if len(self.paths) < _MOST:
                self.paths.add(event.path.removesuffix(_DELETED))
            else:
                self.complete = False

    def _is_member(self, pid: int) -> bool:
        """One that has ended is taken for one: what else opens files there lives for longer."""
        if pid not in self._members:
            try:
                if not of_container(pid, self._state.identity):
                    return False
                self._members.add(pid)
            except OSError:
                return True
        return True


def start_watched(
    engine: Engine, image: EngineImage, network: str | None, words: tuple[str, ...] = ()
) -> tuple[Container, OpenWatch | Refusal]:
    """As `engine.start`, with a watch, which the caller ends; Refusal: why there is none. Raises EngineError."""
    watch: OpenWatch | Refusal = Refusal(f"{engine.name} tells nothing of its containers")

    def created(name: str) -> None:
        nonlocal watch
        try:
            watch = OpenWatch(container_state(engine, name))
        except Refusal as refusal:
            watch = refusal.copy()

    container: Container | None = None
    try:
        container = engine.start(image, network, words, created)
        if isinstance(watch, Refusal) or watch.sees_start():
            return container, watch
        pid = container_state(engine, container.name).pid
        if pid and watch.since_now(pid):
            return container, watch
        watch.end()
        reason = "its files are not on this machine, or not on an overlay" if pid else "it ended before"
        return container, Refusal(f"the container could not be watched: {reason}")
    except BaseException:
        if isinstance(watch, OpenWatch):
            watch.end()
        if container is not None:
            engine.stop(container)
        raise
