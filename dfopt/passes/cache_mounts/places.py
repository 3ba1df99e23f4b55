"""Package managers and build tools that a cache mount serves, and where their caches lie for the user in force."""

from __future__ import annotations

import re

from dfopt.analysis.package_managers import tools, variable, works_offline
from dfopt.analysis.run_steps import no_network
from dfopt.analysis.users import base_users
from dfopt.ir.base_images import split_image
from dfopt.ir.commands import Invocation
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


class CacheUse(Record):
    """A command that fills a cache: its family, what the table cache_mounts says of that, and, of a package manager,
    the tool."""

    family: str
    row: dict[str, Any]
    invocation: Invocation
    tool: Tool | None


class Owner(Record):
    """The user of a RUN: its home directory ("" unknown), and its ids, "" for root."""

    home: str
    uid: str
    gid: str


def uses(program: Program, step: Step) -> list[CacheUse]:
    """The commands of a RUN that fill or use a cache, in source order."""
    rows: dict[str, Any] = table("cache_mounts")
    result: list[CacheUse] = []
    for tool in tools(program, step):
        row = rows.get(tool.family)
        if row is not None and _fills(tool):
            result.append(CacheUse(tool.family, row, tool.invocation, tool))
    for invocation in program.commands(step).invocations:
        for family, row in rows.items():
            if invocation.program in row.get("programs", ()):
                operands = [word.value for word in invocation.operands()]
                subcommands = row.get("commands")
                if subcommands is None or any(value in subcommands for value in operands[:1]):
                    result.append(CacheUse(family, row, invocation, None))
    return result


def _fills(tool: Tool) -> bool:
    does = tool.does
    return bool(does.get("caches") or does.get("downloads")) and not tool.asks_about_itself


def offline(program: Program, step: Step, use: CacheUse) -> bool:
    """Whether a command is kept from using the network."""
    if no_network(step.effective) or (use.tool is not None and works_offline(program, step, use.tool)):
        return True
    return any(value in use.row.get("offline", ()) for value in use.invocation.values if value)


def owner(program: Program, step: Step, facts: Facts, use: CacheUse) -> Owner:
    """The user that a command runs as. Raises Refusal where that is not known."""
    scope = program.scope(step)
    changing = [
        name for name in use.invocation.wrappers if name in ("sudo", "gosu", "su-exec", "setpriv", "runuser", "chroot")
    ]
    if changing == ["sudo"] and use.row.get("system"):
        return Owner("/root", "", "")
    if changing:
        raise Refusal(
            f"{use.invocation.program} runs under {changing[0]}: as whom, and where its cache is, is not known"
        )
    base = base_users(program, program.stages[step.stage], facts)
    home = variable(program, step, facts, "HOME")
    if isinstance(home, Unknown):
        raise Refusal("the home directory is not known")
    root = base.root if scope.user is None else scope.root
    if root is None:
        raise Refusal(f"the user of {scope.image or 'the base image'} is not known")
    if root:
        return Owner(home or "/root", "", "")
    if use.row.get("system"):
        raise Refusal(f"{use.invocation.program} does not run as root")
    name, _, group = str(scope.user or base.user).partition(":")
    if base.own and name in (base.own, base.name):
        return Owner(home or f"/home/{base.name}", base.own, group if group.isdigit() else base.own)
    if home is None or not name.isdigit() or not (not group or group.isdigit()):
        raise Refusal(f"the number and the home directory of the user {name or 'in force'} are not known")
    return Owner(home, name, group or "0")


def targets(program: Program, step: Step, facts: Facts, use: CacheUse, user: Owner) -> list[str]:
    """The paths to mount. Raises Refusal where one is not known."""
    result: list[str] = []
    for places in use.row["mounts"]:
        path = next((path for path in (_place(program, step, facts, use, user, place) for place in places) if path), "")
        if not path:
            raise Refusal(f"where {use.family} keeps its cache here is not known")
        normal = join_path("/", path)
        if not path.startswith("/") or not isinstance(normal, str) or not re.fullmatch(r"[\w./+-]+", normal):
            raise Refusal(f"the cache lies at {path}, which is not a plain absolute path")
        result.append(normal)
    return result


def check_parents(paths: Sequence[str], user: Owner) -> None:
    """Raises Refusal where the engine would make a directory above a mount, which then belongs to root."""
    for path in paths if user.uid else ():
        if path.rpartition("/")[0] != user.home:
            raise Refusal(f"the directories above {path} would belong to root")


def _place(program: Program, step: Step, facts: Facts, use: CacheUse, user: Owner, place: dict[str, str]) -> str:
    if "env" in place:
        value = variable(program, step, facts, place["env"], use.invocation)
        if isinstance(value, Unknown):
            raise Refusal(f"{place['env']} is not known")
        return f"{value.rstrip('/')}/{place['path']}".rstrip("/") if value else ""
    if "image" in place:
        repository, tag = split_image(program.scope(step).image or "")
        pattern = re.escape(place["image"]).replace(r"\*", ".*")
        fits = re.fullmatch(pattern, repository) and re.search(place["tag"], tag or "")
        return place["path"] if fits else ""
    if "home" in place:
        return f"{user.home.rstrip('/')}/{place['home']}" if user.home else ""
    return place["path"]


def turned_off(program: Program, step: Step, facts: Facts, use: CacheUse) -> str:
    """The variable that turns the cache off, or makes installed files point into it; "" where none does."""
    for entry in use.row.get("env-off", ()):
        name, _, text = entry.partition("=")
        value = variable(program, step, facts, name, use.invocation)
        if value is not None and (not text or isinstance(value, Unknown) or text in value):
            return str(name)
    return ""
