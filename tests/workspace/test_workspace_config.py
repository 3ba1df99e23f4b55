"""Configuration files: where they are looked for, what they may say, and where errors are."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfopt.passes import base
from dfopt.passes import index as _index
from dfopt.passes.base import Option, Pass
from dfopt.toml import place_of
from dfopt.workspace import selection
from dfopt.workspace.config import ConfigLookup, load
from dfopt.workspace.settings import ConfigError


class Demo(Pass):
    """A pass with an option of every kind."""

    name = "demo"
    group = "correct"
    phase = "names"
    codes = ("DEMO1",)
    options = (
        Option("mode", "choice", "pays", "", ("pays", "all")),
        Option("on", "bool", True, ""),
        Option("size", "int", 3, ""),
        Option("word", "string", "", ""),
        Option("words", "strings", (), ""),
    )


class Other(Pass):
    """Another one."""

    name = "other-one"
    group = "size"
    phase = "layers"
    codes = ("XY3009",)


for one in (Demo, Other):  # defining them registered them: they are there for these tests alone
    del base._registry[one.name]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("dfopt.passes._loaded", True)
    monkeypatch.setattr(base, "_registry", {"demo": Demo, "other-one": Other})
    monkeypatch.setattr(_index, "_entries", tuple(_index.PassEntry(*row) for row in _index.rows()))
    monkeypatch.setattr(selection, "_words", None)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    selection._words = None


def put(name: str, content: str | bytes) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


class TestSearch:
    def test_none(self) -> None:
        assert ConfigLookup().directory(".").files == ()

    def test_nearest_wins_and_replaces(self) -> None:
        put("dfopt.toml", "unsafe = true\n")
        put("a/dfopt.toml", 'exclude = ["x"]\n')
        put("a/b/Dockerfile", "")
        lookup = ConfigLookup()
        assert lookup.directory("a/b").get("exclude") == ("x",)
        assert lookup.directory("a/b").get("unsafe") is None
        assert lookup.directory("c").get("unsafe") is True
        assert lookup.directory("a/b") is lookup.directory("a")

    @pytest.mark.parametrize(
        ("files", "winner"),
        [
            (("dfopt.toml", ".dfopt.toml", "pyproject.toml"), "dfopt.toml"),
            ((".dfopt.toml", "pyproject.toml"), ".dfopt.toml"),
            (("pyproject.toml",), "pyproject.toml"),
        ],
    )
    def test_order_in_a_directory(self, files: tuple[str, ...], winner: str) -> None:
        for name in files:
            put(name, "[tool.dfopt]\nunsafe = true\n" if name == "pyproject.toml" else "unsafe = true\n")
        assert ConfigLookup().directory(".").files == (winner,)

    @pytest.mark.parametrize(
        "content",
        ['[project]\nname = "x"\n', '[project]\ndependencies = ["dfopt"]\n', "not = toml = at all"],
        ids=["foreign", "mentions-it", "not-even-toml"],
    )
    def test_a_pyproject_without_our_table_is_passed_over(self, content: str) -> None:
        put("dfopt.toml", "unsafe = true\n")
        put("a/pyproject.toml", content)
        assert ConfigLookup().directory("a").files == ("dfopt.toml",)

    def test_a_directory_of_that_name_is_none(self) -> None:
        Path("dfopt.toml").mkdir()
        assert ConfigLookup().directory(".").files == ()

    def test_empty_files_count(self) -> None:
        put("dfopt.toml", "unsafe = true\n")
        put("a/dfopt.toml", "# nothing\n")
        assert ConfigLookup().directory("a").get("unsafe") is None

    def test_isolated(self) -> None:
        put("dfopt.toml", "nonsense")
        assert ConfigLookup(isolated=True).directory(".").files == ()

    def test_given_file(self) -> None:
        put("dfopt.toml", "nonsense")
        put("x/other.toml", "unsafe = true\n")
        put("x/pyproject.toml", "[tool.black]\n")
        assert ConfigLookup("x/other.toml").directory("a").get("unsafe") is True
        with pytest.raises(ConfigError, match=r"x/pyproject.toml: has no \[tool.dfopt\] table"):
            ConfigLookup("x/pyproject.toml").directory(".")
        with pytest.raises(ConfigError, match=r"gone.toml: No such file"):
            ConfigLookup("gone.toml").directory(".")

    def test_errors_are_remembered(self) -> None:
        put("dfopt.toml", "nope = 1\n")
        lookup = ConfigLookup()
        for directory in (".", "a", "a"):
            with pytest.raises(ConfigError):
                lookup.directory(directory)

    def test_travels_to_another_process(self) -> None:
        put("dfopt.toml", "unsafe = true\n")
        assert pickle.loads(pickle.dumps(ConfigLookup())).directory(".").get("unsafe") is True


class TestValues:
    def test_all_keys(self) -> None:
        put(
            "dfopt.toml",
            'select = ["Other-One", "xy3009"]\nignore = ["size"]\nunsafe = true\nexclude = ["a/"]\n'
            'output-format = "sarif"\nfail-on = "never"\nfail-on-saving = "20MB"\n'
            '[passes.demo]\nmode = "all"\non = false\nsize = 7\nword = "w"\nwords = ["a"]\n',
        )
        config = ConfigLookup().directory(".")
        assert config.get("select") == ("other-one", "XY3009")
        assert config.get("ignore") == ("size",)
        assert config.get("unsafe") is True
        assert config.get("output-format") == "sarif"
        assert (config.get("fail-on"), config.get("fail-on-saving")) == ("never", "20MB")
        assert config.exclude == ((str(Path.cwd()), ("a/",)),)
        assert config.passes == {"demo": {"mode": "all", "on": False, "size": 7, "word": "w", "words": ("a",)}}

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            pytest.param("selec = []", '1:1: selec: unknown key "selec"; did you mean "select"?', id="key"),
            pytest.param("\n\nzzz = 1", '3:1: zzz: unknown key "zzz" (known: level, select,', id="key-without-hint"),
            pytest.param("unsafe = 1", "1:1: unsafe: must be true or false, not an integer", id="bool"),
            pytest.param('select = "size"', "1:1: select: must be a list of strings, not a string", id="list"),
            pytest.param("exclude = [1]", "1:1: exclude: must be a list of strings, not a list of", id="list-items"),
            pytest.param('select = ["siz"]', 'unknown pass, group or code "siz"; did you mean "size"?', id="selector"),
            pytest.param('ignore = ["XY300"]', 'did you mean "XY3009"?', id="code"),
            pytest.param('output-format = "sarf"', 'unknown output format "sarf"; did you mean "sarif"?', id="format"),
            pytest.param('fail-on = "nver"', 'unknown value "nver"; did you mean "never"?', id="fail-on"),
            pytest.param('fail-on-saving = "much"', "fail-on-saving: 'much' is not a size", id="fail-on-saving"),
            pytest.param("output-format = 3", "must be a string, not an integer", id="format-type"),
            pytest.param("extend = true", "extend: must be a string, not a boolean", id="extend-type"),
            pytest.param("extend = 'gone.toml'", '1:1: extend: no such file: "gone.toml"', id="extend-gone"),
            pytest.param("passes = 3", "passes: must be a table, not an integer", id="passes"),
            pytest.param("passes.dem = {}", '1:8: passes.dem: unknown pass "dem"; did you mean "demo"?', id="pass"),
            pytest.param("[passes]\ndemo = 1", "2:1: passes.demo: must be a table, not an integer", id="pass-type"),
            pytest.param("[passes.demo]\n  mod = 1", '2:3: passes.demo.mod: unknown option "mod"', id="option"),
            pytest.param("[passes.demo]\nmode = 'al'", 'unknown value "al"; did you mean "all"?', id="choice"),
            pytest.param("passes.demo = {mode = 1}", "1:16: passes.demo.mode: must be a string", id="choice-type"),
            pytest.param("passes.demo.on = 0", "1:13: passes.demo.on: must be true or false, not an", id="option-bool"),
            pytest.param("passes.demo.size = true", "must be a whole number, not a boolean", id="option-int"),
            pytest.param("passes.demo.size = 1.5", "must be a whole number, not a float", id="option-float"),
            pytest.param("passes.demo.word = 2020-01-01", "must be a string, not a date or time", id="option-date"),
            pytest.param("passes.demo.words = 'a'", "must be a list of strings, not a string", id="option-strings"),
            pytest.param("a = ", "1:5: ", id="syntax"),
            pytest.param("x = 1\n[a", "2:3: ", id="syntax-at-the-end"),
            pytest.param(b"# caf\xc3\xa9\nx = '\xff'", "2:6: not UTF-8", id="encoding"),
        ],
    )
    def test_errors(self, content: str | bytes, message: str) -> None:
        put("sub/dfopt.toml", content)
        with pytest.raises(ConfigError) as caught:
            ConfigLookup().directory("sub")
        assert str(caught.value).startswith("sub/dfopt.toml:")
        assert message in str(caught.value)
        assert caught.value.line > 0
        assert caught.value.column > 0

    def test_errors_in_pyproject(self) -> None:
        put("pyproject.toml", '[project]\nname = "x"\n\n[tool.dfopt]\nunsafe = 1\n')
        with pytest.raises(ConfigError, match=r"pyproject.toml:5:1: unsafe: must be true or false"):
            ConfigLookup().directory(".")

    def test_table_that_is_none(self) -> None:
        put("pyproject.toml", "[tool]\ndfopt = 3\n")
        with pytest.raises(ConfigError, match=r"pyproject.toml:2:1: must be a table, not an integer"):
            ConfigLookup().directory(".")


class TestExtend:
    def test_values_below_win(self) -> None:
        put("base/b.toml", 'unsafe = true\nexclude = ["x"]\n[passes.demo]\nsize = 1\nmode = "all"\n')
        put("dfopt.toml", 'extend = "base/b.toml"\nunsafe = false\npasses.demo.size = 2\n')
        config = ConfigLookup().directory(".")
        assert config.files == ("dfopt.toml", "base/b.toml")
        assert config.get("unsafe") is False
        assert config.passes == {"demo": {"size": 2, "mode": "all"}}
        assert config.exclude == ((str(Path("base").absolute()), ("x",)),)

    def test_chain_and_pyproject(self) -> None:
        put("p/pyproject.toml", "[tool.dfopt]\nunsafe = true\nextend = '../c.toml'\n")
        put("c.toml", "exclude = ['z']\n")
        put("dfopt.toml", "extend = 'p/pyproject.toml'\n")
        config = ConfigLookup().directory(".")
        assert config.files == ("dfopt.toml", "p/pyproject.toml", "c.toml")
        assert (config.get("unsafe"), config.get("exclude")) == (True, ("z",))

    @pytest.mark.parametrize("second", ["dfopt.toml", "./sub/../dfopt.toml"])
    def test_circle(self, second: str) -> None:
        Path("sub").mkdir()
        put("a.toml", f"extend = '{second}'\n")
        put("dfopt.toml", "# x\nextend = 'a.toml'\n")
        with pytest.raises(ConfigError, match=r"a.toml:1:1: extend: files extend each other in a circle"):
            ConfigLookup().directory(".")

    def test_error_in_the_extended_file(self) -> None:
        put("a.toml", "\nnope = 1\n")
        put("dfopt.toml", "extend = 'a.toml'\n")
        with pytest.raises(ConfigError, match=r"^a.toml:2:1: "):
            ConfigLookup().directory(".")


def test_load_does_not_parse_what_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    put("dfopt.toml", "# just a comment\n")
    put("pyproject.toml", "[tool.other]\nx = 1\n")
    monkeypatch.setattr("dfopt.workspace.config._parse", None)
    config = load("dfopt.toml")
    assert config is not None
    assert config.settings == {}
    assert load("pyproject.toml") is None
    put("pyproject.toml", '[project]\ndependencies = ["dfopt"]\nscripts.dfopt = "x"\n\n[tool.ruff]\nname = "dfopt"\n')
    assert load("pyproject.toml") is None


@pytest.mark.parametrize(
    "content",
    [
        "[tool.dfopt]\nunsafe = true\n", "[ tool . dfopt ]\nunsafe = true\n", "[\"tool\".'dfopt']\nunsafe = true\n",
        "[tool]\ndfopt.unsafe = true\n", " [ 'tool' ]\ndfopt = {unsafe = true}\n", "tool.dfopt.unsafe = true\n",
        "tool = {dfopt = {unsafe = true}}\n", "\"tool\" = {dfopt.unsafe = true}\n", "tool . dfopt = {unsafe = true}\n",
        "[tool.\"\\u0064fopt\"]\nunsafe = true # dfopt\n", "[\"\\U00000074ool\".dfopt]\nunsafe = true\n",
        "[x]\r\n[tool]\r\ndfopt.unsafe = true\r\n",
    ],
)  # fmt: skip
def test_our_table_is_seen_in_any_spelling(content: str) -> None:
    put("pyproject.toml", content)
    config = load("pyproject.toml")
    assert config is not None
    assert config.get("unsafe") is True


@pytest.mark.parametrize(
    ("text", "key", "place"),
    [
        pytest.param("a = 1\nb = 2\n", ("b",), (2, 1), id="plain"),
        pytest.param("  b = 2\n", ("b",), (1, 3), id="indented"),
        pytest.param("[a]\n[a.b]\nc = 1\n", ("a", "b", "c"), (3, 1), id="table"),
        pytest.param("[a.b]\nc = 1\n", ("a", "b"), (1, 4), id="table-itself"),
        pytest.param("a.b.c = 1\n", ("a", "b", "c"), (1, 5), id="dotted"),
        pytest.param("[ a . 'b' ]\n\"c\" = 1\n", ("a", "b", "c"), (2, 1), id="quoted"),
        pytest.param("a = { b = { c = 1, d = 2 }, e = 3 }\n", ("a", "e"), (1, 29), id="inline"),
        pytest.param("a = { b = { c = 1, d = 2 } }\n", ("a", "b", "d"), (1, 20), id="inline-deep"),
        pytest.param("a = [\n  'b = 1', # c = 2\n  \"]\",\n]\nb = 2\n", ("b",), (5, 1), id="list"),
        pytest.param("a = [{ b = 1 }, { c = 2 }]\nc = 1\n", ("a", 1, "c"), (1, 19), id="list-of-tables"),
        pytest.param('a = """\nb = 1\n"""\nb = 2\n', ("b",), (4, 1), id="multi-line"),
        pytest.param("a = '''\nb = 1\n'''\nb = 2\n", ("b",), (4, 1), id="multi-line-literal"),
        pytest.param('a = "x\\"=b"\nb = 2\n', ("b",), (2, 1), id="escape"),
        pytest.param("# b = 1\r\nb = 2\r\n", ("b",), (2, 1), id="crlf"),
        pytest.param("a = 1979-05-27 07:32:00\nb = 3.14\nc = 1\n", ("c",), (3, 1), id="dates"),
        pytest.param("[[x]]\na = 1\n[[x]]\nb = 2\n", ("x", 1, "b"), (4, 1), id="array-of-tables"),
        pytest.param("[[x]]\n[x.y]\na = 1\n[[x]]\n[x.y]\na = 2\n", ("x", 1, "y", "a"), (6, 1), id="below-an-array"),
        pytest.param("a = ['b',\n  'c']\n", ("a", 1), (2, 3), id="list-element"),
        pytest.param("[a]\nb = 1\n", ("a", "zz", "y"), (1, 2), id="nearest-above"),
        pytest.param("", ("a",), (1, 1), id="nothing"),
    ],
)
def test_place_of(text: str, key: tuple[str | int, ...], place: tuple[int, int]) -> None:
    assert place_of(text, key) == place


class TestSharedSettings:
    def test_every_pass_sees_them(self) -> None:
        put("dfopt.toml", 'package-cache = "mount"\nengine = "buildkit"\n[passes.demo]\nsize = 4\n')
        config = ConfigLookup().directory(".")
        assert config.passes == {"*": {"package-cache": "mount", "engine": "buildkit"}, "demo": {"size": 4}}
        assert Demo(config.passes["demo"], config.passes["*"]).shared == config.passes["*"]
        assert Demo().shared == {"package-cache": "clean", "engine": "any"}

    def test_unknown_value(self) -> None:
        put("dfopt.toml", 'package-cache = "mounts"\n')
        with pytest.raises(ConfigError, match=r'dfopt\.toml:1:\d+: package-cache: unknown value "mounts".*mount'):
            ConfigLookup().directory(".")
