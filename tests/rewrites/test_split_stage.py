"""The gate against damaged splits: text that is not what was declared, and declarations that would lose something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from given import Given

from dfopt.edit import Edit, apply_edits
from dfopt.findings import Fix
from dfopt.gate import admit
from dfopt.ir.program import Program
from dfopt.passes.multi_stage.multi_stage import MultiStage
from dfopt.record import replace
from dfopt.rewrites.split_stage import Part, SplitStage
from dfopt.syntax.dockerfile import parse

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = """\
FROM golang:1.24
# where the sources lie
WORKDIR /src
ENV CGO_ENABLED=0 GOFLAGS=-mod=vendor
ENV MODE=fast
COPY go.mod main.go ./
COPY pages /src/pages
RUN go build -o /usr/local/bin/server .
RUN useradd runner
USER runner
# what it listens on
EXPOSE 8080
LABEL team=web
CMD ["server", "--pages", "pages/index.html"]
"""

CONTEXT = {
    "go.mod": b"module example.com/server\n",
    "main.go": b'package main\n\nimport "os"\n\nfunc main() { os.Exit(0) }\n',
    "pages/index.html": b"<p>",
}


def split_of(text: str, files: dict[str, bytes]) -> tuple[Program, Fix]:
    program = Program(parse(text))
    (finding,) = MultiStage().find(program, Given(files))
    assert finding.fix is not None, finding.reason
    return program, finding.fix


PROGRAM, FIX = split_of(FILE, CONTEXT)
RESULT = apply_edits(FILE, FIX.edits)
(SPLIT,) = FIX.rewrites
assert isinstance(SPLIT, SplitStage)


def verdict(text: str, split: SplitStage) -> str:
    return admit(PROGRAM, [Fix((Edit(0, len(FILE), text),), (split,), "unsafe")]).reason


def test_the_split_itself_passes() -> None:
    assert verdict(RESULT, SPLIT) == ""
    assert RESULT == (
        "FROM golang:1.24 AS builder\n# where the sources lie\nWORKDIR /src\nENV CGO_ENABLED=0 GOFLAGS=-mod=vendor\n"
        "ENV MODE=fast\nCOPY go.mod main.go ./\nCOPY pages /src/pages\nRUN go build -o /usr/local/bin/server .\n"
        "RUN useradd runner\n\nFROM scratch\nWORKDIR /src\nENV MODE=fast\nCOPY --from=builder /etc/passwd /etc/passwd\n"
        "COPY --from=builder /etc/group /etc/group\nCOPY --from=builder /src/pages /src/pages\n"
        "COPY --from=builder /usr/local/bin/server /usr/local/bin/server\nUSER runner\n# what it listens on\n"
        'EXPOSE 8080\nLABEL team=web\nCMD ["server", "--pages", "pages/index.html"]\n'
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(" AS builder\n", "\n", id="the builder has no name"),
        pytest.param(" AS builder\n", " AS build\n", id="the builder has another name"),
        pytest.param(
            "RUN go build -o /usr/local/bin/server .\n",
            "RUN go build -o /usr/local/bin/server\n",
            id="the build changed",
        ),
        pytest.param("RUN go build", "RUN  go build", id="bytes of the builder changed"),
        pytest.param("COPY pages /src/pages\n", "", id="a step of the builder is lost"),
        pytest.param("ENV CGO_ENABLED=0 GOFLAGS=-mod=vendor\n", "", id="a setting of the build is lost"),
        pytest.param("FROM scratch", "FROM alpine", id="another image"),
        pytest.param("USER runner\n", "", id="the user is lost"),
        pytest.param("USER runner\n", "USER root\n", id="another user"),
        pytest.param("EXPOSE 8080\n", "EXPOSE 8081\n", id="another port"),
        pytest.param("# what it listens on\n", "", id="a comment is lost"),
        pytest.param("# where the sources lie\n", "", id="a comment of the builder is lost"),
        pytest.param("--from=builder /src/pages", "--from=0 /src/pages", id="copied from elsewhere"),
        pytest.param("COPY --from=builder /src/pages /src/pages\n", "", id="data is lost"),
        pytest.param('CMD ["server"', 'CMD ["sh", "-c", "server"', id="another command"),
        pytest.param('CMD ["server"', 'ENTRYPOINT ["server"', id="CMD became ENTRYPOINT"),
        pytest.param("LABEL team=web\n", "LABEL team=web\nRUN true\n", id="a step more"),
    ],
)
def test_text_that_was_not_declared(old: str, new: str) -> None:
    assert RESULT.count(old) == 1
    assert verdict(RESULT.replace(old, new), SPLIT)


def rendered(split: SplitStage) -> str:
    """The text that a split declares, so that nothing but the declaration itself can be wrong."""
    nodes = PROGRAM.dockerfile.instructions
    lines = [f"FROM golang:1.24 AS {split.builder}"]
    for index, node in enumerate(nodes[1:], 1):
        if index not in split.moved:
            lines += [FILE[comment.start : comment.end] for comment in node.above]
            lines.append(FILE[node.start : node.end])
    lines += ["", f"FROM {split.image}"]
    for part in split.runtime:
        if part.step >= 0:
            node = nodes[part.step]
            if part.step in split.moved:
                lines += [FILE[comment.start : comment.end] for comment in node.above]
            lines.append(FILE[node.start : node.end])
        else:
            flags = [f"--{name}={value}" for name, value in part.flags]
            if part.value[0] == "pairs":
                words = [f"{name}={value}" for name, value in part.value[1]]  # type: ignore[attr-defined]
            else:
                words = [str(word) for word in part.value[2]]  # type: ignore[attr-defined]
            lines.append(" ".join([part.keyword, *flags, *words]))
    return "\n".join(lines) + "\n"


def keyword(part: Part) -> str:
    return part.keyword or PROGRAM.dockerfile.instructions[part.step].keyword


def without(name: str, text: str = "") -> Callable[[SplitStage], SplitStage]:
    """The same split without the parts of a keyword (that hold `text`)."""

    def change(split: SplitStage) -> SplitStage:
        kept = tuple([part for part in split.runtime if keyword(part) != name or text not in repr(part)])
        assert len(kept) < len(split.runtime)
        made: SplitStage = replace(split, runtime=kept)
        return made

    return change


def adding(part: Part) -> Callable[[SplitStage], SplitStage]:
    def change(split: SplitStage) -> SplitStage:
        made: SplitStage = replace(split, runtime=(*split.runtime[:3], part, *split.runtime[3:]))
        return made

    return change


def index_of(name: str, text: str = "") -> int:
    nodes = PROGRAM.dockerfile.instructions
    return next(n for n, node in enumerate(nodes) if node.keyword == name and text in node.joined.text)


def moving(index: int) -> Callable[[SplitStage], SplitStage]:
    def change(split: SplitStage) -> SplitStage:
        runtime = split.runtime
        if all(part.step != index for part in runtime):
            position = next(n for n, part in enumerate(runtime) if part.step > index)
            runtime = (*runtime[:position], Part(index), *runtime[position:])
        made: SplitStage = replace(split, runtime=runtime, moved=(*split.moved, index))
        return made

    return change


def backwards(split: SplitStage) -> SplitStage:
    made: SplitStage = replace(split, runtime=tuple(reversed(split.runtime)))
    return made


COPY = (("from", "builder"),)


def test_rendering_is_faithful() -> None:
    assert verdict(rendered(SPLIT), SPLIT) == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(without("CMD"), "would be lost", id="no CMD"),
        pytest.param(without("EXPOSE"), "would be lost", id="no EXPOSE"),
        pytest.param(without("LABEL"), "would be lost", id="no LABEL"),
        pytest.param(without("ENV"), "the ENV MODE of the image would change", id="no ENV"),
        pytest.param(without("WORKDIR"), "the workdir of the image would change", id="no WORKDIR"),
        pytest.param(
            without("COPY", "/src/pages"), "/src/pages/index.html, which the image starts or reads", id="no data"
        ),
        pytest.param(without("COPY", "/etc/"), "created in the builder alone", id="no accounts"),
        pytest.param(
            adding(Part(-1, "COPY", COPY, ("list", "", ("/srv/other", "/srv/other")))),
            "no step of the builder writes /srv/other",
            id="copies what is not there",
        ),
        pytest.param(
            adding(Part(-1, "COPY", (), ("list", "", ("main.go", "/src/")))),
            "does not come from the builder",
            id="copies from the context",
        ),
        pytest.param(adding(Part(-1, "RUN", (), ("shell", "", ("touch /x",)))), "runs more than", id="another RUN"),
        pytest.param(
            adding(Part(-1, "ENV", (), ("pairs", (("A", "1"),)))),
            "the ENV A of the image would change",
            id="another ENV",
        ),
        pytest.param(moving(index_of("WORKDIR")), "the builder needs the WORKDIR", id="the builder loses its WORKDIR"),
        pytest.param(moving(index_of("ENV", "CGO")), "the builder needs the ENV", id="the builder loses its ENV"),
        pytest.param(moving(index_of("RUN", "go build")), "the builder needs the RUN", id="the builder loses its RUN"),
        pytest.param(backwards, "not in the order", id="another order"),
    ],
)
def test_declarations_that_lose_something(change: Callable[[SplitStage], SplitStage], reason: str) -> None:
    changed = change(SPLIT)
    assert reason in verdict(rendered(changed), changed)


def test_only_the_last_stage_is_split() -> None:
    other = Program(parse("FROM golang:1.24 AS a\nRUN true\nFROM scratch\nCOPY --from=a /x /x\n"))
    split = SplitStage(0, 0, 4, "builder", "scratch", (), ())
    assert "only the last stage" in admit(other, [Fix((), (split,), "unsafe")]).reason


def test_a_name_that_is_taken() -> None:
    text = "FROM golang:1.24 AS builder\nRUN true\nFROM golang:1.24\nCOPY --from=builder /x /x\n"
    split = SplitStage(1, 2, 4, "builder", "scratch", (), ())
    assert "called builder already" in admit(Program(parse(text)), [Fix((), (split,), "unsafe")]).reason
