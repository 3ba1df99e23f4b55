"""The images that a build starts from and copies into: base images, build contexts, file operations."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import fileops, madeup
from .calls import Call
from .effects import refusals
from .graph import Graph, Operation, root_input
from .lacks import Lacks
from .sandbox import Sandbox, State, stand_in
from .tree import Entry, entries
from .world import Worlds, absent_paths, family, image_programs, open_directories

_TEMPORARY = re.compile(r"/tmp\.\w{6,10}(?=/|$)")  # names that mktemp made

_WITHOUT_INDEX = re.compile(r"docker\.io/(library/(debian|ubuntu)|bitnami/minideb)[:@]")  # their makers delete it


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
        unheard: bool = False,
    ) -> None:
        super().__init__(message)
        self.output = output
        self.cwd = cwd
        self.calls = calls or []
        self.body = body
        self.unheard = unheard  # the step goes on
        self.made_before = made_before  # not in the step, but by the last of `calls`, or in the base image


class Images:
    """The steps of one trial's builds, which share a build context and what their worlds were found to lack.

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
        self.lacks.indexed = any(not _WITHOUT_INDEX.search(image) for graph in graphs for image in graph.images())
        self.executable = False  # made-up files of the context are
        self._bases: dict[tuple[str, ...], State] = {}
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
        self.stays: Callable[[Call], bool] = lambda call: True  # whether a rewrite leaves a call where it is
        self._settling = False

    def forget(self) -> None:
        """What was built on base images that were other ones, is void."""
        self._bases.clear()
        self._context = ""

    # --- sources

    def _source(self, op: Operation, graph: Graph) -> State:
        name = op.data["identifier"]
        if name.startswith("docker-image://"):
            return self.base(family(name, _bodies_on(graph, op.digest)), name)
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

    def base(self, family_name: str, image: str = "") -> State:
        """The base image of a family, with the programs that an image of that name brings."""
        programs, directories, absent = image_programs(image), open_directories(image), absent_paths(image)
        key = (family_name, *programs, *directories, *absent)
        if key not in self._bases:
            state: State = (self.worlds.base(family_name),)
            if programs or directories or absent:
                state = (*state, self.sandbox.layer())
                for directory in directories:
                    Path(state[-1] + directory).mkdir(parents=True)
                    Path(state[-1] + directory).chmod(0o1777)
                for program in programs:
                    place = Path(state[-1] + program)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    stand_in(place)
                with self.sandbox.mounted(state[:-1], state[-1]) as root:
                    for path in absent:
                        (root / path.lstrip("/")).unlink(missing_ok=True)
            if self.lacks.size():
                state = (*state, self.lacks.apply(self.sandbox, state))
            self._bases[key] = state
        return self._bases[key]

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
            name = madeup.matching_name(data["src"])
            shown = f"can't cd to {name}: " if directory else f"{name}: No such file or directory"
            caller = self._callers.get(source)
            raise StepError(f"COPY {data['src']}", shown, "/", [caller] if caller else [], made_before=True)
        if self._settling and not local:
            self.lacks.copied.add(data["src"])
        if data["src"] not in self.lacks.copied:
            raise fileops.Missing(data["src"])
        layer = Path(self.sandbox.layer())
        madeup.make(layer, data["src"], data["dest"], self.texts, 0o755, self.lacks.flipped, self.lacks.plain)
        fileops.copy(root, layer, data)

    # --- results

    def files(self, state: State | None) -> dict[str, Entry]:
        """All that an image holds, by path."""
        if not state:
            return {}
        with self.sandbox.mounted(state) as root:
            return {_TEMPORARY.sub("/tmp._", path): found for path, found in entries(root, self.worlds.hashes)}


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
