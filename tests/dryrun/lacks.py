"""What a step's output says that its world lacks: a program, a file, a directory, a user.

A base image of one's own holds anything; what a file relies on shows when a step fails for it.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .calls import Call
from .sandbox import Sandbox, State, stand_in
from .tree import inside

_NAME = r"[A-Za-z_][\w.+-]*"
_PROGRAM = re.compile(
    rf"(?:^|[\s:'\"`])({_NAME})'?: (?:command )?not found|exec: \"?({_NAME})\"?: (?:executable file )?not found"
    rf"|(?:env|xargs|nice|nohup|timeout|time|find|command): [‘'`\"]?({_NAME})[’'`\"]?: (?:No such file or directory|not found)"
    rf"|can't execute '({_NAME})': No such file",
    re.MULTILINE,
)
_ENTER = re.compile(r"(?:can't cd to|cd:) ([^\s:'\"]+)(?::|$| )", re.MULTILINE)
_CREATE = re.compile(r"(?:cannot create|can't create|nonexistent directory) ([^\s:'\"]+)(?::|$)", re.MULTILINE)
_MOVE_INTO = re.compile(r"cannot move '[^'\n]+' to '([^'\n]+/)': Not a directory")
_NO_INDEX = re.compile(r"^apt(?:-get|itude)?: no package index", re.MULTILINE)  # as packages.c says it
_CREATE_BASH = re.compile(r"line \d+: ([^\s:'\"]+): No such file or directory")
_ABSENT = re.compile(
    r"(?:cannot stat|can't stat|cannot access|can't open|cannot open|can't read|can't find|cannot touch|can't execute|cannot"
    r" remove|can't remove|can't create symlink|cannot create regular file|cannot create directory|failed to access|can't rename|cannot overwrite)"
    r" ['‘`\"]?([^'’`\"\s]+)['’`\"]?(?: for reading)?: (?:No such file|not found|Not a directory)"
    r"|(?:^|[\s'‘`\"(:])(/[\w./+@%-]+)['’`\"]?\)?: (?:No such file or directory|not found|cannot open)"
    r"|(?:ls|cat|chmod|chown|sed|grep|tail|head|source|\.|cp|mv|install|patch|sh|bash|tar|unzip|dash|ash|chgrp|find|touch|awk|wc|sort|ln|strip|rpm|dpkg|python3?|du|stat):"
    r" (?:line \d+: |can't open |cannot open |cannot access |0: |/bin/\w+: )?['‘`\"]?([\w./+@%*-]+)['’`\"]?: (?:No such file|not found|cannot open)"
    r"|: (\.{0,2}/?[\w./+@%-]*/[\w.+@%-]+): (?:No such file or directory|not found)"
    r"|error: cannot access archive '([^']+)'",
    re.MULTILINE,
)
_USER = re.compile(
    r"(?:unknown user/group|invalid user|unknown user|unable to find user|user)[: ]+['‘`\"]?([\w.-]+)(?::([\w.-]+))?['’`\"]?"
    r"(?:$|\s*does not exist|\s|['’`\"])",
    re.MULTILINE,
)
_GROUP = re.compile(
    r"(?:invalid group|unknown group|unable to find group|group)[: ]+['‘`\"]?:?([\w.-]+)['’`\"]?(?:$|\s*does not exist|\s|['’`\"])",
    re.MULTILINE,
)
_CD = re.compile(r"\bcd ['\"]?([\w./@+-]+)")
_EXISTS = re.compile(
    r"(?:can't create directory|cannot create directory|destination path) ['‘]([^'’]+)['’]:? (?:File exists|already exists)"
)
_NOT_DIRECTORY = re.compile(r"['‘]?([\w./+@%-]+)['’]?: [Nn]ot a directory|cannot copy to non-directory: (?:[\w.+-]+)")
_NOT_FILE = re.compile(
    r"omitting directory ['‘]?([^'’\n]+)|couldn't edit (\S+): not a regular file|['‘]?([\w./+@%-]+)['’]?: Is a directory"
    r"|sh: (?:line )?\d+: ([\w./+-]+): Permission denied"
)
_NO_NAMES = frozenset(
    [
        "does",
        "not",
        "exist",
        "no",
        "such",
        "file",
        "or",
        "directory",
        "already",
        "exists",
        "command",
        "a",
        "an",
        "the",
        "sh",
        "bash",
        "line",
    ]
)
_QUIET = re.compile(r"\bch(?:own|mod|grp) -\w*f\w* ([\w.-]+)(?:[:.]([\w-]+))? (/[\w./-]+)")  # -f says nothing
_OF_THE_BASE = re.compile(r"/etc/ssl/|(?:/usr)?/bin/(?:ba|da|a|z)sh\Z")  # no call leaves these
_SYSTEM = re.compile(r"/(proc|sys|dev|\.dry)(/|$)")


HintKey = tuple[str, str, str]


def hint_key(call: Call) -> HintKey:
    operand = next((word for word in call.words[1:] if not word.startswith("-")), "")
    return "apt-get" if call.program == "apt" else call.program, operand, call.cwd


@dataclass
class Lacks:
    """What was added to a file's worlds: to the base images, and, as `hints`, to what calls leave: program, first operand
    and directory of the call -> path -> kind. `copied`: sources of COPY that another stage or image was found to lack; `barred`: paths that a
    step makes itself; `flipped`: names of what was taken for a file and is a directory, `plain`: the reverse; `texts`: what the RUNs say;
    `indexed`: whether a base image may have come with apt's index."""

    programs: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    directories: set[str] = field(default_factory=set)
    users: dict[str, None] = field(default_factory=dict)
    groups: dict[str, None] = field(default_factory=dict)
    copied: set[str] = field(default_factory=set)
    hints: dict[HintKey, dict[str, str]] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    flipped: set[str] = field(default_factory=set)
    plain: set[str] = field(default_factory=set)
    texts: str = ""
    indexed: bool = False

    def size(self) -> int:
        """How much the base images were given: more of it makes void what was built on them."""
        return sum(
            map(len, (self.files, self.directories, self.users, self.groups, self.barred, self.flipped, self.plain))
        )

    def hinted(self) -> int:
        return sum(map(len, self.hints.values()))

    def missing_programs(self, output: str) -> set[str]:
        """Programs that the output of a step names as not found, and that are new."""
        found = {name for match in _PROGRAM.findall(output) for name in match if name}
        return found - self.programs - {"sh", "bash", "line"}

    def learn(self, output: str, cwd: str, last: Call | None, body: str = "") -> str:
        """Takes what else a failed step names: "base" where the base images have something new, "hint" where only what
        calls leave is more than before, else "". `last`: the last call before it failed, which in a real build left what
        is missing; without one it is the base image that had it. `body`: what the step runs."""
        before = self.size(), self.hinted()
        if last and re.search(rf"(?:^|\n){re.escape(last.program)}: ", output):
            last = None  # the stand-in lacks it itself
        self._mend(output, cwd)
        places = [last.cwd] if last else []
        if last:
            places += sorted(
                path for path in self.hints.get(hint_key(last), {}) if self.hints[hint_key(last)][path] == "directory"
            )
        places += [os.path.join(place, entered) for place in (*places[:1], cwd) for entered in _CD.findall(body)[:12]]
        places = list(dict.fromkeys(os.path.normpath(place) for place in (*places, cwd)))
        for name in (*_ENTER.findall(output), *_MOVE_INTO.findall(output)):
            self._take(name, "directory", places[:1], last)
        if self.indexed and _NO_INDEX.search(output):
            self.files.add("/var/lib/apt/lists/dry-apt-get")
        for name in _CREATE.findall(output):
            self._take(os.path.dirname(name.rstrip("/")), "directory", places, last)
        for match in (*_ABSENT.findall(output), *((name,) for name in _CREATE_BASH.findall(output))):
            for name in match:
                if not name or name in _NO_NAMES or name.rstrip("/") == "":
                    continue
                leaf = name.rstrip("/").rpartition("/")[2]
                directory = name.endswith("/") or ("." not in leaf and "cannot access" in output)
                # a pattern of the shell that matched nothing
                self._take(name.replace("*", "x"), "directory" if directory else "file", places, last)
        for user, group in _USER.findall(output):
            if user not in _NO_NAMES and not user.isdigit():
                self.users.setdefault(user)
            if group and not group.isdigit():
                self.groups.setdefault(group)
        for group in _GROUP.findall(output):
            if group not in _NO_NAMES and not group.isdigit():
                self.groups.setdefault(group)
        if (self.size(), self.hinted()) == before:
            for user, group, path in _QUIET.findall(body):
                if not user[0].isdigit():
                    self.users.setdefault(user)
                    self.groups.setdefault(group or user)
                self._take(path, "directory", [cwd], last)
        return "base" if self.size() > before[0] else "hint" if self.hinted() > before[1] else ""

    def _mend(self, output: str, cwd: str) -> None:
        """What was made up and is in the way."""
        for name in _EXISTS.findall(output):
            path = os.path.normpath(os.path.join(cwd, name))
            inside_of = path + "/"
            made_up = [*self.files, *self.directories, *(p for paths in self.hints.values() for p in paths)]
            if path not in self.barred and any(f"{p}/".startswith(inside_of) for p in made_up):
                self.barred.add(path)
                self.files = {p for p in self.files if not f"{p}/".startswith(inside_of)}
                self.directories = {p for p in self.directories if not f"{p}/".startswith(inside_of)}
                for paths in self.hints.values():
                    for hint in [p for p in paths if f"{p}/".startswith(inside_of)]:
                        del paths[hint]
        for names in _NOT_FILE.findall(output):
            leaf = next(filter(None, names)).rstrip("/").rpartition("/")[2]
            known = [
                p
                for p in (*self.directories, *(p for paths in self.hints.values() for p in paths))
                if p.endswith(f"/{leaf}")
            ]
            if leaf and leaf not in self.plain and known:
                self.plain.add(leaf)
                self.flipped.discard(leaf)
                self.files |= {p for p in self.directories if p.endswith(f"/{leaf}")}
                self.directories = {p for p in self.directories if not p.endswith(f"/{leaf}")}
                for paths in self.hints.values():
                    paths.update({p: "file" for p in paths if p.endswith(f"/{leaf}")})
        for name in _NOT_DIRECTORY.findall(output):
            path = os.path.normpath(os.path.join(cwd, name))
            path = "/" + path.lstrip("/")  # POSIX keeps two leading slashes, and dirname with it
            while path != "/":
                self.flipped.add(path.rpartition("/")[2])
                for paths in self.hints.values():
                    if path in paths:
                        paths[path] = "directory"
                if path in self.files:
                    self.files.remove(path)
                    self.directories.add(path)
                path = os.path.dirname(path)

    def _take(self, name: str, kind: str, places: list[str], last: Call | None) -> None:
        """One path that is missing: the last call leaves it; where it did already, the base image has it."""
        for place in places[:1] if name.startswith("/") else places:
            path = os.path.normpath(os.path.join(place, name))
            if path in ("/", ".") or _SYSTEM.match(path):
                continue
            leaf = path.rpartition("/")[2]
            if leaf in self.plain:
                kind = "file"
            elif leaf in self.flipped or (
                kind == "file" and re.search(rf"(?:^|[\s/='\"]){re.escape(leaf)}/[\w*.]", self.texts)
            ):
                kind = "directory"
            hints = self.hints.setdefault(hint_key(last), {}) if last else {}
            if last and path not in hints and not _OF_THE_BASE.match(path):
                hints[path] = kind
            elif any(f"{path}/".startswith(f"{barred}/") for barred in self.barred):
                continue
            elif kind == "directory":
                self.directories.add(path)
            elif path not in self.files:
                self.files.add(path)
            else:
                self._above(path)

    def _above(self, path: str) -> None:
        above = os.path.dirname(os.path.normpath(path))
        if above not in ("", "/") and not _SYSTEM.match(above):
            self.directories.add(above)

    def write_hints(self, directory: Path) -> None:
        """As stub.c reads them."""
        lines: dict[str, list[str]] = {}
        for (program, operand, cwd), paths in self.hints.items():
            for path, kind in sorted(paths.items(), key=lambda pair: (pair[1], pair[0])):
                lines.setdefault(program, []).append(f"{operand}\t{cwd}\t{kind}\t{path}\n")
        for program, rows in lines.items():
            (directory / program).write_text("".join(rows), errors="surrogateescape")

    def apply(self, sandbox: Sandbox, base: State) -> str:
        """A layer over a base image with all of it."""
        upper = sandbox.layer()
        with sandbox.mounted(base, upper) as root:
            for path in sorted(self.directories):
                with suppress(FileExistsError, NotADirectoryError):  # a file of the image is in the way
                    inside(root, path).mkdir(parents=True, exist_ok=True)
            for path in sorted(self.files):
                place = inside(root, path)
                if place.exists() or place.is_symlink():
                    continue
                try:
                    place.parent.mkdir(parents=True, exist_ok=True)
                except (FileExistsError, NotADirectoryError):
                    continue
                stand_in(place, f"# {path}\n")
            self._accounts(root)
        return upper

    def _accounts(self, root: Path) -> None:
        passwd, group = inside(root, "/etc/passwd"), inside(root, "/etc/group")
        users, groups = passwd.read_text(), group.read_text()
        for number, name in enumerate(self.users):
            if f"\n{name}:" not in f"\n{users}":
                users += f"{name}:x:{3000 + number}:{3000 + number}::/home/{name}:/bin/sh\n"
                if f"\n{name}:" not in f"\n{groups}":
                    groups += f"{name}:x:{3000 + number}:\n"
        for number, name in enumerate(self.groups):
            if f"\n{name}:" not in f"\n{groups}":
                groups += f"{name}:x:{4000 + number}:\n"
        passwd.write_text(users)
        group.write_text(groups)
