"""From text to nodes, by precedence climbing (CESQL 1.0, sections 2 and 3.6).

Tightest first: calls; NOT and unary -; LIKE; EXISTS; IN; * / %; + -; comparisons; AND, OR and XOR. Equal ones from the
left, as section 3.6 has it: `a OR b AND c` is `(a OR b) AND c`.
"""

import re
from dataclasses import replace

from . import like
from .errors import ParseError
from .functions import Functions
from .limits import Limits
from .nodes import (
    Arithmetic,
    Attribute,
    Call,
    Compare,
    Exists,
    In,
    Like,
    Literal,
    Logic,
    Negate,
    Node,
    Not,
)
from .tokens import Token, tokens
from .values import GREATEST, LEAST

LOGIC, COMPARISON, SUM, PRODUCT = range(1, 5)
BINARY = (
    {"AND": LOGIC, "OR": LOGIC, "XOR": LOGIC}
    | dict.fromkeys(("=", "!=", "<>", "<", "<=", ">", ">="), COMPARISON)
    | dict.fromkeys("+-", SUM)
    | dict.fromkeys("*/%", PRODUCT)
)
"""How tightly the binary operators bind."""
_FUNCTION = re.compile(r"[A-Za-z][A-Za-z_]*")
_DIGITS = frozenset("0123456789")


def parse(text: str, functions: Functions, limits: Limits) -> Node:
    """The root of what a text says. Raises ParseError."""
    if len(text) > limits.length:
        raise ParseError(
            f"the expression has {len(text)} characters, and at most {limits.length} are allowed",
            limits.length,
            text,
        )
    return _Parser(text, functions, limits).whole()


