"""The shell tree: what a RUN body says, with a span for every command and word, and no meaning.

Offsets count code points of the text that was given to the parser (a RUN's *joined* text or a heredoc body). Spans are
half-open. Names follow the grammar of POSIX.1-2024 XCU 2.10 and the bash manual.
"""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


class Node(Record):
    """Anything with a span: `text[node.start:node.end]` is exactly its source."""

    start: int
    end: int


# --- words -----------------------------------------------------------------------------------------------------------


class Literal(Node):
    """Unquoted characters. `value` has backslash escapes resolved; `globs` tells of unquoted `*`, `?`, `[`, and
    `braces` of an unquoted `{` that brace expansion could see."""

    value: str
    globs: bool = False
    braces: bool = False
    tilde: bool = False  # holds an unquoted ~ where tilde expansion applies (first, or in an assignment after : or =)


class SingleQuoted(Node):
    """`'...'`; `value` is what is between the quotes."""

    value: str


class AnsiQuoted(Node):
    """`$'...'` (bash); `value` with C escapes resolved."""

    value: str


class DoubleQuoted(Node):
    """`"..."` or `$"..."` (bash, translated by locale); parts are Literal, Parameter, CommandSub, Arithmetic."""

    parts: tuple[Part, ...]


class Parameter(Node):
    """`$name`, `${name}`, `${name<op>word}`, `${#name}`, `${!name}`, `${name[index]}`, and the special `$? $@ $1` ...

    `op` is "" or the operator as written (":-", "%%", "/", ":", "^^", "@", "#" for the length, "!" for indirection);
    `prefix` is the "#" or "!" that stands before the name, so `${#x}` (op and prefix "#") and `${x#}` (op "#" alone)
    differ; in `${!x:-y}` the op is ":-" and the prefix "!". `argument` is the raw text after the operator, `index` the
    raw text of a subscript, `parts` the expansions found inside both.
    """

    name: str
    op: str = ""
    argument: str = ""
    parts: tuple[Part, ...] = ()
    prefix: str = ""
    index: str | None = None


class CommandSub(Node):
    """`$( ... )` or backquotes; `body` is None only where a backquoted body needed unescaping before it could be parsed
    (it was parsed, but its spans would not be true ones)."""

    body: Script | None
    backquoted: bool = False


class Arithmetic(Node):
    """`$(( ... ))` (or `$[ ... ]`); `text` is the expression, `parts` the `$...` expansions inside it."""

    text: str
    parts: tuple[Part, ...] = ()


class ProcessSub(Node):
    """`<( ... )` or `>( ... )` (bash)."""

    direction: str
    body: Script


class ExtGlob(Node):
    """`?(...)`, `*(...)`, `+(...)`, `@(...)`, `!(...)` (bash extglob), and a group `(...)` of the regular expression
    after `=~`; kept as text, with the expansions found inside it."""

    text: str
    parts: tuple[Part, ...] = ()


class ArrayLiteral(Node):
    """`(a b)` in an argument of a declaration command: `declare -a x=(a b)`. As a prefix of a command, or alone,
    `x=(a b)` is an Assignment."""

    words: tuple[Word, ...]


if TYPE_CHECKING:
    Part: TypeAlias = (
        Literal
        | SingleQuoted
        | AnsiQuoted
        | DoubleQuoted
        | Parameter
        | CommandSub
        | Arithmetic
        | ProcessSub
        | ExtGlob
        | ArrayLiteral
    )


class Word(Node):
    """One shell word. `value` is its string when the shell would produce exactly that one field whatever the
    environment (no expansion, no glob, no brace expansion, no tilde), else None. What cannot happen at the word's place
    does not count: the value of `A=*` is "*". For a pattern (of `case`, `[[ ]]`): None where wildcards are active."""

    parts: tuple[Part, ...]
    value: str | None


# --- commands --------------------------------------------------------------------------------------------------------


class Assignment(Node):
    """`NAME=value`, `NAME+=value`, `NAME[i]=value`, `NAME=(a b)`. `array` holds an array literal's words; `value` is
    None only then (`NAME=` has an empty Word). `parts` are the expansions found in the index."""

    name: str
    op: str
    value: Word | None
    index: str | None = None
    array: tuple[Word, ...] | None = None
    parts: tuple[Part, ...] = ()


class Redirect(Node):
    """`[fd]op target`. `op` is one of < > >> >| <> <& >& &> &>> << <<- <<<. `fd` as written ("", "2", "{name}").
    For a heredoc, `body` is its raw text (span `body_start:body_end`, without the terminator line) and `quoted` tells
    that no expansion takes place; the span of the node itself is the operator and delimiter only. `parts` are the
    expansions found in the body (so they, alone, lie outside of the node's span). `terminated` is False where the text
    ended before the delimiter: shells take it, with a warning, but text put after such a body would fall into it."""

    fd: str
    op: str
    target: Word
    body: str | None = None
    body_start: int = 0
    body_end: int = 0
    quoted: bool = False
    parts: tuple[Part, ...] = ()
    terminated: bool = True


