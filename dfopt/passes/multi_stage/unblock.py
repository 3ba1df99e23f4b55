"""What a user can do where a split is refused."""

from __future__ import annotations

BUILD = "let `fix --verify` build it"
SMOKE = "let `fix --verify --smoke COMMAND` build it, which shows what the run needs"
CONTEXT = "name the build context: --context DIR"
WRITE_OUT = "write the value instead of the variable"
APART = "run it in a stage of its own, and take what it writes with COPY --from"
PREFIX = "give it a directory of its own, such as /opt/NAME"
START = "start what is built by its path, in CMD or ENTRYPOINT"
BY_HAND = "write the last stage by hand, with COPY --from of what it needs"
