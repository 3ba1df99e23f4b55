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
        "The engine that builds; 'auto' takes the first that answers.",
        default="auto",
        choices=("auto", "docker", "podman", "buildah"),
        metavar="NAME",
        panel="Proof",
    ),
    _option(
        "--builder",
        "values",
        "A buildx builder by its name, or a BuildKit daemon by its address (tcp://HOST:PORT); repeatable: files are "
        "spread over them.",
        "NAME|ADDRESS",
    ),
    _option("--build-arg", "values", "A build argument; repeatable.", "NAME[=VALUE]"),
    _option("--secret", "values", "A secret of the build (id=NAME,src=FILE or id=NAME,env=VARIABLE).", "SPEC"),
    _option("--build-context", "values", "A named context of the build (NAME=VALUE).", "NAME=VALUE"),
    _option("--target", "string", "The stage to build. [default: the last]", "STAGE"),
    _option("--platform", "string", "The platform to build for.", "OS/ARCH"),
    _option("--network", "string", "The network of RUN steps and of smoke tests (host, none ...).", "MODE"),
    _option("--drop-syntax", "flag", "Build without the line '# syntax=', for an engine that is offline."),
    _option("--timeout", "int", "Seconds for each build and each smoke test. [default: 1800]", "S", 1),
    _option("--smoke", "string", "A command that must succeed in a container of either image.", "COMMAND"),
    _option(
        "--smoke-script",
        "string",
        "A program that must succeed while a container runs; it is given the container's address.",
        "FILE",
    ),
    _option("--touch", "string", "Measure a rebuild, too, after this file of the context changed.", "PATH"),
    _option("--repeat", "flag", "Build the file as it is twice, and allow what differs between these two."),
    _option("--allow", "values", "Allow a difference: a pattern of paths (/var/log/**), or config:KEY.", "PATTERN"),
)
