"""What a .dockerignore is to leave out, and the proof that no build loses what it needs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_client import Oracle

from dfopt.ir.program import Program
from dfopt.syntax.dockerfile import parse
from dfopt.workspace.dockerignore_plan import DockerignorePlan, PlanError, Sharing, extended, plan


def made(
    present: list[str],
    *dockerfiles: str,
    content: bytes = b"",
    texts: dict[str, bytes] | None = None,
    unsafe: bool = False,
) -> DockerignorePlan:
    files = [Sharing(f"D{number}", Program(parse("FROM a\n" + text))) for number, text in enumerate(dockerfiles)]
    read = (texts or {}).get
    return plan(present, content, files, lambda path: read(path), ("safe", "unsafe") if unsafe else ("safe",))


def patterns(found: DockerignorePlan) -> list[str]:
    return [pattern for _, pattern in found.patterns]


NODE = ["package.json", "package-lock.json", "node_modules/a/b.js", "src/a.js"]
ROWS = [
    # id, files, Dockerfile, unsafe, patterns
    ("history", [".git/HEAD", "a"], "COPY . .\n", False, [".git"]),
    ("history that a RUN reads", [".git/HEAD", "a"], "COPY . .\nRUN git describe > v\n", False, []),
    ("a clone is none of it", [".git/HEAD", "a"], "COPY . .\nRUN git clone https://x.org/y\n", False, [".git"]),
    ("history that go stamps", [".git/HEAD", "a"], "COPY . .\nRUN go build ./...\n", False, []),
    ("history that go stamps, unsafe", [".git/HEAD", "a"], "COPY . .\nRUN go build ./...\n", True, [".git"]),
    ("history that is named", [".git/HEAD", "a"], "COPY . .\nCOPY .git .git\n", True, []),
    ("a part of it is named", [".git/HEAD", "a"], "COPY . .\nCOPY .git/HEAD /v\n", True, []),
    ("a pattern names it", [".git/HEAD", "a"], "COPY .g* /x/\n", True, []),
    ("a bind mount names it", [".git/HEAD"], "RUN --mount=type=bind,source=.git,target=/g x\n", True, []),
    ("a bind mount of all", [".git/HEAD"], "RUN --mount=type=bind,target=/g x\n", False, [".git"]),
    ("ONBUILD counts too", [".git/HEAD"], "ONBUILD COPY .git .git\n", True, []),
    ("nothing copies it", [".env", "venv/pyvenv.cfg", "src/a"], "COPY src /a\n", False, ["venv", ".env"]),
    ("a secret that is copied", [".env", "src/a"], "COPY . /a\n", False, []),
    ("a secret that is copied, unsafe", [".env", "src/a"], "COPY . /a\n", True, [".env"]),
    ("a secret that the start reads", [".env", "src/a"], "COPY . /a\nCMD . ./.env && run\n", True, []),
    ("a template of a secret", [".env.example", "a"], "COPY . /a\n", True, []),
    ("public keys among private ones", ["k/a.pem", "k/ca.pem"], "COPY b /b\n", False, ["k/a.pem"]),
    ("caches anywhere", ["x/__pycache__/a.pyc", "__pycache__/b.pyc"], "COPY . .\n", False, ["**/__pycache__"]),
    ("of a subdirectory", ["web/.git", "web/a"], "COPY web /w\n", False, ["**/.git"]),
    ("node_modules made anew", NODE, "COPY . .\nRUN npm ci\n", False, ["node_modules"]),
    ("node_modules on top", NODE, "COPY . .\nRUN npm install\n", False, []),
    ("node_modules on top, unsafe", NODE, "COPY . .\nRUN npm install\n", True, ["node_modules"]),
    ("node_modules that the image gets", NODE, "COPY . .\nCMD node a\n", True, []),
    ("node_modules made before", NODE, "RUN npm ci\nCOPY . .\n", True, []),
    ("node_modules made in one stage of two", NODE, "COPY . .\nRUN npm ci\nFROM b\nCOPY . .\n", True, []),
    ("vendor without composer", ["vendor/x.go", "composer.json"], "COPY . .\nRUN composer install\n", True, []),
    ("target of cargo", ["target/x", "Cargo.toml"], "COPY . .\nRUN cargo build\n", True, ["target"]),
    ("target of nobody", ["target/x"], "COPY a .\n", True, []),
    ("a file called target", ["target", "pom.xml"], "COPY a .\n", True, []),
    ("the build's own files", ["Dockerfile", "x/Dockerfile.dev"], "COPY . .\n", False,
     ["**/Dockerfile.*", "Dockerfile"]),
    ("characters of patterns", ["*~", "a[1]~"], "COPY . .\nCOPY a~ .\n", False, ["*~"]),
]  # fmt: skip


@pytest.mark.parametrize(("present", "text", "unsafe", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_patterns(present: list[str], text: str, unsafe: bool, expected: list[str]) -> None:
    assert patterns(made(present, text, unsafe=unsafe)) == expected


def test_another_dockerfile_of_the_context_needs_it() -> None:
    present = [".git/HEAD", "node_modules/a.js", "package.json"]
    assert patterns(made(present, "COPY src /\n", unsafe=True)) == [".git", "node_modules"]
    assert patterns(made(present, "COPY src /\n", "COPY .git /\nCOPY node_modules/a.js /\n", unsafe=True)) == []


def test_a_source_that_is_not_known_ends_it() -> None:
    with pytest.raises(PlanError, match="D0:3: what \\$V names is not known"):
        made([".git/HEAD"], "ARG V\nCOPY $V /\n")
    with pytest.raises(PlanError, match="pattern"):
        made([".git/HEAD"], "COPY . /\n", content=b"[\n")


def test_manifests_that_read_history() -> None:
    text = {"pyproject.toml": b'requires = ["setuptools-scm>=8"]'}
    found = made([".git/HEAD", "pyproject.toml"], "COPY . .\n", texts=text, unsafe=True)
    assert patterns(found) == []
    assert found.items[0].why == "pyproject.toml may read the history"


def test_what_is_left_out_already_is_not_said_again() -> None:
    assert patterns(made([".git/HEAD", "a"], "COPY . .\n", content=b".git\n")) == []
    assert patterns(made([".git/HEAD", "a", ".env"], "COPY . .\n", content=b"*\n!a\n", unsafe=True)) == []


def test_an_exception_of_the_user_stays() -> None:
    found = made(["x/.env", "x/a"], "COPY . .\n", content=b"x\n!x/.env\n", unsafe=True)
    assert patterns(found) == []
    assert found.items[0].why == "the exception !x/.env keeps it"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", b"# version control\n.git\n\n# caches\n**/a\n"),
        (b"tmp\n", b"tmp\n\n# version control\n.git\n\n# caches\n**/a\n"),
        (b"tmp", b"tmp\n\n# version control\n.git\n\n# caches\n**/a\n"),
        (b"a\r\nb\r\n\r\n", b"a\r\nb\r\n\r\n# version control\r\n.git\r\n\r\n# caches\r\n**/a\r\n"),
    ],
)
def test_the_file_as_it_was_stays(content: bytes, expected: bytes) -> None:
    assert extended(content, (("version control", ".git"), ("caches", "**/a"))) == expected
    assert extended(content, ()) == content


# --- against BuildKit -------------------------------------------------------------------------------------------------

_PATHS = st.lists(
    st.sampled_from([
        ".git/HEAD", ".git/objects/a", "sub/.git/HEAD", "a.py", "src/b.py", "src/__pycache__/b.pyc", "c.pyc", ".env",
        "src/.env", ".env.example", "key.pem", "ca.pem", "node_modules/x/i.js", "web/node_modules/y/i.js",
        "package.json", "venv/pyvenv.cfg", "venv/bin/python", "Dockerfile", "src/Dockerfile.dev", "#x~", "!y~",
        "[z]~", "target/o",
        "Cargo.toml", "coverage/i.html", ".idea/x",
    ]), min_size=1, max_size=16, unique=True,
)  # fmt: skip
_STEPS = st.lists(
    st.sampled_from([
        "COPY . .", "COPY src /s", "COPY src/.env /e", "COPY .git/HEAD /v", "COPY *.pem /k/",
        "COPY web/node_modules /n",        "RUN npm ci", "RUN npm install", "RUN cargo build",
        "RUN --mount=type=bind,target=/m x", "CMD cat .env",
        "ADD key.pem /k", "RUN git log", "COPY src/* /t/", "FROM b", "COPY --from=0 .env /",
    ]), max_size=5,
)  # fmt: skip
_IGNORED = st.lists(
    st.sampled_from(["*.pyc", "!c.pyc", "src", "!src/.env", ".git", "**/x", "#", "*", "!a.py"]), max_size=3
)


@settings(max_examples=400)
@given(present=_PATHS, steps=_STEPS, ignored=_IGNORED, unsafe=st.booleans())
def test_no_build_loses_what_it_names(
    oracle: Oracle, present: list[str], steps: list[str], ignored: list[str], unsafe: bool
) -> None:
    content = "".join(line + "\n" for line in ignored).encode()
    found = made(present, "\n".join(steps) + "\n", content=content, unsafe=unsafe)
    text = extended(content, found.patterns)
    before = set(oracle.ignore(content, present)["left"])
    after = set(oracle.ignore(text, present)["left"])
    assert after <= before
    verdicts = {item.path: item.verdict for item in found.items}
    tiers = {"safe", "unsafe"} if unsafe else {"safe"}
    gone = {path for path, verdict in verdicts.items() if verdict in tiers}
    lost = {path for path in before if any(path == one or path.startswith(one + "/") for one in gone)}
    assert before - after == lost
    for name in ("src/.env", ".git/HEAD", "web/node_modules/y/i.js", "key.pem"):
        named = {"COPY src/.env /e", "COPY .git/HEAD /v", "COPY web/node_modules /n", "ADD key.pem /k"}
        needed = any(name.startswith(step.split()[1]) for step in named & set(steps))
        assert not needed or name not in lost
    again = made(present, "\n".join(steps) + "\n", content=text, unsafe=unsafe)
    assert again.patterns == ()
