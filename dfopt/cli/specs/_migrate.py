"""What `migrate plan` and `migrate apply` share."""

from __future__ import annotations

from dfopt.cli.options import OptionSpec
from dfopt.cli.specs._shared import CONFIGURATION, DIGESTS, FILES, SELECTION, format_option

CAMPAIGN = (
    *SELECTION,
    *DIGESTS,
    *[option for option in FILES if option.name != "stdin_filename"],
    OptionSpec(
        "executor",
        ("--executor",),
        "choice",
        "Where to do the work: on this machine, or on a running Dask cluster (pip install 'dfopt[dask]').",
        default="local",
        choices=("local", "dask"),
        metavar="NAME",
        panel="Files",
    ),
    OptionSpec(
        "scheduler",
        ("--scheduler",),
        "string",
        "The address of the Dask scheduler (tcp://HOST:PORT), or its scheduler file.",
        metavar="ADDRESS",
        panel="Files",
    ),
    *CONFIGURATION,
    OptionSpec(
        "report",
        ("--report",),
        "values",
        "Also write the report to FILE, as JSON, or as Markdown if the name ends in .md; repeatable.",
        metavar="FILE",
        panel="Output",
    ),
    format_option("The format of the report.", ("text", "json", "markdown"), "text"),
    OptionSpec("quiet", ("--quiet", "-q"), "flag", "Show no progress or notes.", panel="Output"),
)
