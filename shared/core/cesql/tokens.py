"""Cuts a text into tokens (CESQL 1.0, section 2.2)."""

import re
from typing import Literal, NamedTuple

from .errors import ParseError

Sort = Literal["word", "text", "symbol", "end"]
KEYWORDS = frozenset({"AND", "OR", "XOR", "NOT", "LIKE", "EXISTS", "IN", "TRUE", "FALSE"})

# Each alternative begins with other characters and repeats possessively: no text is looked at twice.
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]++)
      | (?P<word>[A-Za-z0-9_]++)
      | (?P<text>'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+")
      | (?P<symbol><=|>=|<>|!=|[=<>+\-*/%(),])""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """`value` is the word, the symbol, or what a string literal stands for; empty at the end of the text. `keyword` is
    the one that a word is, in capitals, and empty for everything else.
    """

    sort: Sort
    value: str
    start: int
    end: int
    keyword: str = ""


def tokens(text: str) -> list[Token]:
    """The tokens of a text, an `end` last. Raises ParseError."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unknown(text, position)
        start, position = position, match.end()
        match match.lastgroup:
            case "word":
                upper = match[0].upper()
                found.append(Token("word", match[0], start, position, upper if upper in KEYWORDS else ""))
            case "text":
                if found and found[-1].sort == "text" and found[-1].end == start:
                    raise ParseError("a quote inside a text is written \\' or \\\", not twice", start, text)
                quote = match[0][0]
                found.append(Token("text", match[0][1:-1].replace("\\" + quote, quote), start, position))
            case "symbol":
                found.append(Token("symbol", match[0], start, position))
            case _:
                pass
    found.append(Token("end", "", len(text), len(text)))
    return found


def _unknown(text: str, position: int) -> ParseError:
    character = text[position]
    if character in "'\"":
        return ParseError(
            f"this text has no closing {character}; within it, {character} is written \\{character}",
            position,
            text,
        )
    if character == "!":
        return ParseError("! is no operator; write NOT, or != for unequal", position, text)
    if character == ".":
        return ParseError(
            "a name has only letters and digits, and numbers are whole: . is neither", position, text
        )
    return ParseError(f"{character!r} is no part of CESQL outside a text in quotes", position, text)
