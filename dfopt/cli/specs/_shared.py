"""Arguments and options that several commands take."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, OptionSpec
from dfopt.workspace.config import FORMATS

PATHS = ArgumentSpec(
    "paths", "Dockerfiles, or directories to search; '-' reads standard input. [default: .]", many=True
)

PATCH = OptionSpec(
    "patch",
    ("--patch",),
    "string",
    "Write the diff of all files to FILE, for git apply.",
    metavar="FILE",
    panel="Result",
)

SELECTION = (
    OptionSpec(
        "select",
        ("--select",),
        "list",
        "Run only these passes: names, groups or codes (merge-run, size, DL3009), separated by commas; 'all' for all.",
        metavar="LIST",
        panel="Passes",
    ),
    OptionSpec(
        "ignore", ("--ignore",), "list", "Do not run these passes (as for --select).", metavar="LIST", panel="Passes"
    ),
    OptionSpec(
        "recipe",
        ("--recipe",),
        "list",
        "Run the passes of these recipes (dfopt recipes lists them), or of a recipe file (NAME.toml).",
        metavar="LIST",
        panel="Passes",
    ),
    OptionSpec(
        "set",
        ("--set",),
        "values",
        "A value for an option of the recipe (dfopt recipe show NAME lists them); repeatable.",
        metavar="NAME=VALUE",
        panel="Passes",
    ),
    OptionSpec("unsafe", ("--unsafe",), "switch", "Also take fixes that change what the image holds.", panel="Passes"),
    OptionSpec(
        "package_cache",
        ("--package-cache",),
        "choice",
        "Empty package managers' caches in their layer, or keep them in cache mounts. [default: clean]",
        choices=("clean", "mount"),
        metavar="HOW",
        panel="Passes",
    ),
    OptionSpec(
        "buildkit",
        ("--buildkit",),
        "switch",
        "BuildKit builds the files: use mounts where no file shows it (the setting engine).",
        panel="Passes",
    ),
)

CONTEXT = OptionSpec(
    "context",
    ("--context",),
    "string",
    "The build context of all files. [default: found out for each, mostly its own directory]",
    metavar="DIR",
    panel="Files",
)

FILES = (
    OptionSpec(
        "exclude",
        ("--exclude",),
        "values",
        "Leave out what matches this pattern (.gitignore syntax); repeatable.",
        metavar="PATTERN",
        panel="Files",
    ),
    OptionSpec(
        "hosts",
        ("--hosts",),
        "list",
        "Also Dockerfiles and images in other files: compose, ci (github, gitlab, circleci), python, template; or all.",
        metavar="LIST",
        panel="Files",
    ),
    OptionSpec("no_ignore", ("--no-ignore",), "flag", "Search what .gitignore files leave out, too.", panel="Files"),
    OptionSpec(
        "stdin_filename",
        ("--stdin-filename",),
        "string",
        "The name to show for standard input, and to find its configuration by.",
        metavar="FILE",
        panel="Files",
    ),
    CONTEXT,
    OptionSpec(
        "jobs",
        ("--jobs", "-j"),
        "int",
        "The number of processes. [default: one, or one per CPU for many files]",
        low=1,
        metavar="N",
        panel="Files",
    ),
)

LOCK = OptionSpec(
    "lock",
    ("--lock",),
    "string",
    "The lock file. [default: dfopt.lock in the working directory, or the nearest one above]",
    metavar="FILE",
    panel="Digests",
)

DIGESTS = (
    LOCK,
    OptionSpec(
        "online",
        ("--online",),
        "flag",
        "Ask registries for digests that the lock file does not know, and for the users and entrypoints of bases.",
        panel="Digests",
    ),
)

NETWORK = (
    OptionSpec(
        "registry_mirror",
        ("--registry-mirror",),
        "values",
        "Ask this registry first for images of Docker Hub; NAME=HOST for those of another registry; repeatable.",
        metavar="[NAME=]HOST",
        panel="Network",
    ),
    OptionSpec(
        "insecure_registry",
        ("--insecure-registry",),
        "values",
        "Speak to this registry without TLS, or without checking its certificate; repeatable.",
        metavar="HOST",
        panel="Network",
    ),
    OptionSpec(
        "ca_file",
        ("--ca-file",),
        "string",
        "Certificates (PEM) to trust besides the machine's.",
        metavar="FILE",
        panel="Network",
    ),
    OptionSpec(
        "concurrency",
        ("--concurrency",),
        "int",
        "How many images are asked for at the same time. [default: 8]",
        low=1,
        metavar="N",
        panel="Network",
    ),
    OptionSpec(
        "time_limit",
        ("--time-limit",),
        "int",
        "Seconds for one image, logins and waits included. [default: 60]",
        low=1,
        metavar="SECONDS",
        panel="Network",
    ),
    OptionSpec(
        "verify_digests",
        ("--verify-digests",),
        "switch",
        "Fetch each manifest, and compare it with the digest that the registry names. [default: yes]",
        panel="Network",
    ),
)

CACHE = (
    OptionSpec(
        "no_cache", ("--no-cache",), "flag", "Work on every file, also on those whose result is known.", panel="Files"
    ),
)

CONFIGURATION = (
    OptionSpec(
        "config",
        ("--config",),
        "string",
        "Use this configuration file alone (dfopt.toml or pyproject.toml).",
        metavar="FILE",
        panel="Configuration",
    ),
    OptionSpec("isolated", ("--isolated",), "flag", "Use no configuration file.", panel="Configuration"),
)

QUIET = OptionSpec("quiet", ("--quiet", "-q"), "flag", "Print errors, but no notes and counts.", panel="Output")
OUTPUT = (
    OptionSpec("show_refusals", ("--show-refusals",), "flag", "List what was left alone, and why.", panel="Output"),
    QUIET,
    OptionSpec(
        "color",
        ("--color",),
        "choice",
        "Colour of text output; 'auto' also follows NO_COLOR and FORCE_COLOR.",
        default="auto",
        choices=("auto", "always", "never"),
        metavar="WHEN",
        panel="Output",
    ),
)


def format_option(help: str, choices: tuple[str, ...] = FORMATS, default: str | None = None) -> OptionSpec:
    return OptionSpec(
        "output_format", ("--output-format",), "choice", help, default, choices, metavar="FORMAT", panel="Output"
    )


TABLE_FORMAT = format_option("The form of the output.", ("text", "json"), "text")
