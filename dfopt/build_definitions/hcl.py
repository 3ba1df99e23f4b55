"""HCL: a text's blocks and attributes, and the values of expressions. Parsed by python-hcl2 (a lark grammar).

Rules: the HCL native syntax specification (hclsyntax/spec.md). What an expression needs that is not known makes its
value NotLiteral.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from dfopt.build_definitions.hcl_functions import FUNCTIONS, MOST_ITEMS, joined_text, number_of, size_of, text_of
from dfopt.build_definitions.model import DefinitionError, NotLiteral
from dfopt.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LARGEST_HCL = 128 << 10  # bytes: the parser is pure Python
MOST_STEPS = 200_000  # expressions that are evaluated for one file
_OF_TEMPLATE = 50  # steps that an expression in a template's text counts for: it is parsed by itself
_MOST_COUNTED = 20 * MOST_ITEMS  # values in all collections of one file
_ESCAPE = re.compile(r"\\(?:([nrt\"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_HEREDOC = re.compile(r"<<-?([a-zA-Z][a-zA-Z0-9._-]*)\r?\n")
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "&&": lambda a, b: bool(a and b),
    "||": lambda a, b: bool(a or b), "<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b, "+": lambda a, b: number_of(a) + number_of(b),
    "-": lambda a, b: number_of(a) - number_of(b), "*": lambda a, b: number_of(a) * number_of(b),
}  # fmt: skip


class HclBlock(Record):
    """A block (`labels` not empty, or `attributes`), with its attributes' expressions by name."""

    kind: str
    labels: tuple[str, ...]
    attributes: Mapping[str, Any]
    line: int
    column: int


def read_hcl(text: str, file: str) -> tuple[list[HclBlock], dict[str, Any]]:
    """The blocks and the attributes (name -> expression) of a text. Raises DefinitionError."""
    body = _parse(text, file).children[0]
    blocks: list[HclBlock] = []
    for node in _trees(body, "block"):
        words = [_label(child) for child in node.children[:-1] if getattr(child, "data", "") in _LABELS]
        inner = next(_trees(node, "body"), None)
        attributes = _attributes(inner) if inner is not None else {}
        blocks.append(HclBlock(words[0], tuple(words[1:]), attributes, node.meta.line, node.meta.column))
    return blocks, _attributes(body)


_LABELS = ("identifier", "string", "keyword", "literal_value")


def _parse(text: str, file: str) -> Any:
    from hcl2.api import parses_to_tree
    from lark.exceptions import LarkError

    if len(text) > LARGEST_HCL:
        raise DefinitionError(f"larger than {LARGEST_HCL} bytes", file)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n") + "\n"
    at = 0
    while match := _HEREDOC.search(text, at):  # a heredoc without an end would cost the parser quadratic time
        end = re.compile(rf"^[ \t]*{re.escape(match[1])}[ \t]*$", re.M).search(text, match.end())
        if end is None:
            line = text.count("\n", 0, match.start()) + 1
            raise DefinitionError(f"a heredoc without its end ({match[1]})", file, line)
        at = end.end()
    try:
        return parses_to_tree(text)
    except LarkError as failure:
        line, column = getattr(failure, "line", -1), getattr(failure, "column", -1)
        token = getattr(failure, "token", None)
        word = repr(str(token)[:20]) if token is not None else "a character"
        if line < 1 or getattr(token, "type", "") == "$END":
            raise DefinitionError("not HCL: it ends too early", file, text.rstrip().count("\n") + 1) from None
        raise DefinitionError(f"not HCL: {word} was not expected", file, line, max(column, 1)) from None
    except RecursionError:
        raise DefinitionError("nested too deeply", file) from None


def _trees(node: Any, rule: str) -> Any:
    return (child for child in node.children if getattr(child, "data", "") == rule)


def _label(node: Any) -> str:
    return "".join(str(token) for token in node.scan_values(lambda token: token.type not in ("DBLQUOTE",)))


def _attributes(body: Any) -> dict[str, Any]:
    return {_label(node.children[0]): node.children[-1] for node in _trees(body, "attribute")}


