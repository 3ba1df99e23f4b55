"""Who an image shall run as: a user that its base brings, that the file creates, or a new one."""

from __future__ import annotations

from dfopt.analysis.build_facts import find_program, seen_image, with_reason
from dfopt.analysis.users import created_users, owners, replaces_accounts
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.syntax.directives import syntax_level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.users import BaseUsers
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_CREATE = {
    "useradd": "useradd --uid {id} --user-group --create-home --shell /usr/sbin/nologin {name}",
    "adduser": "adduser -D -u {id} -s /sbin/nologin {name}",
    "lines": "echo '{name}:x:{id}:{id}::/:/bin/false' >> /etc/passwd && echo '{name}:x:{id}:' >> /etc/group",
    "home": "echo '{name}:x:{id}:{id}::/home/{name}:/sbin/nologin' >> /etc/passwd"
    " && echo '{name}:x:{id}:' >> /etc/group && install -d -m 700 -o {id} -g {id} /home/{name}",
}
_HEREDOCS = (1, 4)
_NAME_USER = "write USER"


class UserChoice(Record):
    """user: what USER gets; owner: what chown gets; create: the command that creates the user, "" where it exists;
    passwd: a line for /etc/passwd on an empty base, "" for none."""

    user: str
    owner: str
    create: str = ""
    passwd: str = ""


def seen_creation(program: Program, stage: Stage, facts: Facts) -> str:
    """How a user is created in the image of a stage, as its base or a build showed it: a key of `_CREATE`, or ""."""
    image = seen_image(program, stage, facts)
    if image is None or image.artifact("/bin/sh").kind != "elf":
        return ""
    if find_program(image, "useradd") is not None:
        return "useradd"
    if image.release()[0] == "alpine":
        return "adduser"
    return "lines" if all(image.artifact(path).kind == "file" for path in ("/etc/passwd", "/etc/group")) else ""


def choose_user(
    program: Program, steps: list[Step], base: BaseUsers, number: str, name: str, facts: Facts
) -> UserChoice:
    """The user for an image that is made by `steps`. `number`, `name`: of a new one. Raises Refusal."""
    given = owners(program, steps)
    created = {account.name: account for account in created_users(program, steps)}
    if len(given) > 1 or "$" in given:
        raise Refusal(
            with_reason(
                f"line {max(given.values())} gives files to another user: who the program runs as is not clear", facts
            ),
            _NAME_USER,
        )
    if not given and len(created) > 1:
        raise Refusal(
            with_reason(f"the file creates {len(created)} users: who the program runs as is not clear", facts),
            _NAME_USER,
        )
    if given or created:
        user = next(iter(given or created))
        account = next((account for account in created.values() if user in (account.name, account.id)), None)
        if account is not None:
            number = account.id
            replaced = replaces_accounts(program, steps, facts) if not number else None
            if replaced is not None:
                reason = f"line {replaced.node.line} may bring an /etc/passwd without {account.name}"
                raise Refusal(with_reason(reason, facts), _NAME_USER)
            owner = f"{number}:{number}" if number and account.grouped else number or account.name
            return UserChoice(number or account.name, owner)
        if base.own and user in (base.own, base.name):
            return UserChoice(base.own, f"{base.own}:{base.own}")
        raise Refusal(
            with_reason(f"line {given[user]} gives files to {user}, of whom nothing is known", facts), _NAME_USER
        )
    if base.own:
        return UserChoice(base.own, f"{base.own}:{base.own}")
    image = program.end_scope(program.stages[-1]).image
    if image == "scratch":
        return _on_scratch(program, steps, number, name)
    if not base.create:
        raise Refusal(with_reason(f"how a user is created in {image} is not known", facts), _NAME_USER)
    return UserChoice(number, f"{number}:{number}", _CREATE[base.create].format(id=number, name=name))


def _on_scratch(program: Program, steps: list[Step], number: str, name: str) -> UserChoice:
    """A number, which needs no user; and a line in /etc/passwd where nothing is there yet and heredocs are known."""
    taken = any(
        step.node.keyword in ("COPY", "ADD")
        and step.node.arguments[-1].value.rstrip("/") in ("", "/etc", "/etc/passwd")
        for step in steps
    )
    level = syntax_level(program.dockerfile.directive("syntax"))
    if taken or level is None or level < _HEREDOCS or "\r" in program.text:
        return UserChoice(f"{number}:{number}", f"{number}:{number}")
    return UserChoice(number, f"{number}:{number}", "", f"{name}:x:{number}:{number}::/:/sbin/nologin")
