from __future__ import annotations

from dfopt.passes.base import Pass
from dfopt.passes.command_options.engine import CommandOption


class DownloadProgress(CommandOption, Pass):
    """Keeps the progress bars of wget and curl out of the build's log.

    wget prints a dot for each megabyte or so (`--progress=dot:giga`), curl nothing but errors (`-sS`).

    Why: a log is no terminal: a bar that is drawn anew at every percent fills it with thousands of lines, and what went
    wrong is hard to find.

    Example:

    ```dockerfile
    FROM debian:13
    RUN wget https://example.org/data.tar && curl -O https://example.org/more.tar
    ```

    ```dockerfile
    FROM debian:13
    RUN wget --progress=dot:giga https://example.org/data.tar && curl -sS -O https://example.org/more.tar
    ```

    Does nothing where the command is quiet or says how it shows its progress, and for a wget that may be busybox's,
    which does not know the option.

    Refuses: ONBUILD, and commands in strings and substitutions.

    Declares: the command gains one word.
    """

    name = "download-progress"
    group = "advice"
    phase = "runtime"
    codes = ("DL3047",)
    triggers = ("wget", "curl")
    default = False
    order = 70
    message = "{program} draws a progress bar into the log: {option}"
