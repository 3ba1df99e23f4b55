"""What is made of the listing of a build context: equal to looking through all of it, and made once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dfopt.analysis.context_tree import below, directories

NAMES = st.lists(st.sampled_from(["a", "b", "a.b", "ab"]), min_size=1, max_size=4).map("/".join)


@given(st.frozensets(NAMES, max_size=8), NAMES)
def test_directories_are_what_files_are_below(paths: frozenset[str], path: str) -> None:
    assert (path in directories(paths)) == any(other.startswith(path + "/") for other in paths)
    assert "" not in directories(paths)


@given(st.frozensets(NAMES, max_size=8), NAMES)
def test_below(paths: frozenset[str], prefix: str) -> None:
    assert {f"{prefix}/{path}" for path in below(paths, prefix + "/")} == {
        path for path in paths if path.startswith(prefix + "/")
    }
    assert below(paths, "") == paths


def test_they_are_made_once() -> None:
    paths = frozenset(f"{number}/file" for number in range(100))
    assert directories(paths) is directories(paths)
    assert below(paths, "1/") is below(paths, "1/")
