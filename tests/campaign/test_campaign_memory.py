"""A campaign keeps nothing of the files that its report does not show."""

from __future__ import annotations

import pytest

from dfopt.campaign.model import FileResult
from dfopt.cli.migrate_apply import _Campaign
from dfopt.cli.options import Values
from dfopt.request import Request
from dfopt.workspace.config import ConfigLookup
from dfopt.workspace.discovery import InputFile

STATES = ("unchanged", "refused", "failed")


@pytest.mark.parametrize(("output_format", "shown"), [("text", ["c"]), ("markdown", ["c"]), ("json", ["a", "b", "c"])])
def test_what_is_kept(output_format: str, shown: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    values = Values({"patch": None, "branch": None, "max_files": None, "output_format": output_format, "report": ()})
    campaign = _Campaign(values, Request(ConfigLookup()), None)
    files = [InputFile(name, name, "") for name in "abc"]
    for file, state in zip(campaign.unfinished(files), STATES, strict=True):
        campaign.take(FileResult(file.name, file.path, file.root, state, error="no"))
    assert [row.name for row in campaign.shown.values()] == shown
    assert not campaign.numbers
    assert not campaign.later
    assert campaign.totals.files == 3
    assert capfd.readouterr().err == "c: error: no\n"
