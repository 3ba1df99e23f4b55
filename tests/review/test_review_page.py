"""The page: nothing from elsewhere, nothing that an image can slip in, and shown by a real browser."""

from __future__ import annotations

import re
import struct
import subprocess
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from image.builders import file, require, whiteout

from dfopt.image import compare, open_image
from dfopt.review.model import Reviewed
from dfopt.review.reports.page import render
from dfopt.review.reports.treemap import folders, layout, squarified
from review.making import image, review, step

ATTACKS = [
    "<script>document.title='owned'</script>", '"><img src=x onerror=alert(1)>', "</style><b>", "{{ 7 * 7 }}",
    "javascript:alert(1)", "\u202egnp.exe", "a\x1b[31mb", "\udcff\udcfe", "]]><svg onload=x>", "' onfocus='x",
]  # fmt: skip
DOCKERFILE = "FROM debian:13\nRUN apt-get update && apt-get install -y own\nRUN echo '</pre><script>x</script>'\n"


@pytest.fixture
def one(tmp_path: Path) -> Reviewed:
    evil = [file(f"tmp/{name.replace('/', '_')}", "e" * 90_000) for name in ATTACKS]
    layers = [
        [file("usr/bin/su", "s" * 500_000, mode=0o4755)],
        [file("var/lib/apt/lists/x_Packages", "p" * 400_000), *evil],
        [whiteout(f"tmp/{ATTACKS[0].replace('/', '_')}"), file(f"x{ATTACKS[1]}", "w", mode=0o666)],
    ]
    history = [
        step(ATTACKS[0]),
        step("RUN /bin/sh -c apt-get update && apt-get install -y own # buildkit"),
        step(ATTACKS[1]),
    ]
    found = review(image(tmp_path / "i.tar", layers, history, Env=[f"A={ATTACKS[0]}"], User=ATTACKS[1]), DOCKERFILE)
    return Reviewed(found)


@pytest.fixture
def two(one: Reviewed, tmp_path: Path) -> Reviewed:
    other = image(tmp_path / "j.tar", [[file("usr/bin/su", "s" * 500_000)]])
    contents = []
    for path in (tmp_path / "i.tar", other):
        with open_image(str(path)) as opened:
            contents.append(opened.read())
    after = review(other)
    return Reviewed(one.before, after, compare(contents[0], one.before.ledger, contents[1], after.ledger))


