"""Run one command and print what it cost. A program of its own: `python -I -S probe.py LIMIT SAMPLE IN OUT ERR CMD...`.

Why a separate process: Linux hands a child the resident high-water mark of the process that spawned it, so a large
benchmark driver would put a floor under every figure. This file imports little, so its floor is that of a bare
interpreter (about 10 MB), below every tool measured.

Arguments: LIMIT seconds until the whole process group is killed; SAMPLE seconds between two looks at the process tree
(0: never); IN, OUT, ERR files for the command's standard streams.

Prints one line of `key=value` pairs: `exit` (negative: signal), `wall` seconds, `cpu` seconds (user and system, with
every descendant that was waited for), `maxrss` KiB (largest single process), `tree` KiB (largest sum over the process
tree of proportional set sizes, 0 where not sampled), `timeout` 0 or 1.
"""

import os
import signal
import sys
import time


def _pss(pid: str) -> int:
    """Proportional set size of `pid` in KiB; 0 where the process is gone or the kernel does not tell."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as f:
            for line in f:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def tree_kib(root: int) -> int:
    """Sum of proportional set sizes of `root` and its descendants, in KiB (pages shared by forks count once)."""
    children: dict[str, list[str]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as f:
                    parent = f.read().rpartition(b")")[2].split()[1].decode()
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(name)
    total, todo = 0, [str(root)]
    while todo:
        pid = todo.pop()
        total += _pss(pid)
        todo.extend(children.get(pid, ()))
    return total


def kill_group(pid: int) -> None:
    try:  # noqa: SIM105  # importing contextlib would raise the floor
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # it ended by itself just now
        pass


def main(argv: list[str]) -> int:
    limit, every, files, command = float(argv[0]), float(argv[1]), argv[2:5], argv[5:]
    modes = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    actions = [(os.POSIX_SPAWN_OPEN, fd, files[fd], modes[fd], 0o600) for fd in range(3)]
    state = {"tree": 0, "timeout": 0}
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, dict(os.environ), file_actions=actions, setpgroup=0)

    def look(_signum: int, _frame: object) -> None:
        if every:
            state["tree"] = max(state["tree"], tree_kib(pid))
        if time.perf_counter() - start > limit:
            state["timeout"] = 1
            kill_group(pid)

    # The timer interrupts wait4, which Python then resumes: no polling, so the end is seen at once.
    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, every or limit, every or limit)
    try:
        _, status, usage = os.wait4(pid, 0)
    except BaseException:
        kill_group(pid)
        raise
    wall = time.perf_counter() - start
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(
        f"exit={os.waitstatus_to_exitcode(status)} wall={wall:.6f} cpu={usage.ru_utime + usage.ru_stime:.6f}"
        f" maxrss={usage.ru_maxrss} tree={state['tree']} timeout={state['timeout']}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
