"""YAML texts as nodes that know where they are written. No value is constructed, and no tag resolved."""

from __future__ import annotations

import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


DEEPEST = 64  # levels of nesting, and of brackets: each open bracket is looked at again at each token behind it


class YamlError(ValueError):
    """A text that is no YAML. `line` and `column` count from 1, `offset` from 0; all are 0 where the place is not
    known."""

    def __init__(self, message: str, line: int = 0, column: int = 0, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.offset = offset


def documents(text: str, *, single: bool = False) -> list[Any]:
    """The root node of each document; None for one that is empty. `single`: a second one is an error. Raises
    YamlError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.composer import Composer
    from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
    from ruamel.yaml.scanner import RoundTripScanner

    class _Scanner(RoundTripScanner):
        def fetch_flow_collection_start(self, TokenClass: Any, to_push: Any) -> None:
            if len(self.flow_context) >= DEEPEST:
                raise MarkedYAMLError(problem="nested too deeply", problem_mark=self.reader.get_mark())
            super().fetch_flow_collection_start(TokenClass, to_push)

    class _Composer(Composer):
        level = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.level > DEEPEST:
                mark = self.parser.peek_event().start_mark
                raise MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
            self.level += 1
            node = super().compose_node(parent, index)
            self.level -= 1
            return node

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML 1.2.2, 7.1: a later anchor overrides
            yaml = YAML(typ="rt", pure=True)
            yaml.Scanner, yaml.Composer = _Scanner, _Composer
            return [yaml.compose(text)] if single else list(yaml.compose_all(text))
    except MarkedYAMLError as failure:
        message = f"not YAML: {failure.problem or failure.context}"
        mark = failure.problem_mark or failure.context_mark
        if mark is None:
            raise YamlError(message) from None
        raise YamlError(message, mark.line + 1, mark.column + 1, mark.index) from None
    except RecursionError:
        raise YamlError("not YAML: nested too deeply") from None
    except (YAMLError, ValueError) as failure:
        raise YamlError(f"not YAML: {' '.join(str(failure).split())}") from None
