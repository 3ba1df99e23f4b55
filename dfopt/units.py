"""Formats and parses byte counts: powers of 1000, as `docker images` and dive print; also parses MiB and so on. Reads
whole numbers of any length."""

from __future__ import annotations

import re

_STEPS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SIZE = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(?:([kmgtp]?)(i?)b?|bytes?)"


def human(count: int) -> str:
    """`512 bytes`, `12.3 kB`, `441 MB`: three digits."""
    value, step = float(count), 0
    while abs(value) >= 999.5 and step < len(_STEPS) - 1:
        value, step = value / 1000, step + 1
    if step == 0:
        return f"{count} byte" + ("" if count == 1 else "s")
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{digits}f} {_STEPS[step]}"


def whole_number(digits: str) -> int:
    """The number that decimal digits say; 10**18 for it and all larger ones: Python reads no more than 4,300 digits."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) < 19 else 10**18


def parse_size(text: str) -> int:
    """Bytes: `20MB`, `1.5 GiB`, `300k`, `1024`. Raises ValueError."""
    match = re.fullmatch(_SIZE, text.strip(), re.I)
    if match is None:
        raise ValueError(f"{text!r} is not a size (20MB, 1.5GiB, 300k)")
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** _POWERS[(match[2] or "").lower()])


def parse_share(text: str) -> float:
    """A share from 0 to 1: `0.95` or `95%`. Raises ValueError."""
    bare = text.strip()
    try:
        value = float(bare[:-1]) / 100 if bare.endswith("%") else float(bare)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError(f"{text!r} is not a share (0.95 or 95%)")
    return value
