"""A Dockerfile from a history: what each entry becomes, what is marked, and that BuildKit takes every result."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from image.builders import TarEntry, file, folder, opaque, whiteout
from oracle_client import Oracle

from dfopt.image import map_history, open_image
from dfopt.record import replace
from dfopt.review.recover import Recovered, recover
from dfopt.review.recreate import reads_back, run_text
from dfopt.syntax.dockerfile import parse
from review.making import image, step

SECRET = "Kq8-zzTop-Yv3"


def recovered(
    tmp_path: Path, history: list[dict[str, Any]], layers: list[list[TarEntry]] | None = None, *,
    show_secrets: bool = False, **settings: Any,
) -> Recovered:  # fmt: skip
    count = sum(not entry.get("empty_layer") for entry in history)
    made = layers if layers is not None else [[file(f"f{number}", "x")] for number in range(count)]
    path = image(tmp_path / "i.tar", made, history, **settings)
    with open_image(str(path)) as opened:
        contents = opened.read(hashes=False)
    return recover(contents, map_history(contents.image), {}, show_secrets=show_secrets)


def complaints(oracle: Oracle, text: bytes) -> list[str]:
    """What BuildKit has against a Dockerfile: its parser, and its instructions' own."""
    answer = oracle.parse(text)
    return [str(answer[key]) for key in ("err", "inst_err") if answer.get(key)]


def instructions(text: str) -> list[str]:
    """The instructions of a Dockerfile without FROM, continuations joined."""
    nodes = parse(text).instructions
    return [
        text[node.start : node.end] if node.heredocs else node.joined.text for node in nodes if node.keyword != "FROM"
    ]


