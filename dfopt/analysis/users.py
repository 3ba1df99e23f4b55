"""Users: who an image runs as, which users its base brings, and which ones the file creates."""

from __future__ import annotations

import re

from dfopt.analysis.inferred_base import distribution
from dfopt.analysis.parents import DEEPEST, parent_program
from dfopt.analysis.root_steps import root_step
from dfopt.ir.base_images import image_user
from dfopt.ir.commands import INNER, TOP
from dfopt.ir.context_sources import sources_of
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.rewrites.copy_mode import destination
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.scopes import Scope
    from dfopt.ir.stages import Stage, Step

_PASSWD = "/etc/passwd"
_ROOT = frozenset(("root", "0"))


def is_root(user: str) -> bool:
    """Whether a USER, with or without a group, is root; "" is the one that an image without it runs as."""
    return user.partition(":")[0] in ("", *_ROOT)


class BaseUsers(Record):
    """What is known of a base image.

    root     whether it runs as root; None: not known
    user     its own user where that is not root (a number)
    own      a user that it brings for programs, but does not switch to (a number), and that user's name
    why      what speaks against another user than root
    create   how a user is created: "useradd", "adduser" (busybox's), "lines" (in /etc/passwd), "home" (lines, and a
             home directory by coreutils), "" not known
    """

    root: bool | None
    user: str
    own: str
    name: str
    why: str
    create: str


def base_users(program: Program, stage: Stage, facts: Facts, depth: int = 0) -> BaseUsers:
    """What facts, tables, the file's own steps and the parent of the tree tell of the users of a stage's base image.
    `depth`: how many parents led here."""
    scope = program.end_scope(stage)
    image, base = scope.image, scope.base
    own_user = base.user if base is not None else None
    row = image_user(image)
    config = facts.image_config(image) if image is not None else None
    shown = config is None and own_user is None and not row and root_step(program, stage) is not None
    if config is None and own_user is None and not row and depth < DEEPEST:
        parent = parent_program(image, facts)
        if parent is not None:
            users = _of_parent(*parent, facts, depth + 1)
            if users.root is not None or not shown:
                return users
    if config is None and image is not None and own_user is None and not row and not shown:
        config = facts.built_config(image)
    user: str = row.get("user", "")
    root: bool | None = None
    if config is not None:
        user = str(config.get("User") or "")
        root = is_root(user)
    elif user:
        root = False
    elif own_user is not None:
        root = own_user == "root"
    elif row.get("own") or row.get("why") or row.get("root") or shown:
        root = True
    family = base.family if base is not None else distribution(program, stage, facts)
    create = table("users")["families"].get(family, "")
    own = row.get("own", {})
    return BaseUsers(
        root, "" if root else user, own.get("id", ""), own.get("name", ""), row.get("why", ""),
        "useradd" if row.get("useradd") else create,
    )  # fmt: skip


def runs_as_root(program: Program, stage: Stage, scope: Scope, facts: Facts) -> bool | None:
    """Whether what runs in a scope of `stage` runs as root; None where that is not known."""
    return scope.root if scope.user is not None else base_users(program, stage, facts).root


def _of_parent(program: Program, stage: Stage, facts: Facts, depth: int) -> BaseUsers:
    """The users of the image that a parent builds."""
    base = base_users(program, stage, facts, depth)
    scope = program.end_scope(stage)
    if scope.user is None:
        return base
    if isinstance(scope.user, Unknown):
        return _with(base, None, "")
    name = scope.user.partition(":")[0]
    number = next((user.id for user in created_users(program, layer_steps(program, stage)) if user.name == name), "")
    return _with(base, name in _ROOT, "" if name in _ROOT else number or scope.user)


def _with(base: BaseUsers, root: bool | None, user: str) -> BaseUsers:
    return BaseUsers(root, user, base.own, base.name, base.why, base.create)


class Created(Record):
    """A user that a step creates; `id` is "" where the file does not give it as a number. `grouped`: the user's group
    has, as far as the command tells, the same number."""

    name: str
    id: str
    grouped: bool


