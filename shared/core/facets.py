"""Facets: the few values of an event's data by which a project wants to find it again."""

import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from shared.core.pointers import InvalidPointer, find, read_pointer, write_pointer
from shared.core.problems import Fault

MAX_FACETS = 20
MAX_POINTER = 256
MAX_TEXT = 256
"""Characters of a text that is indexed; a longer one is left out, since half of a value finds the wrong events."""

MAX_ELEMENTS = 20
"""Of an array of scalars, how many are looked at."""

Facets = tuple[tuple[str, tuple[str, ...]], ...]
"""Names with the reference tokens of their pointers."""

Scalar = str | int | float | bool

_NAME = re.compile(r"[a-z][a-zA-Z0-9_]{0,31}", re.ASCII).fullmatch
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII).fullmatch
_UNSTORABLE = re.compile("[\0\ud800-\udfff]").search


def facet_faults(facets: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with a declaration of names and JSON pointers; pointers in it begin at the declaration."""
    faults: list[Fault] = []
    if len(facets) > MAX_FACETS:
        faults.append(Fault("", f"must not have more than {MAX_FACETS} facets"))
    for name, pointer in facets.items():
        if not is_facet_name(name):
            detail = "is not a facet's name: a to z first, then letters, digits and _, at most 32 of them"
            faults.append(Fault(write_pointer([name]), detail))
        elif not isinstance(pointer, str) or len(pointer) > MAX_POINTER or _UNSTORABLE(pointer):
            detail = f"must be a JSON pointer (RFC 6901) of at most {MAX_POINTER} characters"
            faults.append(Fault(write_pointer([name]), detail))
        else:
            try:
                read_pointer(pointer)
            except InvalidPointer as error:
                faults.append(Fault(write_pointer([name]), str(error)))
    return faults


def is_facet_name(name: str) -> bool:
    """Whether a facet may be called so."""
    return _NAME(name) is not None


def read_facets(facets: Mapping[str, str]) -> Facets:
    """A declaration without faults, ready to be used."""
    return tuple((name, read_pointer(pointer)) for name, pointer in facets.items())


def extract(facets: Facets, data: Any) -> dict[str, Scalar | list[Scalar]]:
    """The facets that an event's data has: scalars, and the scalars among the first elements of an array.

    Null, objects and texts past `MAX_TEXT` are left out.
    """
    found: dict[str, Scalar | list[Scalar]] = {}
    for name, parts in facets:
        value = find(parts, data)
        if _is_scalar(value):
            found[name] = value
        elif type(value) is list and (kept := [v for v in value[:MAX_ELEMENTS] if _is_scalar(v)]):
            found[name] = kept
    return found


def meanings(value: str) -> list[Scalar]:
    """What facet values a searched text may stand for: itself, and the number or boolean that it spells."""
    found: list[Scalar] = [value]
    if value in {"true", "false"}:
        found.append(value == "true")
    elif _NUMBER(value):
        try:
            number = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return found  # beyond what a number of ours can be: no facet has it
        found.append(number)
    return found


def _is_scalar(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return len(value) <= MAX_TEXT and _UNSTORABLE(value) is None
    return kind is bool or kind is int or (kind is float and math.isfinite(value))
