"""Options of the commands that build: `verify`, and `fix --verify`."""

from __future__ import annotations

from dfopt.cli.options import OptionSpec


def _option(flag: str, kind: str, help: str, metavar: str = "", low: int = 0) -> OptionSpec:
    name = flag[2:].replace("-", "_")
    return OptionSpec(name, (flag,), kind, help, metavar=metavar, low=low, panel="Proof")


ENGINE = (
    OptionSpec(
        "engine",
        ("--engine",),
        "choice",
        "The engine to build with; 'auto' takes the first that responds.",
        default="auto",
        choices=("auto", "docker", "podman", "buildah"),
        metavar="NAME",
        panel="Proof",
    ),
    _option(
        "--builder",
        "values",
        "A buildx builder by name, or a BuildKit daemon by address (tcp://HOST:PORT); repeatable, files are "
        "distributed among them.",
        "NAME|ADDRESS",
    ),
    _option("--build-arg", "values", "A build argument; repeatable.", "NAME[=VALUE]"),
    _option("--secret", "values", "A build secret (id=NAME,src=FILE or id=NAME,env=VARIABLE); repeatable.", "SPEC"),
    _option("--build-context", "values", "A named build context (NAME=VALUE); repeatable.", "NAME=VALUE"),
    _option("--target", "string", "The stage to build. [default: the last]", "STAGE"),
    _option("--platform", "string", "The platform to build for.", "OS/ARCH"),
    _option("--network", "string", "The network mode of RUN steps and smoke tests (host, none ...).", "MODE"),
    _option("--drop-syntax", "flag", "Build without the '# syntax=' line, for engines that are offline."),
    _option(
        "--timeout", "int", "The time limit for each build and each smoke test in seconds. [default: 1800]", "S", 1
    ),
    _option("--smoke", "string", "A command that must succeed in a container of either image.", "COMMAND"),
    _option(
        "--smoke-script",
        "string",
        "A program that must succeed while a container runs; it gets the container's address as an argument.",
        "FILE",
    ),
    _option("--touch", "string", "Also measure a rebuild after a change to this file of the context.", "PATH"),
    _option("--repeat", "flag", "Build the original file twice, and allow what differs between the two builds."),
    _option(
        "--allow", "values", "Allow a difference: a path pattern (/var/log/**) or config:KEY; repeatable.", "PATTERN"
    ),
)