ENTRIES: dict[str, tuple[str, list[str]]] = {
    "run": ("RUN /bin/sh -c apt-get update # buildkit", ["RUN apt-get update"]),
    "run with arguments": (
        "RUN |2 A=1 B=two words /bin/sh -c make # buildkit", ["ARG A=1", 'ARG B="two words"', "RUN make"],
    ),
    "run in another shell": (
        "RUN /bin/bash -o pipefail -c a | b # buildkit", ['SHELL ["/bin/bash", "-o", "pipefail", "-c"]', "RUN a | b"],
    ),
    "run of several lines": (
        "RUN /bin/sh -c set -e\nmake\n # buildkit", ["RUN <<EOF\nset -e\nmake\nEOF"],
    ),
    "run whose script has our delimiter": (
        "RUN /bin/sh -c cat <<EOF\nx\nEOF\n # buildkit", ["RUN <<EOFF\ncat <<EOF\nx\nEOF\nEOFF"],
    ),
    "run that looks like JSON": ('RUN /bin/sh -c ["a", "b"] # buildkit', ['RUN <<EOF\n["a", "b"]\nEOF']),
    "run that looks like a flag": ("RUN /bin/sh -c --mount=x y # buildkit", ["RUN <<EOF\n--mount=x y\nEOF"]),
    "run that was joined": (
        f"RUN /bin/sh -c {'a' * 99} &&     b &&     # c # buildkit", [f"RUN {'a' * 99} &&     b &&     # c"],
    ),
    "run in JSON form with arguments": ("RUN |1 A=1 /bin/echo hi # buildkit", ["ARG A=1", "RUN /bin/echo hi"]),
    "run in JSON form": ("RUN /bin/echo hi # buildkit", ["RUN /bin/echo hi"]),
    "run of the classic builder": ("/bin/sh -c apt-get update", ["RUN apt-get update"]),
    "copy": ("COPY --chown=1:1 a b /dest/ # buildkit", ["COPY --chown=1:1 a b /dest/"]),
    "add of an address": ("ADD https://example.com/x / # buildkit", ["ADD https://example.com/x /"]),
    "copy of the classic builder": ("/bin/sh -c #(nop) COPY file:0a1b in /dest ", ["ADD layer-0.tar /"]),
    "workdir": ("WORKDIR /srv/a b", ["WORKDIR /srv/a b"]),
}  # fmt: skip
SETTINGS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "cmd": ('CMD ["a" "b \\"c\\""]', {"Cmd": ["a", 'b "c"']}, ['CMD ["a", "b \\"c\\""]']),
    "cmd of the classic builder": ('/bin/sh -c #(nop)  CMD ["a"]', {"Cmd": ["a"]}, ['CMD ["a"]']),
    "entrypoint": ('ENTRYPOINT ["/x"]', {"Entrypoint": ["/x"]}, ['ENTRYPOINT ["/x"]']),
    "shell": ("SHELL [/bin/bash -c]", {"Shell": ["/bin/bash", "-c"]}, ['SHELL ["/bin/bash", "-c"]']),
    "env": ("ENV A=1 B=two words", {"Env": ["A=1", "B=two words"]}, ['ENV A=1 B="two words"']),
    "env that would be expanded": ("ENV A=$B \\ \"q\"", {"Env": ['A=$B \\ "q"']}, ['ENV A="\\$B \\\\ \\"q\\""']),
    "env that changes later": ("ENV A=1", {"Env": ["A=2"]}, ["ENV A=1", "ENV A=2"]),
    "label": ("LABEL a.b=c d", {"Labels": {"a.b": "c d"}}, ['LABEL a.b="c d"']),
    "expose": (
        "EXPOSE map[80/tcp:{} 53/udp:{}]", {"ExposedPorts": {"80/tcp": {}, "53/udp": {}}}, ["EXPOSE 80/tcp 53/udp"],
    ),
    "volume": ("VOLUME [/data]", {"Volumes": {"/data": {}}}, ['VOLUME ["/data"]']),
    "user": ("USER app", {"User": "app"}, ["USER app"]),
    "stopsignal": ("STOPSIGNAL SIGINT", {"StopSignal": "SIGINT"}, ["STOPSIGNAL SIGINT"]),
    "maintainer": ("MAINTAINER me", {}, ["MAINTAINER me"]),
    "onbuild": ("ONBUILD RUN x", {"OnBuild": ["RUN x"]}, ["ONBUILD RUN x"]),
    "arg": ("ARG A=two words", {}, ['ARG A="two words"']),
    "nothing told": (
        "nonsense",
        {"Env": ["A=1"], "Cmd": ["a"], "Entrypoint": ["e"], "User": "u", "WorkingDir": "/w",
         "ExposedPorts": {"1/tcp": {}}, "Volumes": {"/v": {}},
         "StopSignal": "SIGINT", "Labels": {"l": "m"}, "Shell": ["/bin/ash", "-c"],
         "Healthcheck": {"Test": ["CMD-SHELL", "curl x"], "Interval": 30_000_000_000, "Retries": 3}},
        ["ENV A=1", "LABEL l=m", 'SHELL ["/bin/ash", "-c"]', 'ENTRYPOINT ["e"]', 'CMD ["a"]', "USER u", "WORKDIR /w",
         "STOPSIGNAL SIGINT", "EXPOSE 1/tcp", 'VOLUME ["/v"]',
         "HEALTHCHECK --interval=30000ms --retries=3 CMD curl x"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ENTRIES)
def test_entries_with_files(case: str, tmp_path: Path, oracle: Oracle) -> None:
    text, expected = ENTRIES[case]
    found = recovered(tmp_path, [step(text)])
    assert instructions(found.text) == expected
    assert complaints(oracle, found.text.encode()) == []


@pytest.mark.parametrize("case", SETTINGS)
def test_entries_without_files(case: str, tmp_path: Path, oracle: Oracle) -> None:
    text, settings, expected = SETTINGS[case]
    found = recovered(tmp_path, [step(text, empty=True)], **settings)
    assert instructions(found.text) == expected
    assert complaints(oracle, found.text.encode()) == []


def test_a_layer_made_by_hand(tmp_path: Path) -> None:
    own = [
        folder("opt"), file("opt/tool", "t" * 3000), file("var/lib/dpkg/info/curl.list"), whiteout("etc/motd"),
        whiteout("a b"),
    ]  # fmt: skip
    found = recovered(tmp_path, [step("RUN /bin/sh -c true # buildkit"), step("bash")], [[file("x")], own])
    assert instructions(found.text) == ["RUN true", "RUN rm -rf /etc/motd '/a b'", "ADD layer-1.tar /"]
    for words in (
        "# unknown: layer 1: made by hand or by another tool (bash).", "2 files, 3.00 kB: /opt/tool",
        "Debian packages that it brings or changes: curl",
    ):  # fmt: skip
        assert words in found.text


def test_many_deletions_are_a_comment(tmp_path: Path) -> None:
    own = [*[whiteout(f"f{number}") for number in range(60)], opaque("d")]
    found = recovered(tmp_path, [step("bash")], [own])
    assert instructions(found.text) == []
    assert "unknown: it deletes 60 paths: /f0, /f1" in found.text


def test_an_import_without_any_history(tmp_path: Path) -> None:
    path = image(tmp_path / "i.tar", [[file("a", "1")], [file("b", "1")]], [], Cmd=["x"])
    with open_image(str(path)) as opened:
        contents = opened.read(hashes=False)
    bare = contents.image.config | {"history": []}
    contents = replace(contents, image=replace(contents.image, config=bare, history=()))
    found = recover(contents, map_history(contents.image), {0: "Alpine Linux v3.22"})
    assert instructions(found.text) == ["ADD layer-0.tar /", "ADD layer-1.tar /", 'CMD ["x"]']
    assert "layer 0 holds Alpine Linux v3.22" in found.text


def test_buildah_notes_its_base(tmp_path: Path) -> None:
    history = [
        step("/bin/sh -c #(nop) ADD file:1 in / "),
        {**step('/bin/sh -c #(nop) ENV A="two words"', empty=True), "comment": "FROM docker.io/library/alpine:3"},
        step("/bin/sh -c apk add curl"),
    ]  # fmt: skip
    found = recovered(tmp_path, history, Env=["A=two words"], Labels={"io.buildah.version": "1.39"})
    assert "\nFROM docker.io/library/alpine:3\n" in found.text
    assert instructions(found.text) == ['ENV A="two words"', "RUN apk add curl"]


def test_secrets_are_masked_and_said_to_be(tmp_path: Path, oracle: Oracle) -> None:
    history = [
        step(f"RUN |1 TOKEN={SECRET} /bin/sh -c x # buildkit"), step(f"ENV DB_PASSWORD={SECRET}", empty=True),
    ]  # fmt: skip
    found = recovered(tmp_path, history, Env=[f"DB_PASSWORD={SECRET}"])
    assert SECRET not in found.text
    assert instructions(found.text) == ["ARG TOKEN=****", "RUN x", "ENV DB_PASSWORD=****"]
    assert found.text.count("which is masked here (--show-secrets shows it)") == 2
    assert complaints(oracle, found.text.encode()) == []
    assert SECRET in recovered(tmp_path, history, show_secrets=True, Env=[f"DB_PASSWORD={SECRET}"]).text


HOSTILE = [
    "RUN /bin/sh -c x\nFROM evil # buildkit", "ENV A=1\nRUN evil", "COPY a\nRUN evil", "CMD [\"a\nRUN evil\"]",
    "\n# syntax=evil\nRUN x", "USER a\nRUN evil", "LABEL a=b\nRUN evil", "RUN |1 A=1\nRUN evil /bin/sh -c x",
    "RUN |9999 /bin/sh -c x", "RUN |1 ", "WORKDIR \\", "RUN /bin/sh -c x \\", "EXPOSE map[\nRUN evil", "RUN", "RUN ",
    "VOLUME [\"/a\nRUN evil\"]", "ONBUILD RUN a\nRUN evil", "/bin/sh -c #(nop)  ENV A=1\nRUN evil", "ARG A=b\nRUN evil",
    "HEALTHCHECK &{[\"CMD\"] \nRUN evil", "RUN /bin/sh -c <<EOF", "RUN /bin/sh -c # only a comment",
    "\x00\udcff", "STOPSIGNAL \n",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("empty", [True, False])
def test_no_entry_becomes_two_instructions(text: str, empty: bool, tmp_path: Path, oracle: Oracle) -> None:
    settings = {"Env": ["A=1\nRUN evil"], "User": "a\nRUN evil", "Labels": {"a": "b\nRUN evil", "x\ny": "z"},
                "Cmd": ["a\nRUN evil"], "WorkingDir": "/w\nRUN evil"}  # fmt: skip
    found = recovered(tmp_path, [step(text, empty)], **settings)
    assert complaints(oracle, found.text.encode("utf-8", "surrogateescape")) == []
    for node in parse(found.text).instructions:
        assert not node.joined.text.startswith(("RUN evil", "FROM evil"))


def test_any_text_gives_what_buildkit_takes(tmp_path: Path, oracle: Oracle) -> None:
    """Entries put together from pieces that mean something, at random (a fixed seed)."""
    pieces = [
        "RUN ", "/bin/sh -c ", "|1 A=b ", "ENV A=", "COPY ", "#(nop) ", "\n", "<<EOF", "\\", '"', "'", "$A", "[", "]",
        "  ", "x", "# buildkit", "CMD ", "{}", "`", "--from=a ", "\t",
    ]  # fmt: skip
    random_ = random.Random(6)
    for _ in range(40):
        texts = ["".join(random_.choices(pieces, k=random_.randrange(1, 9))) for _ in range(6)]
        history = [step(text, bool(random_.getrandbits(1))) for text in texts]
        found = recovered(tmp_path, history, Env=["A=" + "".join(random_.choices(pieces, k=3))])
        assert complaints(oracle, found.text.encode()) == [], history


def test_a_long_command_reads_the_same(oracle: Oracle) -> None:
    command = "apt-get update     && apt-get install -y curl      wget     && echo '# no comment'     # a comment" * 2
    text = run_text(command)
    assert "\\\n" in text
    assert reads_back(text)
    assert parse(f"FROM a\n{text}\n").instructions[1].body == command
