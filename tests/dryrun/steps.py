"""What one operation of a graph does in a world of stand-ins; RUN above all."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .calls import Call, read
from .graph import Graph, Operation
from .images import Images, StepError
from .sandbox import SECONDS, State
from .tree import User, inside, user
from .world import family

ROUNDS = 160  # of learning what a world lacks
_BIND, _SECRET, _SSH, _CACHE, _TMPFS = range(5)
_NETWORK_NONE = 2


@dataclass(frozen=True)
class Fault:
    """The `number`th of the calls `key` fails: by "exit" (at once), "signal", or "full" (all done, its output lost)."""

    kind: str
    key: str
    number: int

    def __str__(self) -> str:
        return f"{self.key.replace(chr(31), ' ')!r} #{self.number} fails by {self.kind}"


@dataclass
class Step:
    """What an operation made: its outputs, the calls in the order of their starts, what it printed."""

    outputs: dict[int, State]
    calls: list[Call]
    printed: str = ""


def has_caches(graph: Graph) -> bool:
    return any(
        mount.get("mountType") == _CACHE for op in graph.operations if op.kind == "exec" for mount in op.data["mounts"]
    )


class Steps(Images):
    """Images, and the steps that are run in them."""

    def _operation(
        self,
        op: Operation,
        inputs: list[State],
        graph: Graph,
        fault: Fault | None,
        caches: dict[str, str],
        learn: bool,
        lose: bool,
    ) -> Step:
        if op.kind == "source":
            return Step({0: self._source(op, graph)}, [])
        if op.kind == "file":
            return Step(self._file(op, inputs, learn), [])
        if op.kind == "merge":
            return Step({0: tuple(layer for state in inputs for layer in state)}, [])
        if op.kind == "exec":
            if lose:
                caches = {}
            return self._exec(op, inputs, fault, caches, learn)
        raise NotImplementedError(op.kind)

    # --- RUN

    def _exec(
        self, op: Operation, inputs: list[State], fault: Fault | None, caches: dict[str, str], learn: bool
    ) -> Step:
        meta = op.data["meta"]
        root_mount = next(mount for mount in op.data["mounts"] if mount["dest"] == "/")
        source = root_mount.get("input", -1)
        state: State = inputs[source] if source >= 0 else ()
        for _ in range(ROUNDS):
            upper = self.sandbox.layer()
            status, printed, calls = self._command(op, inputs, state, upper, fault, caches)
            base = self.base(family("", "\n".join(meta["args"])))
            if status == 127 and len(state) and state[0] != base[0] and not self._has_shell(state):
                state = (*base, *state)
                continue
            missing = self.lacks.missing_programs(printed) if learn else set()
            if not missing:
                break
            self.give(missing)
        if learn and self.strict and not status and "No such file" in printed and str(op.digest) not in self._asked:
            self._asked.add(op.digest)  # in a pipeline, where it was not heard
            body, cwd = " ".join(meta["args"]), meta.get("cwd") or "/"
            raise StepError("a failure that was not heard", printed, cwd, calls, body, unheard=True)
        if status:
            raise StepError(
                f"status {status} of {' '.join(meta['args'])[:160]!r}",
                printed,
                meta.get("cwd") or "/",
                calls,
                " ".join(meta["args"]),
            )
        caller = next(filter(self.stays, reversed(calls)), self._callers.get(state))
        if caller is not None:
            self._callers[state + (upper,)] = caller  # noqa: RUF005  # Python 3.10
        outputs: dict[int, State] = {}
        for mount in op.data["mounts"]:
            output = mount.get("output", 0)
            if output >= 0 and mount.get("mountType", _BIND) == _BIND:
                outputs[output] = (
                    (*state, upper)
                    if mount["dest"] == "/"
                    else inputs[mount["input"]]
                    if mount.get("input", -1) >= 0
                    else ()
                )
        return Step(outputs, calls, printed)

    def give(self, programs: set[str]) -> None:
        for name in programs:
            self.lacks.programs.add(name)
            if not os.path.lexists(f"dry/bin/{name}"):
                real = f"dry/shells/{name}"
                stub = "/.dry/sudo" if name in ("sudo", "su") else "/.dry/stub"
                os.symlink(f"/.{real}" if os.path.lexists(real) else stub, f"dry/bin/{name}")

    def _has_shell(self, state: State) -> bool:
        with self.sandbox.mounted(state) as root:
            return inside(root, "/bin/sh").exists() or os.path.lexists(root / "bin/sh")

    def _command(
        self, op: Operation, inputs: list[State], state: State, upper: str, fault: Fault | None, caches: dict[str, str]
    ) -> tuple[int, str, list[Call]]:
        meta = op.data["meta"]
        cwd = meta.get("cwd") or "/"
        with self.sandbox.mounted(state, upper) as root:
            for name in (".dry", "proc"):
                (root / name).mkdir(exist_ok=True)
            who = user(root, meta.get("user", ""))
            if isinstance(who, str):
                return 125, who, []
            made: list[Path] = []
            with ExitStack() as stack:
                for mount in sorted(op.data["mounts"], key=lambda mount: str(mount["dest"])):
                    if mount["dest"] != "/":
                        problem = self._mount(stack, root, mount, inputs, caches, made, cwd)
                        if problem:
                            return 125, problem, []
                place = inside(root, cwd)
                try:
                    place.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    return 125, f"mkdir {cwd}: {error.strerror}", []
                environment = dict(pair.split("=", 1) for pair in meta.get("env", []) if "=" in pair)
                status, printed, calls = self.run(
                    root, meta["args"], environment, cwd, who, fault, op.data.get("network") == _NETWORK_NONE
                )
            for path in reversed(made):  # an engine takes mount points away again
                with suppress(OSError):
                    path.rmdir() if path.is_dir() else path.unlink()
            return status, printed, calls

    def run(
        self,
        root: Path,
        arguments: list[str],
        environment: dict[str, str],
        cwd: str,
        who: User,
        fault: Fault | None = None,
        offline: bool = False,
        seconds: int = SECONDS,
    ) -> tuple[int, str, list[Call]]:
        """A command in a tree, and the calls that it made."""
        for name in ("log", "lock"):
            with open(f"dry/{name}", "w"):
                pass
            os.chmod(f"dry/{name}", 0o666)
        for name, content in (
            ("fail", f"{fault.kind}\t{fault.key}\t{fault.number}\n" if fault else ""),
            ("offline", "x" if offline else ""),
        ):
            if content:
                Path("dry", name).write_text(content, errors="surrogateescape")
            elif os.path.exists(f"dry/{name}"):
                os.unlink(f"dry/{name}")
        status, printed = self.sandbox.run(
            root, arguments, {"HOME": who.home, **environment}, cwd, who.uid, who.gid, seconds
        )
        return status, printed, read(Path("dry/log").read_text(errors="surrogateescape"))

    def _mount(
        self,
        stack: ExitStack,
        root: Path,
        mount: dict[str, Any],
        inputs: list[State],
        caches: dict[str, str],
        made: list[Path],
        cwd: str,
    ) -> str:
        """Mounts what a RUN asks for; how that fails, or ""."""
        kind, number = mount.get("mountType", _BIND), mount.get("input", -1)
        selector = mount.get("selector") or "/"
        if kind == _BIND and number >= 0:
            layer = "" if mount.get("readonly") else self.sandbox.layer()
            source = inside(stack.enter_context(self.sandbox.mounted(inputs[number], layer)), selector)
        elif kind == _CACHE:
            name = mount["cacheOpt"]["ID"]
            if name not in caches:
                caches[name] = self.sandbox.layer()
                if number >= 0:
                    with self.sandbox.mounted(inputs[number]) as below:
                        first = inside(below, selector)
                        if first.is_dir():
                            found = first.stat()
                            shutil.copytree(first, caches[name], symlinks=True, dirs_exist_ok=True)
                            os.chown(caches[name], found.st_uid, found.st_gid)
                            os.chmod(caches[name], found.st_mode & 0o7777)
            source = Path(caches[name])
        elif kind in (_SECRET, _SSH):
            options = mount.get("secretOpt") or mount.get("SSHOpt") or mount.get("sshOpt") or {}
            if options.get("optional"):
                return ""
            source = Path(self.sandbox.layer(), "secret")
            source.write_text("secret\n")
        else:
            source = Path(self.sandbox.layer())
        if not source.exists():
            return f"mount {selector}: not found"
        target = inside(root, mount["dest"])
        missing: list[Path] = []
        above = target if source.is_dir() else target.parent
        while not above.exists():
            missing.append(above)
            above = above.parent
        for path in reversed(missing):
            path.mkdir()
            made.append(path)
        if not source.is_dir() and not target.exists():
            target.touch()
            made.append(target)
        if source.is_dir() != target.is_dir():
            return f"mount {mount['dest']}: Not a directory"
        stack.enter_context(self.sandbox.bound(source, target))
        return ""
