"""What a stage's steps leave behind, found by path: the same as a list that is searched through."""

from __future__ import annotations

from hypothesis import given, strategies

from dfopt.ir.effects import covers
from dfopt.ir.program import Program
from dfopt.passes.multi_stage.written_paths import WrittenPath, WrittenPaths
from dfopt.syntax.dockerfile import parse

STEP = Program(parse("FROM scratch\nCOPY a /\n")).stages[0].steps[0]
PATHS = strategies.lists(strategies.sampled_from(("a", "b", "ab")), max_size=3).map(lambda parts: "/" + "/".join(parts))
KINDS = strategies.sampled_from(("context", "file", "tree", "directory", "tool"))
MOVES = strategies.lists(strategies.tuples(strategies.booleans(), PATHS, KINDS), max_size=30)


def directories(entries: list[WrittenPath]) -> set[str]:
    above = {entry.path.rpartition("/")[0] or "/" for entry in entries if entry.kind in ("context", "file")}
    return above | {entry.path for entry in entries if entry.kind == "directory"}


@given(MOVES)
def test_as_a_list(moves: list[tuple[bool, str, str]]) -> None:
    paths = WrittenPaths()
    entries: list[WrittenPath] = []
    for writes, path, kind in moves:
        if writes:
            entry = WrittenPath(path, STEP, kind)
            paths.append(entry)
            entries.append(entry)
        else:
            below = paths.below(path)
            assert [entry for _, entry in below] == [entry for entry in entries if covers(path, entry.path)]
            for number, _ in below:
                paths.remove(number)
            entries = [entry for entry in entries if not covers(path, entry.path)]
        assert list(paths) == entries
        assert list(reversed(paths)) == entries[::-1]
        assert paths.directories() == directories(entries)
        assert paths.is_directory(path) == (path in directories(entries))


def test_a_path_that_is_written_and_deleted_again_and_again_leaves_no_numbers() -> None:
    paths = WrittenPaths()
    for _ in range(100):
        paths.append(WrittenPath("/srv/a", STEP, "file"))
        ((number, _),) = paths.below("/srv")
        paths.remove(number)
    assert not paths.below("/srv")
    assert not paths._numbers["/srv"]
