"""The output formats, from results made by hand."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from dfopt.cli.report import reporter
from dfopt.cli.report.base import Failure, FileReport, ReportItem, items_of
from dfopt.edit import Edit
from dfopt.findings import Benefit
from dfopt.own_edits import OwnEdits
from dfopt.results import Applied, Reported, Result
from dfopt.source import Source
from dfopt.workspace.settings import FORMATS

TEXT = "FROM a\nRUN one \\\n two\nRUN three\n"


def result(text: str = TEXT, **fields: Any) -> Result:
    source = Source("Dockerfile", text)
    return Result(source, fields.pop("output", text), **fields)


def report_of(result: Result, name: str = "Dockerfile", **fields: Any) -> FileReport:
    items = items_of(result, refusals=True)
    return FileReport(name, result.source.text, items, None, result.changed, **fields)


X = Applied(0, "x", "safe", "x does it", 11, 14, 1)
Y = Applied(1, "y", "unsafe", "y does it", 26, 31, 2)


def report_with_edits(x: OwnEdits, y: OwnEdits) -> FileReport:
    """The report of X and Y with these edits."""
    made = result(output="changed", applied=(X, Y))
    own = {(fix.name, fix.start, fix.end, fix.message): edits for fix, edits in ((X, x), (Y, y))}
    return FileReport("Dockerfile", TEXT, items_of(made, refusals=True, own=own), None, True)


def whole(format: str, *reports: FileReport) -> str:
    one = reporter(format)
    return one.head() + one.separator.join(filter(None, map(one.file, reports))) + one.tail({"errors": 0})


SAMPLE = report_of(
    result(
        reported=(
            Reported("merge-run", "suggestion", "100% sure:\nreally, yes", 7, 21),
            Reported("apt-cleanup", "unsafe", "needs leave", 22, 31, fixable=True),
            Reported(
                "apt-cleanup",
                "safe",
                "would go",
                22,
                31,
                reason="not known",
                unblock="ask",
                benefit=Benefit(5, 1, 0.5, origin="measured", source="dfopt.profile"),
            ),
        )
    ),
    "dir/Dockerfile",
)
BROKEN = FileReport("b,c:d/Dockerfile", "FROM\n", failure=Failure("bad: 50%\nof it", 1, 5))
MISSING = FileReport("gone", failure=Failure("No such file or directory"))
HOSTILE = report_of(
    result(
        "FROM \x1b[31m\udcff\u4e16x y\n", reported=(Reported("merge-run", "suggestion", "a \x1b[0m\udcfe b", 12, 13),)
    ),
    "caf\udce9 \n/Dockerfile",
)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_takes_everything(format: str) -> None:
    text = whole(format, SAMPLE, BROKEN, MISSING, HOSTILE, FileReport("empty"))
    assert text
    if format in ("json", "sarif", "gitlab"):
        text.encode("utf-8")  # no lone surrogate is left
        json.loads(text)
        json.loads(whole(format))
    else:
        assert "\x1b" not in text or format == "github"


class TestPositions:
    def test_lines_and_columns(self) -> None:
        item = SAMPLE.items[0]
        assert (item.line, item.column, item.end_line, item.end_column) == (2, 1, 3, 5)

    def test_byte_order_mark_takes_no_column(self) -> None:
        (item,) = items_of(result("\ufeffFROM a\n", reported=(Reported("x", "safe", "m", 1, 5),)), refusals=True)
        assert (item.column, item.end_column) == (1, 5)

    def test_order_is_that_of_the_file(self) -> None:
        reported = (
            Reported("z", "safe", "m", 22, 31),
            Reported("a", "safe", "m", 7, 9),
            Reported("b", "safe", "m", 7, 9),
        )
        assert [item.name for item in items_of(result(reported=reported), refusals=True)] == ["a", "b", "z"]


class TestText:
    def excerpt(self, text: str, start: int, end: int) -> list[str]:
        report = report_of(result(text, reported=(Reported("p", "suggestion", "m", start, end),)))
        return reporter("text").file(report).split("\n")[2:4]

    @pytest.mark.parametrize(
        ("text", "start", "end", "line", "carets"),
        [
            pytest.param("FROM a\n", 5, 6, "1 | FROM a", "  |      ^", id="plain"),
            pytest.param("FROM a\n", 6, 6, "1 | FROM a", "  |       ^", id="empty-span"),
            pytest.param("FROM a", 6, 6, "1 | FROM a", "  |       ^", id="end-of-file"),
            pytest.param("RUN a \\\n b\n", 0, 10, "1 | RUN a \\", "  | ^^^^^^^", id="several-lines"),
            pytest.param("RUN\ta\r\n", 4, 5, "1 | RUN    a", "  |        ^", id="tab"),
            pytest.param("RUN \u4e16\u754c a\n", 7, 8, "1 | RUN \u4e16\u754c a", "  |          ^", id="wide"),
            pytest.param("RUN e\u0301 a\n", 7, 8, "1 | RUN e\u0301 a", "  |       ^", id="combining"),
            pytest.param("RUN \x1b[31m a\n", 10, 11, "1 | RUN \\x1b[31m a", "  |              ^", id="control"),
            pytest.param("RUN \udcff a\n", 6, 7, "1 | RUN \\xff a", "  |          ^", id="not-utf-8"),
            pytest.param("\ufeffFROM a\n", 6, 7, "1 | FROM a", "  |      ^", id="byte-order-mark"),
        ],
    )
    def test_caret(self, text: str, start: int, end: int, line: str, carets: str) -> None:
        assert self.excerpt(text, start, end) == [line, carets]

    def test_long_line_is_cut(self) -> None:
        line, carets = self.excerpt("RUN " + "x" * 500 + " here " + "y" * 500, 505, 509)
        assert line.startswith("1 | ...x")
        assert line.endswith("y...")
        assert line[carets.index("^") : carets.rindex("^") + 1] == "here"
        assert len(line) < 120


class TestConcise:
    def test_lines(self) -> None:
        assert whole("concise", SAMPLE) == (
            "dir/Dockerfile:2:1: merge-run[suggestion] 100% sure: really, yes\n"
            "dir/Dockerfile:4:1: apt-cleanup[unsafe] needs leave\n"
            "dir/Dockerfile:4:1: apt-cleanup[refused] would go: not known; ask "
            "(5 bytes less, 1 layer fewer, rebuilds 0.5 s shorter)\n"
        )

    def test_names_and_messages_are_made_printable(self) -> None:
        assert whole("concise", HOSTILE) == "caf\\xe9 \\n/Dockerfile:1:13: merge-run[suggestion] a \\x1b[0m\\xfe b\n"


class TestJson:
    def test_fields(self) -> None:
        found = json.loads(whole("json", SAMPLE, BROKEN, MISSING))
        assert found["version"] == 1
        assert found["tool"]["name"] == "dfopt"
        sample, broken, missing = found["files"]
        assert [item["kind"] for item in sample["findings"]] == ["suggestion", "available", "refusal"]
        assert sample["findings"][2] == {
            "pass": "apt-cleanup", "kind": "refusal", "tier": "safe", "codes": ["DL3009", "DKL-DI-0005"],
            "message": "would go", "reason": "not known", "unblock": "ask", "benefit": {
                "bytes": 5, "layers": 1, "rebuild_seconds": 0.5, "setuid": 0, "root": False,
                "origin": "measured", "source": "dfopt.profile", "mends": "",
            }, "line": 4, "column": 1, "end_line": 4, "end_column": 10, "edits": [], "together_with": [],
        }  # fmt: skip
        assert broken["error"] == {"message": "bad: 50%\nof it", "line": 1, "column": 5}
        assert missing["error"] == {"message": "No such file or directory", "line": None, "column": None}

    def test_each_finding_has_its_own_edits(self) -> None:
        report = report_with_edits(OwnEdits((Edit(11, 14, "1"),)), OwnEdits((Edit(26, 31, "3"),), (X,)))
        (file,) = json.loads(whole("json", report))["files"]
        x, y = file["findings"]
        assert apply(TEXT, x["edits"]) == "FROM a\nRUN 1 \\\n two\nRUN three\n"
        assert apply(TEXT, y["edits"]) == "FROM a\nRUN one \\\n two\nRUN 3\n"
        assert (x["together_with"], y["together_with"]) == ([], [{"pass": "x", "tier": "safe", "line": 2}])
        assert file["changed"] is True


def apply(text: str, edits: list[dict[str, Any]]) -> str:
    """Applies edits as the documentation of the format says."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for edit in sorted(edits, key=lambda edit: (edit["line"], edit["column"]), reverse=True):
        start = starts[edit["line"] - 1] + edit["column"] - 1
        end = starts[edit["end_line"] - 1] + edit["end_column"] - 1
        text = text[:start] + edit["text"] + text[end:]
    return text