class _Parser:
    def __init__(self, text: str, functions: Functions, limits: Limits) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._functions = functions
        self._limits = limits
        self._at = 0
        self._open = 0
        self._nodes = 0
        self._searched = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    @property
    def _second(self) -> Token:
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _is(self, symbol: str) -> bool:
        return self._next.sort == "symbol" and self._next.value == symbol

    def _fail(self, message: str, token: Token) -> ParseError:
        return ParseError(message, token.start, self._text)

    def _depth(self, at: int, *below: Node) -> int:
        """Counts a node that stands over others."""
        self._nodes += 1
        if self._nodes > self._limits.nodes:
            raise ParseError(f"the expression has more than {self._limits.nodes} parts", at, self._text)
        depth = 1 + max((node.depth for node in below), default=0)
        if depth > self._limits.depth:
            raise self._deep(at)
        return depth

    def _deep(self, at: int) -> ParseError:
        return ParseError(f"the expression is nested more than {self._limits.depth} deep", at, self._text)

    def whole(self) -> Node:
        if self._next.sort == "end":
            raise self._fail(
                "the expression is empty; write one such as type = 'com.example.created'", self._next
            )
        node = self._binary(LOGIC)
        rest = self._next
        if rest.sort == "end":
            return node
        if rest.value == ")" and rest.sort == "symbol":
            raise self._fail("this ) closes nothing", rest)
        raise self._fail(f"expected an operator or the end, not {self._shown(rest)}", rest)

    def _shown(self, token: Token) -> str:
        if token.sort == "end":
            return "the end of the expression"
        shown = self._text[token.start : token.end]
        return shown if len(shown) <= 40 else shown[:40] + "…"

    def _binary(self, least: int) -> Node:
        """An operand and what follows of operators that bind at least so tightly."""
        left = self._postfix()
        while True:
            token = self._next
            operator = (
                token.keyword if token.sort == "word" else token.value if token.sort == "symbol" else ""
            )
            binds = BINARY.get(operator, 0)
            if binds < least or not binds:
                return left
            self._take()
            right = self._binary(binds + 1)
            left = self._joined(operator, binds, left, right)

    def _joined(self, operator: str, binds: int, left: Node, right: Node) -> Node:
        start, end = left.start, right.end
        if binds == LOGIC:
            if isinstance(left, Logic) and left.operator == operator and not left.wrapped:
                self._nodes -= 1
                depth = max(left.depth, self._depth(start, right))
                return Logic(operator, (*left.operands, right), start=start, end=end, depth=depth)
            depth = self._depth(start, left, right)
            return Logic(operator, (left, right), start=start, end=end, depth=depth)
        depth = self._depth(start, left, right)
        if binds == COMPARISON:
            return Compare(
                "!=" if operator == "<>" else operator, left, right, start=start, end=end, depth=depth
            )
        return Arithmetic(operator, left, right, start=start, end=end, depth=depth)

    def _postfix(self) -> Node:
        """An operand with LIKE and IN after it."""
        node = self._prefix()
        while True:
            token = self._next
            negated = token.keyword == "NOT"
            operator = self._second.keyword if negated else token.keyword
            if operator not in {"LIKE", "IN"}:
                return node
            self._at += 2 if negated else 1
            node = (
                self._like(node, negated=negated) if operator == "LIKE" else self._in(node, negated=negated)
            )

    def _like(self, operand: Node, *, negated: bool) -> Node:
        token = self._take()
        if token.sort != "text":
            raise self._fail(f"LIKE needs a pattern in quotes, not {self._shown(token)}", token)
        pattern = like.read(token.value)
        self._searched += pattern.searched
        if self._searched > self._limits.searched:
            raise self._fail(
                f"patterns have more than {self._limits.searched} characters in parts with _ between two %",
                token,
            )
        return Like(
            operand,
            token.value,
            negated,
            pattern,
            start=operand.start,
            end=token.end,
            depth=self._depth(operand.start, operand),
        )

    def _in(self, operand: Node, *, negated: bool) -> Node:
        if not self._is("("):
            raise self._fail(
                f"IN needs values in parentheses, such as ('a', 'b'), not {self._shown(self._next)}",
                self._next,
            )
        elements, end = self._list("IN needs at least one value")
        return In(
            operand,
            elements,
            negated,
            start=operand.start,
            end=end,
            depth=self._depth(operand.start, operand, *elements),
        )

    def _list(self, empty: str = "") -> tuple[tuple[Node, ...], int]:
        """Expressions in parentheses, and where these end; with a message, at least one."""
        opening = self._take()
        self._enter(opening)
        if self._is(")"):
            closing = self._close(opening)
            if empty:
                raise self._fail(empty, closing)
            return (), closing.end
        found = [self._binary(LOGIC)]
        while self._is(","):
            self._take()
            found.append(self._binary(LOGIC))
        return tuple(found), self._close(opening).end

    def _enter(self, opening: Token) -> None:
        """Counts what is open before its inside is read: reading it goes as deep into the stack."""
        self._open += 1
        if self._open > self._limits.depth:
            raise self._deep(opening.start)

    def _close(self, opening: Token) -> Token:
        if self._is(")"):
            self._open -= 1
            return self._take()
        if self._next.sort == "end":
            raise self._fail("this ( is never closed", opening)
        raise self._fail(f"expected ) or an operator, not {self._shown(self._next)}", self._next)

    def _prefix(self) -> Node:
        """An operand with NOT and - before it."""
        before: list[Token] = []
        while (self._next.keyword == "NOT" and not self._is_name()) or (self._is("-") and not self._signed()):
            before.append(self._take())
            if len(before) > self._limits.depth:
                raise self._deep(before[-1].start)
        node = self._primary()
        for token in reversed(before):
            kind = Not if token.keyword else Negate
            node = kind(node, start=token.start, end=node.end, depth=self._depth(token.start, node))
        return node

    def _signed(self) -> bool:
        """Whether a sign and the digits right after it are one literal (2.2)."""
        return (
            self._second.sort == "word"
            and self._second.start == self._next.end
            and _DIGITS.issuperset(self._second.value)
        )

    def _is_name(self) -> bool:
        """Whether a keyword stands where only an attribute of that name makes sense.

        Section 3.2 wants every attribute to be addressable, and names such as `in` or `not` are legal ones. In
        parentheses they can stand everywhere: `type = (in)`.
        """
        after = self._second
        match self._next.keyword:
            case "TRUE" | "FALSE":
                return False
            case "EXISTS":
                symbols, words = "(", frozenset[str]()
            case "NOT":
                symbols, words = "(+-", frozenset({"AND", "OR", "XOR"})
            case _:
                symbols, words = "(", frozenset({"AND", "OR", "XOR", "LIKE", "IN"})
        if after.sort == "symbol":
            return after.value not in symbols
        return after.keyword in words

    def _primary(self) -> Node:
        token = self._take()
        if token.sort == "text":
            return Literal(token.value, start=token.start, end=token.end, depth=self._depth(token.start))
        if token.sort == "symbol":
            return self._symbol(token)
        if token.sort == "end":
            raise self._fail("the expression ends where a value should follow", token)
        self._at -= 1
        if token.keyword and not self._is_name():
            return self._keyword(token)
        self._take()
        if self._is("("):
            return self._call(token)
        if _DIGITS.issuperset(token.value):
            return self._integer(token.value, token.start, token)
        return Attribute(self._name(token), start=token.start, end=token.end, depth=self._depth(token.start))

    def _symbol(self, token: Token) -> Node:
        if token.value == "(":
            self._enter(token)
            node = self._binary(LOGIC)
            closing = self._close(token)
            return replace(
                node, start=token.start, end=closing.end, wrapped=True, depth=self._depth(token.start, node)
            )
        self._at -= 1
        if token.value in "+-" and self._signed():
            self._at += 1
            digits = self._take()
            return self._integer(token.value + digits.value, token.start, digits)
        if token.value == "=" and self._tokens[self._at - 1][:2] == ("symbol", "="):
            raise self._fail("equality is written with one =", token)
        if token.value == "+":
            raise self._fail("+ stands between two values or right before a number", token)
        if token.value == ")":
            raise self._fail("a value is missing before this )", token)
        raise self._fail(f"a value is missing before {token.value}", token)

    def _keyword(self, token: Token) -> Node:
        match token.keyword:
            case "TRUE" | "FALSE" as word:
                self._take()
                return Literal(
                    word == "TRUE", start=token.start, end=token.end, depth=self._depth(token.start)
                )
            case "EXISTS":
                self._take()
                name = self._take()
                if name.sort != "word":
                    raise self._fail(
                        "EXISTS needs the name of an attribute, without parentheses: EXISTS subject", name
                    )
                return Exists(
                    self._name(name), start=token.start, end=name.end, depth=self._depth(token.start)
                )
            case word:
                raise self._fail(f"a value is missing before {word}", token)

    def _name(self, token: Token) -> str:
        if "_" in token.value:
            raise self._fail(
                f"{self._shown(token)} is no attribute: names have only letters and digits", token
            )
        return token.value.lower()

    def _integer(self, digits: str, start: int, token: Token) -> Node:
        bare = digits.lstrip("+-").lstrip("0") or "0"
        number = int(bare) if len(bare) <= 10 else GREATEST + 2
        if digits[0] == "-":
            number = -number
        if not LEAST <= number <= GREATEST:
            raise ParseError(
                f"a number lies between {LEAST} and {GREATEST}; put it in quotes to compare it as a text",
                start,
                self._text,
            )
        return Literal(number, start=start, end=token.end, depth=self._depth(start))

    def _call(self, name: Token) -> Node:
        if not _FUNCTION.fullmatch(name.value):
            raise self._fail(f"{self._shown(name)} is no function: their names have only letters and _", name)
        arguments, end = self._list()
        return Call(
            name.value.upper(),
            arguments,
            self._functions.find(name.value, len(arguments)),
            start=name.start,
            end=end,
            depth=self._depth(name.start, *arguments),
        )
