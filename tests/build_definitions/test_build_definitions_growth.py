"""What a definition repeats by aliases, merge keys, `extends` and variables costs no more than a file of the largest
size says itself: what would is one error, with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from counted_work import counted

from dfopt.build_definitions.formats import format_of, read_definition
from dfopt.build_definitions.model import DefinitionError
from dfopt.embedded.kubernetes import ManifestReader
from dfopt.embedded.yaml_file import YamlReader
from dfopt.workspace.definitions import DefinitionFiles
from dfopt.yaml import YamlError, documents


def read(directory: Path, name: str, text: str) -> int:
    format = format_of(str(directory / name))
    assert format is not None
    return len(read_definition(format, text, str(directory / name), DefinitionFiles(str(directory)), str(directory)))


def listed(line: str, count: int) -> str:
    return "".join(line.format(i=i, p=i - 1) for i in range(1, count + 1))


def brackets(count: int) -> str:
    return "services: {web: {build: .}}\nx: " + "[" * count + "]" * count + "\n"


def chained_merges(n: int) -> str:
    links = listed("x{i}: &a{i} {{<<: *a{p}, k{i}: v}}\n", n)
    return f"services: {{a: {{build: .}}}}\nx0: &a0 {{k0: v}}\n{links}"


def merges_of_one(n: int) -> str:
    return f"services: {{a: {{build: .}}}}\nx: &a {{{listed('k{i}: v, ', n)}}}\ny: {{<<: [{'*a, ' * n}]}}\n"


def aliased_services(n: int) -> str:
    arguments = listed("A{i}=b, ", n)
    services = listed("  s{i}: *a\n", n)
    return f"# shared\nx: &a {{build: {{context: ., args: [{arguments}]}}}}\nservices:\n{services}"


def extended_services(n: int) -> str:
    extending = listed("  s{i}: {{extends: a}}\n", n)
    return f"services:\n  a: {{build: ., ports: [{listed('{i}, ', n)}]}}\n{extending}"


def aliased_scripts(n: int) -> str:
    return ".b: &b\n" + listed("  - docker build -t a{i} .\n", n) + listed("j{i}: {{script: *b}}\n", n)


def aliased_steps(n: int) -> str:
    steps = listed("  - run: docker build -t a{i} .\n", n)
    return f"x: &b\n{steps}jobs:\n{listed('  j{i}: {{steps: *b}}' + chr(10), n)}"


def long_variable(n: int) -> str:
    return f"A = {'b ' * n}\nall:\n\tdocker build {'$(A) ' * n}.\n"


MERGES = "merge keys repeat more than 200,000 values"
VALUES = "aliases and `extends` make more than 200,000 values"
COMMANDS = "its commands have more than 1,048,576 characters"
RECIPES = "its recipes have more than 1,048,576 characters"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("compose.yaml", chained_merges, MERGES),
        ("compose.yaml", merges_of_one, MERGES),
        ("compose.yaml", aliased_services, VALUES),
        ("compose.yaml", extended_services, VALUES),
        (".gitlab-ci.yml", aliased_scripts, COMMANDS),
        (".github/workflows/a.yml", aliased_steps, COMMANDS),
        ("Makefile", long_variable, RECIPES),
    ],
)
def test_what_is_repeated_too_often_is_an_error(
    tmp_path: Path, name: str, text: Callable[[int], str], message: str
) -> None:
    assert read(tmp_path, name, text(10)) > 0
    with pytest.raises(DefinitionError) as failure:
        read(tmp_path, name, text(1000))
    assert failure.value.message == message
    assert failure.value.line > 1


def test_brackets_are_counted_before_they_are_read(tmp_path: Path) -> None:
    """Without that, each of a thousand open brackets is gone through at each token."""
    for count in (100, 1000, 100_000):
        with pytest.raises(DefinitionError, match="nested too deeply") as failure:
            read(tmp_path, "compose.yaml", brackets(count))
        assert (failure.value.line, failure.value.column) == (2, 68)

    def refused(count: int) -> None:
        with pytest.raises(YamlError):
            documents(brackets(count))

    refused(100)
    assert counted(lambda: refused(4000)) < 2 * counted(lambda: refused(100))


def test_blocks_that_are_nested_too_deeply_have_a_place() -> None:
    with pytest.raises(YamlError, match="nested too deeply") as failure:
        documents("".join(" " * level + "k:\n" for level in range(300)))
    assert (failure.value.line, failure.value.column) == (65, 65)


@pytest.mark.parametrize("kind", ["compose", "helm"])
def test_four_times_the_images_are_four_times_the_work(kind: str) -> None:
    reader = YamlReader("compose") if kind == "compose" else ManifestReader("helm")

    def text(count: int) -> str:
        if kind == "helm":
            return listed("image{i}: a:{i}\ntag{i}: x\n", count)
        return "services:\n" + listed("  s{i}: {{image: 'a:{i}'}}\n", count)

    def action(count: int) -> Callable[[], object]:
        before = text(count)
        parts = reader.parts(before)
        texts = [part.text for part in parts]
        return lambda: (reader.parts(before), reader.check(before, before, parts, texts))

    assert action(10)() is not None
    assert counted(action(400)) < 6 * counted(action(100))
