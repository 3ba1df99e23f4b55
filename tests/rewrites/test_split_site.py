"""The gate against damaged splits of sites, and of Node's modules: what was not declared, or would lose something."""

from __future__ import annotations

import pytest
from given import Given

from dfopt.edit import Edit, apply_edits
from dfopt.facts import Facts
from dfopt.findings import Fix
from dfopt.gate import admit
from dfopt.ir.program import Program
from dfopt.passes.multi_stage.multi_stage import MultiStage
from dfopt.record import replace
from dfopt.rewrites.split_site import SplitSite
from dfopt.rewrites.split_stage import SplitStage
from dfopt.syntax.dockerfile import parse

FILE = """\
FROM python:3.13
WORKDIR /docs
COPY . .
RUN python build.py
LABEL team=web
USER nobody
# all that was made
CMD ["python", "-m", "http.server", "-d", "out"]
"""


def fix_of(text: str, facts: Facts) -> Fix:
    (finding,) = MultiStage().find(Program(parse(text)), facts)
    assert finding.fix is not None, finding.reason
    return finding.fix


FIX = fix_of(FILE, Facts())
RESULT = apply_edits(FILE, FIX.edits)
(SPLIT,) = FIX.rewrites
assert isinstance(SPLIT, SplitSite)


def verdict(text: str, split: SplitSite) -> str:
    return admit(Program(parse(FILE)), [Fix((Edit(0, len(FILE), text),), (split,), "unsafe")]).reason


def test_the_split_itself_passes() -> None:
    assert verdict(RESULT, SPLIT) == ""
    assert (SPLIT.root, len(SPLIT.lost())) == ("/docs/out", 2)
    assert "# all that was made\nCOPY <<" in RESULT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("listen 8000", "listen 8001"),
        ("/docs/out /docs/out", "/docs /docs"),
        ("--chown=101:101 ", ""),
        ("LABEL team=web\n", ""),
        ("# all that was made\n", ""),
        ("RUN python build.py\n", ""),
        ("LABEL team=web\n", "LABEL team=web\nUSER root\n"),
        ("LABEL team=web\n", 'LABEL team=web\nCMD ["nginx"]\n'),
    ],
)
def test_text_that_was_not_declared(old: str, new: str) -> None:
    assert RESULT.count(old) == 1
    assert verdict(RESULT.replace(old, new), SPLIT)


def test_declarations_that_lose_something() -> None:
    """The text is made to fit, so that nothing but the declaration can be wrong."""
    label = next(part for part in SPLIT.runtime if part.step == 4)
    lost = replace(SPLIT, runtime=tuple([part for part in SPLIT.runtime if part is not label]))
    assert "the LABEL of instruction 4 would be lost" in verdict(RESULT.replace("LABEL team=web\n", ""), lost)
    assert "does not serve /docs/other" in verdict(RESULT, replace(SPLIT, root="/docs/other"))
    config = next(part for part in SPLIT.runtime if part.keyword == "COPY" and not part.flags)
    text = RESULT[RESULT.index("COPY <<") : RESULT.index("COPY --from")]
    bare = replace(SPLIT, runtime=tuple([part for part in SPLIT.runtime if part is not config]))
    assert "what is served once" in verdict(RESULT.replace(text, ""), bare)


MANIFEST = b'{"scripts": {"build": "tsc"}, "dependencies": {}, "devDependencies": {"typescript": "5.9.3"}}'
LOCK = b'{"lockfileVersion": 3, "packages": {"": {}, "node_modules/typescript": {"version": "5.9.3", "dev": true}}}'
NODE = 'FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build\nCMD ["node", "index.js"]\n'


def test_the_last_step_of_the_builder_is_declared() -> None:
    fix = fix_of(NODE, Given({"package.json": MANIFEST, "package-lock.json": LOCK, "index.js": b""}))
    result = apply_edits(NODE, fix.edits)
    (split,) = fix.rewrites
    assert isinstance(split, SplitStage)

    def said(text: str, declared: SplitStage) -> str:
        return admit(Program(parse(NODE)), [Fix((Edit(0, len(NODE), text),), (declared,), "unsafe")]).reason

    assert said(result, split) == ""
    assert said(result.replace("RUN npm prune --omit=dev\n", ""), split)
    assert said(result.replace("--omit=dev", "--omit=dev && rm -r src"), split)
    more = "npm prune --omit=dev && rm -r src"
    assert "more than what takes modules, Node or pip away" in said(
        result.replace("npm prune --omit=dev", more), replace(split, last=more)
    )
