"""History to layers and Dockerfile lines. The texts of the builders were taken from images that they built from one
Dockerfile (BuildKit of Docker 26, its classic builder, buildah 1.39 with and without --layers)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dfopt.image import DockerfileStep, Image, map_history, open_archive, stage_steps
from dfopt.image.created_by import agreement, shells_of, take_apart
from dfopt.image.history import Mapping
from image.builders import docker_archive, file, layer

BODY = "echo one > /h1\necho two > /h2\n"
STEPS = [
    DockerfileStep("FROM", "docker.io/library/busybox:1.37 AS base", 1),
    DockerfileStep("ARG", "VER=3", 2),
    DockerfileStep("ARG", "OTHER", 3),
    DockerfileStep("ENV", 'A=1 B="two words"', 4),
    DockerfileStep("ENV", "OLD value here", 5),
    DockerfileStep("LABEL", 'x=y "z w"="q r"', 6),
    DockerfileStep("RUN", "echo hi > /a   && echo b", 7),
    DockerfileStep("RUN", '["/bin/sh", "-c", "echo json > /j"]', 10),
    DockerfileStep("RUN", "<<EOF", 11, (BODY,)),
    DockerfileStep("FROM", "base AS final", 15),
    DockerfileStep("WORKDIR", "/srv", 16),
    DockerfileStep("WORKDIR", "app", 17),
    DockerfileStep("COPY", "app.txt ./", 18),
    DockerfileStep("COPY", '--chown=1:1 ["app.txt", "/x y/"]', 19),
    DockerfileStep("ADD", "app.txt app2.txt*  /dst/", 20),
    DockerfileStep("RUN", "--network=none cat /a", 21),
    DockerfileStep("EXPOSE", "80 443/udp", 22),
    DockerfileStep("VOLUME", "/data /d2", 23),
    DockerfileStep("USER", "1000:1000", 24),
    DockerfileStep("STOPSIGNAL", "9", 25),
    DockerfileStep("SHELL", '["/bin/sh", "-e", "-c"]', 26),
    DockerfileStep("RUN", "echo withshell", 27),
    DockerfileStep("HEALTHCHECK", "--interval=5s CMD echo ok && true", 28),
    DockerfileStep("ENTRYPOINT", '["/bin/sh"]', 29),
    DockerfileStep("CMD", "echo $A", 30),
    DockerfileStep("ONBUILD", "RUN echo hi", 31),
]
BASE = ("", True)  # what `docker import` leaves: no text, one layer
HASH = "7b6b864e1fbd9030b6fdccc6490706388389c859e4f6fc0e278697ab55030029"
NOP = "/bin/sh -c #(nop) "

BUILDKIT = [
    BASE,
    ("ARG VER=3", False),
    ("ARG OTHER", False),
    ("ENV A=1 B=two words", False),
    ("ENV OLD=value here", False),
    ("LABEL x=y z w=q r", False),
    ("RUN |2 VER=3 OTHER= /bin/sh -c echo hi > /a   && echo b # buildkit", True),
    ("RUN |2 VER=3 OTHER= /bin/sh -c echo json > /j # buildkit", True),
    (f"RUN |2 VER=3 OTHER= /bin/sh -c {BODY} # buildkit", True),
    ("WORKDIR /srv", True),
    ("WORKDIR /srv/app", True),
    ("COPY app.txt ./ # buildkit", True),
    ("COPY --chown=1:1 app.txt /x y/ # buildkit", True),
    ("ADD app.txt app2.txt* /dst/ # buildkit", True),
    ("RUN /bin/sh -c cat /a # buildkit", True),
    ("EXPOSE map[443/udp:{} 80/tcp:{}]", False),
    ("VOLUME [/data /d2]", False),
    ("USER 1000:1000", False),
    ("STOPSIGNAL 9", False),
    ("SHELL [/bin/sh -e -c]", False),
    ("RUN /bin/sh -e -c echo withshell # buildkit", True),
    ('HEALTHCHECK &{["CMD-SHELL" "echo ok && true"] "5s" "0s" "0s" "0s" \'\\x00\'}', False),
    ('ENTRYPOINT ["/bin/sh"]', False),
    ('CMD ["/bin/sh" "-e" "-c" "echo $A"]', False),
]
CLASSIC = [
    BASE,
    (f"{NOP} ARG VER=3", False),
    (f"{NOP} ARG OTHER", False),
    (f"{NOP} ENV A=1 B=two words", False),
    (f"{NOP} ENV OLD=value here", False),
    (f"{NOP} LABEL x=y z w=q r", False),
    ("|1 VER=3 /bin/sh -c echo hi > /a   && echo b", True),
    ("|1 VER=3 /bin/sh -c echo json > /j", True),
    (f"{NOP}WORKDIR /srv", True),
    (f"{NOP}WORKDIR /srv/app", True),
    (f"{NOP}COPY file:{HASH} in ./ ", True),
    (f"{NOP}COPY --chown=1:1 file:{HASH} in /x y/ ", True),
    (f"{NOP}ADD file:{HASH} in /dst/ ", True),
    ("/bin/sh -c cat /a", False),
    (f"{NOP} EXPOSE 443/udp 80", False),
    (f"{NOP} VOLUME [/data /d2]", False),
    (f"{NOP} USER 1000:1000", False),
    (f"{NOP} STOPSIGNAL 9", False),
    ("/bin/sh -e -c #(nop)  SHELL [/bin/sh -e -c]", False),
    ("/bin/sh -e -c echo withshell", True),
    ('/bin/sh -e -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "echo ok && true"] "5s" "0s" "0s" "0s" \'\\x00\'}', False),
    ('/bin/sh -e -c #(nop)  ENTRYPOINT ["/bin/sh"]', False),
    ('/bin/sh -e -c #(nop)  CMD ["/bin/sh" "-e" "-c" "echo $A"]', False),
    ("/bin/sh -e -c #(nop)  ONBUILD RUN echo hi", False),
]
BUILDAH = [
    BASE,
    (f"{NOP}ARG VER", False),
    (f"{NOP}ARG VER", False),
    (f'{NOP}ENV A=1 B="two words"', False),
    (f"{NOP}ENV OLD value here", False),
    (f'{NOP}LABEL x=y "z w"="q r"', False),
    ("|1 VER=3 /bin/sh -c echo hi > /a   && echo b", True),
    ('|1 VER=3 /bin/sh -c ["/bin/sh", "-c", "echo json > /j"]', True),
    ("|1 VER=3 /bin/sh -c <<EOF", True),
    (f"{NOP}WORKDIR /srv", False),
    (f"{NOP}WORKDIR app", False),
    (f"{NOP}COPY file:{HASH} in ./ ", True),
    (f"{NOP}COPY file:{HASH} in /x y/ ", True),
    (f"{NOP}ADD file:{HASH} in /dst/ ", True),
    ("/bin/sh -c --network=none cat /a", True),
    (f"{NOP}EXPOSE 80 443/udp", False),
    (f"{NOP}VOLUME /data /d2", False),
    (f"{NOP}USER 1000:1000", False),
    (f"{NOP}STOPSIGNAL 9", False),
    (f'{NOP}SHELL ["/bin/sh", "-e", "-c"]', False),
    ("/bin/sh -c echo withshell", True),
    (f"{NOP}HEALTHCHECK --interval=5s CMD echo ok && true", False),
    (f'{NOP}ENTRYPOINT ["/bin/sh"]', False),
    (f"{NOP}CMD echo $A", False),
    (f"{NOP}ONBUILD RUN echo hi", False),
]
# Without --layers: one layer for each stage, its entry is the stage's last.
SQUASHED = [(text, index in (0, 8, 24)) for index, (text, _) in enumerate(BUILDAH)]


def image(path: Path, entries: list[tuple[str, bool]], comment: str = "", layers: int = -1, **settings: Any) -> Image:
    """An image with this history; `comment` stands on the second entry, where buildah notes its base."""
    count = sum(made for _, made in entries) if layers < 0 else layers
    history = [
        {"created_by": text, "empty_layer": not made, "comment": comment if index == 1 else ""}
        for index, (text, made) in enumerate(entries)
    ]
    tars = [layer(file(str(index))) for index in range(count)]
    with open_archive(docker_archive(path / "image.tar", tars, history=history, config=settings)) as archive:
        return archive.image()


def lines(mapping: Mapping) -> list[int | None]:
    return [origin.step.line if origin.step else None for origin in mapping.origins]


@pytest.mark.parametrize(
    ("entries", "comment", "without", "unsure"),
    [
        (BUILDKIT, "", (31,), {28: "likely"}),
        (CLASSIC, "", (11,), {28: "likely"}),
        (BUILDAH, "FROM docker.io/library/busybox:1.37", (), {3: "weak"}),
        (SQUASHED, "FROM docker.io/library/busybox:1.37", (), {3: "weak"}),
    ],
    ids=["buildkit", "classic", "buildah", "buildah without layers"],
)
def test_every_entry_finds_its_line(
    entries: list[tuple[str, bool]], comment: str, without: tuple[int, ...], unsure: dict[int, str], tmp_path: Path
) -> None:
    steps = [step for step in stage_steps(STEPS) if step.line not in without]
    mapping = map_history(image(tmp_path, entries, comment), steps)
    assert lines(mapping) == [None, *[step.line for step in steps]]
    assert {origin.step.line: origin.certainty for origin in mapping.origins if origin.step} == {
        step.line: unsure.get(step.line, "exact") for step in steps
    }
    made = [index for index, (_, layer_made) in enumerate(entries) if layer_made]
    assert [origin.index for origin in mapping.origins if origin.layer is not None] == made
    assert [mapping.of_layer(number) for number in range(len(made))] == [mapping.origins[index] for index in made]
    assert mapping.complete


def test_without_layers_buildahs_last_entry_stands_for_all(tmp_path: Path) -> None:
    mapping = map_history(image(tmp_path, SQUASHED, "FROM docker.io/library/busybox:1.37"), stage_steps(STEPS))
    assert {origin.layer: origin.also for origin in mapping.origins if origin.also} == {
        1: (6, 7),
        2: (11, 12, 13, 14, 20),
    }
    labelled = image(tmp_path, SQUASHED, Labels={"io.buildah.version": "1.39.3"})
    assert map_history(labelled).origins[8].also == (6, 7)
    assert map_history(image(tmp_path, SQUASHED)).origins[8].also == (), "an empty layer of another builder is empty"


def test_the_base_images_entries_have_no_line(tmp_path: Path) -> None:
    base = [BASE, ("RUN /bin/sh -c apt-get update # buildkit", True), ('CMD ["bash"]', False)]
    own = [("RUN /bin/sh -c apt-get update # buildkit", True), ('CMD ["bash"]', False)]
    steps = [DockerfileStep("RUN", "apt-get update", 2), DockerfileStep("CMD", '["bash"]', 3)]
    assert lines(map_history(image(tmp_path, base + own), steps)) == [None, None, None, 2, 3]
    assert lines(map_history(image(tmp_path, base), steps)) == [None, 2, 3]
    assert lines(map_history(image(tmp_path, base), steps, base_entries=3)) == [None, None, None]


def test_a_dockerfile_that_was_changed_since(tmp_path: Path) -> None:
    entries = [("RUN /bin/sh -c one # buildkit", True), ("RUN /bin/sh -c two # buildkit", True), ("USER app", False)]
    steps = [
        DockerfileStep("RUN", "one", 2),
        DockerfileStep("ENV", "NEW=1", 3),
        DockerfileStep("RUN", "entirely different", 4),
        DockerfileStep("USER", "app", 5),
    ]
    mapping = map_history(image(tmp_path, [BASE, ("RUN /bin/sh -c zero # buildkit", True), *entries]), steps)
    assert lines(mapping) == [None, None, 2, 4, 5]
    assert [origin.certainty for origin in mapping.origins] == ["", "", "exact", "weak", "exact"]


def test_a_keyword_alone_at_the_beginning_is_not_believed(tmp_path: Path) -> None:
    entries = [("RUN /bin/sh -c something # buildkit", True), ("ENV A=1", False)]
    assert lines(
        map_history(image(tmp_path, entries), [DockerfileStep("RUN", "other", 2), DockerfileStep("ENV", "A=1", 3)])
    ) == [None, 3]


@pytest.mark.parametrize(
    ("entries", "layers", "pairs", "note"),
    [
        ([("a", True), ("b", False), ("c", True)], 2, {0: 0, 2: 1}, ""),
        ([], 2, {}, "it has no history"),
        ([("a", True)], 2, {0: 1}, "its history tells of 1 layers"),
        ([("a", True), ("b", True), ("c", True)], 2, {1: 0, 2: 1}, "its history tells of 3 layers"),
    ],
    ids=["sound", "none", "too few", "too many"],
)
def test_history_and_layers(
    entries: list[tuple[str, bool]], layers: int, pairs: dict[int, int], note: str, tmp_path: Path
) -> None:
    mapping = map_history(image(tmp_path, entries, layers=layers))
    assert {origin.index: origin.layer for origin in mapping.origins if origin.layer is not None} == pairs
    assert mapping.complete == (not note)
    assert note in "".join(mapping.notes)


CHAIN = [
    DockerfileStep("ARG", "V=1", 1),
    DockerfileStep("FROM", "debian AS one", 2),
    DockerfileStep("RUN", "1", 3),
    DockerfileStep("FROM", "--platform=x One as Two", 4),
    DockerfileStep("RUN", "2", 5),
    DockerfileStep("FROM", "golang", 6),
    DockerfileStep("RUN", "3", 7),
    DockerfileStep("FROM", "two", 8),
    DockerfileStep("RUN", "4", 9),
    DockerfileStep("FROM", "0", 10),
    DockerfileStep("RUN", "5", 11),
]


@pytest.mark.parametrize(
    ("target", "expected"),
    [("", [11]), ("two", [3, 5]), ("TWO", [3, 5]), ("one", [3]), ("2", [7]), ("3", [3, 5, 9]), ("none", [11])],
)
def test_the_steps_of_a_stage(target: str, expected: list[int]) -> None:
    assert [step.line for step in stage_steps(CHAIN, target)] == expected


def test_steps_without_from_are_taken_as_they_are() -> None:
    assert stage_steps(CHAIN[2:3]) == CHAIN[2:3]


@pytest.mark.parametrize(
    ("created_by", "keyword", "text", "grade"),
    [
        ("RUN /bin/sh -c make # buildkit", "RUN", "--mount=type=cache,target=/c --security=insecure make", "exact"),
        ("RUN |1 A=x y /bin/sh -c make all # buildkit", "RUN", "make all", "exact"),
        ("RUN /bin/bash -o pipefail -c make # buildkit", "RUN", "make", "exact"),
        ("RUN /bin/sh -c echo a && make # buildkit", "RUN", "make", "exact-not"),
        ("RUN /bin/sh -c make -j b # buildkit", "RUN", "b", "exact-not"),
        ("RUN /bin/sh -c make # buildkit", "CMD", "make", ""),
        ("/bin/sh -c make:9f86d081", "RUN", "make", "exact"),
        ("/bin/sh -c --mount=type=bind,source=. make:9f86d081", "RUN", "--mount=type=bind,source=. make", "exact"),
        ("COPY /src/app /usr/bin/ # buildkit", "COPY", "--from=build --link ${SRC}/app $BIN/", "exact"),
        ("COPY /src/app /usr/bin/ # buildkit", "COPY", "--from=build other /usr/bin/", "likely"),
        ("COPY <<config /etc/x # buildkit", "COPY", '<<"config" /etc/x', "exact"),
        (
            "ADD https://example.com/x.tgz /x # buildkit",
            "ADD",
            "--checksum=sha256:00 https://example.com/x.tgz /x",
            "exact",
        ),
        ("ENV PATH=/opt/bin:/usr/bin", "ENV", "PATH=/opt/bin:$PATH", "exact"),
        ("ENV A=1", "ENV", "A=2", "likely"),
        ("ENV A=1", "ENV", "B=1", "weak"),
        ("ENV A=a b", "ENV", r"A=a\ b", "exact"),
        ("LABEL a=1 b=2", "LABEL", "a=1 b=2", "exact"),
        ("ARG V=9", "ARG", "V=3", "exact"),
        ("WORKDIR /srv/app", "WORKDIR", "${ROOT}/app", "exact"),
        ("WORKDIR /srv/app", "WORKDIR", "/srv/app/", "exact"),
        ("WORKDIR /srv/app", "WORKDIR", "/srv/other", "likely"),
        ("USER 1000", "USER", "${UID:-1000}", "exact"),
        ("VOLUME [/data]", "VOLUME", '["/data"]', "exact"),
        ("EXPOSE [8080/tcp]", "EXPOSE", "8080", "exact"),
        ("EXPOSE map[8080/tcp:{}]", "EXPOSE", "9090", "weak"),
        ('CMD ["/bin/sh" "-c" "app --port=80"]', "CMD", "app --port=80", "exact"),
        ("bazel build ...", "RUN", "bazel build ...", ""),
        ("/bin/bash", "RUN", "/bin/bash", ""),
    ],
)
def test_agreement(created_by: str, keyword: str, text: str, grade: str) -> None:
    shells = shells_of([DockerfileStep("SHELL", '["/bin/bash", "-o", "pipefail", "-c"]', 1)], [])
    found = agreement(take_apart(created_by), DockerfileStep(keyword, text, 1), shells)
    if grade == "exact-not":
        assert found != "exact"
    else:
        assert found == grade


def test_hostile_entries_cost_little() -> None:
    """Patterns that would make a backtracking matcher run for ever."""
    shells = shells_of([], [])
    for body in ("COPY " + "--a=" + '"' * 60_000, "COPY " + "a " * 30_000, "ENV " + "A=" * 30_000):
        for step in (
            DockerfileStep("COPY", "$A$B$C$D$E$F$G$H x", 1),
            DockerfileStep("ENV", "A=$A$B$C$D B=$E$F$G$H C=3", 1),
        ):
            assert agreement(take_apart(body), step, shells) != "exact"


def test_long_histories_are_cut(tmp_path: Path) -> None:
    entries = [(f"RUN /bin/sh -c step {number} # buildkit", False) for number in range(2000)]
    steps = [DockerfileStep("RUN", f"step {number}", number) for number in range(2000)]
    found = lines(map_history(image(tmp_path, entries), steps))
    assert found[-300:] == list(range(1700, 2000))
    assert set(found[:-300]) == {None}
