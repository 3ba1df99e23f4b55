"""add-user and strip-suid, built for real: who the image runs as, what that user owns, which setuid programs are left,
and whether the program still answers as that user."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dfopt.knowledge import table
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.record import Record
from dfopt.source import Source
from dfopt.testing.case_files import CaseDirectory
from dfopt.testing.facts import CaseFacts

from .engine import Engine, EngineError
from .image import ImageFacts, images_of

DISTROLESS = "dfopt-realbuild/distroless:test"
_SETUID = 0o6000

# A program that answers, and writes where a program of a container may write.
SERVE = "#!/bin/sh\nset -e\necho started > log\necho kept > /data/file\ncat log /data/file\n"
# Puts setuid programs into the image, as packages do: alpine and busybox have no packages to install here.
SETUP = "#!/bin/sh\nset -e\nfor name in tool sudo; do cp /bin/busybox /bin/$name; chmod 6755 /bin/$name; done\n"


class Case(Record):
    """`user`: what the image's configuration says after; `account`: the line in /etc/passwd by its first words;
    `owned`: directories of that user; `before`, `kept`: the setuid programs before (at least) and after (exactly);
    `smoke`: what a container is asked, and `answer` what it says; `layers`: how many layers come in."""

    dockerfile: str
    user: str
    account: str
    owned: tuple[str, ...]
    before: frozenset[str]
    kept: frozenset[str]
    smoke: str
    answer: bytes
    layers: int


DEBIAN = """\
FROM debian:13-slim
RUN apt-get update \\
    && apt-get install -y --no-install-recommends sudo
WORKDIR /srv/app
VOLUME /data
COPY serve ./
CMD ["./serve"]
"""
ALPINE = """\
FROM alpine:3.22
WORKDIR /srv/app
COPY setup.sh serve ./
RUN ./setup.sh
EXPOSE 8080
VOLUME ["/data"]
CMD exec ./serve
"""
BUSYBOX = """\
FROM busybox
COPY setup.sh /tmp/
RUN sh /tmp/setup.sh
WORKDIR /srv/app
COPY serve ./
VOLUME /data
ENTRYPOINT ["/srv/app/serve"]
"""
SCRATCH = """\
# syntax=docker/dockerfile:1
FROM busybox AS tools
COPY setup.sh /
RUN /setup.sh
FROM scratch
COPY --from=tools /bin /bin
ENTRYPOINT ["/bin/busybox", "cat", "/etc/passwd"]
"""
NO_SHELL = """\
FROM gcr.io/distroless/static-debian13
COPY app /app
ENTRYPOINT ["/app"]
"""
APP = "app:x:10001:10001:"
TOOLS = frozenset(("/bin/tool", "/bin/sudo"))
SUDO = frozenset(("/bin/sudo",))
NONE: frozenset[str] = frozenset()
BOTH = ("/srv/app", "/data")
DEBIANS = frozenset(("/usr/bin/passwd", "/usr/bin/su", "/usr/bin/mount", "/usr/bin/sudo", "/usr/sbin/unix_chkpwd"))
RUN_SERVE = "cd /srv/app && ./serve && id -u"
ANSWER = b"started\nkept\n10001\n"
CASES = {
    "debian": Case(DEBIAN, "10001", APP, BOTH, DEBIANS, frozenset(("/usr/bin/sudo",)), RUN_SERVE, ANSWER, 1),
    "alpine": Case(ALPINE, "10001", APP, BOTH, TOOLS, SUDO, RUN_SERVE, ANSWER, 1),
    "busybox": Case(BUSYBOX, "10001", APP, BOTH, TOOLS, SUDO, RUN_SERVE, ANSWER, 1),
    "scratch": Case(
        SCRATCH, "10001", APP, (), TOOLS, SUDO, "/bin/busybox cat /etc/passwd; id -u",
        b"app:x:10001:10001::/:/sbin/nologin\n10001\n", 1,
    ),
    "distroless": Case(
        NO_SHELL, "65532", "nonroot:x:65532:65532:", (), NONE, NONE, "/app; id -un", b"65532\nnonroot\n", 0,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def distroless(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A stand-in for distroless: its user nonroot, and a shell that only the test itself asks for."""
    context = tmp_path_factory.mktemp("distroless")
    (context / "passwd").write_text(
        "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:n:/home/nonroot:/sbin/nologin\n"
    )
    image = engine.build(context, b"FROM scratch\nCOPY --from=busybox /bin /bin\nCOPY passwd /etc/passwd\n")
    engine._docker(["tag", image, DISTROLESS], timeout=60)
    yield DISTROLESS
    engine._docker(["image", "rm", DISTROLESS], timeout=60)
    engine.remove(image)