class HclEvaluator:
    """Evaluates expressions: `lookup` knows variables, `functions` are those of the file (name -> parameters, whether
    the last takes the rest, result)."""

    def __init__(
        self, file: str, lookup: Callable[[str], Any], functions: Mapping[str, tuple[tuple[str, ...], str, Any]]
    ) -> None:
        self.file = file
        self.lookup = lookup
        self.functions = functions
        self.steps = 0
        self.counted = 0  # values in collections
        self.locals: list[dict[str, Any]] = []

    def value(self, node: Any) -> Any:
        """A str, int, float, bool, None, list, dict, or NotLiteral. Raises DefinitionError."""
        try:
            return self._value(node)
        except RecursionError:
            raise DefinitionError("nested too deeply", self.file) from None

    def template(self, text: str) -> Any:
        """The value of a template's text (of JSON, or a heredoc), in which a backslash stands for itself."""
        pieces: list[Any] = []
        at = 0
        for match in re.finditer(r"\$\$\{|%%\{|\$\{|%\{", text):
            if match.start() < at:
                continue
            pieces.append(text[at : match.start()])
            if len(match[0]) == 3:
                pieces.append(match[0][1:])
                at = match.end()
                continue
            end = _closing(text, match.end())
            if match[0] == "%{" or end < 0:
                return NotLiteral("a template directive")
            self._spend(_OF_TEMPLATE)
            expression = _parse(f"x = {text[match.end() : end].strip()}", self.file).children[0]
            pieces.append(self.value(_attributes(expression)["x"]))
            at = end + 1
        pieces.append(text[at:])
        return _joined(pieces)

    def _value(self, node: Any) -> Any:
        self._spend(1)
        rule = getattr(node, "data", None)
        method = getattr(self, f"_{rule}", None) if rule is not None else None
        if method is None:
            return NotLiteral("an expression that is not evaluated")
        return self.bounded(method(node))

    def _spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise DefinitionError(f"more than {MOST_STEPS} expressions", self.file)

    def bounded(self, value: Any) -> Any:
        """The value. Raises DefinitionError for a collection that is too large: it may hold another one many times."""
        if isinstance(value, (list, dict)):
            size = size_of(value)
            self.counted += size
            if size > MOST_ITEMS or self.counted > _MOST_COUNTED:
                raise DefinitionError(f"collections of more than {MOST_ITEMS} values", self.file)
        return value

    def _inner(self, node: Any) -> list[Any]:
        """The subtrees of a node, line breaks and comments left out."""
        skipped = "new_line_or_comment"
        return [child for child in node.children if getattr(child, "data", skipped) != skipped]

    def _expr_term(self, node: Any) -> Any:
        return self._value(self._inner(node)[0])

    _interpolation = _expr_term

    def _identifier(self, node: Any) -> Any:
        name = str(node.children[0])
        for scope in reversed(self.locals):
            if name in scope:
                return scope[name]
        return self.lookup(name)

    def _literal_value(self, node: Any) -> Any:
        return {"true": True, "false": False, "null": None}[str(node.children[0])]

    def _int_lit(self, node: Any) -> Any:
        digits = str(node.children[0])
        return int(digits) if len(digits) < 400 else NotLiteral("a number of too many digits")

    def _float_lit(self, node: Any) -> Any:
        return float(str(node.children[0]))

    def _string(self, node: Any) -> Any:
        pieces: list[Any] = []
        for part in _trees(node, "string_part"):
            child = part.children[0]
            rule = getattr(child, "data", None)
            if rule == "interpolation":
                pieces.append(self._value(child))
            elif rule is not None:
                return NotLiteral("a template directive")
            elif child.type == "STRING_CHARS":
                pieces.append(_ESCAPE.sub(_unescaped, str(child)))
            else:
                pieces.append(str(child)[1:])
        return _joined(pieces) if pieces else ""

    def _heredoc_template(self, node: Any) -> Any:
        lines = str(node.children[0]).split("\n")[1:-2]
        return self.template("".join(line + "\n" for line in lines))

    def _heredoc_template_trim(self, node: Any) -> Any:
        lines = str(node.children[0]).split("\n")[1:-2]
        indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
        indent = min(indents, default=0)
        return self.template("".join(line[indent:] + "\n" for line in lines))

    def _tuple(self, node: Any) -> Any:
        return [self._value(child) for child in self._inner(node)]

    def _object(self, node: Any) -> Any:
        values: dict[str, Any] = {}
        for element in _trees(node, "object_elem"):
            key = element.children[0].children[0]
            inner = key.children[0] if getattr(key, "data", "") == "expr_term" else key
            plain = getattr(inner, "data", "") in ("identifier", "keyword")
            name = _label(inner) if plain else self._value(key)
            if isinstance(name, NotLiteral):
                return name
            values[text_of(name)] = self._value(element.children[-1])
        return values

    def _conditional(self, node: Any) -> Any:
        condition, yes, no = self._inner(node)
        decided = self._value(condition)
        if isinstance(decided, NotLiteral):
            return decided
        return self._value(yes if decided in (True, "true") else no)

    def _binary_op(self, node: Any) -> Any:
        inner = self._inner(node)
        term = self._inner(inner[1])
        left, right = self._value(inner[0]), self._value(term[1])
        operator = str(term[0].children[0])
        return self._strict(lambda: _OPERATORS[operator](left, right), left, right)

    def _unary_op(self, node: Any) -> Any:
        operand = self._value(node.children[-1])
        negates = str(node.children[0]) == "!"
        return self._strict(lambda: operand not in (True, "true") if negates else -number_of(operand), operand)

    def _index_expr_term(self, node: Any) -> Any:
        holder, index = self._inner(node)
        inner = self._inner(index)
        key = self._value(inner[-1]) if inner else int(str(index.children[-1]))
        value = self._value(holder)
        return self._strict(lambda: value[int(key)] if isinstance(value, list) else value[key], value, key)

    def _get_attr_expr_term(self, node: Any) -> Any:
        holder, attribute = self._inner(node)
        value = self._value(holder)
        return self._strict(lambda: value[_label(self._inner(attribute)[0])], value)

    def _for_tuple_expr(self, node: Any) -> Any:
        return self._loop(node, lambda results, values: results.append(values[0]), [])

    def _for_object_expr(self, node: Any) -> Any:
        def add(results: dict[str, Any], values: list[Any]) -> None:
            results[text_of(values[0])] = values[1]

        return self._loop(node, add, {})

    def _loop(self, node: Any, add: Callable[[Any, list[Any]], None], results: Any) -> Any:
        inner = self._inner(node)
        intro = inner[0]
        names = [_label(name) for name in _trees(intro, "identifier")]
        condition = next((child for child in inner if child.data == "for_cond"), None)
        results_of = [child for child in inner[1:] if child is not condition]
        collection = self._value(self._inner(intro)[-1])
        if not isinstance(collection, (list, dict)):
            return collection if isinstance(collection, NotLiteral) else NotLiteral("a loop over no collection")
        pairs = list(collection.items()) if isinstance(collection, dict) else list(enumerate(collection))
        for key, value in pairs:
            self.locals.append(dict(zip(names, (value,) if len(names) == 1 else (key, value), strict=False)))
            try:
                wanted = self._value(self._inner(condition)[-1]) if condition is not None else True
                if isinstance(wanted, NotLiteral):
                    return wanted
                if wanted in (True, "true"):
                    values = [self._value(result) for result in results_of]
                    if isinstance(values[0], NotLiteral) and isinstance(results, dict):
                        return values[0]
                    add(results, values)
            finally:
                self.locals.pop()
        return results

    def _function_call(self, node: Any) -> Any:
        name = _label(node.children[0])
        listed = next(_trees(node, "arguments"), None)
        values = [self._value(child) for child in self._inner(listed)] if listed is not None else []
        if listed is not None and any(getattr(child, "type", "") == "ELLIPSIS" for child in listed.children):
            if not isinstance(values[-1], list):
                return NotLiteral("arguments that are no list")
            values = [*values[:-1], *values[-1]]
        self.bounded(values)
        own = self.functions.get(name)
        if own is not None:
            parameters, rest, result = own
            scope = dict(itertools.zip_longest(parameters, values[: len(parameters)]))
            if rest:
                scope[rest] = values[len(parameters) :]
            outer, self.locals = self.locals, [scope]
            try:
                return self._value(result)
            finally:
                self.locals = outer
        function = FUNCTIONS.get(name)
        if function is None:
            return NotLiteral(f"the function {name}() is not evaluated")
        return self._strict(lambda: function(*values), *values)

    def _strict(self, compute: Callable[[], Any], *operands: Any) -> Any:
        """`compute()`; NotLiteral where an operand is, or where it cannot be computed."""
        for operand in operands:
            if isinstance(operand, NotLiteral):
                return operand
            if isinstance(operand, list) and (unknown := [item for item in operand if isinstance(item, NotLiteral)]):
                return unknown[0]
        try:
            return compute()
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, re.error):
            return NotLiteral("an expression that has no value")


def _joined(pieces: list[Any]) -> Any:
    whole = [piece for piece in pieces if piece != ""]
    if len(whole) == 1:
        return whole[0]
    for piece in whole:
        if isinstance(piece, NotLiteral):
            return piece
        if isinstance(piece, (list, dict)) or piece is None:
            return NotLiteral("a collection or null in a template")
    try:
        return joined_text("", whole)
    except ValueError:
        return NotLiteral("a text that is too long")


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPES[match[1]] if match[1] else chr(min(int(match[2] or match[3], 16), 0x10FFFF))


def _closing(text: str, at: int) -> int:
    """Where the brace that closes an interpolation stands; -1 without one."""
    depth = 0
    for match in re.compile(r'"(?:[^"\\]|\\[\s\S])*"?|[{}]').finditer(text, at):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            if depth == 0:
                return match.start()
            depth -= 1
    return -1
