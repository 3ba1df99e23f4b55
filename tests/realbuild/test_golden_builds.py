"""Law 6 of the golden files: a case that can be built is built, before and after, and the two images agree.

They may differ in the paths that the case declares disposable (its build.toml, see golden_case.py), and in nothing
else: not in another file's content, mode or owner, not in the configuration, not in what a smoke command says. The
proof of `fix --verify`, which has a reader and a comparison of its own, comes to the same by what the fixes declare.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dfopt.proof.differences import Allowed, compare_views, declarations_of
from dfopt.proof.image_view import ImageReader
from dfopt.results import Applied
from dfopt.testing import golden
from dfopt.testing.case_files import CaseDirectory, CaseError, CaseFiles

from .compare import compare, unused
from .engine import Engine
from .golden_case import GOLDEN, cases_to_build, load_case
from .image import images_of

CASES = cases_to_build()
READER = ImageReader()


def fixes_of(files: CaseFiles) -> tuple[Applied, ...]:
    """The fixes that make the expected file of a case."""
    return golden.run(golden.load(files)).result.applied


def test_there_are_golden_builds() -> None:
    assert CASES, f"no case in {GOLDEN} has a build.toml: nothing is proved by a build"


@pytest.mark.parametrize("files", CASES, ids=[files.name for files in CASES])
def test_images_agree(engine: Engine, files: CaseFiles, tmp_path: Path) -> None:
    case = load_case(files)
    context = case.context_directory(tmp_path)

    def build(dockerfile: bytes) -> str:
        return engine.build(context, dockerfile, target=case.target, args=case.args, stand_ins=case.base)

    # At the same time: two cores are used, and a step that both files begin with runs once.
    with ThreadPoolExecutor(2) as pool:
        try:
            before, after = pool.map(build, (case.before, case.after))
        except BaseException:  # an interrupt, too, waits for no other build
            engine.cancel()
            raise
    try:
        archive = engine.save(before, after)
        try:
            images = {image.id: image for image in images_of(archive)}
            seen = [READER.archive(str(archive), image) for image in (before, after)]
        finally:
            archive.unlink()
        old, new = images[before], images[after]
        differences = compare(old, new, case.disposable)
        assert not differences, "\n".join(map(str, differences))
        assert not unused(old, new, case.disposable), "declared disposable, but nothing differs there"
        undeclared = Allowed(declarations_of(fixes_of(files))).undeclared(compare_views(*seen))
        assert not undeclared, "the fixes do not declare it: " + "; ".join(map(str, undeclared))
        assert len(new.layers) <= len(old.layers) + case.layers
        if case.run is not None:
            first, second = engine.run(before, case.run), engine.run(after, case.run)
            assert first.code == 0, f"the smoke command fails in the image before: {first}"
            assert second == first
    finally:
        engine.remove(before, after)


def _case(directory: Path, build: str, after: str = "FROM b\n") -> CaseFiles:
    for name, text in (("build.toml", build), ("Dockerfile", "FROM a\n"), ("expected.Dockerfile", after)):
        (directory / name).write_text(text)
    return CaseDirectory(directory)


def test_case_with_everything(tmp_path: Path) -> None:
    lines = ('disposable = ["/var/**"]', 'args = {A = "1"}', 'base = {a = "b"}', 'target = "t"', 'run = "true"')
    case = load_case(_case(tmp_path, "\n".join(lines)))
    assert (case.disposable, case.args, case.base) == (("/var/**",), {"A": "1"}, {"a": "b"})
    assert (case.target, case.run, case.before, case.after) == ("t", "true", b"FROM a\n", b"FROM b\n")


BAD = [
    ("no TOML", "=", "FROM b\n", "build.toml"),
    ("nothing declared", "", "FROM b\n", "disposable is missing"),
    ("disposable is a string", 'disposable = "/a"', "FROM b\n", "disposable must be a list"),
    ("pattern is a number", "disposable = [1]", "FROM b\n", "disposable"),
    ("pattern is relative", 'disposable = ["a"]', "FROM b\n", "absolute"),
    ("argument is a number", "disposable = []\nargs = {A = 1}", "FROM b\n", "args.A must be a string"),
    ("base is a string", 'disposable = []\nbase = "debian"', "FROM b\n", "base must be a dict"),
    ("unknown key", 'disposable = []\nsmoke = "true"', "FROM b\n", "unknown keys: smoke"),
    ("no rewrite", "disposable = []", "FROM a\n", "the same"),
]


@pytest.mark.parametrize(("build", "after", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_case(tmp_path: Path, build: str, after: str, message: str) -> None:
    with pytest.raises(CaseError, match=message):
        load_case(_case(tmp_path, build, after))


def test_case_without_expected(tmp_path: Path) -> None:
    files = _case(tmp_path, "disposable = []")
    (tmp_path / "expected.Dockerfile").unlink()
    with pytest.raises(CaseError, match=r"expected\.Dockerfile"):
        load_case(files)
