"""The command line of `dfopt migrate apply`."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, CommandSpec, OptionSpec
from dfopt.cli.specs._migrate import CAMPAIGN

SPEC = CommandSpec(
    "migrate apply",
    "dfopt.cli.migrate_apply",
    "Run a campaign: write the changes, or make patches or branches of them, in portions.",
    (ArgumentSpec("paths", "Dockerfiles, or directories to search. [default: .]", many=True),),
    (
        OptionSpec(
            "patch",
            ("--patch",),
            "string",
            "Write no Dockerfile: put one patch for each portion into DIR.",
            metavar="DIR",
            panel="Result",
        ),
        OptionSpec(
            "branch",
            ("--branch",),
            "string",
            "Write no Dockerfile: make one branch PREFIX/NAME for each portion, beside the work tree.",
            metavar="PREFIX",
            panel="Result",
        ),
        OptionSpec(
            "by",
            ("--by",),
            "choice",
            "The portions: all of a repository together, by CODEOWNERS, by directory, or each file alone.",
            default="all",
            choices=("all", "owner", "directory", "file"),
            metavar="HOW",
            panel="Result",
        ),
        OptionSpec(
            "depth",
            ("--depth",),
            "int",
            "With --by directory: how many directories of the path make a portion. [default: 1]",
            low=1,
            metavar="N",
            panel="Result",
        ),
        OptionSpec(
            "message",
            ("--message",),
            "string",
            "A Jinja2 template of the commit messages.",
            metavar="FILE",
            panel="Result",
        ),
        OptionSpec(
            "max_files",
            ("--max-files",),
            "int",
            "Change no more files than this; the rest is for the next run.",
            low=1,
            metavar="N",
            panel="Result",
        ),
        OptionSpec(
            "journal",
            ("--journal",),
            "string",
            "Remember in FILE what is finished; a run that finds the file goes on where the last one ended.",
            metavar="FILE",
            panel="Result",
        ),
        *CAMPAIGN,
    ),
    order=61,
)
