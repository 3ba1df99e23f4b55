"""The gate and the rewrites of the size and cache passes: damaged edits, and rewrites that would not keep the meaning.

As in test_gate.py: the gate must let the correct fix pass, and stop the same fix with damaged edits. `WRONG` holds
fixes whose edits do exactly what is declared, but whose declaration must be refused on the original.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from test_gate import BASE, replaced, verdict

from dfopt.rewrites.bind_for_copy import BindForCopy, DeleteEarlier
from dfopt.rewrites.cache_mounts import AddCacheMounts
from dfopt.rewrites.commands import AppendCommand, EditWords, RemoveCommand
from dfopt.rewrites.copy_mode import ModeIntoCopy
from dfopt.rewrites.flatten import Flatten
from dfopt.rewrites.instructions import RemoveStep
from dfopt.rewrites.join_across import JoinAcross
from dfopt.rewrites.merge_listed import MergeListed
from dfopt.rewrites.remove_last import RemoveLast

if TYPE_CHECKING:
    from dfopt.rewrites.base import Rewrite

M = "type=cache,target=/root/.cache/pip"
F = f"--mount={M}"
MOUNT = [AddCacheMounts(1, (M,))]
PIP = BASE + "RUN pip install x\n"
LISTS = "type=cache,target=/var/lib/apt/lists,sharing=locked"
APT = BASE + "RUN apt-get update && apt-get install x && rm -rf /var/lib/apt/lists/* /tmp/y\n"
APT_RM = BASE + "RUN apt-get update && apt-get install x && rm -rf /var/lib/apt/lists/*\n"
MODE = BASE + "COPY a.sh /\nRUN chmod 755 /a.sh\n"
INTO = ModeIntoCopy((1,), 2, 0, "/a.sh", ("chmod", "755"))
BIND = BASE + "COPY a.txt /tmp/\nRUN cat /tmp/a.txt && rm /tmp/a.txt\n"
B = "--mount=type=bind,source=a.txt,target=/tmp/a.txt,rw"
A_FILE = (("a.txt", True), ("b.txt", True))
UNBOUND = [RemoveCommand(2, 18), BindForCopy((1,), 2, "/tmp/a.txt", (), A_FILE)]
BIND_TWO = BASE + "COPY a.txt b.txt /tmp/x/\nRUN cat /tmp/x/a.txt && rm -r /tmp/x\n"
B_TWO = "--mount=type=bind,source=a.txt,target=/tmp/x/a.txt,rw --mount=type=bind,source=b.txt,target=/tmp/x/b.txt,rw"
LATE = BASE + "RUN make >/t/a\nENV A=1\nRUN rm -f /t/a\n"
EARLIER = [AppendCommand(1, ("rm", "-f", "/t/a")), RemoveStep(3), DeleteEarlier(3, 0, 1)]
ACROSS = BASE + "RUN make >/t/a\nENV A=1\nWORKDIR /w\nRUN rm /t/a\n"
JOINED = [("/t/a\nENV", "/t/a && export A=1 && mkdir -p /w && cd /w && rm /t/a\nENV"), ("RUN rm /t/a\n", "")]
ACROSS_GONE = BASE + "RUN make >/w/a\nWORKDIR /w\nRUN rm -r /w\nWORKDIR /\n"
JOINED_GONE = [("RUN make >/w/a\nWORKDIR /w\nRUN rm -r /w", "RUN make >/w/a && mkdir -p /w && cd /w && rm -r /w")]
DEEP = BASE + "RUN one\nUSER app\n"
FLAT = "FROM scratch\nCOPY --from=0 / /\nENV PATH=/bin\nUSER app\n"
FLATTEN = [Flatten({"Env": ["PATH=/bin"]})]
TWO = BASE + "RUN set -e; a && b\nRUN c; d\n"
LISTED = [("RUN set -e; a && b\nRUN c; d", "RUN set -e; (set -e; a && b); (set +e; c; d)")]
LIST = BASE + "RUN set -e; a; b\n"

# id, text, (old, new) pairs of the correct edit, the same damaged, declared rewrites
ROWS = [
    ("mount-on-another", PIP + "RUN two\n", [("RUN pip", f"RUN {F} pip")], [("RUN two", f"RUN {F} two")], MOUNT),
    ("mount-in-command", PIP, [("RUN pip", f"RUN {F} pip")], [("RUN pip install x", f"RUN pip {F} install x")], MOUNT),
    ("other-target", PIP, [("RUN pip", f"RUN {F} pip")],
     [("RUN pip", "RUN --mount=type=cache,target=/root pip")], MOUNT),
    ("other-kind", PIP, [("RUN pip", f"RUN {F} pip")],
     [("RUN pip", f"RUN {F.replace('cache,', 'tmpfs,')} pip")], MOUNT),
    ("in-front-of-a-flag", BASE + "RUN --network=host pip install x\n", [("host", f"host {F}")],
     [("RUN --network=host", f"RUN {F} --network=host")], MOUNT),
    ("line-not-continued", BASE + "RUN pip install \\\n  x\n", [("RUN pip", f"RUN {F} \\\n  pip")],
     [("RUN pip", f"RUN {F}\n  pip")], MOUNT),
    ("cleanup-stays", APT, [("RUN apt", f"RUN --mount={LISTS} apt"), (" /var/lib/apt/lists/*", "")],
     [("RUN apt", f"RUN --mount={LISTS} apt")],
     [EditWords(1, 39, 2, 1, ()), AddCacheMounts(1, (LISTS,))]),
    ("more-goes-than-the-cleanup", APT, [("RUN apt", f"RUN --mount={LISTS} apt"), (" /var/lib/apt/lists/*", "")],
     [("RUN apt", f"RUN --mount={LISTS} apt"), (" && rm -rf /var/lib/apt/lists/* /tmp/y", "")],
     [EditWords(1, 39, 2, 1, ()), AddCacheMounts(1, (LISTS,))]),
    ("mode-into-copy", MODE, [("COPY a", "COPY --chmod=755 a"), ("RUN chmod 755 /a.sh\n", "")],
     [("COPY a", "COPY --chmod=644 a"), ("RUN chmod 755 /a.sh\n", "")], [INTO, RemoveStep(2)]),
    ("mode-lost", MODE, [("COPY a", "COPY --chmod=755 a"), ("RUN chmod 755 /a.sh\n", "")],
     [("RUN chmod 755 /a.sh\n", "")], [INTO, RemoveStep(2)]),
    ("mode-of-another", MODE + "COPY b /\n", [("COPY a", "COPY --chmod=755 a"), ("RUN chmod 755 /a.sh\n", "")],
     [("COPY b", "COPY --chmod=755 b"), ("RUN chmod 755 /a.sh\n", "")], [INTO, RemoveStep(2)]),
    ("bind", BIND, [("COPY a.txt /tmp/\n", ""), ("RUN cat", f"RUN {B} cat"), (" && rm /tmp/a.txt", "")],
     [("COPY a.txt /tmp/\n", ""), ("RUN cat", f"RUN {B[:-3]} cat"), (" && rm /tmp/a.txt", "")], UNBOUND),
    ("bind-and-copy", BIND, [("COPY a.txt /tmp/\n", ""), ("RUN cat", f"RUN {B} cat"), (" && rm /tmp/a.txt", "")],
     [("RUN cat", f"RUN {B} cat"), (" && rm /tmp/a.txt", "")], UNBOUND),
    ("bind-and-delete", BIND, [("COPY a.txt /tmp/\n", ""), ("RUN cat", f"RUN {B} cat"), (" && rm /tmp/a.txt", "")],
     [("COPY a.txt /tmp/\n", ""), ("RUN cat", f"RUN {B} cat")], UNBOUND),
    ("bind-one-of-two", BIND_TWO,
     [("COPY a.txt b.txt /tmp/x/\n", ""), ("RUN", f"RUN {B_TWO}"), (" && rm -r /tmp/x", "")],
     [("COPY a.txt b.txt /tmp/x/\n", ""), ("RUN", f"RUN {B_TWO.split()[0]}"), (" && rm -r /tmp/x", "")],
     [RemoveCommand(2, 20), BindForCopy((1,), 2, "/tmp/x", (), A_FILE)]),
    ("earlier", LATE, [("make >/t/a\n", "make >/t/a && rm -f /t/a\n"), ("RUN rm -f /t/a\n", "")],
     [("RUN rm -f /t/a\n", "")], EARLIER),
    ("earlier-and-late", LATE, [("make >/t/a\n", "make >/t/a && rm -f /t/a\n"), ("RUN rm -f /t/a\n", "")],
     [("make >/t/a\n", "make >/t/a && rm -f /t/a\n")], EARLIER),
    ("earlier-another-path", LATE, [("make >/t/a\n", "make >/t/a && rm -f /t/a\n"), ("RUN rm -f /t/a\n", "")],
     [("make >/t/a\n", "make >/t/a && rm -f /t\n"), ("RUN rm -f /t/a\n", "")], EARLIER),
    ("across-a-value", ACROSS, JOINED, [("/t/a\nENV", JOINED[0][1].replace("A=1", "A=2", 1)), JOINED[1]],
     [JoinAcross((1, 4), (False, False))]),
    ("across-a-directory", ACROSS, JOINED, [("/t/a\nENV", JOINED[0][1].replace("cd /w", "cd /")), JOINED[1]],
     [JoinAcross((1, 4), (False, False))]),
    ("across-nothing-said", ACROSS, JOINED, [("/t/a\nENV", "/t/a && rm /t/a\nENV"), JOINED[1]],
     [JoinAcross((1, 4), (False, False))]),
    ("across-and-lost", ACROSS, JOINED, [*JOINED, ("ENV A=1\n", "")], [JoinAcross((1, 4), (False, False))]),
    ("across-made-again", ACROSS_GONE, JOINED_GONE, [(JOINED_GONE[0][0], JOINED_GONE[0][1] + "\nWORKDIR /w")],
     [JoinAcross((1, 3), (False, False), (2,))]),
    ("listed-as-a-chain", TWO, LISTED, [(LISTED[0][0], "RUN (set -e; a && b) && (c; d)")], [MergeListed((1, 2))]),
    ("listed-under-errexit", TWO, LISTED, [(LISTED[0][0], LISTED[0][1].replace("set +e; ", ""))],
     [MergeListed((1, 2))]),
    ("listed-and-not", TWO, LISTED, [(LISTED[0][0], LISTED[0][1].replace("RUN set -e; ", "RUN "))],
     [MergeListed((1, 2))]),
    ("listed-in-one-shell", TWO, LISTED, [(LISTED[0][0], "RUN set -e; (set -e; a && b); set +e; c; d")],
     [MergeListed((1, 2))]),
    ("flatten-user-lost", DEEP, [("", FLAT)], [("", FLAT.replace("USER app\n", ""))], FLATTEN),
    ("flatten-other-path", DEEP, [("", FLAT)], [("", FLAT.replace("=/bin", "=/usr/bin"))], FLATTEN),
    ("flatten-part-of-it", DEEP, [("", FLAT)], [("", FLAT.replace("0 / /", "0 /usr /"))], FLATTEN),
    ("flatten-and-changed", DEEP, [("", FLAT)], [("USER app\n", "USER root\n" + FLAT)], FLATTEN),
    ("last-of-list", LIST, [("; b", "")], [("a; b", "b")], [RemoveLast(1, 11)]),
    ("first-of-list", LIST, [("; b", "")], [("set -e; ", "")], [RemoveLast(1, 11)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "correct", "damaged", "rewrites"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
def test_gate(
    text: str, correct: list[tuple[str, str]], damaged: list[tuple[str, str]], rewrites: list[Rewrite]
) -> None:
    assert verdict(text, replaced(text, *correct), rewrites) == ""
    assert verdict(text, replaced(text, *damaged), rewrites) != ""


def mount(text: str, value: str = M, step: int = 1, command: str = "pip") -> tuple[str, list[tuple[str, str]], Rewrite]:
    return text, [(f"RUN {command}", f"RUN --mount={value} {command}")], AddCacheMounts(step, (value,))


def into(
    runs: str, run: int = 2, flag: tuple[str, str] = ("chmod", "755"), copy: str = "COPY a.sh /", offset: int = 0
) -> tuple[str, list[tuple[str, str]], Rewrite]:
    keyword, rest = copy.split(" ", 1)
    edits = [(copy, f"{keyword} --{flag[0]}={flag[1]} {rest}")]
    return f"{BASE}{copy}\n{runs}\n", edits, ModeIntoCopy((1,), run, offset, "/a.sh", flag)


def bind(copy: str, command: str, run: int = 2, flags: str = "") -> tuple[str, list[tuple[str, str]], Rewrite]:
    text = f"{BASE}{copy}\nRUN {flags}{command}\n"
    edits = [(copy + "\n", ""), (f"RUN {flags}", f"RUN {flags}{B} ")]
    return text, edits, BindForCopy((1,), run, "/tmp/a.txt", (), A_FILE)


def late(runs: str, run: int, offset: int = 0) -> tuple[str, list[tuple[str, str]], Rewrite]:
    return f"{BASE}RUN make >/t/a\n{runs}\n", [("zzz", "")], DeleteEarlier(run, offset, 1)


def over(steps: str, run: int, dropped: tuple[int, ...] = ()) -> tuple[str, list[tuple[str, str]], Rewrite]:
    return f"{BASE}{steps}\n", [("zzz", "")], JoinAcross((1, run), (False, False), dropped)


def listed(steps: str, last: int = 2) -> tuple[str, list[tuple[str, str]], Rewrite]:
    return f"{BASE}{steps}\n", [("zzz", "")], MergeListed((1, last))


COPY = "FROM x\nCOPY --from=0 "
# id, (text, edits, rewrite), a word of the reason
WRONG = [
    ("another-stage-takes-it", mount(PIP + COPY + "/root/.cache/pip /c\n"), "another stage takes"),
    ("another-stage-takes-more", mount(PIP + COPY + "/root /c\n"), "another stage takes"),
    ("another-stage-takes-part", mount(PIP + COPY + "/root/.cache/pip/http /c\n"), "another stage takes"),
    ("another-stage-takes-a-variable", mount(PIP + "FROM x\nARG P\nCOPY --from=0 $P /c\n"), "not known"),
    ("another-stage-mounts-it", mount(PIP + "FROM x\nRUN --mount=from=0,source=/root,target=/r ls\n"), "another stage"),
    ("a-child-is-copied-from", mount(
        "FROM debian:13 AS a\nRUN pip install x\nFROM a AS b\nFROM x\nCOPY --from=b /root /c\n"), "another stage"),
    ("a-later-step-reads-it", mount(PIP + "RUN cp -r /root/.cache/pip /c\n"), "line 3 names"),
    ("a-later-step-reads-it-from-home", mount(PIP + "RUN cp -r ~/.cache/pip /c\n"), "line 3 names"),
    ("the-start-reads-it", mount(PIP + 'CMD ["ls", "/root/.cache/pip"]\n'), "line 3 names"),
    ("mounted-already", mount(BASE + "RUN --mount=type=tmpfs,target=/root pip install x\n"), "covers"),
    ("deleted-in-the-run", mount(BASE + "RUN pip install x && rm -rf /root/.cache\n"), "deletes"),
    ("deleted-by-home", mount(BASE + "RUN pip install x && rm -rf ~/.cache/pip\n"), "deletes"),
    ("deleted-by-find", mount(BASE + "RUN pip install x && find /root -name x -delete\n"), "deletes"),
    ("deleted-by-variable", mount(BASE + "RUN pip install x && rm -rf $D\n"), "deletes"),
    ("deleted-by-glob", mount(BASE + "RUN pip install x && rm -rf /ro*\n"), "deletes"),
    ("deleted-from-inside", mount(BASE + "RUN pip install x && cd /root/.cache/pip && rm -rf *\n"), "inside"),
    ("a-bind-mount", mount(PIP, "type=bind,target=/root/.cache/pip"), "is not a cache mount"),
    ("from-another-image", mount(PIP, M + ",from=x"), "is not a cache mount"),
    ("relative-target", mount(PIP, "type=cache,target=root"), "is not a cache mount"),
    ("the-root", mount(PIP, "type=cache,target=/"), "cannot be mounted"),
    ("mode-not-said", into("RUN chmod 644 /a.sh"), "no command"),
    ("mode-symbolic", into("RUN chmod +x /a.sh"), "no command"),
    ("mode-of-another-path", into("RUN chmod 755 /b.sh"), "does not name"),
    ("mode-not-first", into("RUN ls && chmod 755 /a.sh", offset=6), "no command"),
    ("mode-on-condition", into("RUN chmod 755 /a.sh || true"), "no command"),
    ("mode-in-background", into("RUN chmod 755 /a.sh & ls"), "no command"),
    ("mode-with-a-redirect", into("RUN chmod 755 /a.sh >/log"), "no command"),
    ("mode-seen-between", into("RUN ls -l /a.sh\nRUN chmod 755 /a.sh", run=3), "sees the file"),
    ("mode-written-between", into("COPY b /\nRUN chmod 755 /a.sh", run=3), "may write"),
    ("mode-triggered-between", into("ONBUILD RUN ls\nRUN chmod 755 /a.sh", run=3), "sees the file"),
    ("mode-elsewhere", into("RUN chmod 755 /a.sh", copy="COPY a.sh /srv/"), "does not write"),
    ("mode-with-link", into("RUN chmod 755 /a.sh", copy="COPY --link a.sh /"), "otherwise"),
    ("mode-is-there", into("RUN chmod 755 /a.sh", copy="COPY --chmod=600 a.sh /"), "otherwise"),
    ("owner-created-between", into("RUN useradd u\nRUN chown u:u /a.sh", run=3, flag=("chown", "u:u")), "owner"),
    ("owner-file-replaced", into(
        "COPY p /etc/passwd\nRUN chown u:u /a.sh", run=3, flag=("chown", "u:u")), "who the owner is"),
    ("owner-group-left-out", into("RUN chown 5 /a.sh", flag=("chown", "5")), "no command"),
    ("bind-still-deleted", bind("COPY a.txt /tmp/", "cat x; rm /tmp/a.txt"), "still deletes"),
    ("bind-not-deleted", bind("COPY a.txt /tmp/", "cat x"), "for certain"),
    ("bind-deleted-on-condition", bind("COPY a.txt /tmp/", "a || rm /tmp/a.txt"), "for certain"),
    ("bind-deleted-behind-a-failure", bind("COPY a.txt /tmp/", "a && rm /tmp/a.txt; b"), "for certain"),
    ("bind-deleted-inside", bind("COPY a.txt /tmp/a.txt/", "rm /tmp/a.txt/*"), "for certain"),
    ("bind-elsewhere", bind("COPY a.txt /srv/", "rm /tmp/a.txt"), "would not be where"),
    ("bind-with-an-owner", bind("COPY --chown=1 a.txt /tmp/", "rm /tmp/a.txt"), "more than a mount"),
    ("bind-a-glob", bind("COPY *.txt /tmp/", "rm /tmp/a.txt"), "more than a mount"),
    ("bind-two-sources", bind("COPY a.txt b.txt /tmp/", "rm /tmp/a.txt"), "would not be where"),
    ("bind-what-is-not-known", bind("COPY a /tmp/", "rm /tmp/a.txt"), "whether a is one file"),
    ("bind-a-glob-of-all", bind("COPY s/* /tmp/a.txt/", "rm -r /tmp/a.txt"), "more than a mount"),
    ("bind-globs-of-two", bind("COPY s/*.sh t/*.sh /tmp/a.txt/", "rm -r /tmp/a.txt"), "what a mount cannot"),
    ("bind-more-than-a-glob", bind("COPY s/*.sh /tmp/a.txt/", "ls /tmp/a.txt && rm -r /tmp/a.txt"), "may see more"),
    ("bind-other-than-a-glob", bind("COPY s/*.sh /tmp/a.txt/", "cat /tmp/a.txt/b && rm -r /tmp/a.txt"), "may not be"),
    ("bind-an-add", bind("ADD a.txt /tmp/", "rm /tmp/a.txt"), "does not stand after the COPY"),
    ("bind-used-between", bind("COPY a.txt /tmp/\nRUN ls", "rm /tmp/a.txt", 3), "sees the file"),
    ("bind-mounted", bind("COPY a.txt /tmp/", "rm /tmp/a.txt", flags="--mount=type=tmpfs,target=/tmp "), "covers"),
    ("earlier-needed-between", late("RUN cat /t/a\nRUN rm -f /t/a", 3), "may need"),
    ("earlier-written-between", late("COPY a /t/\nRUN rm -f /t/a", 3), "may write"),
    ("earlier-other-user", late("USER 5\nRUN rm -f /t/a", 3), "another user"),
    ("earlier-other-rm", late("ENV PATH=/x\nRUN rm -f /t/a", 3), "what rm is"),
    ("earlier-not-first", late("RUN ls && rm -f /t/a", 2, 6), "does not begin"),
    ("earlier-relative", late("RUN rm -f a", 2), "does not begin"),
    ("earlier-not-forced", late("RUN rm /t/a", 2), "does not begin"),
    ("earlier-a-variable", late("RUN rm -f $A/a", 2), "does not begin"),
    ("listed-with-a-trap", listed("RUN set -e; trap x EXIT; a\nRUN b"), "trap"),
    ("listed-with-a-link", listed("RUN set -e; ln a b; a\nRUN b"), "hard link"),
    ("listed-with-a-job", listed("RUN set -e; a & b\nRUN b"), "background"),
    ("listed-other-flags", listed("RUN --network=none a; b\nRUN b"), "equal flags"),
    ("listed-apart", listed("RUN a\nENV A=1\nRUN b", 3), "consecutive"),
    ("listed-not-a-run", listed("RUN a\nCOPY a b"), "RUN"),
    ("across-a-user", over("RUN make >/t/a\nUSER u\nRUN rm /t/a", 3), "may not stand after"),
    ("across-an-argument", over("RUN make >/t/a\nARG V=1\nRUN rm /t/a", 3), "may not stand after"),
    ("across-a-copy", over("RUN make >/t/a\nCOPY a /\nRUN rm /t/a", 3), "may not stand after"),
    ("across-a-shell", over('RUN make >/t/a\nSHELL ["bash", "-c"]\nRUN rm /t/a', 3), "may not stand after"),
    ("across-an-unknown-value", over("RUN make >/t/a\nENV V=$W\nRUN rm /t/a", 3), "another one in the shell"),
    ("across-a-value-of-the-same", over("RUN make >/t/a\nENV V=1 W=$PATH\nRUN rm /t/a", 3), "another one in the"),
    ("across-a-quoted-value", over("RUN make >/t/a\nENV V='a b'\nRUN rm /t/a", 3), "another one in the shell"),
    ("across-the-shells-own", over("RUN make >/t/a\nENV IFS=a\nRUN rm /t/a", 3), "does not do"),
    ("across-an-unknown-directory", over("RUN make >/t/a\nWORKDIR $D\nRUN rm /t/a", 3), "not known"),
    ("across-leaving-state", over("RUN cd /t && make >a\nENV V=1\nRUN rm /t/a", 3), "would see"),
    ("across-other-flags", over("RUN --network=none make >/t/a\nENV V=1\nRUN rm /t/a", 3), "flags differ"),
    ("across-and-made-again", over("RUN make >/w/a\nWORKDIR /w\nRUN rm -r /w\nWORKDIR /", 3), "would make a directory"),
    ("across-and-started-there", over("RUN make >/w/a\nWORKDIR /w\nRUN rm -r /w", 3, (2,)), "starts in"),
    ("across-and-used-there", over("RUN make >/w/a\nWORKDIR /w\nRUN rm -r /w\nRUN ls\nWORKDIR /", 3, (2,)), "works in"),
    ("onbuild", (BASE + "ONBUILD RUN pip install x\n", [("RUN pip", f"RUN {F} pip")], AddCacheMounts(1, (M,))), "RUN"),
    ("not-a-run", (BASE + "COPY a b\n", [("COPY a", f"COPY {F} a")], AddCacheMounts(1, (M,))), "RUN"),
    ("last-without-errexit", (BASE + "RUN a; b\n", [("; b", "")], RemoveLast(1, 3)), "set -e"),
    ("last-behind-a-chain", (BASE + "RUN set -e; x && a; b\n", [("; b", "")], RemoveLast(1, 16)), "simple command"),
    ("last-behind-a-job", (BASE + "RUN set -e; a & b\n", [("& b", "&")], RemoveLast(1, 12)), ""),
    ("last-but-one", (LIST, [("; a", "")], RemoveLast(1, 8)), "not the last"),
    ("only-command", (BASE + "RUN xyz\n", [("xyz", "")], RemoveLast(1, 0)), "not the last"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "word"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_refused(case: tuple[str, list[tuple[str, str]], Rewrite], word: str) -> None:
    text, edits, rewrite = case
    reason = verdict(text, replaced(text, *edits) if all(text.count(old) == 1 for old, _ in edits) else [], [rewrite])
    assert reason
    assert word in reason


def test_removed_whole_cleanup() -> None:
    edits = [("RUN apt", f"RUN --mount={LISTS} apt"), (" && rm -rf /var/lib/apt/lists/*", "")]
    rewrites: list[Rewrite] = [RemoveCommand(1, 39), AddCacheMounts(1, (LISTS,))]
    assert verdict(APT_RM, replaced(APT_RM, *edits), rewrites) == ""
