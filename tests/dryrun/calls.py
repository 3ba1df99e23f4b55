"""Calls of stand-ins as their log has them, and the order in which they were made, as far as it is one.

Calls of one pipeline run at the same time, so that their order in the log says nothing: they are put into one. Stages
have no order among each other: a build's calls are compared chain by chain (`Build.chains`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Env = tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """`words`: program and arguments. `pipes`: the pipes on its standard input and output, 0 for none."""

    words: tuple[str, ...]
    cwd: str
    uid: int
    gid: int
    umask: str
    env: Env
    pipes: tuple[int, int] = (0, 0)

    @property
    def key(self) -> str:
        """Program and arguments as the stand-in knows them (see /.dry/fail in stub.c)."""
        return "\x1f".join(self.words)

    @property
    def program(self) -> str:
        return self.words[0]

    def __str__(self) -> str:
        return " ".join(self.words).replace("\x1e", "\\n")


def read(log: str) -> list[Call]:
    found: list[Call] = []
    for line in log.split("\n"):
        fields = line.split("\t")
        if len(fields) != 8:
            continue
        words, cwd, uid, gid, umask, stdin, stdout, env = fields
        pipes = int(stdin), int(stdout)
        found.append(Call(tuple(words.split("\x1f")), cwd, int(uid), int(gid), umask, tuple(env.split("\x1f")), pipes))
    return found


_CLOCK = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|(?<!\d)1[6-9]\d{8}(?!\d)")  # date and time; seconds since 1970


def ordered(calls: list[Call]) -> list[Call]:
    """The calls, those of each pipeline in a fixed order, without the numbers of their pipes and what a clock told."""
    group = list(range(len(calls)))  # the first call of the pipeline of each
    by_pipe: dict[int, int] = {}
    for number, call in enumerate(calls):
        for pipe in call.pipes:
            if not pipe:
                continue
            other = by_pipe.setdefault(pipe, number)
            if other != number:
                low, high = sorted((group[other], group[number]))
                # what stands between two calls of a pipeline may have run beside it
                for between in range(low, number + 1):
                    if group[between] in (high, low) or between > low:
                        group[between] = low
    found = sorted(enumerate(calls), key=lambda pair: (group[pair[0]], str(pair[1].words)))
    return [
        Call(tuple(_CLOCK.sub("TIME", word) for word in call.words), call.cwd, call.uid, call.gid, call.umask, call.env)
        for _, call in found
    ]
