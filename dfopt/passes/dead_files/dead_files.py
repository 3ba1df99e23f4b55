from __future__ import annotations

from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.passes.base import Pass
from dfopt.passes.dead_files.join_runs import join_runs
from dfopt.passes.dead_files.mount_copied import mount_copied
from dfopt.passes.dead_files.move_rm import move_rm_earlier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class DeadFiles(Pass):
    """Keeps files that are deleted again out of the image, where joining RUNs cannot.

    A file that one instruction writes and a later one deletes stays in the layer for ever. merge-run joins neighbouring
    RUNs; this pass handles the rest. What is copied for RUNs that use it and delete it becomes bind mounts of these
    RUNs. RUNs between which ENV, WORKDIR and the like stand become one, with `export` and `cd` in their place; this
    holds for packages that are installed and removed again, too. And an `rm` that comes too late, behind a COPY, moves
    to the end of the RUN that wrote the files.

    Why: dead bytes are pulled and stored with every image. Measured: 62 MB less where
    an archive of 62 MB is copied, unpacked and deleted.

    Example:

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM python:3.13-slim
    COPY requirements.txt /tmp/
    RUN pip install --no-cache-dir -r /tmp/requirements.txt && rm /tmp/requirements.txt
    ```

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM python:3.13-slim
    RUN --mount=type=bind,source=requirements.txt,target=/tmp/requirements.txt,rw \\
        pip install --no-cache-dir -r /tmp/requirements.txt
    ```

    Refuses: where the file shows that something is at the place before, or where the directory above may be there only
    because COPY makes it; where it is not known whether COPY copies one file; COPY with other flags than `--from`;
    globs that may take directories, or where the RUN may see more than the glob takes; where a step between uses the
    files; where the RUN moves or links them, or deletes only what is in a directory; RUN --mount where nothing shows
    that BuildKit reads the file; ARG, USER, SHELL or COPY between RUNs to be joined, a
    value of ENV that the shell may read in another way, a directory of WORKDIR that is deleted and needed behind the
    RUN. Where a RUN runs a program that might replace or link the files (a script, make), and where only the base image
    or such a program might have put something at the place before, the fix is `unsafe`.

    Declares: COPYs go, RUNs gain mounts and lose their `rm`; or RUNs become one; or the `rm` leaves one RUN and ends
    another.
    """

    name = "dead-files"
    group = "size"
    phase = "layers"
    triggers = ("rm", "remove", "purge", "erase", "apk del")
    order = 24

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        shipped = program.shipped()
        for stage in program.stages:
            if stage.index not in shipped:
                continue
            yield from join_runs(self.name, program, stage)
            for step in stage.steps:
                if step.node.keyword == "RUN" and "rm" in program.text[step.node.start : step.node.end]:
                    if program.body(step).program is None:
                        continue
                    yield from mount_copied(self.name, self.shared["engine"], program, facts, step)
                    yield from move_rm_earlier(self.name, program, stage, step)
