from __future__ import annotations

from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix, refused
from dfopt.passes.base import Option, Pass
from dfopt.passes.multi_stage.choice import benefit_of, chosen_plan
from dfopt.passes.multi_stage.stage_edits import declared, edits
from dfopt.passes.multi_stage.unblock import BY_HAND
from dfopt.refusal import Refusal
from dfopt.stage_templates.errors import RecipeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class MultiStage(Pass):
    """Splits the last stage into one that builds and one that runs what was built.

    The instructions stay as they are, in what becomes the builder. The new last stage starts from a smaller image (for
    a program without libraries from an empty one), installs the packages that are needed to run, copies what the
    builder made, and takes over the settings: what is about the start (CMD, ENTRYPOINT, EXPOSE, HEALTHCHECK, LABEL,
    VOLUME, STOPSIGNAL) moves there with its comments, and ENV, ARG, USER and WORKDIR stand in both where both need
    them. Which files these are is followed back from CMD and ENTRYPOINT through the commands that make them, with the
    sources and build files of the build context at hand. How the new stage looks for a toolchain is told by the recipes
    `multi-stage/go`, `python`, `c` and so on (`dfopt recipes`).

    Where the image only serves a directory of files (by `http-server`, `serve`, `python -m http.server` or `vite
    preview`, called directly or by a script of package.json, or by an nginx of Debian's as it is installed), nginx
    takes the server's place: at the same port, from the same directory, and with the same answers: index files,
    addresses without `.html`, single-page fallback, 404.html, redirects, types, caching, compression. It runs without
    root; below port 1024 with root, to open the port.
    What stays different: how a listing looks, and an error without a page of its own; methods other than GET and HEAD;
    IPv6; PORT and other variables are not read any more. BuildKit must know `COPY <<EOF` (Dockerfile syntax 1.4, 2022).
    `base = "slim"` keeps the server.

    From an image of Node go the modules that only developers need, where the lock file marks them and no source, option
    or script of the start names them: the builder's last step is then `npm prune --omit=dev`. Node itself and pip,
    which the image for the run has too, are taken away there as well.

    Under `fix --verify` and `-O3`, with a smoke test, a build shows what the text does not prove: which of the files
    that the steps wrote the run needs, and which packages (recipe `observed`, for any language).

    Why: compilers, headers and sources are most of such an image, and none of it is needed to run.

    Example:

    ```dockerfile
    FROM golang:1.24
    WORKDIR /src
    COPY go.mod main.go ./
    RUN CGO_ENABLED=0 go build -o /usr/local/bin/server .
    EXPOSE 8080
    CMD ["server"]
    ```

    ```dockerfile
    FROM golang:1.24 AS builder
    WORKDIR /src
    COPY go.mod main.go ./
    RUN CGO_ENABLED=0 go build -o /usr/local/bin/server .

    FROM scratch
    WORKDIR /src
    COPY --from=builder /usr/local/bin/server /usr/local/bin/server
    EXPOSE 8080
    CMD ["server"]
    ```

    Refuses: commands of which it is not known what they write, as of make, CMake, Meson and configure scripts, whose
    files are programs of their own (a build shows it); a build file that is not at hand; sources that start
    programs whose names are not fixed, or that load libraries by name; libraries whose package is not known; a base
    image of which no counterpart for the run is known; a split that would save little. A
    server of files stays where it is told what nginx is not known to do alike, where a file changes its answers
    (serve.json, vite.config), where its port is told when the container starts, and with a HEALTHCHECK that calls what
    nginx's image lacks; the finding says so.

    Declares: the stage is called `builder`, and a new last stage follows. The settings of the image stay the same but
    for ENV names that only builds read; with nginx, its image says what is started, as whom, and which signal stops it.
    """

    name = "multi-stage"
    group = "size"
    tiers = ("unsafe",)
    phase = "restructure"
    codes = ("CIS-DI-0003",)
    default = False
    by_name = True
    order = 90
    declares = Declares(
        files="any",
        settings=(
            "Env.*",
            "Labels.*",
            "Entrypoint",
            "Shell",
            "WorkingDir",
            "Cmd",
            "User",
            "ExposedPorts",
            "StopSignal",
        ),
    )
    options = (
        Option("base", "choice", "auto", "the image for the run: an empty one where possible, slim or distroless ones",
               ("auto", "slim", "distroless")),
        Option("by", "choice", "proof", "what says which files the run needs: the text where it proves them, else a"
               " build and its smoke test; these alone; or these alone, for an empty image",
               ("proof", "evidence", "minimum")),
        Option("keep", "strings", (), "paths of the image that a split by evidence copies, whatever was shown"),
        Option("recipes", "strings", (), "stage recipes of your own: file and text, in turn ([recipes] path sets it)"),
    )  # fmt: skip

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        stage = program.final
        if stage is None:
            return
        base = program.end_scope(stage).base
        if base is not None and base.family == "windows":
            return
        node = stage.node
        message = "the image holds what only its build needs"
        try:
            plan = chosen_plan(program, stage, facts, self.settings)
        except Refusal as refusal:
            refusal.unblock = refusal.unblock or BY_HAND
            yield refused(self.name, message, node.start, node.end, refusal)
            return
        except RecipeError as failure:  # of the user's: those of dfopt are tested
            yield refused(self.name, message, node.start, node.end, Refusal(str(failure)))
            return
        if plan is None:
            return
        benefit = benefit_of(program, stage, plan, facts)
        saved = f"some {benefit.bytes // 1_000_000} MB less" if benefit is not None else "how much less is not known"
        message = f"build in a stage of its own, and run on {plan.image}: {saved}"
        message += f" ({plan.note})" if plan.note else ""
        fix = Fix(edits(program, stage, plan), (declared(program, stage, plan),), "unsafe")
        yield Finding(self.name, message, node.start, node.end, fix, benefit=benefit)
