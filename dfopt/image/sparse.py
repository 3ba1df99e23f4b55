"""Sparse files in tars: GNU's old type S and the PAX formats 0.0, 0.1 and 1.0 (GNU tar manual, appendix D).

Rare in layers, but a reader that takes the stored bytes for the file would report a wrong size and a wrong content.
"""

from __future__ import annotations

from dfopt.image.errors import ImageError
from dfopt.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.image.tar_member import Member, MemberReader, Sink

    Segments = list[tuple[int, int]]

_HOLE = memoryview(bytes(1 << 16))
_MAX_SEGMENTS = 1 << 18


def complete(reader: MemberReader, member: Member, block: bytes, pax: list[tuple[str, bytes]]) -> Member:
    """The member with its real size, name and data segments; reads the map from the stream where it stands there."""
    where = f"{reader.where}: {member.name}"
    if member.flag == "S":
        segments, size = _old_map(reader, block), reader.number(block[483:495])
        return _checked(replace(member, size=size, sparse=segments), where)
    values = {key: value for key, value in pax if key.startswith("GNU.sparse.")}
    pairs = [value for key, value in pax if key in ("GNU.sparse.offset", "GNU.sparse.numbytes")]
    if values.get("GNU.sparse.major") == b"1":
        segments = _leading_map(reader, where)
    elif "GNU.sparse.map" in values:
        segments = _pairs([_number(part, where) for part in values["GNU.sparse.map"].split(b",")], where)
    else:
        segments = _pairs([_number(part, where) for part in pairs], where)
    stated = values.get("GNU.sparse.realsize", values.get("GNU.sparse.size", b""))
    name = values.get("GNU.sparse.name")
    return _checked(
        replace(
            member,
            name=reader.string(name) if name else member.name,
            size=_number(stated, where),
            stored=reader.remaining,
            sparse=segments,
        ),
        where,
    )


def expand(reader: MemberReader, member: Member, sink: Sink) -> None:
    """Passes on the file as it will be: its segments with zeros between them, `member.size` bytes in all."""
    position = 0
    for offset, length in member.sparse or ():
        _zeros(offset - position, sink)
        if reader.source.pass_on(length, sink):
            raise ImageError(f"{reader.where}: truncated tar")
        reader.remaining -= length
        position = offset + length
    _zeros(member.size - position, sink)


def _zeros(count: int, sink: Sink) -> None:
    while count > 0:
        step = min(count, len(_HOLE))
        sink(_HOLE[:step])
        count -= step


def _old_map(reader: MemberReader, block: bytes) -> Segments:
    numbers: list[int] = []
    area, more = block[386:482], block[482]
    while True:
        for start in range(0, len(area), 24):
            if area[start] == 0:  # an unused slot
                break
            numbers += (reader.number(area[start : start + 12]), reader.number(area[start + 12 : start + 24]))
        if not more:
            return _pairs(numbers, reader.where)
        extension = reader.source.take(512)  # stands before the content and is not part of its size
        if len(extension) < 512 or len(numbers) > 2 * _MAX_SEGMENTS:
            raise ImageError(f"{reader.where}: truncated tar: sparse map")
        area, more = extension[:504], extension[504]


def _leading_map(reader: MemberReader, where: str) -> Segments:
    """PAX 1.0: decimal numbers, one a line, the count of pairs first, padded to whole blocks, before the data."""
    text = b""
    numbers: list[int] = []
    needed = 1
    while len(numbers) < needed:
        if b"\n" not in text:
            if reader.remaining < 512 or len(text) > 512:
                raise ImageError(f"{where}: corrupt sparse map")
            text += reader.take(512)
            continue
        line, _, text = text.partition(b"\n")
        numbers.append(_number(line, where))
        if len(numbers) == 1:
            needed = 1 + 2 * min(numbers[0], _MAX_SEGMENTS + 1)
    return _pairs(numbers[1:], where)


def _pairs(numbers: list[int], where: str) -> Segments:
    if len(numbers) % 2 or len(numbers) > 2 * _MAX_SEGMENTS:
        raise ImageError(f"{where}: corrupt sparse map")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _checked(member: Member, where: str) -> Member:
    end = total = 0
    for offset, length in member.sparse or ():
        if offset < end:
            raise ImageError(f"{where}: corrupt sparse map (segments overlap)")
        end = offset + length
        total += length
    if end > member.size or total != member.stored:
        raise ImageError(f"{where}: corrupt sparse map (sizes disagree)")
    return member


def _number(text: bytes, where: str) -> int:
    if not text.isdigit() or len(text) > 20:
        raise ImageError(f"{where}: corrupt sparse map (number)")
    return int(text)
