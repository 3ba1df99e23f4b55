"""Words that select passes: names, groups, codes, and "all"."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dfopt.passes.index import PassEntry

ALL = "all"

_words: dict[str, str] | None = None


def known() -> Mapping[str, str]:
    """Every word that selects passes: in lower case -> as it is spelled."""
    global _words
    if _words is None:
        from dfopt.passes.base import GROUPS
        from dfopt.passes.index import entries

        words = [ALL, *GROUPS]
        for entry in entries():
            words += [entry.name, *entry.codes]
        _words = {word.lower(): word for word in words}
    return _words


def canonical(words: Sequence[str]) -> tuple[str, ...]:
    """The words as they are spelled, each once. Raises UnknownPass for the first that selects nothing."""
    if not words:
        return ()
    table = known()
    result: dict[str, None] = {}
    for word in words:
        if word.lower() not in table:
            raise UnknownPass(word)
        result[table[word.lower()]] = None
    return tuple(result)


def matching(word: str) -> list[PassEntry]:
    """The passes that a name, a group, a code or "all" stands for, in running order; none for an unknown word."""
    from dfopt.passes.index import entries

    return [entry for entry in entries() if entry.named(word.lower())]


class UnknownPass(Exception):
    """A word that selects nothing; the message suggests one that would."""

    def __init__(self, word: str) -> None:
        from dfopt.messages import suggestion

        super().__init__(f'unknown pass, group or code "{word}"{suggestion(word, known().values())}')
        self.word = word
