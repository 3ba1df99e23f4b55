"""What builders write into the history of an image, and how well such a text agrees with a Dockerfile instruction.

Forms, from the builders' own sources (BuildKit `dockerfile2llb/convert.go`: commitToHistory and its callers; buildah
`imagebuildah/stage_executor.go`: getCreatedBy; Docker's classic builder `builder/dockerfile`), checked against images
that they built:

    BuildKit   RUN |1 K=V /bin/sh -c CMD # buildkit    build arguments in use, SHELL, then the command; JSON form joined
                                                       by blanks; of a lone heredoc its body; flags of RUN are not kept
               COPY --chown=1:1 SRC DEST # buildkit    variables expanded; --from and --link are not kept
               ENV K=V   WORKDIR /absolute   CMD ["/bin/sh" "-c" "x"]   EXPOSE map[80/tcp:{}]   VOLUME [/data]
    classic    /bin/sh -c #(nop)  ENV K=V              two blanks; COPY file:HASH in DEST; RUN as |1 K=V /bin/sh -c CMD
    buildah    /bin/sh -c #(nop) ENV K=V               the instruction as written, flags of RUN and JSON form included;
                                                       ARG with the names of all arguments so far
"""

from __future__ import annotations

import json
import re

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXACT, LIKELY, WEAK = "exact", "likely", "weak"

_KEYWORDS = frozenset(
    ("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN",
     "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")
)  # fmt: skip
_LONGEST = 1 << 16  # characters of an entry that are compared
_NOP = re.compile(r"[^\n]*?#\(nop\) {1,2}([A-Z]+) ?(.*)", re.DOTALL)
_CONTENT = re.compile(r"(?:--\S+ +)*(?:(?:file|dir|multi|git|container):[0-9a-f]* in )(.*)", re.DOTALL)
_FLAGS = re.compile(r"(?:--[a-z][\w-]*(?:=(?:\"[^\"]*\"|[^\s\"])*)?\s+)*")
_VARIABLE = re.compile(r"\$(?:\w+|\{[^}]{0,200}\})")
_PAIR = re.compile(
    r"""(?<!\S)((?:[^\s="'\\]|\\.|"[^"]{0,400}"|'[^']{0,400}'){1,400})=((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')*)""",
    re.DOTALL,
)
_WORD = re.compile(r"\w+")
_DEFAULT_SHELL = "/bin/sh -c"


class DockerfileStep(Record):
    """One instruction of a Dockerfile. text: what follows the keyword, flags included, continuation lines joined;
    line: counted from 1; heredocs: bodies in order, each with its final newline."""

    keyword: str
    text: str
    line: int
    heredocs: tuple[str, ...] = ()


class Written(Record):
    """A `created_by` taken apart. keyword: "" when no builder of Dockerfiles wrote it; form: buildkit, classic (also
    for buildah, where nothing tells them apart), or other."""

    keyword: str
    body: str
    form: str


def take_apart(created_by: str) -> Written:
    text = created_by.removesuffix(" # buildkit")
    keyword, _, body = text.partition(" ")
    if keyword in _KEYWORDS:
        return Written(keyword, body, "buildkit")
    match = _NOP.fullmatch(text)
    if match is not None and match[1] in _KEYWORDS:
        return Written(match[1], match[2], "classic")
    if re.match(r"(?:\|[0-9]+ |/bin/\w*sh -)", text):
        return Written("RUN", text, "classic")
    return Written("", text, "other")


def shells_of(steps: Iterable[DockerfileStep], configured: Sequence[str]) -> frozenset[str]:
    """The shells that RUN may have been run with: the default, the image's own, and those of SHELL instructions."""
    shells = {_DEFAULT_SHELL, " ".join(configured)}
    for step in steps:
        if step.keyword.upper() == "SHELL" and (words := _json_words(step.text)):
            shells.add(" ".join(words))
    return frozenset(shells - {""})


def agreement(entry: Written, step: DockerfileStep, shells: frozenset[str]) -> str:
    """EXACT when the entry is what a builder writes for this step, LIKELY when much of it is, WEAK when only the
    keyword is, "" when not even that."""
    keyword = step.keyword.upper()
    if entry.keyword != keyword:
        return ""
    body, text = _squeeze(entry.body[:_LONGEST]), _squeeze(step.text)
    if body == text:
        return EXACT
    if keyword == "RUN":
        return _run(body, step, shells)
    if keyword in ("COPY", "ADD"):
        return _copy(body, step.text)
    if keyword in ("ENV", "LABEL", "ARG"):
        return _pairs(keyword, body, step.text)
    if keyword == "WORKDIR":  # the entry has it resolved: /srv/app for `WORKDIR app`
        parts = _parts(_unquoted(text).rstrip("/"))
        if _fits(body, parts) or _fits(body, ["", f"/{parts[0]}", *parts[1:]]):
            return EXACT
    if keyword in ("USER", "STOPSIGNAL", "MAINTAINER") and _fits(body, _parts(_unquoted(text))):
        return EXACT
    return _words(body, text)


