"""The review itself: lines, savings, leftovers, rights, gates, on images whose every byte is known."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from image.builders import TarEntry, file, folder, opaque, whiteout

from dfopt.image import ImageError, read_rules
from dfopt.knowledge import table
from dfopt.passes.base import registered
from dfopt.review.build import SMALL, ReviewSettings
from dfopt.review.survey import Kinds, capabilities
from dfopt.units import human, parse_share, parse_size
from review.making import image, review, step

BASE = [folder("etc"), file("etc/passwd", "root"), file("usr/bin/su", "s" * 10, mode=0o4755)]

DOCKERFILE = """FROM debian:13
RUN apt-get update && apt-get install -y --no-install-recommends curl
COPY app /app
RUN mkdir /work && touch /work/big
RUN rm -r /work
CMD ["/app"]
"""
HISTORY = [
    step("base"), step("RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends curl # buildkit"),
    step("COPY app /app # buildkit"), step("RUN /bin/sh -c mkdir /work && touch /work/big # buildkit"),
    step("RUN /bin/sh -c rm -r /work # buildkit"), step('CMD ["/app"]', empty=True),
]  # fmt: skip
LAYERS: list[list[TarEntry]] = [
    BASE,
    [file("usr/bin/curl", "c" * 200_000), file("var/lib/apt/lists/x_Packages", "p" * 300_000)],
    [file("app", "a" * 1000)],
    [folder("work"), file("work/big", "b" * 500_000)],
    [whiteout("work")],
]


def test_bytes_by_line_and_what_passes_would_save(tmp_path: Path) -> None:
    found = review(image(tmp_path / "i.tar", LAYERS, HISTORY), DOCKERFILE)
    source = found.source
    assert source is not None
    assert [(each.line, each.added, each.live, each.died, each.killed) for each in source.lines] == [
        (2, 500_000, 500_000, 0, 0), (3, 1000, 1000, 0, 0), (4, 500_000, 0, 500_000, 0), (5, 0, 0, 0, 500_000),
    ]  # fmt: skip
    assert [(each.name, each.line, each.size) for each in source.savings if each.size] == [
        ("apt-cleanup", 2, 300_000), ("merge-run", 4, 500_000),
    ]  # fmt: skip
    assert "+RUN mkdir /work && touch /work/big \\" in source.diff
    assert source.unmapped == 1
    assert [layer.line for layer in found.layers] == [0, 2, 3, 4, 5]
    assert [layer.base for layer in found.layers] == [True, False, False, False, False]


def test_every_byte_is_saved_once(tmp_path: Path) -> None:
    """An index that a later line deletes is saved by the cleanup or by the merge, never by both."""
    dockerfile = "FROM debian:13\nRUN apt-get update\nRUN apt-get install -y curl\nRUN rm -rf /var/lib/apt/lists/*\n"
    history = [
        step("base"), step("RUN /bin/sh -c apt-get update # buildkit"),
        step("RUN /bin/sh -c apt-get install -y curl # buildkit"),
        step("RUN /bin/sh -c rm -rf /var/lib/apt/lists/* # buildkit"),
    ]  # fmt: skip
    layers = [
        BASE, [file("var/lib/apt/lists/x", "p" * 300_000)], [file("usr/bin/curl", "c")],
        [whiteout("var/lib/apt/lists/x")],
    ]  # fmt: skip
    found = review(image(tmp_path / "i.tar", layers, history), dockerfile)
    assert found.source is not None
    assert sum(each.size for each in found.source.savings) == 300_000 == found.ledger.dead_bytes


def test_findings_name_lines_and_passes_that_act_there(tmp_path: Path) -> None:
    found = review(image(tmp_path / "i.tar", LAYERS, HISTORY), DOCKERFILE)
    shown = [(each.rule, each.level, each.line, each.size, each.passes) for each in found.findings]
    assert shown == [
        ("dead-bytes", "warning", 4, 500_000, ("merge-run",)),
        ("leftover", "warning", 2, 300_000, ("apt-cleanup",)),
        ("setuid", "note", 0, 0, ()),
    ]
    assert found.findings[0].message == "line 5 deletes 1 file (500 kB) that line 4 stores: /work/big"


def test_without_a_dockerfile_layers_are_named(tmp_path: Path) -> None:
    found = review(image(tmp_path / "i.tar", LAYERS, HISTORY))
    assert found.source is None
    assert found.findings[0].message == "layer 4 deletes 1 file (500 kB) that layer 3 stores: /work/big"
    assert found.findings[1].passes[0] == "apt-cleanup"


def test_waste_below_the_limit_is_no_finding(tmp_path: Path) -> None:
    layers = [BASE, [file("x", "x" * (SMALL - 1))], [whiteout("x")]]
    found = review(image(tmp_path / "i.tar", layers))
    assert [each for each in found.findings if each.rule == "dead-bytes"] == []
    assert found.ledger.dead_bytes == SMALL - 1


@pytest.mark.parametrize(
    ("last", "how"),
    [
        ([whiteout("d")], "deletes"), ([folder("d"), opaque("d")], "hides behind an opaque directory"),
        ([file("d/x", "y")], "overwrites"),
        ([file("d/x", "x" * SMALL, mode=0o600)], "stores again with other metadata only"),
    ],
)  # fmt: skip
def test_ways_to_die(last: list[TarEntry], how: str, tmp_path: Path) -> None:
    found = review(image(tmp_path / "i.tar", [BASE, [folder("d"), file("d/x", "x" * SMALL)], last]))
    assert found.findings[0].message.startswith(f"layer 2 {how} 1 file (100 kB) that layer 1 stores: /d/x")


def test_a_file_that_is_no_dockerfile(tmp_path: Path) -> None:
    found = review(image(tmp_path / "i.tar", LAYERS), "FROM a\nNONSENSE b\n")
    assert found.source is not None
    assert found.source.problem.startswith("2:1: ")


def test_a_dockerfile_of_another_image(tmp_path: Path) -> None:
    found = review(image(tmp_path / "i.tar", LAYERS), "FROM scratch\nEXPOSE 80\n")
    assert any("is it the file it was built from?" in note for note in found.notes)


# -- rights ------------------------------------------------------------------------------------------------------------


def test_rights_with_the_layer_that_brought_them(tmp_path: Path) -> None:
    ping = file("bin/ping", "p", mode=0o755)
    # what `setcap cap_net_raw=ep` writes: revision 2, effective
    value = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
    ping[0].pax_headers = {"SCHILY.xattr.security.capability": value.decode("latin-1")}
    own = [
        file("bin/own", "o", mode=0o4755), file("bin/wall", "w", mode=0o2755), file("bin/lock", "l", mode=0o2644),
        file("etc/open", "x", mode=0o666), folder("drop", mode=0o777), folder("tmp", mode=0o1777), ping,
    ]  # fmt: skip
    found = review(image(tmp_path / "i.tar", [BASE, own]))
    assert [(each.what, each.path, each.detail, each.layer) for each in found.privileged] == [
        ("setuid", "/bin/own", "4755", 1), ("capability", "/bin/ping", "cap_net_raw=ep", 1),
        ("setgid", "/bin/wall", "2755", 1), ("world-writable", "/drop", "0777", 1),
        ("world-writable", "/etc/open", "0666", 1), ("setuid", "/usr/bin/su", "4755", 0),
    ]  # fmt: skip
    levels = {(each.rule, each.path): each.level for each in found.findings}
    assert levels["setuid", "/usr/bin/su"] == "note"  # the base image's
    assert levels["setuid", "/bin/own"] == "warning"
    assert ("world-writable", "/tmp") not in levels
    assert ("setuid", "/bin/lock") not in levels


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (struct.pack("<IIIII", 0x02000001, 1 << 10 | 1 << 13, 0, 0, 0), "cap_net_bind_service,cap_net_raw=ep"),
        (struct.pack("<IIIII", 0x02000000, 1 << 7, 1 << 7 | 1 << 8, 0, 0), "cap_setuid=ip cap_setpcap=i"),
        (struct.pack("<IIIII", 0x02000000, 0, 0, 1 << 6, 0), "cap_perfmon=p"),
        (struct.pack("<IIIII", 0x02000000, 0, 0, 1 << 30, 0), "cap_62=p"),
        (struct.pack("<III", 0x01000001, 1, 0), "cap_chown=ep"),
        (struct.pack("<IIIIII", 0x03000001, 1, 0, 0, 0, 1000), "cap_chown=ep [root user 1000]"),
        (struct.pack("<IIIII", 0x02000000, 0, 0, 0, 0), "none"),
        (struct.pack("<IIIII", 0x09000000, 1, 0, 0, 0), "unreadable"),
        (b"short", "unreadable"),
        (struct.pack("<III", 0x02000001, 1, 0), "unreadable"),
    ],
)
def test_capabilities(raw: bytes, text: str) -> None:
    assert capabilities(raw) == text


# -- leftovers ---------------------------------------------------------------------------------------------------------

PLACES = {
    "apt-index": "/var/lib/apt/lists/archive.example.org_Packages.lz4", "apt-cache": "/var/cache/apt/archives/curl.deb",
    "apk-index": "/var/cache/apk/APKINDEX.tar.gz", "rpm-cache": "/var/cache/dnf/fedora/x.solv",
    "pacman-cache": "/var/lib/pacman/sync/core.db", "pip-cache": "/root/.cache/pip/http/a/b",
    "uv-cache": "/home/app/.cache/uv/x", "npm-cache": "/root/.npm/_cacache/index-v5/1",
    "yarn-cache": "/usr/local/share/.cache/yarn/v6/x", "pnpm-cache": "/root/.local/share/pnpm/store/v3/x",
    "go-cache": "/go/pkg/mod/cache/x", "cargo-cache": "/usr/local/cargo/registry/cache/x.crate",
    "gem-cache": "/usr/local/bundle/cache/rails-7.gem", "composer-cache": "/root/.composer/cache/files/x.zip",
    "conda-cache": "/opt/conda/pkgs/numpy-1.conda", "jvm-cache": "/root/.m2/repository/org/x.jar",
    "cache": "/root/.cache/ccache/x", "version-control": "/src/.git/objects/pack/x.pack", "temporary": "/tmp/x",
    "logs": "/var/log/dpkg.log", "core-dump": "/app/core.123", "documentation": "/usr/share/man/man1/ls.1.gz",
    "locales": "/usr/share/locale/de/LC_MESSAGES/x.mo", "static-libraries": "/usr/lib/x86_64-linux-gnu/libz.a",
    "headers": "/usr/include/stdio.h", "tests": "/usr/lib/python3.13/test/test_os.py",
}  # fmt: skip


def test_every_kind_of_leftover() -> None:
    kinds = Kinds()
    assert {kind: kinds.of(path) for kind, path in PLACES.items()} == {kind: kind for kind in PLACES}
    assert set(PLACES) == set(kinds.kinds)


@pytest.mark.parametrize(
    "path",
    ["/usr/bin/git", "/usr/share/doc/curl/copyright", "/app/git/x", "/usr/lib/libz.so", "/opt/app/main.a/x", "/cache/x",
     "/usr/include/python3.13/pyconfig.h", "/var/lib/apt/lists/partial/x", "/home/tmp/x", "/app/tests/x.py"],
)  # fmt: skip
def test_what_is_no_leftover(path: str) -> None:
    assert Kinds().of(path) == ""


def test_the_tables_are_sound() -> None:
    kinds = table("leftovers")["kind"]
    for name, kind in kinds.items():
        assert set(kind) == {"title", "level", "paths", "passes", "advice"}, name
        assert kind["level"] in ("warning", "note")
        assert all(re.compile(path).groups == 0 for path in kind["paths"]), name
    for rule in table("review_rules").values():
        assert set(rule) == {"level", "title", "help"}
    named = {name for kind in kinds.values() for name in kind["passes"]}
    named |= {name for names in table("leftovers")["dead"].values() for name in names}
    assert named <= set(registered())


# -- gates -------------------------------------------------------------------------------------------------------------


def rules_broken(path: Path, settings: ReviewSettings) -> list[str]:
    return [each.message for each in review(path, settings=settings).findings if each.level == "error"]


def test_limits(tmp_path: Path) -> None:
    path = image(tmp_path / "i.tar", LAYERS)
    total = 1_001_014
    assert rules_broken(path, ReviewSettings(max_size=total, max_wasted=500_000, min_efficiency=0.5)) == []
    assert rules_broken(path, ReviewSettings(max_size=total - 1)) == ["1.00 MB in all layers, more than 1.00 MB"]
    assert rules_broken(path, ReviewSettings(max_wasted=499_999)) == ["500 kB are dead, more than 500 kB"]
    assert rules_broken(path, ReviewSettings(min_efficiency=0.51)) == [
        "50.05% of the bytes are alive, less than 51.00%"
    ]


def test_dives_own_gate(tmp_path: Path) -> None:
    layers = [BASE, [file("x", "x" * 1000)], [file("x", "x" * 1000, mode=0o600)]]
    path = image(tmp_path / "i.tar", layers)
    broken = rules_broken(
        path, ReviewSettings(read_rules("rules:\n  lowestEfficiency: 0.9\n  highestWastedBytes: 2kB\n"))
    )
    assert [message.partition(":")[0] for message in broken] == ["lowestEfficiency", "highestUserWastedPercent"]
    off = read_rules("rules:\n  lowestEfficiency: off\n  highestUserWastedPercent: off\n")
    assert rules_broken(path, ReviewSettings(off)) == []
    with pytest.raises(ImageError, match="is not a number"):
        rules_broken(path, ReviewSettings(read_rules("rules:\n  lowestEfficiency: high\n")))


@pytest.mark.parametrize(
    ("text", "size"), [("20MB", 20_000_000), ("1.5 GiB", 3 << 29), ("300k", 300_000), ("7", 7), ("2 kib", 2048)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "1e3", "20 XB", "1,5MB"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


def test_shares_and_words() -> None:
    assert (parse_share("0.95"), parse_share("95%"), parse_share("1")) == (0.95, 0.95, 1.0)
    for text in ("95", "-1%", "x", "nan"):
        with pytest.raises(ValueError, match="is not a share"):
            parse_share(text)
    assert [human(n) for n in (0, 1, 999, 1000, 12_345, 999_499, 999_500, 441_000_000)] == [
        "0 bytes", "1 byte", "999 bytes", "1.00 kB", "12.3 kB", "999 kB", "1.00 MB", "441 MB",
    ]  # fmt: skip
