"""Which passwords are refused however long they are: those that are tried first."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

COMMON = "is one of those that everybody tries first"
PATTERN = "is a short piece repeated, or a row of keys"
ABOUT = "is made of what anybody knows of you or of Weir: your name, your address, the product"

_SPELLED = str.maketrans("013457@$!|+", "oleastasilt")
"""The signs that stand for letters, in the hope that nobody guesses."""

_ROWS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    *("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    *("qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn"),
    *("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "1q2w3e4r5t6y7u8i9o0p", "1a2b3c4d5e6f"),
)
_BESIDE = frozenset(pair for row in _ROWS for a, b in pairwise(row) for pair in (a + b, b + a))

_FEWEST_RUNS = 5
_FEWEST_SIGNS = 5
_FEWEST_OWN = 8
"""What is left without what anybody knows must have so many letters and digits."""

_SHORTEST_UNIT = 12
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_PARTS = re.compile(r"[^\W\d_]{3,}|[^\W_]{4,}")


def why_refused(password: str, *, about: Iterable[str] = ()) -> str | None:
    """Why it is guessed too easily, as the end of a sentence; None when it is not.

    `about` are texts that whoever guesses would know: name, address, the product's name.
    """
    plain = _plain(password)
    core = _EDGES.sub("", plain)
    if (
        any(form in _long() for form in (plain, _spelled(plain), _spelled(core)))
        or _spelled(core) in _words()
    ):
        return COMMON
    if _is_pattern(plain) or (core and _is_pattern(core)):
        return PATTERN
    if _is_about(plain, about):
        return ABOUT
    return None


def _plain(text: str) -> str:
    """The same for whatever looks the same (NFKC), in lower case."""
    return unicodedata.normalize("NFKC", text).casefold()


def _spelled(plain: str) -> str:
    return plain.translate(_SPELLED)


def _skeleton(plain: str) -> str:
    """Without what is put around a word to make it longer, and with its letters."""
    return _spelled(_EDGES.sub("", plain))


def _is_pattern(plain: str) -> bool:
    if len(set(plain)) < _FEWEST_SIGNS:
        return True
    if any(
        plain == (plain[:n] * len(plain))[: len(plain)]
        for n in range(1, min(_SHORTEST_UNIT, len(plain) // 2 + 1))
    ):
        return True
    runs = 1 + sum(a != b and a + b not in _BESIDE for a, b in pairwise(plain))
    return runs < _FEWEST_RUNS


def _is_about(plain: str, about: Iterable[str]) -> bool:
    known = sorted({part for text in about for part in _PARTS.findall(_plain(text))}, key=len, reverse=True)
    own = plain
    for part in known:
        own = own.replace(part, " ").replace(part[::-1], " ")
    if own == plain:
        return False
    # A word of the lists is no more one's own than the name before it.
    own = " ".join(piece for piece in own.split() if _skeleton(piece) not in _words())
    return sum(sign.isalnum() for sign in own) < _FEWEST_OWN


@cache
def _long() -> frozenset[str]:
    listed = _lines("long.txt")
    return frozenset(listed) | frozenset(map(_spelled, listed))


@cache
def _words() -> frozenset[str]:
    return frozenset(_lines("words.txt"))


def _lines(name: str) -> list[str]:
    text = (Path(__file__).parent / "lists" / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("# ")]
