"""From paths to files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dfopt.workspace.config import ConfigLookup
from dfopt.workspace.discovery import InputFile, discover, is_dockerfile


def tree(root: Path, *names: str, **contents: str) -> None:
    for name in (*names, *contents):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents.get(name, ""))


def put(root: Path, name: str, content: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(content)


def names(*paths: str, exclude: tuple[str, ...] = (), ignore_files: bool = True) -> list[str]:
    return [file.name for file in every(*paths, exclude=exclude, ignore_files=ignore_files) if not file.error]


def every(*paths: str, exclude: tuple[str, ...] = (), ignore_files: bool = True) -> list[InputFile]:
    return list(discover(paths or (".",), ConfigLookup(), exclude=exclude, ignore_files=ignore_files))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, the working directory; what lies beside it is outside."""
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    return inside


@pytest.mark.parametrize(
    "name",
    [
        "README.md", "dockerfile_lint.py", "Dockerfiles", "DockerfileX", "MyDockerfile", "Dockerfile-dev",
        "compose.yml",
        "Dockerfile.dockerignore", ".dockerignore", "api.Dockerfile.dockerignore", "Dockerfile~", "Dockerfile.bak",
        "Dockerfile.orig", "Dockerfile.rej", "Dockerfile.swp", ".Dockerfile.swp", "#Dockerfile#", "#api.Dockerfile#",
        "Dockerfile.md", "Dockerfile.j2", "Dockerfile.template", "Dockerfile.in", "Dockerfile.TMPL", "Dockerfile.erb",
        ".#Dockerfile", "Dockerfile.patch", "Dockerfile.dev~", "Dockerfile.BAK", ".Dockerfile.dfopt-12-1.tmp",
        "dockerfile.go", "dockerfile.py", "dockerfile.ts", "dockerfile.rs", "dockerfile.json", "Dockerfile.json",
        "Dockerfile.yml", "dockerfile.yaml", "containerfile.go",
    ],
)  # fmt: skip
def test_other_names(name: str) -> None:
    assert not is_dockerfile(name)


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile", "dockerfile", "DOCKERFILE", "Dockerfile.dev", "dockerfile.x.y", "a.Dockerfile", "a.dockerfile",
        "a.b.DockerFile", "Containerfile", "containerfile", "Containerfile.prod", "app.Containerfile",
        "Dockerfile.go", "Dockerfile.py", "Dockerfile.rs",
    ],
)  # fmt: skip
def test_names_that_are_taken(name: str) -> None:
    assert is_dockerfile(name)


class TestWalk:
    def test_empty(self, here: Path) -> None:
        assert every() == []

    def test_order_is_by_name_and_depth_first(self, here: Path) -> None:
        tree(here, "b/Dockerfile", "a/z/Dockerfile", "a/Dockerfile", "Dockerfile", "c.Dockerfile", "B/Dockerfile")
        assert names() == [
            "B/Dockerfile",
            "Dockerfile",
            "a/Dockerfile",
            "a/z/Dockerfile",
            "b/Dockerfile",
            "c.Dockerfile",
        ]

    def test_hidden_directories_are_walked_and_version_control_is_not(self, here: Path) -> None:
        tree(here, ".devcontainer/Dockerfile", ".git/Dockerfile", ".hg/Dockerfile", "sub/.git/x/Dockerfile")
        assert names() == [".devcontainer/Dockerfile"]

    def test_explicit_files_are_always_taken(self, here: Path) -> None:
        tree(here, "notes.txt", "Dockerfile.bak", ".git/Dockerfile")
        put(here, ".gitignore", "*\n")
        assert names("notes.txt", "Dockerfile.bak", ".git/Dockerfile") == [
            "notes.txt",
            "Dockerfile.bak",
            ".git/Dockerfile",
        ]
        assert names("notes.txt", exclude=("*",)) == ["notes.txt"]

    def test_each_file_once(self, here: Path) -> None:
        tree(here, "a/Dockerfile", "b/Dockerfile")
        assert names("b", ".", "a/Dockerfile", "./a//Dockerfile") == ["b/Dockerfile", "a/Dockerfile"]

    @pytest.mark.parametrize("given", [".", "./", "{here}", "{here}/", "../inside"])
    def test_names_are_relative_where_they_can_be(self, here: Path, given: str) -> None:
        tree(here, "a/Dockerfile")
        expected = "../inside/a/Dockerfile" if given.startswith("..") else "a/Dockerfile"
        assert names(given.format(here=here)) == [expected]

    def test_names_outside(self, here: Path) -> None:
        tree(here, "../other/Dockerfile")
        assert names(f"{here.parent}/other") == [f"{here.parent}/other/Dockerfile"]

    def test_directories_named_like_files(self, here: Path) -> None:
        tree(here, "Dockerfile/Dockerfile", "Dockerfile.d/x.Dockerfile")
        assert names() == ["Dockerfile/Dockerfile", "Dockerfile.d/x.Dockerfile"]

    @pytest.mark.parametrize("path", ["missing", "missing/Dockerfile", "", "nul\0byte", "Dockerfile/x"])
    def test_paths_that_are_none(self, here: Path, path: str) -> None:
        tree(here, "Dockerfile", "z.Dockerfile")
        found = every(path, "z.Dockerfile")
        assert [bool(one.error) for one in found] == [True, False]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_a_pipe_is_not_waited_for(self, here: Path) -> None:
        os.mkfifo(here / "Dockerfile")
        assert every() == []

    def test_very_deep_trees(self, here: Path) -> None:
        levels = ["/".join("d" * depth) for depth in range(1, 1101)]
        for level in levels:
            os.mkdir(level)
        (here / levels[-1] / "Dockerfile").write_text("")
        try:
            assert names() == [f"{levels[-1]}/Dockerfile"]
        finally:  # pytest's own way to remove it would recurse too deep
            os.unlink(f"{levels[-1]}/Dockerfile")
            for level in reversed(levels):
                os.rmdir(level)


