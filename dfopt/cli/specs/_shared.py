"""Arguments and options that several commands take."""

from __future__ import annotations

from dfopt.cli.options import ArgumentSpec, OptionSpec
from dfopt.workspace.settings import FAIL_ON_CHOICES, FORMATS

PATHS = ArgumentSpec(
    "paths",
    "Dockerfiles, build definitions that name some (compose.yaml, docker-bake.hcl), or directories to search; '-' "
    "reads standard input. [default: .]",
    many=True,
    metavar="PATH",
)

PATCH = OptionSpec(
    "patch",
    ("--patch",),
    "string",
    "Write the diff of all files to FILE, as a patch for git apply.",
    metavar="FILE",
    panel="Result",
)

SELECTION = (
    OptionSpec(
        "level",
        ("-O", "--level"),
        "choice",
        "How much to change: 1, what is proved safe and pays; 2, all that static facts support, restructuring "
        "included: a diff to review; 3, as 2, but 'fix' builds candidates and takes the smallest image that holds. "
        "[default: 1]",
        choices=("1", "2", "3"),
        metavar="LEVEL",
        panel="Passes",
    ),
    OptionSpec(
        "select",
        ("--select",),
        "list",
        "Run only these passes: names, groups or codes (merge-run, size, DL3009), separated by commas; 'all' for all.",
        metavar="LIST",
        panel="Passes",
    ),
    OptionSpec(
        "ignore",
        ("--ignore",),
        "list",
        "Do not run these passes; takes the same values as --select.",
        metavar="LIST",
        panel="Passes",
    ),
    OptionSpec(
        "recipe",
        ("--recipe",),
        "list",
        "Run the passes of these recipes ('dfopt recipes' lists them) or recipe files (NAME.toml).",
        metavar="LIST",
        panel="Passes",
    ),
    OptionSpec(
        "set",
        ("--set",),
        "values",
        "Set an option of the recipe ('dfopt recipe show NAME' lists them); repeatable.",
        metavar="NAME=VALUE",
        panel="Passes",
    ),
    OptionSpec(
        "modernize",
        ("--modernize",),
        "switch",
        "Also bring the spelling up to date (legacy ENV and LABEL, ADD for plain files, keyword case ...).",
        panel="Passes",
    ),
    OptionSpec(
        "unsafe",
        ("--unsafe",),
        "switch",
        "Also apply fixes that change what is in the image or how it runs.",
        panel="Passes",
    ),
    OptionSpec(
        "package_cache",
        ("--package-cache",),
        "choice",
        "Empty package managers' caches in their layer (clean), or keep them in cache mounts (mount). [default: clean]",
        choices=("clean", "mount"),
        metavar="HOW",
        panel="Passes",
    ),
    OptionSpec(
        "buildkit",
        ("--buildkit",),
        "switch",
        'Assume that BuildKit builds the files, so that mounts may be used (as engine = "buildkit" does).',
        panel="Passes",
    ),
)

FAIL_ON = (
    OptionSpec(
        "fail_on",
        ("--fail-on",),
        "choice",
        "Exit with status 1 for: safe, what 'fix' would do with the same options; unsafe, also what needs --unsafe; "
        "suggestion, every finding; never, none. [default: safe]",
        choices=FAIL_ON_CHOICES,
        metavar="TIER",
        panel="Result",
    ),
    OptionSpec(
        "fail_on_saving",
        ("--fail-on-saving",),
        "string",
        "Exit with status 1 only if what --fail-on names is known to save at least this much in one file (20MB).",
        metavar="SIZE",
        panel="Result",
    ),
)

CONTEXT = OptionSpec(
    "context",
    ("--context",),
    "string",
    "The build context of all files. [default: detected for each file, usually its directory]",
    metavar="DIR",
    panel="Files",
)

PROFILE = OptionSpec(
    "profile",
    ("--profile",),
    "string",
    "The profile to use ('dfopt profile' makes one), or 'none'. [default: dfopt.profile beside each Dockerfile]",
    metavar="FILE",
    panel="Files",
)