def created_users(program: Program, steps: Iterable[Step]) -> list[Created]:
    """The users that RUNs create for certain, by useradd or adduser."""
    programs: dict[str, Any] = table("users")["create"]
    users: list[Created] = []
    for step in steps:
        if step.node.keyword != "RUN" or "add" not in step.node.joined.text + "".join(_documents(program, step)):
            continue
        for invocation in program.commands(step).invocations:
            if invocation.program not in programs or invocation.where not in (TOP, INNER):
                continue
            taking = programs[invocation.program]["value-options"]
            operands = [word.value for word in invocation.operands(taking)]
            # `adduser NAME GROUP` puts a user into a group; busybox and Debian agree on that
            if not operands or operands[-1] is None or (invocation.program == "adduser" and len(operands) > 1):
                continue
            number = ""
            for index, value in enumerate(invocation.values):
                if value in programs[invocation.program]["id"] and index + 1 < len(invocation.values):
                    number = invocation.values[index + 1] or ""
                elif value is not None and value.startswith("--uid="):
                    number = value[6:]
                elif value is not None and re.fullmatch(r"-u\d+", value):
                    number = value[2:]
            if number != "0":
                groups = invocation.has_option("-g", "--gid", "-G", "--ingroup", "-N", "--no-user-group")
                grouped = not groups and (
                    invocation.program == "adduser" or invocation.has_option("-U", "--user-group")
                )
                users.append(Created(operands[-1], number if number.isdigit() else "", grouped))
    return users


def replaces_accounts(program: Program, steps: Iterable[Step], facts: Facts) -> Step | None:
    """The first COPY or ADD that may bring an /etc/passwd of its own, in which no user is that a RUN created."""
    for step in steps:
        node = step.node
        if node.keyword not in ("COPY", "ADD"):
            continue
        target = destination(program, step)
        if target is not None and target.rstrip("/") not in ("", "/etc", _PASSWD):
            continue
        if node.flag("from") is not None or target is None or node.keyword == "ADD":
            return step
        below = _PASSWD[len(target.rstrip("/")) :]
        for source in sources_of(program, step):
            path = source.path
            if path is None or source.wildcard or facts.context_holds(f"{path}{below}".lstrip("/")) is not False:
                return step
    return None


def _documents(program: Program, step: Step) -> list[str]:
    return [program.text[doc.start : doc.end] for doc in step.heredocs]


def owners(program: Program, steps: Iterable[Step]) -> dict[str, int]:
    """The users, but for root, to whom steps give files (COPY --chown, chown): name or number -> line."""
    ids: dict[str, int] = {}
    for step in steps:
        node = step.node
        given: list[str | Unknown] = []
        flag = node.flag("chown") if node.keyword in ("COPY", "ADD") else None
        if flag is not None and flag.value:
            given.append(program.scope(step).expand(flag.value, program.dockerfile.escape))
        elif node.keyword == "RUN" and "chown" in node.joined.text + "".join(_documents(program, step)):
            for invocation in program.commands(step).invocations:
                if invocation.program == "chown":
                    operands = invocation.operands(("--from", "--reference"))
                    given.append((operands[0].value or "$") if operands else "$")
        for value in given:
            name = "$" if isinstance(value, Unknown) else re.split("[:.]", value)[0]
            if name and name not in _ROOT:
                ids.setdefault(name, node.line)
    return ids


def last_user(program: Program, stage: Stage) -> tuple[Step | None, str]:
    """(the step that says USER root last in the stage's chain, the user before it: "" where that is the base's)."""
    said: Step | None = None
    before = ""
    for step in layer_steps(program, stage):
        if step.node.keyword == "USER":
            user = program.scope(step).expand(step.node.arguments[0].value, program.dockerfile.escape)
            if isinstance(user, Unknown):
                said, before = None, ""
            elif user.partition(":")[0] in _ROOT:
                said = said or step
            else:
                said, before = None, user
    return said, before