class TestSarif:
    def run(self, *reports: FileReport) -> dict[str, Any]:
        log = json.loads(whole("sarif", *reports))
        assert log["version"] == "2.1.0"
        (run,) = log["runs"]
        return dict(run)

    def test_rules_are_the_passes(self) -> None:
        run = self.run(SAMPLE, BROKEN)
        rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
        assert {"merge-run", "apt-cleanup", "syntax-error", "unused-suppression"} <= set(rules)
        assert rules["apt-cleanup"]["properties"]["tags"] == ["size", "DL3009", "DKL-DI-0005"]
        assert {one["ruleId"] for one in run["results"]} <= set(rules)

    def test_results(self) -> None:
        found = self.run(SAMPLE, BROKEN)["results"]
        assert [one["level"] for one in found] == ["note", "warning", "none", "error"]
        assert found[2]["kind"] == "informational"
        assert found[0]["locations"][0]["physicalLocation"] == {
            "artifactLocation": {"uri": "dir/Dockerfile"},
            "region": {"startLine": 2, "startColumn": 1, "endLine": 3, "endColumn": 5},
        }

    def test_each_result_has_its_own_edits(self) -> None:
        report = report_with_edits(OwnEdits((Edit(11, 14, "1"),)), OwnEdits((Edit(26, 31, ""),), (X,)))
        results = self.run(report)["results"]
        assert [one["properties"]["tier"] for one in results] == ["safe", "unsafe"]
        assert results[1]["properties"]["together_with"] == [{"pass": "x", "tier": "safe", "line": 2}]
        texts = []
        for one, description in zip(results, ("x does it", "y does it; together with x (line 2)"), strict=True):
            (fix,) = one["fixes"]
            assert fix["description"]["text"] == description
            edits = []
            (change,) = fix["artifactChanges"]
            assert change["artifactLocation"] == {"uri": "Dockerfile"}
            for replacement in change["replacements"]:
                region = replacement["deletedRegion"]
                edits.append(
                    {
                        "line": region["startLine"], "column": region["startColumn"], "end_line": region["endLine"],
                        "end_column": region["endColumn"], "text": replacement["insertedContent"]["text"],
                    }
                )  # fmt: skip
            texts.append(apply(TEXT, edits))
        assert texts == ["FROM a\nRUN 1 \\\n two\nRUN three\n", "FROM a\nRUN one \\\n two\nRUN \n"]

    def test_a_safe_finding_that_needs_an_unsafe_one_has_no_edits(self) -> None:
        report = report_with_edits(OwnEdits((), (Y,)), OwnEdits((Edit(26, 31, ""),)))
        found, _ = self.run(report)["results"]
        assert "fixes" not in found
        assert found["properties"]["together_with"] == [{"pass": "y", "tier": "unsafe", "line": 4}]

    @pytest.mark.parametrize(
        ("name", "uri"),
        [("a b/Dockerfile", "a%20b/Dockerfile"), ("/tmp/x", "file:///tmp/x"), ("\udce9", "%E9"), ("50%", "50%25")],
    )
    def test_names_are_uris(self, name: str, uri: str) -> None:
        (found,) = self.run(FileReport(name, failure=Failure("x")))["results"]
        assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
        assert unquote(uri, errors="surrogateescape").removeprefix("file://") == name


