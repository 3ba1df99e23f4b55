"""Programs that only serve a directory of files: which directory, at which port, and how they answer."""

from __future__ import annotations

import re

from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.passes.multi_stage.launch import Launch

_ADDRESSES = ("0.0.0.0", "::", "0", "*", "true")


class StaticSite(Record):
    """What a server is told. `port` 1 to 65535; `said`: whether its command line says so, so that no variable changes
    it; `root`: the directory, absolute; `default_root`: whether it is the one without an operand; `answers`: as in the
    table `site_servers`, `_` for `-`."""

    server: str
    port: int
    said: bool
    root: str
    default_root: bool
    answers: Mapping[str, Any]


def site_of(launch: Launch) -> StaticSite | None:
    """What the program of `launch` serves; None where it is no server of the table. Raises Refusal where it is told
    something that is not followed."""
    name, words = launch.words[0], list(launch.words[1:])
    if name is not None and re.fullmatch(r"python[\d.]*", name):
        while words and words[0] in ("-u", "-O", "-B", "-s", "-E", "-I"):
            words.pop(0)
        if words[:2] != ["-m", "http.server"]:
            return None
        name, words = "http.server", words[2:]
    if name == "vite":
        if words[:1] != ["preview"]:
            return None
        words = words[1:]
    row = table("site_servers")["server"].get(name)
    if name is None or row is None or (name == "http.server" and launch.words[0] == name):
        return None
    if name == "nginx" and "-g" not in words:  # leaves its container at once
        return None
    check_major(name, launch.version)
    told = _Told(name, row)
    told.read(words)
    return told.site(launch)


def check_major(name: str, version: str) -> None:
    """Raises Refusal where a version ("^14.1.1", "14") is of a major release that was not looked at."""
    majors = table("site_servers")["server"][name].get("majors")
    match = re.search(r"\d+", version)
    if majors and match and whole_number(match[0]) not in majors:
        raise Refusal(f"how {name} {match[0]} answers is not known")


class _Told:
    """Reads the words behind a server."""

    def __init__(self, name: str, row: Mapping[str, Any]) -> None:
        self.name = name
        self.row = row
        self.port = ""
        self.host = str(row.get("host", ""))
        self.root = ""
        self.answers: dict[str, Any] = {
            "listing": False, "charset": False, "modified": False, "cache": "", "not_found": False, "gzip": False,
            "untyped": False, **{key.replace("-", "_"): value for key, value in row["answers"].items()},
        }  # fmt: skip

    def read(self, words: list[str | None]) -> None:
        greedy = self.row["style"] == "minimist"
        index = 0
        while index < len(words):
            word = words[index]
            index += 1
            if word is None:
                raise Refusal(f"a word of {self.name} is not fixed before the container starts")
            if not word.startswith("-") or word == "-":
                self.operand(word)
                continue
            for option, attached in self.split(word):
                meaning = self.row["options"].get(option)
                if meaning is None:
                    raise Refusal(f"what {self.name} {option} does is not followed")
                value = attached
                takes = meaning in ("port", "host", "root", "cache", "ignored-value", "listing", "daemon")
                following = words[index] if index < len(words) else "-"
                if value is None and (takes or greedy) and not (following or "").startswith("-"):
                    value = following
                    index += 1
                    if value is None:
                        raise Refusal(f"the value of {self.name} {option} is not fixed before the container starts")
                self.option(option, meaning, value)

    def split(self, word: str) -> list[tuple[str, str | None]]:
        """`--port=80`, `-p80` and `-sL` as options and their values."""
        if word.startswith("--"):
            option, equals, value = word.partition("=")
            return [(option, value if equals else None)]
        if self.row["style"] == "minimist" and re.fullmatch(r"-[A-Za-z]-?\d+", word):
            return [(word[:2], word[2:])]
        if len(word) > 2 and all(f"-{char}" in self.row["options"] for char in word[1:]):
            return [(f"-{char}", None) for char in word[1:]]
        return [(word, None)]

    def operand(self, word: str) -> None:
        kind = self.row["operand"]
        if kind == "root" and not self.root:
            self.root = word
        elif kind == "port" and not self.port:
            self.port = word
        else:
            raise Refusal(f"what {self.name} does with the word {word} is not followed")

    def option(self, option: str, meaning: str, value: str | None) -> None:
        if meaning in ("ignored", "single", "no-gzip", "modified") and value is not None:
            raise Refusal(f"{self.name} takes {value} for the value of {option}")
        if meaning in ("port", "root", "cache", "listing") and value is None:
            raise Refusal(f"{self.name} {option} has no value")
        if meaning == "port":
            address = re.fullmatch(r"(?:tcp://([\w.:]*?):)?(\d{1,5})/?", value or "")
            if address is None or self.port:
                raise Refusal(f"where {self.name} listens is not understood ({option} {value})")
            self.host, self.port = address[1] or self.host, address[2]
        elif meaning == "host":
            self.host = value or "true"
        elif meaning == "root":
            self.root = value or ""
        elif meaning == "daemon":
            if not re.fullmatch(r"\s*daemon\s+off\s*;\s*", value or ""):
                raise Refusal(f"what {self.name} {option} {value} does is not followed")
        elif meaning == "single":
            self.answers.update(rules="single", listing=False, not_found=False)
        elif meaning == "no-gzip":
            self.answers["gzip"] = False
        elif meaning == "modified":
            self.answers["modified"] = True
        elif meaning == "listing":
            if value not in ("true", "false"):
                raise Refusal(f"what {self.name} {option} {value} does is not followed")
            self.answers["listing"] = value == "true"
        elif meaning == "cache":
            if not re.fullmatch(r"-1|\d+", value or ""):
                raise Refusal(f"what {self.name} {option} {value} does is not followed")
            self.answers["cache"] = "no-cache, no-store, must-revalidate" if value == "-1" else f"max-age={value}"

    def site(self, launch: Launch) -> StaticSite:
        if self.host and self.host not in _ADDRESSES:
            raise Refusal(f"{self.name} listens on {self.host} alone, which nothing outside of the container reaches")
        root = join_path(launch.directory, self.root or str(self.row["root"]))
        digits = self.port or launch.port or str(self.row["port"])
        port = whole_number(digits) if not digits.strip("0123456789") else 0
        if not isinstance(root, str) or not 0 < port < 65536:
            raise Refusal(f"the port or the directory of {self.name} is not understood")
        return StaticSite(self.name, port, bool(self.port), root, not self.root, self.answers)