class Reading(HTMLParser):
    """Every element with its attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "br", "rect", "pattern") or self.open[-1:] == ["pattern"]:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("number", [1, 2])
def test_nothing_slips_in_and_nothing_is_fetched(one: Reviewed, two: Reviewed, number: int) -> None:
    page = render(one if number == 1 else two)
    reading = Reading(page)
    tags = {tag for tag, _ in reading.elements}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "form", "base", "video"}
    for tag, attributes in reading.elements:
        assert not any(name.startswith("on") or name in ("src", "srcset", "xlink:href") for name in attributes), tag
        assert attributes.get("href", "#").startswith("#")  # type: ignore[union-attr]
    assert "url(http" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page
    assert "49" not in re.findall(r"\{\{ 7 \* 7 \}\}|\b49\b", page)
    assert "<script>document" not in page
    assert "&lt;script&gt;document" in page
    for bad in ("\u202e", "\x1b", "\udcff"):
        assert bad not in page
    page.encode()


def test_links_lead_to_places_and_ids_are_single(two: Reviewed) -> None:
    reading = Reading(render(two))
    ids = [attributes["id"] for _, attributes in reading.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in reading.elements:
        if tag == "a":
            assert (attributes["href"] or "")[1:] in ids


def test_what_the_page_tells(one: Reviewed) -> None:
    text = " ".join(Reading(render(one)).text.split())
    for words in (
        "Image review", "apt-cleanup", "400 kB", "line 2", "Where the bytes are", "What dfopt fix would change",
        "/var/lib/apt/lists", "world-writable",
    ):  # fmt: skip
        assert words in text


def test_by_keyboard(one: Reviewed) -> None:
    """What scrolls or shows something on focus can be reached; all that folds is a summary."""
    reading = Reading(render(one))
    scrolling = [
        attributes for _, attributes in reading.elements if "scroll" in (attributes.get("class") or "").split()
    ]
    assert scrolling
    assert all(each.get("tabindex") == "0" and each.get("aria-label") for each in scrolling)
    cells = [each for tag, each in reading.elements if tag == "g"]
    assert all(each.get("aria-label") for each in cells)
    assert any(each.get("tabindex") == "0" for each in cells)
    assert sum(tag == "details" for tag, _ in reading.elements) == sum(tag == "summary" for tag, _ in reading.elements)


# -- the treemap -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[1], [6, 6, 4, 3, 2, 2, 1], [1000, 1], [5] * 40, []])
def test_areas_are_as_sizes(sizes: list[int]) -> None:
    found = squarified(sizes, 10, 20, 600, 400)
    total = sum(sizes) or 1
    for size, (x, y, width, height) in zip(sizes, found, strict=True):
        assert width * height == pytest.approx(600 * 400 * size / total)
        assert 10 - 1e-6 <= x <= x + width <= 610 + 1e-6
        assert 20 - 1e-6 <= y <= y + height <= 420 + 1e-6
    for number, (x, y, width, height) in enumerate(found):
        for left, top, wide, high in found[number + 1 :]:
            apart = x + width <= left + 1e-6 or left + wide <= x + 1e-6
            assert apart or y + height <= top + 1e-6 or top + high <= y + 1e-6


def test_the_map_holds_every_byte(one: Reviewed) -> None:
    ledger = one.before.ledger
    root = folders(ledger)
    assert (root.live, root.dead) == (ledger.live_bytes, ledger.dead_bytes)
    cells = layout(root, 1000, 420)
    leaves = [cell for cell in cells if not cell.frame]
    assert sum(cell.live for cell in leaves) == ledger.live_bytes
    assert sum(cell.dead for cell in leaves) == ledger.dead_bytes


def test_an_empty_image(tmp_path: Path) -> None:
    found = review(image(tmp_path / "i.tar", []))
    assert "0 bytes" in render(Reviewed(found))


# -- in a browser ------------------------------------------------------------------------------------------------------


def browse(page: str, folder: Path, *options: str) -> str:
    chromium = require("chromium", "the report is shown by it (Debian package chromium)")
    (folder / "report.html").write_text(page, encoding="utf-8")
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}", *options, (folder / "report.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pixels(path: Path) -> tuple[int, int, set[bytes]]:
    """Width, height and the colours of a PNG of 8 bits with 3 or 4 channels (PNG specification, filters)."""
    data = path.read_bytes()
    width, height, depth, kind = struct.unpack_from(">IIBB", data, 16)
    assert (depth, kind in (2, 6)) == (8, True)
    channels = 3 if kind == 2 else 4
    at, packed = 8, b""
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        packed += data[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += 12 + length
    raw, stride = zlib.decompress(packed), width * channels
    previous, colours = bytearray(stride), set()
    for row in range(height):
        filter_, line = raw[row * (stride + 1)], bytearray(raw[row * (stride + 1) + 1 : (row + 1) * (stride + 1)])
        for i in range(stride):
            a = line[i - channels] if i >= channels else 0
            b, c = previous[i], previous[i - channels] if i >= channels else 0
            if filter_ == 1:
                line[i] = (line[i] + a) & 255
            elif filter_ == 2:
                line[i] = (line[i] + b) & 255
            elif filter_ == 3:
                line[i] = (line[i] + (a + b) // 2) & 255
            elif filter_ == 4:
                p = a + b - c
                nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
                line[i] = (line[i] + nearest) & 255
        colours.update(bytes(line[i : i + 3]) for i in range(0, stride, channels))
        previous = line
    return width, height, colours


@pytest.mark.parametrize(
    ("options", "width", "page_colour", "live_colour"),
    [
        pytest.param((), 1000, b"\xfb\xfb\xfa", b"\x3f\x7f\xbd", id="light"),
        pytest.param(("--blink-settings=preferredColorScheme=0",), 1000, b"\x14\x17\x1a", b"\x37\x69\x9a", id="dark"),
        pytest.param((), 500, b"\xfb\xfb\xfa", b"\x3f\x7f\xbd", id="narrow"),
    ],
)
def test_a_browser_shows_it(
    one: Reviewed, tmp_path: Path, options: tuple[str, ...], width: int, page_colour: bytes, live_colour: bytes
) -> None:
    shot = tmp_path / "shot.png"
    browse(render(one), tmp_path, *options, f"--window-size={width},1000", f"--screenshot={shot}")
    wide, high, colours = pixels(shot)
    assert (wide, high) == (width, 1000)
    assert {page_colour, live_colour} <= colours


def test_what_a_browser_makes_of_it(two: Reviewed, tmp_path: Path) -> None:
    document = browse(render(two), tmp_path, "--dump-dom")
    assert "owned" not in re.findall(r"<title>(.*?)</title>", document)[0]
    assert "<script" not in document
    assert document.count('class="map"') == 2


def test_it_prints_with_what_is_folded(one: Reviewed, tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    browse(render(one), tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={paper}")
    data = paper.read_bytes()
    assert data.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", data)) >= 2
