"""Words that select passes: names, groups, codes, and "all"."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dfopt.passes.base import Pass

ALL = "all"

_words: dict[str, str] | None = None


def known() -> Mapping[str, str]:
    """Every word that selects passes: in lower case -> as it is spelled."""
    global _words
    if _words is None:
        from dfopt.passes.base import GROUPS, registered

        words = [ALL, *GROUPS]
        for name, cls in registered().items():
            words += [name, *cls.codes]
        _words = {word.lower(): word for word in words}
    return _words


def canonical(words: Iterable[str]) -> tuple[str, ...]:
    """The words as they are spelled, each once. Raises UnknownPass for the first that selects nothing."""
    table = known()
    result: dict[str, None] = {}
    for word in words:
        if word.lower() not in table:
            raise UnknownPass(word)
        result[table[word.lower()]] = None
    return tuple(result)


def matching(word: str) -> list[type[Pass]]:
    """The passes that a name, a group, a code or "all" stands for, in running order; none for an unknown word."""
    from dfopt.passes.base import registered

    wanted = word.lower()
    return [
        cls
        for cls in registered().values()
        if wanted in (ALL, cls.name.lower(), cls.group) or any(code.lower() == wanted for code in cls.codes)
    ]


class UnknownPass(Exception):
    """A word that selects nothing; the message suggests one that would."""

    def __init__(self, word: str) -> None:
        from dfopt.words import suggestion

        super().__init__(f'unknown pass, group or code "{word}"{suggestion(word, known().values())}')
        self.word = word