class TestLinks:
    def test_directories_are_not_followed(self, here: Path) -> None:
        tree(here, "real/Dockerfile", "../outside/Dockerfile")
        (here / "again").symlink_to("real")
        (here / "out").symlink_to("../outside")
        (here / "circle").symlink_to(".")
        assert names() == ["real/Dockerfile"]

    def test_a_directory_given_by_name_is_walked(self, here: Path) -> None:
        tree(here, "real/Dockerfile")
        (here / "link").symlink_to("real")
        assert names("link") == ["link/Dockerfile"]

    def test_files_inside_are_taken_once(self, here: Path) -> None:
        tree(here, "base", "real/Dockerfile")
        (here / "Dockerfile").symlink_to("base")
        (here / "x.Dockerfile").symlink_to("base")
        (here / "y.Dockerfile").symlink_to("real/Dockerfile")
        assert names() == ["Dockerfile", "real/Dockerfile"]

    @pytest.mark.parametrize("target", ["../outside/base", "gone", "x", "sub", "/etc/hostname"])
    def test_links_that_lead_nowhere_we_go(self, here: Path, target: str) -> None:
        tree(here, "../outside/base", "sub/file")
        (here / "x.Dockerfile").symlink_to(target if target != "x" else "x.Dockerfile")
        assert every() == []

    def test_a_neighbour_with_a_longer_name_is_outside(self, here: Path) -> None:
        tree(here, "../inside-too/base")
        (here / "Dockerfile").symlink_to("../inside-too/base")
        assert every() == []


