from __future__ import annotations

from dfopt.analysis.remote_scripts import DOWNLOADERS, remote_script_nodes
from dfopt.analysis.run_steps import span_in_file, understood_runs
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.lazy import regex
from dfopt.passes.base import Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program

_WORD = regex(r"\b(?:" + "|".join(sorted(DOWNLOADERS)) + r")\b")
_URL = regex(r"(https?)://([^\s/'\"$|;)]+)")


class CurlPipeShell(Pass):
    """Reports scripts that are run straight from the network: `curl URL | sh`, `bash <(curl URL)`,
    `sh -c "$(curl URL)"`, `eval "$(wget -qO- URL)"`.

    A suggestion: what the script should be is not written in the file. Download it to a file, compare a checksum that
    stands in the Dockerfile, then run it; or install a package that its distribution has signed.

    Why: whoever controls the server, or over plain http the way to it, runs commands in the build. A download that
    breaks off runs half of a script, and without `pipefail` a failed download is no error.

    Example:

    ```dockerfile
    FROM debian:13
    RUN curl -fsSL https://example.com/install.sh | sh
    ```

    Refuses: nothing; it changes nothing.

    Declares: nothing.
    """

    name = "curl-pipe-shell"
    group = "security"
    tiers = ()
    phase = "repair"
    triggers = ("curl", "wget", "fetch", "aria2c", "axel", "http", "lynx")
    order = 90

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for step, body in understood_runs(program, _WORD.search):
            for node in remote_script_nodes(program, step):
                start, end = span_in_file(step, body, node.start, node.end)
                url = _URL.search(body.text, node.start, node.end)
                what = f"a script from {url[2]}" if url else "a downloaded script"
                how = " over plain http" if url and url[1] == "http" else ""
                message = f"{what}{how} runs unseen: download it, compare its checksum, then run it"
                yield Finding(self.name, message, start, end)
