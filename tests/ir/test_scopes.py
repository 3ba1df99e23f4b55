"""What the ARGs before the first FROM make of a FROM word."""

from __future__ import annotations

import pytest

from dfopt.ir.program import Program
from dfopt.syntax.dockerfile import parse

# the ARGs, the word, and the image that the file says; None where it says none
WORDS = [
    ("", "debian", "debian"),
    ("", "'debian'", "debian"),
    ("ARG X=debian", "$X", "debian"),
    ("ARG X=debian", "${X}:13", "debian:13"),
    ("ARG X", "$X", None),
    ("", "$X", None),
    ("", "debian$X", None),
    ("ARG X", "${X#a}", None),
    ("", "${X:-debian}", "debian"),
    ("ARG X", "${X:-debian}:13", "debian:13"),
    ("ARG X=", "${X:-debian}", "debian"),
    ("ARG X=", "${X-debian}", None),
    ("", "${X-debian}", "debian"),
    ("ARG X=alpine", "${X:-debian}", "alpine"),
    ("", "debian${X:+-slim}", None),
    ("ARG X=1", "debian${X:+-slim}", "debian-slim"),
    ("", "${X:-$Y}", None),
    ("", "${X:-${Y:-debian}}", "debian"),
    ("ARG X=debian\nARG X", "${X:-alpine}", "alpine"),
    ("ARG X=${Y:-debian}\nARG Z=$X:13", "$Z", "debian:13"),
    ("ARG X=debian-$Y", "$X", None),
    ("ARG X=debian-$TARGETARCH", "$X", None),
    ("ARG X=debian-$TARGETARCH", "${X:-alpine}", None),
    ("", "debian-${TARGETARCH:-amd64}", None),
    ("ARG TARGETARCH=arm64", "debian-$TARGETARCH", None),
    ("", "${X:?no}", None),
    ("", "${X", None),
]


@pytest.mark.parametrize(("args", "word", "image"), WORDS)
def test_image_of_a_from_word(args: str, word: str, image: str | None) -> None:
    program = Program(parse(f"{args}\nFROM {word}\n"))
    assert program.stages[0].image == image
