"""Whether a project's own programs, run while the image is built, write below the project alone."""

from __future__ import annotations

import fnmatch
import re

from dfopt.ir.effects import covers
from dfopt.passes.multi_stage.unblock import APART, CONTEXT, PREFIX
from dfopt.passes.multi_stage.written_paths import is_scratch
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.facts import Facts
    from dfopt.passes.multi_stage.flow import Flow
    from dfopt.passes.multi_stage.tool_outputs import ToolOutputs
    from dfopt.stage_templates.stage_recipes import StageRecipe
    from dfopt.syntax.expand import Unknown

_SOURCE = re.compile(r"\.(?:py|js|mjs|cjs|ts|php|rb|pl|sh|json|toml|ya?ml|cfg|ini)\Z")
_PATH = re.compile(
    r"""["'`]((?:/(?:var|usr/local|usr/share|opt|srv|home|root|mnt|data|lib|media|app)(?=[/"'`]))(?:/[\w.@-]+)*)"""
)
_HOME = re.compile(
    r"expanduser|Path\.home\(|homedir\(\)|Dir\.home|environ(?:\.get)?[\[(]\s*[\"']HOME|from_pretrained|snapshot_download"
    r"|nltk\.download|spacy\.cli|torch\.hub|load_dataset"
)


def writes_nothing(recipe: StageRecipe, flow: Flow, out: ToolOutputs, facts: Facts) -> None:
    """Raises Refusal where a program that a tool has built, and that the build runs, may write a file: its sources are
    those of the build context, tests among them."""
    line, name = out.ran[0]
    unknown = f"what `{name}` in line {line} writes is not known"
    patterns = recipe.scan.get("writes", ())
    if not patterns or out.crates or any(covers(path, place) for path, _ in flow.fetched for place in out.work):
        raise Refusal(unknown, APART)
    for entry in flow.sources():
        if entry.kind not in ("context", "tree"):
            continue
        if entry.source.endswith("go.mod") and b"require" in (facts.context_file(entry.source) or b"require"):
            raise Refusal(f"{unknown}: it has parts of other modules", APART)
        if entry.kind == "context" and not any(
            fnmatch.fnmatchcase(entry.path, "*/" + end) for end in recipe.scan["files"]
        ):
            continue
        data = facts.context_file(entry.source) if entry.kind == "context" else None
        if data is None:
            raise Refusal(f"{unknown}: {entry.source} cannot be read", CONTEXT)
        text = data.decode("utf-8", "surrogateescape")
        for pattern in patterns:
            match = re.search(pattern, text)
            if match is not None:
                place = f"{entry.source}:{text.count(chr(10), 0, match.start()) + 1}"
                raise Refusal(f"`{name}` in line {line} may write files ({place})", APART)


def confined(flow: Flow, out: ToolOutputs, facts: Facts, env: Mapping[str, str | Unknown]) -> None:
    """Raises Refusal where the sources of a project name a place outside of what its steps make: what the programs that
    the build runs write there would be lost."""
    line, words = out.scripts[0]
    own = [entry.path for entry in flow.paths if entry.path != "/"] + [place for place in out.work if place != "/"]
    if any(place == "/" for place in out.work):
        raise Refusal(f"`{words}` in line {line} runs in the root directory", PREFIX)

    def inside(path: str) -> bool:
        return is_scratch(path) or any(covers(place, path) for place in own)

    for name, value in env.items():
        if not isinstance(value, str) or not re.fullmatch(r"/[\w./@-]+", value) or inside(value):
            continue
        if not value.startswith(("/usr/bin", "/bin", "/usr/lib", "/etc/ssl", "/usr/share/zoneinfo")):
            raise Refusal(f"`{words}` in line {line} may write to {value}, which ENV {name} names", APART)
    for entry in flow.paths:
        if entry.kind == "tree":
            raise Refusal(
                f"which files line {entry.step.node.line} copies is not known without the build context",
                CONTEXT,
            )
        if entry.kind != "context" or not _SOURCE.search(entry.source) or entry.source.endswith("lock.json"):
            continue
        data = facts.context_file(entry.source)
        if data is None:
            raise Refusal(f"{entry.source}, which line {entry.step.node.line} copies, cannot be read", CONTEXT)
        text = data.decode("utf-8", "surrogateescape")
        for match in _PATH.finditer(text):
            if not inside(match[1]):
                place = f"{entry.source}:{text.count(chr(10), 0, match.start()) + 1}"
                raise Refusal(f"`{words}` in line {line} may write to {match[1]} ({place})", APART)
        home = _HOME.search(text)
        if home is not None:
            place = f"{entry.source}:{text.count(chr(10), 0, home.start()) + 1}"
            raise Refusal(f"`{words}` in line {line} may write to the home directory ({place})", APART)