class SimpleCommand(Node):
    """`A=1 prog arg >out`: assignments before the program, its words (the program first; may be empty), redirects in
    the order written. Their spans say how the three interleave."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]


class Pipeline(Node):
    """`[time] [!] c1 | c2 ...`. `ops` are the operators between the commands ("|" or "|&"). A single plain command is
    *not* wrapped: a Pipeline node exists only where there is `!`, `time` or more than one command."""

    commands: tuple[Command, ...]
    ops: tuple[str, ...]
    negated: bool = False
    timed: bool = False


class AndOr(Node):
    """`first && a || b ...`: `items` and the operators between them (left-associative, equal precedence). Exists only
    where there is at least one operator. `op_starts` are the operators' offsets."""

    items: tuple[Command, ...]
    ops: tuple[str, ...]
    op_starts: tuple[int, ...]


class ListItem(Node):
    """One element of a list with what ends it: ";", "&", "\\n" or "" (the end of the text or of the compound).
    The span covers the command only; `terminator_start` is the terminator's offset (the command's end if "")."""

    command: Command
    terminator: str
    terminator_start: int


class Script(Node):
    """A list: the whole body, or what stands inside a compound command or substitution. `comments` are the spans of
    the `#` comments inside it that belong to this list directly or to what it contains (only filled at the top). The
    top Script spans the whole text; others span from the first command to the last one's end, or to its `;` or `&`."""

    items: tuple[ListItem, ...]
    comments: tuple[tuple[int, int], ...] = ()


class Subshell(Node):
    body: Script
    redirects: tuple[Redirect, ...] = ()


class BraceGroup(Node):
    body: Script
    redirects: tuple[Redirect, ...] = ()


class If(Node):
    """`branches` are (condition, then) pairs of if and elif; `otherwise` is the else part."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None
    redirects: tuple[Redirect, ...] = ()


class For(Node):
    """`for name [in words]; do body; done`; `words` is None without `in`. `select` loops have `select=True`."""

    name: str
    words: tuple[Word, ...] | None
    body: Script
    redirects: tuple[Redirect, ...] = ()
    select: bool = False


class ArithmeticFor(Node):
    """`for (( init; test; step )); do body; done` (bash); the three expressions as text, `parts` their expansions."""

    header: str
    body: Script
    redirects: tuple[Redirect, ...] = ()
    parts: tuple[Part, ...] = ()


class While(Node):
    condition: Script
    body: Script
    redirects: tuple[Redirect, ...] = ()
    until: bool = False


class CaseItem(Node):
    """`patterns) body ;;`; `terminator` is ";;", ";&", ";;&" or "" (last item)."""

    patterns: tuple[Word, ...]
    body: Script
    terminator: str


class Case(Node):
    subject: Word
    items: tuple[CaseItem, ...]
    redirects: tuple[Redirect, ...] = ()


class Function(Node):
    """`name() compound` or `function name compound`."""

    name: str
    body: Command
    keyword: bool = False


class Test(Node):
    """`[[ expression ]]` (bash): `words` are its operands and operators in order, as words."""

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()


class ArithmeticCommand(Node):
    """`(( expression ))` (bash); `parts` are the `$...` expansions inside it."""

    text: str
    redirects: tuple[Redirect, ...] = ()
    parts: tuple[Part, ...] = ()


class Coproc(Node):
    name: str | None
    command: Command


if TYPE_CHECKING:
    Command: TypeAlias = (
        SimpleCommand
        | Pipeline
        | AndOr
        | Subshell
        | BraceGroup
        | If
        | For
        | ArithmeticFor
        | While
        | Case
        | Function
        | Test
        | ArithmeticCommand
        | Coproc
    )


class ShellProgram(Record):
    """A parsed body. `bashisms` are (offset, kind) of constructs that POSIX sh reads differently or rejects; kinds:
    "test" ([[ ]]), "arith-command", "arith-for", "array", "function-keyword", "ansi-quote", "here-string",
    "process-substitution", "amp-redirect" (&> &>> >&word), "pipe-amp", "select", "coproc", "case-fallthrough",
    "parameter-op", "append-assign", "brace-expansion", "extglob", "time", "locale-quote" ($"..."), "arith-bracket"
    ($[ ]), "fd-variable" ({fd}>x), "function-name" (not an identifier), "brace-loop" (for x; { }), "repeated-bang"
    (! ! a), "substitution-subshell" ($((a); b), arithmetic to POSIX)."""

    text: str
    script: Script
    bashisms: tuple[tuple[int, str], ...]


class ShellSyntaxError(Exception):
    """The body is not understood. `offset` is where (code points into the text); the message says what was expected."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
