"""By which words a command, or a variable, gives up to check where something comes from; by the table `insecure`."""

from __future__ import annotations

import re

from dfopt.knowledge import table
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dfopt.ir.commands import Invocation
    from dfopt.syntax.shell.nodes import SimpleCommand

# a quick look at a text, in lower case
WORDS = (
    "insecure", "no-check-certificate", "trusted", "unauthenticated", "force-yes", "nogpg", "no-gpg", "gpgcheck",
    "nosignature", "nodigest", "noverify", "nofiledigest", "unsigned", "sslverify", "ssl_verify", "ssl_no_verify",
    "strict_ssl", "strict-ssl", "strictssl", "verify-peer", "disable-tls", "secure-http", "node_tls", "pythonhttps",
)  # fmt: skip
_CURL = regex(r"\bcurl\s[^|;&]{0,400}?(?<![\w-])-[A-Za-z]{0,20}k")


def suspect(text: str) -> bool:
    lower = text.lower()
    found = [word for word in WORDS if word in lower]
    return bool(found) or ("curl" in text and _CURL.search(text) is not None)


def turns_off(name: str, value: str) -> bool:
    values = table("insecure")["environment"].get(name, ())
    return value.lower() in values or ("*" in values and value.lower() not in ("", "0", "false"))


def assigned(node: SimpleCommand, one: Invocation) -> Iterator[tuple[str, str]]:
    """The variables that a command sets for itself, or exports, with fixed values."""
    for assignment in node.assignments:
        if assignment.value is not None and assignment.value.value is not None:
            yield assignment.name, assignment.value.value
    if one.program == "export" or "env" in one.wrappers:
        for word in node.words[1:]:
            name, equals, value = (word.value or "").partition("=")
            if equals:
                yield name, value


def unchecked(one: Invocation, rule: Any) -> str:
    """The word by which a command gives up the check; "" where there is none."""
    long = [name for name in rule.get("options", ()) if name.startswith("--")]
    short = [name[1] for name in rule.get("options", ()) if not name.startswith("--")]
    values = [value.lower() if value is not None else "" for value in one.values]
    taken = False
    for raw, value in zip(one.values, values, strict=True):
        if value and not taken and (value.partition("=")[0] in long or value in rule.get("values", ())):
            return raw or ""
        if taken:
            taken = False
        elif raw and short and raw[0] == "-" and raw[1:2] != "-":
            letters, *attached = re.split(f"[{rule['bundles']}]", raw[1:], maxsplit=1)
            if any(letter in letters for letter in short):
                return raw
            taken = attached == [""]  # the next word is the value of the last letter
    for sequence in rule.get("sequences", ()):
        rest = iter(values)
        if all(word in rest for word in sequence):
            return " ".join(sequence)
    return ""
