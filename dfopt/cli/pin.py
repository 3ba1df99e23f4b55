"""`dfopt pin`: images to digests, from registries and dfopt.lock; into the files, or into a BuildKit source policy."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from dfopt.cli import out, style
from dfopt.cli.command_request import files_of, hosts_of, lookup_of
from dfopt.cli.digests import Digests, gather, lock_path
from dfopt.cli.errors import UsageError
from dfopt.cli.progress import listed
from dfopt.cli.stream import count, stream
from dfopt.cli.tasks import FixTask
from dfopt.messages import json_text
from dfopt.pass_selection import Options
from dfopt.registry.lock import LockError, read_lock
from dfopt.request import STDIN, Request
from dfopt.workspace.embedded_kinds import DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.cli.options import Values
    from dfopt.recipes.plan import RecipePlan
    from dfopt.registry.client import RegistryClient
    from dfopt.registry.lock import Lock
    from dfopt.registry.resolver import Mode
    from dfopt.workspace.discovery import InputFile

PASSES = ("pin-digest", "add-checksum")


class PinRequest(Request):
    """The passes that pin, and nothing else; `update` replaces digests that are there."""

    update = False
    image_names = True

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._changed: dict[int, Options] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        _, arguments = super().__reduce__()
        return _pin_request, (self.update, *arguments)

    def options(self, directory: str) -> Options:
        options = super().options(directory)
        settings: dict[str, Any] = {**options.settings, "pin-digest": {"update": self.update}}
        pin_options = self._changed.get(id(options))
        if pin_options is None:
            pin_options = self._changed[id(options)] = Options(self.select, options.ignore, ("safe",), settings)
        return pin_options

    def plan(self, directory: str) -> RecipePlan | None:
        return None


def _pin_request(update: bool, *arguments: Any) -> PinRequest:
    request = PinRequest(*arguments)
    request.update = update
    return request


def run(values: Values) -> int:
    """Runs the command: 1 where files would change or, with --check, pinned tags moved; 2 where a digest is not to be
    had. Raises UsageError."""
    _check_usage(values)
    lookup = lookup_of(values)
    files = listed(files_of(values, lookup, DEFINITIONS), values.quiet)
    path = lock_path(values)
    try:
        lock = read_lock(path)
    except LockError as failure:
        raise UsageError(str(failure)) from None
    mode: Mode = "check" if values.check else "update" if values.update else "locked"
    hosts = Request(lookup, hosts=hosts_of(values))
    with ExitStack() as stack:
        digests = Digests(
            lock, gather(files, hosts), mode, None if values.offline else lambda: stack.enter_context(_client(values)),
            verify=values.verify_digests is not False, everywhere=values.source_policy is not None,
            fetch=values.downloads, quiet=values.quiet,
        )  # fmt: skip
        digests.resolve()
        if values.facts:
            from dfopt.cli.base_facts import add_base_facts

            add_base_facts(digests, stack.enter_context(_client(values)))
    status = digests.report()
    if values.check:
        return max(status, _checked(digests, values))
    if values.prune:
        digests.prune()
    if values.source_policy is not None:
        return max(status, _policy(digests, values))
    return max(status, _files(digests, files, lookup, values))


def _client(values: Values) -> RegistryClient:
    from dfopt.cli.network import client_of

    return client_of(values)


def _check_usage(values: Values) -> None:
    modes = [
        flag
        for flag, is_given in (
            ("--check", values.check), ("--write", values.write), ("--source-policy", values.source_policy is not None),
        )
        if is_given
    ]  # fmt: skip
    if len(modes) > 1:
        raise UsageError(f"{modes[0]} and {modes[1]} exclude each other")
    if values.offline and values.update:
        raise UsageError("--offline and --update exclude each other: what moved, registries know")
    if values.facts and (values.offline or not (values.write or values.source_policy is not None)):
        raise UsageError("--facts keeps what registries answer: it needs --write or --source-policy, and no --offline")
    if values.write and STDIN in values.paths:
        raise UsageError("--write has no meaning with '-': the result goes to standard output")
    if values.prune and not (values.write or values.source_policy is not None):
        raise UsageError("--prune needs --write or --source-policy: else no lock file is written")


def _checked(digests: Digests, values: Values) -> int:
    """Lists the pins, or those that moved; 1 where one did."""
    moved = digests.moved()
    if values.output_format == "json":
        out.data(json_text({"version": 1, "pins": digests.as_json()}, indent=2) + "\n")
    else:
        for use, old, new in moved:
            out.text(f"{out.printable(use.place)}: {out.printable(use.text)} moved from {old} to {new}\n")
    if not values.quiet:
        loose = digests.unpinned()
        parts = [f"{len(moved)} of {count(len(digests.pinned()), 'pin')} moved"]
        if loose:
            parts.append(f"{len(loose)} not pinned")
        out.note(f"dfopt: {'; '.join(parts)}\n")
    return 1 if moved else 0


def _policy(digests: Digests, values: Values) -> int:
    from dfopt.registry.policy import fits, source_policy
    from dfopt.writing import Output

    images, downloads = digests.known()
    text = source_policy(images, downloads)
    for url in downloads:
        if not fits(url):
            out.error(f"{out.printable(url)}: a source policy cannot name it: it holds * or $")
    try:
        if values.source_policy == STDIN:
            out.data(text)
        else:
            with Output(values.source_policy) as file:
                file.write(text.encode())
    except OSError as failure:
        out.error(f"{values.source_policy}: {failure.strerror or failure}")
        return 2
    status = _write_lock(digests.lock)
    if not values.quiet:
        out.note(f"dfopt: {count(len(images), 'image')} and {count(len(downloads), 'download')} in the policy\n")
    return status if all(fits(url) for url in downloads) else 2


def _files(digests: Digests, files: list[InputFile], lookup: Any, values: Values) -> int:
    select = PASSES if values.downloads else PASSES[:1]
    request = PinRequest(lookup, select, (), None, facts=(digests.facts(),), hosts=hosts_of(values))
    request.update = values.update
    stdin = STDIN in values.paths
    mode = "diff" if values.diff else "text" if stdin else "nothing" if values.write or values.patch else "diff"
    task = FixTask(
        request, mode, "text", values.write, values.patch is not None,
        style.use_color(values.color, os.environ, out.is_terminal()), values.show_refusals, values.quiet,
        out.is_terminal(),
    )  # fmt: skip
    if values.patch is None:
        status, totals = stream(files, task, task.failed, values.jobs)
    else:
        from dfopt.cli.patch import PatchFile

        with PatchFile(values.patch) as patch:
            status, totals = stream(files, task, task.failed, values.jobs, None, patch)
    if values.write:
        status = max(status, _write_lock(digests.lock))
    if not values.quiet:
        out.note(_summary(digests, totals, values))
    return status


def _write_lock(lock: Lock) -> int:
    if not lock.images and not lock.downloads and not os.path.exists(lock.path):
        return 0
    try:
        lock.write()
    except LockError as failure:
        out.error(str(failure))
        return 2
    return 0


def _summary(digests: Digests, totals: Mapping[str, int], values: Values) -> str:
    done = "changed" if values.write else "would change"
    files = count(totals.get("files", 0), "file")
    parts = [f"{count(len(digests.names()), 'image')} in {files}; {totals.get('changed', 0)} {done}"]
    if totals.get("refusals"):
        hint = "" if values.show_refusals else " (--show-refusals lists them)"
        parts.append(count(totals["refusals"], "refusal") + hint)
    if digests.failures:
        parts.append(f"{len(digests.failures)} without an answer")
    return f"dfopt: {'; '.join(parts)}\n"
