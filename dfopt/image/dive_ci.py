"""The gate of a `.dive-ci` file: reads it as dive does and judges dive's figures by its rules.

Source: dive, `cmd/dive/cli/internal/options/ci.go` and `command/ci/rules.go` (after 0.13.1; in 0.13.1 itself only the
word `disabled` turns a rule off, and the case of keys does not matter, which holds here too). A key that the file
leaves out keeps dive's default, and so does one without a value; `disabled`, `off`, `false` and an empty text turn a
rule off; a figure equal to its threshold passes.
"""

from __future__ import annotations

import re

from dfopt.image.errors import ImageError
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dfopt.image.dive import DiveFigures

EFFICIENCY, WASTED, USER_WASTED = "lowestEfficiency", "highestWastedBytes", "highestUserWastedPercent"
DEFAULTS = {EFFICIENCY: "0.9", WASTED: "disabled", USER_WASTED: "0.1"}
_KEYS = {key.lower(): key for key in DEFAULTS}
PASS, FAIL, SKIP = "pass", "fail", "skip"

_OFF = frozenset(("", "disabled", "off", "false"))
_FLOAT = re.compile(r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)", re.IGNORECASE)
_BYTES = re.compile(r"([0-9.,]*)(.*)", re.DOTALL)
_SCALAR = re.compile(
    r"""(?:"(?P<double>[^"\\]*)"|'(?P<single>(?:[^']|'')*)'|(?P<plain>[^\s'"#&*!|>%@`{}\[\],][^#]*?|))"""
    r"""\s*(?:(?:(?<=\s)|^)#.*)?"""
)
_LONGEST = 4096  # characters of a line
_LINE = re.compile(r""" *(?P<quote>["']?)(?P<key>[A-Za-z_][\w.-]*)(?P=quote)\s*:(?:\s+(?P<value>.*)|\s*)""")
_UNITS = {"": 1, "b": 1} | {
    name: base**power
    for power, letter in enumerate("kmgtpe", 1)
    for name, base in ((f"{letter}b", 1000), (f"{letter}ib", 1024), (letter, 1000), (f"{letter}i", 1024))
}


class RuleVerdict(Record):
    """One rule's answer. status: pass, fail or skip; threshold as configured; message says why it failed, else ""."""

    rule: str
    status: str
    threshold: str
    message: str


def judge(figures: DiveFigures, rules: Mapping[str, str]) -> list[RuleVerdict]:
    """In the order efficiency, wasted bytes, user wasted percent. ImageError for a value that is not a number."""
    efficiency, wasted, user = figures.efficiency, figures.wasted_bytes, figures.user_wasted
    return [
        _verdict(
            rules, EFFICIENCY, _ratio, lambda least: efficiency < least,
            f"image efficiency is too low (efficiency={efficiency:.2f} < threshold=%s)",
        ),
        _verdict(
            rules, WASTED, _byte_count, lambda most: wasted > most,
            f"too many bytes wasted (wasted-bytes={wasted} > threshold=%s)",
        ),
        _verdict(
            rules, USER_WASTED, _ratio, lambda most: user > most,
            "too many bytes wasted, relative to the user bytes added "
            f"(%%-user-wasted-bytes={user:.2f} > threshold=%s)",
        ),
    ]  # fmt: skip


def _verdict(
    rules: Mapping[str, str],
    rule: str,
    number: Callable[[str, str], float],
    broken: Callable[[float], bool],
    message: str,
) -> RuleVerdict:
    text = rules.get(rule, DEFAULTS[rule])
    if text.strip().lower() in _OFF:
        return RuleVerdict(rule, SKIP, text, "")
    threshold = number(rule, text)
    if broken(threshold):
        return RuleVerdict(
            rule, FAIL, text, message % (f"{threshold:g}" if isinstance(threshold, float) else threshold)
        )
    return RuleVerdict(rule, PASS, text, "")


def _ratio(rule: str, text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise ImageError(f".dive-ci: {rule}: {text!r} is not a number")
    value = float(text)
    if value < 0 or value > 1:
        raise ImageError(f".dive-ci: {rule}: {text} is outside of the range 0 to 1")
    return value


def _byte_count(rule: str, text: str) -> int:
    """`20MB`, `1,000`, `1.5 GiB`: dive's own size words (those of the Go package humanize)."""
    match = _BYTES.fullmatch(text)
    assert match is not None
    digits, unit = match[1].replace(",", ""), match[2].strip().lower()
    if not _FLOAT.fullmatch(digits) or unit not in _UNITS:
        raise ImageError(f".dive-ci: {rule}: {text!r} is not a size in bytes")
    value = float(digits) * _UNITS[unit]
    if value >= 1 << 64:
        raise ImageError(f".dive-ci: {rule}: {text} is too large")
    return int(value)


def read_rules(text: str) -> dict[str, str]:
    """The rules of a `.dive-ci` file, defaults filled in.

    Reads the YAML that such files are made of: `rules:` with its keys indented below it, or in braces on its line,
    quotes, comments. Anything richer (anchors, block texts) is an ImageError that names the line; keys other than
    dive's are passed over, as dive does.
    """
    rules = dict(DEFAULTS)
    inside, indent = False, 0
    for number, line in enumerate(text.lstrip("\ufeff").split("\n"), 1):
        line = line.rstrip("\r")
        if len(line) > _LONGEST:
            raise ImageError(f".dive-ci: line {number}: longer than {_LONGEST} characters")
        if not line.strip() or line.lstrip().startswith("#") or line.rstrip() in ("---", "..."):
            continue
        match = _LINE.fullmatch(line)
        depth = len(line) - len(line.lstrip(" "))
        if inside and depth > 0:
            indent = indent or depth
            if depth == indent:
                if match is None:
                    raise ImageError(f".dive-ci: line {number}: not a rule: {line.strip()[:80]!r}")
                _set(rules, match["key"], match["value"] or "", number)
            continue
        inside = False
        if depth:
            continue  # below another key
        if match is None:
            raise ImageError(f".dive-ci: line {number}: `key: value` is expected: {line[:80]!r}")
        if match["key"] != "rules":
            continue
        value = (match["value"] or "").strip()
        if value.startswith("{"):
            _flow(rules, value, number)
        elif value and not value.startswith("#") and value not in ("null", "~"):
            raise ImageError(f".dive-ci: line {number}: rules must hold keys")
        else:
            inside, indent = True, 0
    return rules


def _flow(rules: dict[str, str], value: str, number: int) -> None:
    body = re.fullmatch(r"\{(.*)\}\s*(?:#.*)?", value)
    if body is None:
        raise ImageError(f".dive-ci: line {number}: braces must close on their line")
    for part in body[1].split(","):
        if part.strip():
            match = _LINE.fullmatch(part.strip())
            if match is None:
                raise ImageError(f".dive-ci: line {number}: not a rule: {part.strip()[:80]!r}")
            _set(rules, match["key"], match["value"] or "", number)


def _set(rules: dict[str, str], key: str, value: str, number: int) -> None:
    key = _KEYS.get(key.lower(), "")
    if not key:
        return
    match = _SCALAR.fullmatch(value.strip())
    if match is None:
        raise ImageError(f".dive-ci: line {number}: this form of YAML is not understood: {value.strip()[:80]!r}")
    if match["double"] is not None:
        rules[key] = match["double"]
    elif match["single"] is not None:
        rules[key] = match["single"].replace("''", "'")
    elif match["plain"] and match["plain"] not in ("null", "Null", "NULL", "~"):
        rules[key] = match["plain"]
