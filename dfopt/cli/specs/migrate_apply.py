"""The command line of `dfopt migrate apply`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._migrate import CAMPAIGN

SPEC = CommandSpec(
    "migrate apply",
    "dfopt.cli.migrate_apply",
    "Run a campaign: write the changes, or deliver them as patches or branches.",
    (ArgumentSpec("paths", "Dockerfiles, or directories to search. [default: .]", many=True, metavar="PATH"),),
    (
        OptionSpec(
            "patch",
            ("--patch",),
            "string",
            "Write one patch for each group into DIR instead of changing files.",
            metavar="DIR",
            panel="Result",
        ),
        OptionSpec(
            "branch",
            ("--branch",),
            "string",
            "Create one branch PREFIX/NAME for each group instead of changing the work tree.",
            metavar="PREFIX",
            panel="Result",
        ),
        OptionSpec(
            "by",
            ("--by",),
            "choice",
            "How to group files: all of a repository together, by CODEOWNERS, by directory, or each file alone.",
            default="all",
            choices=("all", "owner", "directory", "file"),
            metavar="HOW",
            panel="Result",
        ),
        OptionSpec(
            "depth",
            ("--depth",),
            "int",
            "With --by directory: how many leading directories name a group. [default: 1]",
            low=1,
            metavar="N",
            panel="Result",
        ),
        OptionSpec(
            "message",
            ("--message",),
            "string",
            "A Jinja2 template for commit messages.",
            metavar="FILE",
            panel="Result",
        ),
        OptionSpec(
            "max_files",
            ("--max-files",),
            "int",
            "Change at most this many files; the rest is left for the next run.",
            low=1,
            metavar="N",
            panel="Result",
        ),
        OptionSpec(
            "journal",
            ("--journal",),
            "string",
            "Record finished files in FILE; the next run with the same FILE continues where this one stopped.",
            metavar="FILE",
            panel="Result",
        ),
        *CAMPAIGN,
    ),
    order=61,
)
