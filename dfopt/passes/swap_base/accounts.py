"""useradd, groupadd and Debian's adduser and addgroup, said in the words of busybox' adduser and addgroup."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.commands import Invocation

# option -> (what it means, whether a value follows). Sources: useradd(8), groupadd(8) of shadow 4.17; adduser(8) 3.152
_USERADD = {
    "-r": ("system", False), "--system": ("system", False), "-m": ("home", False), "--create-home": ("home", False),
    "-M": ("no-home", False), "--no-create-home": ("no-home", False), "-u": ("uid", True), "--uid": ("uid", True),
    "-g": ("group", True), "--gid": ("group", True), "-d": ("dir", True), "--home-dir": ("dir", True),
    "--home": ("dir", True), "-s": ("shell", True), "--shell": ("shell", True), "-c": ("gecos", True),
    "--comment": ("gecos", True), "-U": ("own", False), "--user-group": ("own", False), "-l": ("", False),
    "--no-log-init": ("", False),
}  # fmt: skip
_ADDUSER = {
    "--disabled-password": ("", False), "--disabled-login": ("", False), "--gecos": ("gecos", True),
    "--comment": ("gecos", True), "--uid": ("uid", True), "--home": ("dir", True), "--shell": ("shell", True),
    "--ingroup": ("group", True), "--system": ("system", False), "--group": ("own", False),
    "--no-create-home": ("no-home", False), "--quiet": ("", False), "-q": ("", False),
}  # fmt: skip
_GROUPADD = {
    "-r": ("system", False), "--system": ("system", False), "-g": ("gid", True), "--gid": ("gid", True),
    "-f": ("", False), "--force": ("", False), "--quiet": ("", False),
}  # fmt: skip
_SHELLS = {"/bin/bash": "/bin/sh", "/usr/bin/bash": "/bin/sh", "/usr/sbin/nologin": "/sbin/nologin"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,-")


def account_words(invocation: Invocation, *, homes: bool) -> tuple[list[str] | None, str]:
    """(the words, the name of the account); (None, why not) where an option has no counterpart. `homes`: useradd makes
    home directories without being told (CREATE_HOME in /etc/login.defs: the RHEL family has it so)."""
    program = invocation.program or ""
    known = {"useradd": _USERADD, "adduser": _ADDUSER}.get(program, _GROUPADD)
    said, names, why = _options(invocation.values, known, program)
    if why:
        return None, why
    if program == "adduser" and len(names) == 2 and not said:
        return ["addgroup", *names], names[1]
    if len(names) != 1:
        return None, f"{program} does not name one account"
    name = names[0]
    if program in ("groupadd", "addgroup"):
        words = ["addgroup", *(["-S"] if "system" in said else []), *_pair("-g", said.get("gid"))]
        return [*words, name], name
    group = said.get("group")
    if group is not None and group.isdigit():
        return None, f"{program} names a group by number"
    if program == "adduser" and "system" in said and group is None and "own" not in said:
        return None, "adduser --system puts the account into nogroup"
    homes = program == "adduser" or (homes and "system" not in said)
    home = "home" in said or (homes and "no-home" not in said)
    words = ["adduser", "-D", *([] if home else ["-H"]), *_pair("-u", said.get("uid")), *_pair("-G", group)]
    words += [*_pair("-h", said.get("dir")), *_pair("-s", _SHELLS.get(said.get("shell", ""), said.get("shell")))]
    gecos = said.get("gecos")
    if gecos is not None and gecos.strip(",") and set(gecos) <= _PLAIN:
        words += ["-g", gecos]
    return [*words, name], name


def _pair(option: str, value: str | None) -> list[str]:
    return [option, value] if value is not None else []


def _options(
    values: list[str | None], known: dict[str, tuple[str, bool]], program: str
) -> tuple[dict[str, str], list[str], str]:
    said: dict[str, str] = {}
    names: list[str] = []
    pending = ""
    for value in values:
        if value is None:
            return {}, [], f"a word of {program} is not fixed"
        if pending:
            if pending != "gecos" and not set(value) <= _PLAIN:
                return {}, [], f"{program}: {value!r} is an odd value"
            said[pending] = value
            pending = ""
            continue
        if not value.startswith("-"):
            if not set(value) <= _PLAIN:
                return {}, [], f"{program}: {value!r} is an odd name"
            names.append(value)
            continue
        option, _, inline = value.partition("=") if value.startswith("--") else (value, "", "")
        letters = [option] if option in known or option.startswith("--") else [f"-{letter}" for letter in option[1:]]
        for position, letter in enumerate(letters):
            meaning = known.get(letter)
            if meaning is None:
                return {}, [], f"{program} {letter} has no counterpart in busybox"
            if not meaning[1]:
                said[meaning[0] or "."] = ""
            elif inline:
                said[meaning[0]] = inline
            elif position + 1 < len(letters):
                return {}, [], f"{program} {option} has no counterpart in busybox"
            else:
                pending = meaning[0]
    said.pop(".", None)
    return said, names, ""