def _run(body: str, step: DockerfileStep, shells: frozenset[str]) -> str:
    stripped = _FLAGS.sub("", step.text, count=1)
    words = _json_words(stripped)
    bodies = [_squeeze(text) for text in step.heredocs]
    forms = [_squeeze(stripped)]
    if words:
        forms.append(_squeeze(" ".join(words)))
    elif bodies:
        forms.append(bodies[0] if stripped.lstrip().startswith("<<") else " ".join([forms[0], *bodies]))
    for form in forms:
        if body.endswith(form) and _is_prefix(body[: len(body) - len(form)].strip(), shells):
            return EXACT
    for shell in shells:  # what buildah appends: heredoc bodies, checksums of bind mounts, changed labels
        command = body.partition(f"{shell} ")[2] if f"{shell} " in body else ""
        for form in (_squeeze(step.text), forms[0]):
            remainder = command[len(form) :] if form and command.startswith(form) else None
            if remainder is not None and (
                remainder[:1] in ("", ":", "|") or any(text and text in remainder for text in bodies)
            ):
                return EXACT
    return max((_words(body, form) for form in forms), key=(WEAK, LIKELY, EXACT).index).replace(EXACT, LIKELY)


def _is_prefix(prefix: str, shells: frozenset[str]) -> bool:
    """Whether this is what stands before a command: build arguments, a shell, both or nothing."""
    if not prefix or prefix in shells:
        return True
    return bool(re.match(r"\|[0-9]+ ", prefix))


def _copy(body: str, text: str) -> str:
    text = _FLAGS.sub("", text, count=1)
    words = _json_words(text) or [_unquoted(word) for word in text.split()]
    if not words:
        return WEAK
    content = _CONTENT.fullmatch(body)
    if content is not None:  # the sources are not named: the destination must do
        return EXACT if _fits(content[1].strip(), _parts(words[-1])) else WEAK
    body = _FLAGS.sub("", body, count=1)
    words = [f"<<{_unquoted(word[2:].lstrip('-'))}" if word.startswith("<<") else word for word in words]
    if _fits(body, _parts(" ".join(words))):
        return EXACT
    return _words(body, " ".join(words))


def _pairs(keyword: str, body: str, text: str) -> str:
    """Names must agree in order; values too for EXACT, where they are literal."""
    pairs = [(_unquoted(match[1]), _unquoted(match[2])) for match in _PAIR.finditer(text)]
    if keyword == "ARG":  # a value may come from the command line; buildah lists all arguments so far
        names = [word.partition("=")[0] for word in text.split()]
        entry_names = [word.partition("=")[0] for word in body.split()]
        return EXACT if entry_names == names else LIKELY if set(names) <= set(entry_names) else WEAK
    if not pairs and keyword == "ENV":
        name, _, value = text.strip().partition(" ")
        pairs = [(name, value.strip())]
    if _fits(body, _parts(" ".join(f"{name}={_squeeze(value)}" for name, value in pairs))):
        return EXACT
    blanks = [f" {name}=" for name, _ in pairs]
    return LIKELY if _fits(f" {body}", [*blanks, ""]) else WEAK


def _words(body: str, text: str) -> str:
    """By the share of the step's words that the entry holds; all of them in order of meaning is enough for EXACT,
    because builders only add words here (a shell, `/tcp`, zero durations)."""
    step_words, entry_words = set(_WORD.findall(_VARIABLE.sub(" ", text))), set(_WORD.findall(body))
    if not step_words:
        return WEAK
    share = len(step_words & entry_words) / len(step_words)
    return EXACT if share == 1 else LIKELY if share >= 0.5 else WEAK


def _parts(text: str) -> list[str]:
    """The literal parts of a text whose variables were expanded to unknown values."""
    return _VARIABLE.split(text)


def _fits(text: str, parts: list[str]) -> bool:
    """Whether `text` is these parts in order with anything between them. Linear: entries come from strangers."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return text == first
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for part in parts[1:-1]:
        position = text.find(part, position, end)
        if position < 0:
            return False
        position += len(part)
    return True


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _unquoted(text: str) -> str:
    """Without its quotes and backslashes, as builders write values."""
    return re.sub(r"\\(.)|[\"']", lambda match: match[1] or "", text, flags=re.DOTALL)


def _json_words(text: str) -> list[str]:
    """The words of a JSON form; an empty list when it is none."""
    if not text.lstrip().startswith("["):
        return []
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else []