@pytest.mark.parametrize("name", CASES)
def test_hardened(engine: Engine, distroless: str, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    for file, text in (("serve", SERVE), ("setup.sh", SETUP), ("app", "#!/bin/sh\nid -u\n")):
        (tmp_path / file).write_text(text)
        (tmp_path / file).chmod(0o755)
    options = Options(("add-user", "strip-suid"), (), ("safe", "unsafe"))
    result = optimize(Source("Dockerfile", case.dockerfile), options, CaseFacts(CaseDirectory(tmp_path)))
    assert [one for one in result.reported if one.reason] == []
    wanted = {"add-user"} if name == "distroless" else {"add-user", "strip-suid"}
    assert {one.name for one in result.applied} == wanted

    def build(text: str) -> str:
        stand_ins = {"gcr.io/distroless/static-debian13": distroless} if name == "distroless" else None
        return engine.build(tmp_path, text.encode(), stand_ins=stand_ins)

    with ThreadPoolExecutor(2) as pool:
        before, after = pool.map(build, (case.dockerfile, result.output))
    try:
        archive = engine.save(before, after)
        try:
            images = {image.id: image for image in images_of(archive)}
        finally:
            archive.unlink()
        old, new = images[before], images[after]
        assert old.config["config"].get("User", "") == ""
        assert new.config["config"]["User"] == case.user
        assert case.before <= setuid(old)
        assert setuid(new) == case.kept
        assert len(new.layers) - len(old.layers) == case.layers
        for path in case.owned:
            assert (new.files[path].uid, new.files[path].gid) == (10001, 10001), path
        assert engine.run(before, "id -u").stdout == b"0\n"
        ran = engine.run(after, f"{case.smoke}; grep -c ^{case.account} /etc/passwd")
        assert (ran.code, ran.stdout) == (0, case.answer + b"1\n"), ran
        # nothing but modes, the account and the given directories changed
        assert (
            contents(new).items()
            >= {
                path: content for path, content in contents(old).items() if not path.startswith(("/etc/", "/var/"))
            }.items()
        )
    finally:
        engine.remove(before, after)


def setuid(image: ImageFacts) -> frozenset[str]:
    """The programs with a setuid or setgid bit; a name of busybox or a merged /usr counts where it is a file."""
    return frozenset(path for path, facts in image.files.items() if facts.kind == "file" and facts.mode & _SETUID)


def contents(image: ImageFacts) -> dict[str, str]:
    return {path: facts.sha256 for path, facts in image.files.items() if facts.kind == "file"}


def test_what_the_layer_costs(engine: Engine, tmp_path: Path) -> None:
    """The number and bytes of Debian's setuid programs that the pass tells are those of the base."""
    counted = engine.build(tmp_path, b"FROM debian:13-slim\n")
    try:
        ran = engine.run(counted, "find / -xdev -perm /6000 -type f -exec stat -c %s {} +")
    finally:
        engine.remove(counted)
    sizes = [int(line) for line in ran.stdout.split()]
    known = table("suid")["base"]["debian"]
    assert len(sizes) == known["files"]
    assert abs(sum(sizes) - known["bytes"]) < 0.1 * known["bytes"]


def test_a_key_file_is_mounted_and_in_no_layer(engine: Engine, tmp_path: Path) -> None:
    """Before, a layer holds the file although it was deleted; after, the step can read it and nothing keeps it."""
    text = (
        "# syntax=docker/dockerfile:1\nFROM busybox\nWORKDIR /app\nCOPY .npmrc ./\n"
        "RUN wc -c <.npmrc >size && rm -f .npmrc\n"
    )
    result = optimize(Source("Dockerfile", text), Options(("secrets",), (), ("safe", "unsafe")))
    assert [one.name for one in result.applied] == ["secrets"]
    secret = tmp_path / ".npmrc"
    secret.write_text("//registry.example.com/:_authToken=not-a-real-token\n")
    before = engine.build(tmp_path, text.encode())
    with pytest.raises(EngineError, match="npmrc"):  # whoever forgets the secret is told
        engine.build(tmp_path, result.output.encode())
    after = engine.build(tmp_path, result.output.encode(), secrets={"npmrc": secret})
    try:
        for image, held in ((before, True), (after, False)):
            assert engine.run(image, "cat /app/size; ls -A /app").stdout == b"52\nsize\n"
            archive = engine.save(image)
            try:
                assert (b"not-a-real-token" in archive.read_bytes()) is held
            finally:
                archive.unlink()
    finally:
        engine.remove(before, after)
