"""What was asked of the outside while a file was worked on, and whether it would be answered the same again.

The optimizer is a function of a file, its options and the answers of its facts. So an outcome that was kept holds for
as long as each question that was asked then has the answer that it had: the questions are asked again, of the same
facts, and digests of the answers compared. Nothing needs to be known of how facts come by their answers.
"""

from __future__ import annotations

from dfopt.hashing import sha256
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from dfopt.facts import Facts

# what may be asked again: what costs a build, or a way through a network, is none of it
QUESTIONS = frozenset((
    "knows", "digest", "checksum", "context_paths", "context_holds", "context_leaves_out", "context_file", "children",
    "parent", "stated_builds", "image_config", "base_image", "image_bytes", "built_config", "unbuilt",
))  # fmt: skip

_latest: tuple[object, str] | None = None  # an answer that many files share, and its digest


class FactTrace:
    """Questions with digests of their answers; `complete`: all of them can be asked again."""

    def __init__(self) -> None:
        self._digests: dict[tuple[str, ...], str] = {}
        self.complete = True

    def note(self, answer: object, question: str, *about: Any) -> None:
        asked = (question, *about)
        if asked not in self._digests and self.complete:
            try:
                self.complete = question in QUESTIONS
                self._digests[asked] = digest_of(answer)
            except TypeError:
                self.complete = False

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Each question with what it was about, and the digest of its answer."""
        return tuple([(*asked, digest) for asked, digest in self._digests.items()])


def answers_hold(facts: Facts, rows: Iterable[Sequence[str]]) -> bool:
    """Whether each question of a trace has the answer that it had. Raises what asking raises (ConfigError)."""
    try:
        return all(
            question in QUESTIONS and digest_of(getattr(facts, question)(*about)) == digest
            for question, *about, digest in rows
        )
    except TypeError:  # an image now, where there was none
        return False


def digest_of(answer: object) -> str:
    """A digest of an answer. Raises TypeError for an object that is no value."""
    global _latest
    if answer is None or isinstance(answer, bool):
        return str(answer)
    if _latest is not None and _latest[0] is answer:
        return _latest[1]
    digest = sha256(repr(_plain(answer)).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    if isinstance(answer, frozenset):  # the listing of a context
        _latest = answer, digest
    return digest


def _plain(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if isinstance(value, frozenset):
        return "set", sorted(value)
    if isinstance(value, dict):
        return "dict", sorted((str(key), _plain(part)) for key, part in value.items())
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    if isinstance(value, Record):
        return type(value).__name__, [_plain(getattr(value, name)) for name in type(value).__fields__]
    raise TypeError(f"{type(value).__name__} is no value")
