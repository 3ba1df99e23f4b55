"""Reading ahead in a thread: the same chunks, the same errors, and no thread left behind."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import pytest

from dfopt.image import ImageError
from dfopt.image.errors import Budget, ReadLimits
from dfopt.image.layer_stream import LayerStream
from dfopt.image.layers import iter_entries
from dfopt.image.model import Layer
from dfopt.image.read_ahead import read_ahead
from image.builders import digest, file, gz, layer


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "dfopt-read-ahead"]


def numbers(count: int, seen: list[int] | None = None) -> Iterator[bytes]:
    for number in range(count):
        if seen is not None:
            seen.append(number)
        yield b"%d" % number


@pytest.mark.parametrize("count", [0, 1, 4, 5, 1000])
def test_the_same_chunks_in_the_same_order(count: int) -> None:
    assert list(read_ahead(numbers(count))) == list(numbers(count))
    assert threads() == []


def test_an_error_comes_after_the_chunks_before_it() -> None:
    def broken() -> Iterator[bytes]:
        yield from numbers(7)
        raise ImageError("broken")

    got: list[bytes] = []
    with pytest.raises(ImageError, match="broken"):
        got.extend(read_ahead(broken()))
    assert got == list(numbers(7))
    assert threads() == []


def test_memory_is_bounded_and_the_end_may_come_early() -> None:
    seen: list[int] = []
    chunks = read_ahead(numbers(1000, seen))
    assert next(chunks) == b"0"
    chunks.close()
    assert threads() == []
    assert len(seen) <= 7, "more chunks were made than may wait"


def test_a_reader_that_is_dropped_leaves_no_thread() -> None:
    tar = layer(*[file(str(number), b"x" * 600_000) for number in range(20)])
    entries = iter_entries(Layer(0, "", "", -1, "", lambda: io.BytesIO(tar)))
    assert next(entries).path == "/0"
    assert threads() != []
    entries.close()  # type: ignore[attr-defined]
    assert threads() == []


@pytest.mark.parametrize("pack", [bytes, gz], ids=["plain", "gzip"])
def test_with_and_without_a_thread(pack: object, monkeypatch: pytest.MonkeyPatch) -> None:
    tar = layer(*[file(str(number), bytes([number]) * 600_000) for number in range(20)])
    data = pack(tar)  # type: ignore[operator]
    found = []
    for threshold in (0, 1 << 60):
        monkeypatch.setattr("dfopt.image.layer_stream._WORTH_A_THREAD", threshold)
        stream = LayerStream(
            io.BytesIO(data), "x", Budget(ReadLimits()), digest=digest(data), diff_id=digest(tar), size=len(data)
        )
        found.append((b"".join(stream), stream.stored, stream.unpacked, stream.kind))
    assert found[0] == found[1]
    assert found[0][:3] == (tar, len(data), len(tar))


class Drip(io.BytesIO):
    """A source that gives one byte at a time, as a socket may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(1, size or 0) if size != -1 else 1)


@pytest.mark.parametrize("pack", [bytes, gz], ids=["plain", "gzip"])
def test_sources_that_give_less_than_asked(pack: object) -> None:
    tar = layer(file("a", "x" * 100))
    data = pack(tar)  # type: ignore[operator]
    stream = LayerStream(Drip(data), "x", Budget(ReadLimits()), digest=digest(data), size=len(data))
    assert b"".join(stream) == tar