class TestGitHub:
    def test_lines(self) -> None:
        assert whole("github", SAMPLE, BROKEN) == (
            "::notice file=dir/Dockerfile,line=2,endLine=3,title=dfopt merge-run[suggestion]::"
            "100%25 sure: really, yes\n"
            "::warning file=dir/Dockerfile,line=4,col=1,endColumn=10,title=dfopt apt-cleanup[unsafe]::needs leave\n"
            "::notice file=dir/Dockerfile,line=4,col=1,endColumn=10,title=dfopt apt-cleanup[refused]::"
            "would go: not known; ask (5 bytes less, 1 layer fewer, rebuilds 0.5 s shorter)\n"
            "::error file=b%2Cc%3Ad/Dockerfile,line=1,col=5,title=dfopt::bad: 50%25%0Aof it\n"
        )

    def test_a_name_cannot_start_a_command_of_its_own(self) -> None:
        report = FileReport("x\n::set-env name=A::b", failure=Failure("m\r\n::stop"))
        assert whole("github", report).count("\n") == 1


class TestGitLab:
    def issues(self, *reports: FileReport) -> list[dict[str, Any]]:
        return list(json.loads(whole("gitlab", *reports)))

    def test_fields(self) -> None:
        first, *_ = found = self.issues(SAMPLE, BROKEN, MISSING)
        assert {key: first[key] for key in ("description", "check_name", "severity", "location")} == {
            "description": "100% sure: really, yes",
            "check_name": "merge-run",
            "severity": "info",
            "location": {"path": "dir/Dockerfile", "lines": {"begin": 2, "end": 3}},
        }
        assert [one["severity"] for one in found] == ["info", "minor", "info", "blocker", "blocker"]
        assert {one["severity"] for one in found} <= {"info", "minor", "major", "critical", "blocker"}

    def test_fingerprints_are_unique_and_survive_new_lines(self) -> None:
        def twice(text: str) -> FileReport:
            at = [index for index in range(len(text)) if text.startswith("RUN x", index)]
            return report_of(result(text, reported=tuple(Reported("p", "safe", "m", i, i + 5) for i in at)))

        before = [one["fingerprint"] for one in self.issues(twice("FROM a\nRUN x\nRUN x\n"))]
        after = [one["fingerprint"] for one in self.issues(twice("FROM a\n# new\n\nRUN x\nRUN x\n"))]
        assert len(set(before)) == 2
        assert before == after


def test_item_label() -> None:
    def item(kind: str, tier: str) -> ReportItem:
        return ReportItem("p", kind, tier, "m", "", 0, 0, 1, 1, 1, 1)

    assert [item("fix", "safe").label, item("available", "unsafe").label, item("refusal", "safe").label] == [
        "safe", "unsafe", "refused",
    ]  # fmt: skip


def test_junit_is_xml_with_true_counts() -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(whole("junit", SAMPLE, BROKEN, MISSING, HOSTILE, FileReport("empty")))
    suites = {suite.attrib["name"]: suite for suite in root}
    assert len(suites) == 5
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.attrib["tests"]) == len(cases) >= 1
        for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[name]) == len(suite.findall(f"testcase/{kind}"))
    sample = suites["dir/Dockerfile"]
    assert (sample.attrib["failures"], sample.attrib["skipped"]) == ("2", "1")
    assert sample.find("testcase/failure").attrib["message"] == "100% sure: really, yes"  # type: ignore[union-attr]
    assert suites["b,c:d/Dockerfile"].attrib["errors"] == "1"
    assert suites["empty"].attrib["failures"] == "0"