FILES = (
    OptionSpec(
        "exclude",
        ("--exclude",),
        "values",
        "Skip paths that match this pattern (.gitignore syntax); repeatable.",
        metavar="PATTERN",
        panel="Files",
    ),
    OptionSpec(
        "hosts",
        ("--hosts",),
        "list",
        "Also process Dockerfiles and image names inside other files: compose, bake, ci (github, gitlab, circleci), "
        "kubernetes, kustomize, helm, python, template; or all.",
        metavar="LIST",
        panel="Files",
    ),
    OptionSpec(
        "no_ignore", ("--no-ignore",), "flag", "Also search paths that .gitignore files exclude.", panel="Files"
    ),
    OptionSpec(
        "stdin_filename",
        ("--stdin-filename",),
        "string",
        "The name to report for standard input, and to look up its configuration.",
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
    "The lock file. [default: the nearest dfopt.lock in the working directory or above]",
    metavar="FILE",
    panel="Digests",
)

DIGESTS = (
    LOCK,
    OptionSpec(
        "online",
        ("--online",),
        "flag",
        "Ask registries for digests missing from the lock file, and for the users and entrypoints of base images.",
        panel="Digests",
    ),
)

NETWORK = (
    OptionSpec(
        "registry_mirror",
        ("--registry-mirror",),
        "values",
        "Ask this registry first for images of Docker Hub, or with NAME=HOST for those of registry NAME; repeatable.",
        metavar="[NAME=]HOST",
        panel="Network",
    ),
    OptionSpec(
        "insecure_registry",
        ("--insecure-registry",),
        "values",
        "Allow plain HTTP or an unverified certificate with this registry; repeatable.",
        metavar="HOST",
        panel="Network",
    ),
    OptionSpec(
        "ca_file",
        ("--ca-file",),
        "string",
        "Certificates (PEM) to trust in addition to the system's.",
        metavar="FILE",
        panel="Network",
    ),
    OptionSpec(
        "concurrency",
        ("--concurrency",),
        "int",
        "How many images to look up at the same time. [default: 8]",
        low=1,
        metavar="N",
        panel="Network",
    ),
    OptionSpec(
        "time_limit",
        ("--time-limit",),
        "int",
        "The time limit for one image in seconds, including logins and retries. [default: 60]",
        low=1,
        metavar="SECONDS",
        panel="Network",
    ),
    OptionSpec(
        "verify_digests",
        ("--verify-digests",),
        "switch",
        "Fetch each manifest and compare it with the digest that the registry reports. [default: yes]",
        panel="Network",
    ),
)

CACHE = (
    OptionSpec("no_cache", ("--no-cache",), "flag", "Process every file, even if its result is cached.", panel="Files"),
)

CONFIGURATION = (
    OptionSpec(
        "config",
        ("--config",),
        "string",
        "Use only this configuration file (dfopt.toml or pyproject.toml).",
        metavar="FILE",
        panel="Configuration",
    ),
    OptionSpec("isolated", ("--isolated",), "flag", "Ignore all configuration files.", panel="Configuration"),
)

QUIET = OptionSpec("quiet", ("--quiet", "-q"), "flag", "Print only errors, no notes or counts.", panel="Output")
OUTPUT = (
    OptionSpec(
        "show_refusals",
        ("--show-refusals",),
        "flag",
        "List what was left alone, and why; of many files by what unblocks it.",
        panel="Output",
    ),
    QUIET,
    OptionSpec(
        "color",
        ("--color",),
        "choice",
        "Color text output; 'auto' also follows NO_COLOR and FORCE_COLOR.",
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


TABLE_FORMAT = format_option("The output format.", ("text", "json"), "text")

TRACE = (
    OptionSpec(
        "timings",
        ("--timings",),
        "flag",
        "Print the time of each phase and pass on standard error; runs in one process.",
        panel="Work on passes",
    ),
    OptionSpec(
        "print_after",
        ("--print-after",),
        "list",
        "Print the change on standard error each time one of these passes changed a file ('all' for any).",
        metavar="LIST",
        panel="Work on passes",
    ),
)
