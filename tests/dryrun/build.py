"""Runs an LLB graph in a world of stand-ins: what each step makes, calls, and how it fails."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import fileops, madeup
from .calls import Call, ordered, read
from .effects import refusals
from .graph import Graph, Operation
from .lacks import Lacks
from .sandbox import Sandbox, State
from .tree import Entry, User, entries, inside, user
from .world import Worlds, family

ROUNDS, SECONDS = 80, 20  # of learning what a world lacks
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


class StepError(Exception):
    """A step that fails: exit status and output, or what the engine would say."""

    def __init__(
        self,
        message: str,
        output: str,
        cwd: str = "/",
        calls: list[Call] | None = None,
        body: str = "",
        made_before: bool = False,
    ) -> None:
        super().__init__(message)
        self.output = output
        self.cwd = cwd
        self.calls = calls or []
        self.body = body
        self.made_before = made_before  # not in the step, but by the last of `calls`, or in the base image


@dataclass
class Built:
    """One build. `error`: how the step failed that ended it, "" where the image was built."""

    graph: Graph
    steps: dict[str, Step] = field(default_factory=dict)
    error: str = ""

    @property
    def state(self) -> State | None:
        if self.error:
            return None
        if self.graph.result is None:
            return ()
        digest, output = self.graph.result
        return self.steps[digest].outputs[output]

    def calls(self) -> Iterator[Call]:
        for step in self.steps.values():
            yield from step.calls

    def chains(self) -> list[list[Call]]:
        """The calls in their order: a list for each line of steps from a base image to its last step."""
        below: dict[str, str] = {}
        for op in self.graph.operations:
            root = root_input(op)
            if root is not None:
                below[op.digest] = op.inputs[root][0]
        leaves = [
            op.digest
            for op in self.graph.operations
            if op.digest in self.steps and op.digest not in set(below.values())
        ]
        found: list[list[Call]] = []
        for leaf in leaves:
            line: list[str] = []
            current: str | None = leaf
            while current is not None:
                line.append(current)
                current = below.get(current)
            calls = [call for digest in reversed(line) for call in ordered(self.steps[digest].calls)]
            if calls:
                found.append(calls)
        return found


def root_input(op: Operation) -> int | None:
    """Which input an operation works on."""
    if op.kind == "exec":
        found = next(mount.get("input", -1) for mount in op.data["mounts"] if mount["dest"] == "/")
    elif op.kind == "file":
        found = op.data["actions"][0].get("input", -1)
    elif op.kind == "merge":
        found = 0
    else:
        return None
    return found if 0 <= found < len(op.inputs) else None


def has_caches(graph: Graph) -> bool:
    return any(
        mount.get("mountType") == _CACHE for op in graph.operations if op.kind == "exec" for mount in op.data["mounts"]
    )


class Builder:
    """Builds the files of one trial, which share a build context and what their worlds were found to lack.

    context  a layer with the build context; "": it is made up of what the graphs name
    fill     what a context lacks is made up, too
    """

    def __init__(
        self, sandbox: Sandbox, worlds: Worlds, graphs: list[Graph], context: str = "", fill: bool = False
    ) -> None:
        self.sandbox, self.worlds, self.graphs = sandbox, worlds, graphs
        self.lacks = Lacks()
        for program, arguments in refusals(image for graph in graphs for image in graph.images()).items():
            Path("dry/refuses", program).write_text("".join(f"{line}\n" for line in arguments))
        self.real_context, self.fill = context, fill
        self.texts = "\n".join(body for graph in graphs for body in graph.bodies())
        self.lacks.texts = self.texts
        self.executable = False  # made-up files of the context are
        self.memo: dict[str, Step] = {}
        self._bases: dict[str, State] = {}
        self._context = ""
        self._callers: dict[State, Call] = {}  # the last call in the making of a state
        self._asked: set[str] = set()
        self.lacks.plain |= {
            word.rpartition("/")[2]
            for graph in graphs
            for key in ("Cmd", "Entrypoint")
            for word in graph.config.get(key) or []
        } - {""}
        self.strict = False  # failures that no shell hears show what a world lacks, too
        self._settling = False

    def forget(self) -> None:
        """What was built on base images that were other ones, is void."""
        self.memo.clear()
        self._bases.clear()
        self._context = ""

    def settle(self, graph: Graph) -> Built:
        """A build whose world has what it was found to lack."""
        built, reuse = Built(graph), dict[str, Step]()
        changed: set[str] = set()
        started = time.monotonic()
        self._settling = True
        for _ in range(ROUNDS):
            if time.monotonic() - started > SECONDS:
                break
            built = Built(graph)
            try:
                self._operations(built, Counter(), None, reuse, True, False, changed)
            except StepError as error:
                built.error = f"{error}: {error.output[-400:].strip()}"
                maker, last = self._last(built, error)
                found = self.lacks.learn(error.output, error.cwd, last, error.body)
                if not found and "ermission denied" in error.output and not self.executable:
                    self.executable = True
                    found = "base"
                if found == "base":
                    self.forget()
                    reuse, changed = {}, set()
                elif found:
                    reuse, changed = {} if has_caches(graph) else dict(built.steps), {maker}
                if found:
                    self.lacks.write_hints(Path("dry/hints"))
                    continue
            break
        self._settling = False
        return built

    def _last(self, built: Built, error: StepError) -> tuple[str, Call | None]:
        """The last call before a step failed, and the operation that made it; "" for the step itself."""
        if error.made_before:
            last = error.calls[-1] if error.calls else None
            makers = [digest for digest, step in built.steps.items() if last in step.calls]
            return (makers[-1] if makers else ""), last
        if error.calls:
            return "", error.calls[-1]
        for digest, step in reversed(built.steps.items()):
            if step.calls:
                return digest, step.calls[-1]
        return "", None

    def build(self, graph: Graph, learn_programs: bool = False, lose_caches: bool = False, share: bool = True) -> Built:
        """A build in the world as it is. `lose_caches`: cache mounts are empty at each step; `share`: steps that another
        build of the trial has made are taken from it."""
        built = Built(graph)
        try:
            reuse = self.memo if share and not has_caches(graph) else {}
            self._operations(built, Counter(), None, reuse, learn_programs, lose_caches)
        except StepError as error:
            built.error = f"{error}: {error.output[-400:].strip()}"
        return built

    def fault(self, plain: Built, fault: Fault) -> Built:
        """The build `plain` once more, with one call failing."""
        built = Built(plain.graph)
        reuse = {} if has_caches(plain.graph) else plain.steps
        try:
            self._operations(
                built,
                Counter({d: sum(c.key == fault.key for c in s.calls) for d, s in plain.steps.items()}),
                fault,
                reuse,
                False,
                False,
            )
        except StepError as error:
            built.error = f"{error}: {error.output[-400:].strip()}"
        return built

    def _operations(
        self,
        built: Built,
        counts: Counter[str],
        fault: Fault | None,
        reuse: dict[str, Step],
        learn: bool,
        lose: bool,
        dirty: Collection[str] = (),
    ) -> None:
        caches: dict[str, str] = {}
        changed = set(dirty)
        waiting = fault.number if fault else -1
        for op in built.graph.operations:
            here: Fault | None = None
            if fault and waiting >= 0:
                if waiting < counts[op.digest]:
                    here = Fault(fault.kind, fault.key, waiting)
                    changed.add(op.digest)
                waiting -= counts[op.digest]
            if any(digest in changed for digest, _ in op.inputs):
                changed.add(op.digest)
            known = reuse.get(op.digest) if op.digest not in changed else None
            if known is None:
                inputs = [built.steps[digest].outputs[output] for digest, output in op.inputs]
                known = self._operation(op, inputs, built.graph, here, caches, learn, lose)
                if not fault and not lose and not has_caches(built.graph):
                    self.memo[op.digest] = known
            built.steps[op.digest] = known

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

    # --- sources

    def _source(self, op: Operation, graph: Graph) -> State:
        name = op.data["identifier"]
        if name.startswith("docker-image://"):
            return self.base(family(name, _bodies_on(graph, op.digest)))
        if name.startswith("local://"):
            real = (self.real_context,) if self.real_context else ()
            return (*real, self._made_up_context()) if self.fill or not real else real
        layer = self.sandbox.layer()
        if name.startswith("git://"):
            Path(layer, "configure").write_text(f"#!/.dry/stub\n# {name}\n")
            Path(layer, "configure").chmod(0o755)
        else:
            file = op.data.get("attrs", {}).get("http.filename") or name.rpartition("/")[2] or "download"
            Path(layer, file).write_text(f"# {name}\n")
            Path(layer, file).chmod(0o600)
        return (layer,)

    def base(self, family_name: str) -> State:
        if family_name not in self._bases:
            plain = self.worlds.base(family_name)
            self._bases[family_name] = (plain, self.lacks.apply(self.sandbox, plain)) if self.lacks.size() else (plain,)
        return self._bases[family_name]

    def _made_up_context(self) -> str:
        if not self._context:
            self._context = self.sandbox.layer()
            root = Path(self._context)
            for graph in self.graphs:
                for source, destination in madeup.local_sources(graph):
                    madeup.make(
                        root,
                        source,
                        destination,
                        self.texts,
                        0o755 if self.executable else 0o644,
                        self.lacks.flipped,
                        self.lacks.plain,
                    )
            (root / "made-up").write_text("# made up\n")
        return self._context

    # --- files

    def _file(self, op: Operation, inputs: list[State], learn: bool) -> dict[int, State]:
        actions = op.data["actions"]
        states: dict[int, State] = dict(enumerate(inputs))
        outputs: dict[int, State] = {}
        position = 0
        while position < len(actions):
            # actions that only go on from the one before share a layer
            first = position
            position += 1
            while (
                position < len(actions)
                and actions[position - 1].get("output", -1) < 0
                and actions[position].get("input", -1) == len(inputs) + position - 1
            ):
                position += 1
            start = actions[first].get("input", -1)
            below = states[start] if start >= 0 else ()
            upper = self.sandbox.layer()
            with ExitStack() as stack:
                root = stack.enter_context(self.sandbox.mounted(below, upper))
                for action in actions[first:position]:
                    self._action(root, action, states, learn)
            states[len(inputs) + position - 1] = (*below, upper)
            if below in self._callers:
                self._callers[below + (upper,)] = self._callers[below]  # noqa: RUF005  # Python 3.10
            last = actions[position - 1].get("output", -1)
            if last >= 0:
                outputs[last] = (*below, upper)
        return outputs

    def _action(self, root: Path, action: dict[str, Any], states: dict[int, State], learn: bool) -> None:
        ((kind, data),) = action["Action"].items()
        try:
            if kind == "mkdir":
                fileops.mkdir(root, data)
            elif kind == "mkfile":
                fileops.mkfile(root, data)
            elif kind == "rm":
                fileops.remove(root, data)
            else:
                self._copy(root, data, states[action["secondaryInput"]])
        except fileops.Missing as error:
            raise StepError(f"COPY {error}", "not found") from None
        except fileops.FileError as error:
            raise StepError(
                f"{kind} {data.get('src', '')} {data.get('dest', data.get('path', ''))}", str(error)
            ) from None
        except OSError as error:
            raise StepError(f"{kind} {data.get('src', '')}", str(error)) from None

    def _copy(self, root: Path, data: dict[str, Any], source: State) -> None:
        if len(source) == 1:
            found = Path(source[0])
            missing = not fileops.sources(found, data["src"])
            if not missing:
                fileops.copy(root, found, data)
                return
        else:
            with self.sandbox.mounted(source) as found:
                missing = not fileops.sources(found, data["src"])
                if not missing:
                    fileops.copy(root, found, data)
                    return
        local = self.real_context and source[:1] == (self.real_context,)
        if self._settling and not local and data["src"] not in self._asked:
            self._asked.add(data["src"])
            directory = madeup.is_directory(data["src"], data["dest"], self.texts, self.lacks.flipped, self.lacks.plain)
            shown = f"can't cd to {data['src']}: " if directory else f"{data['src']}: No such file or directory"
            caller = self._callers.get(source)
            raise StepError(f"COPY {data['src']}", shown, "/", [caller] if caller else [], made_before=True)
        if self._settling and not local:
            self.lacks.copied.add(data["src"])
        if data["src"] not in self.lacks.copied:
            raise fileops.Missing(data["src"])
        layer = Path(self.sandbox.layer())
        madeup.make(layer, data["src"], data["dest"], self.texts, 0o755, self.lacks.flipped, self.lacks.plain)
        fileops.copy(root, layer, data)

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
            raise StepError(
                "a failure that was not heard", printed, meta.get("cwd") or "/", calls, " ".join(meta["args"])
            )
        if status:
            raise StepError(
                f"status {status} of {' '.join(meta['args'])[:160]!r}",
                printed,
                meta.get("cwd") or "/",
                calls,
                " ".join(meta["args"]),
            )
        caller = calls[-1] if calls else self._callers.get(state)
        if caller is not None:
            self._callers[state + (upper,)] = caller  # noqa: RUF005  # Python 3.10
        outputs: dict[int, State] = {}
        for mount in op.data["mounts"]:
            output = mount.get("output", 0)
            if output >= 0:
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
                if not place.exists():
                    place.mkdir(parents=True)
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
        status, printed = self.sandbox.run(root, arguments, {"HOME": who.home, **environment}, cwd, who.uid, who.gid)
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

    # --- results

    def files(self, state: State | None) -> dict[str, Entry]:
        """All that an image holds, by path."""
        if not state:
            return {}
        with self.sandbox.mounted(state) as root:
            return dict(entries(root, self.worlds.hashes))


def _bodies_on(graph: Graph, digest: str) -> str:
    """What the RUNs say that work on an image."""
    on = {digest}
    found: list[str] = []
    for op in graph.operations:
        root = root_input(op)
        if root is not None and op.inputs[root][0] in on:
            on.add(op.digest)
            if op.kind == "exec":
                found += op.data["meta"]["args"]
    return "\n".join(found)