class TestIgnoreFiles:
    @pytest.mark.parametrize(
        ("rules", "expected"),
        [
            pytest.param("", ["Dockerfile", "build/Dockerfile", "build/sub/x.Dockerfile"], id="empty"),
            pytest.param("# build/\n\n", ["Dockerfile", "build/Dockerfile", "build/sub/x.Dockerfile"], id="comment"),
            pytest.param("build/\n", ["Dockerfile"], id="directory"),
            pytest.param("build\r\n", ["Dockerfile"], id="crlf"),
            pytest.param("/Dockerfile", ["build/Dockerfile", "build/sub/x.Dockerfile"], id="anchored"),
            pytest.param("Dockerfile", ["build/sub/x.Dockerfile"], id="any-depth"),
            pytest.param("*.Dockerfile", ["Dockerfile", "build/Dockerfile"], id="star"),
            pytest.param("**/sub/**", ["Dockerfile", "build/Dockerfile"], id="two-stars"),
            pytest.param("build/*\n!build/Dockerfile", ["Dockerfile", "build/Dockerfile"], id="negation"),
            pytest.param("build/\n!build/Dockerfile", ["Dockerfile"], id="no-negation-below-a-lost-directory"),
            pytest.param("*\n!*/\n!x.Dockerfile", ["build/sub/x.Dockerfile"], id="only-one"),
            pytest.param(
                "Dockerfile/", ["Dockerfile", "build/Dockerfile", "build/sub/x.Dockerfile"], id="directories-only"
            ),
            pytest.param("\\!x\n//\n[\nbuild/", ["Dockerfile"], id="odd-patterns"),
        ],
    )
    def test_rules(self, here: Path, rules: str, expected: list[str]) -> None:
        tree(here, "Dockerfile", "build/Dockerfile", "build/sub/x.Dockerfile")
        put(here, ".gitignore", rules)
        assert names() == expected
        assert names(ignore_files=False) == ["Dockerfile", "build/Dockerfile", "build/sub/x.Dockerfile"]

    def test_nested_rules_win(self, here: Path) -> None:
        tree(here, "a/Dockerfile", "b/Dockerfile", "b/c/Dockerfile")
        put(here, ".gitignore", "Dockerfile\n")
        put(here, "b/.gitignore", "!Dockerfile\n/c\n")
        assert names() == ["b/Dockerfile"]

    def test_rules_above_count_within_a_repository(self, here: Path) -> None:
        tree(here, "repo/.git/HEAD", "repo/sub/deep/Dockerfile", "repo/sub/keep.Dockerfile")
        put(here, ".gitignore", "keep.Dockerfile\n")
        put(here, "repo/.gitignore", "deep/\n")
        assert names("repo/sub") == ["repo/sub/keep.Dockerfile"]

    def test_rules_above_do_not_count_without_a_repository(self, here: Path) -> None:
        tree(here, "sub/Dockerfile")
        put(here, ".gitignore", "Dockerfile\n")
        assert names("sub") == ["sub/Dockerfile"]
        assert names() == []

    def test_an_ignored_directory_given_by_name_is_searched(self, here: Path) -> None:
        tree(here, ".git/HEAD", "build/Dockerfile", "build/out/Dockerfile")
        put(here, ".gitignore", "build/\n")
        put(here, "build/.gitignore", "out\n")
        assert names("build") == ["build/Dockerfile"]

    def test_exclude_file_of_the_repository(self, here: Path) -> None:
        tree(here, ".git/info/exclude", "a/Dockerfile", "b/Dockerfile")
        put(here, ".git/info/exclude", "a/\n")
        assert names() == ["b/Dockerfile"]

    def test_an_unreadable_ignore_file_is_passed_over(self, here: Path) -> None:
        tree(here, "Dockerfile")
        (here / ".gitignore").mkdir()
        assert names() == ["Dockerfile"]

    def test_names_that_are_not_utf_8(self, here: Path) -> None:
        name = os.fsdecode(b"caf\xe9.Dockerfile")
        try:
            tree(here, name, "b.Dockerfile")
        except OSError:
            pytest.skip("the file system takes UTF-8 names only")
        (here / ".gitignore").write_bytes(b"caf\xe9*\n")
        assert names() == ["b.Dockerfile"]
        assert names(ignore_files=False) == ["b.Dockerfile", name]


class TestExclude:
    @pytest.mark.parametrize(
        ("patterns", "expected"),
        [
            (("vendor",), ["Dockerfile", "a/Dockerfile"]),
            (("/a", "vendor/"), ["Dockerfile"]),
            (("*/Dockerfile",), ["Dockerfile", "vendor/x/Dockerfile"]),
            (("Dockerfile", "!/a/Dockerfile"), ["a/Dockerfile"]),
        ],
    )
    def test_patterns(self, here: Path, patterns: tuple[str, ...], expected: list[str]) -> None:
        tree(here, "Dockerfile", "a/Dockerfile", "vendor/x/Dockerfile")
        assert names(exclude=patterns) == expected

    def test_patterns_of_the_command_line_are_relative_to_the_working_directory(self, here: Path) -> None:
        tree(here, "a/x/Dockerfile", "x/Dockerfile")
        assert names("a", "x", exclude=("/a/x",)) == ["x/Dockerfile"]

    def test_patterns_of_a_configuration_are_relative_to_its_file(self, here: Path) -> None:
        tree(here, "x/Dockerfile", "sub/x/Dockerfile", "sub/y/Dockerfile", "sub/deep/x/Dockerfile")
        put(here, "sub/dfopt.toml", 'exclude = ["/x"]\n')
        assert names() == ["sub/deep/x/Dockerfile", "sub/y/Dockerfile", "x/Dockerfile"]
        assert names("sub/x") == ["sub/x/Dockerfile"]

    def test_the_nearest_configuration_counts(self, here: Path) -> None:
        tree(here, "x/Dockerfile", "sub/x/Dockerfile", "sub/y/Dockerfile")
        put(here, "dfopt.toml", 'exclude = ["x"]\n')
        put(here, "sub/dfopt.toml", 'exclude = ["y"]\n')
        assert names() == ["sub/x/Dockerfile"]
