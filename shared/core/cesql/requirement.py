"""What must hold of the attributes for an expression to be TRUE: what an index of many expressions needs."""

from dataclasses import dataclass
from typing import Literal as OneOf

from .like import literal
from .nodes import REQUIRED, Attribute, Compare, Exists, In, Like, Literal, Logic, Node, Not
from .terms import TermCondition, tested
from .values import CASTS, Value, string

Kind = OneOf["exact", "prefix", "suffix"]


@dataclass(frozen=True, slots=True)
class Condition:
    """An attribute is there, and its text is, begins or ends with one of `values`.

    An Integer or Boolean attribute is compared by its text, `5` or `true`. An empty prefix asks only that the attribute
    is there.
    """

    attribute: str
    kind: Kind
    values: frozenset[str]

    def holds(self, value: Value | None) -> bool:
        """Whether it holds of the attribute's value, None when there is none."""
        if value is None:
            return False
        text = string(value)
        if self.kind == "exact":
            return text in self.values
        ends = tuple(self.values)
        return text.startswith(ends) if self.kind == "prefix" else text.endswith(ends)


@dataclass(frozen=True, slots=True)
class Requirement:
    """Conditions that all hold whenever the expression is TRUE; none, when nothing simple can be said.

    `terms` are those on what the expression works out of the attributes. When all are `complete`, the expression is TRUE
    whenever they hold, and need not be evaluated.
    """

    conditions: tuple[Condition, ...] = ()
    complete: bool = False
    terms: tuple[TermCondition, ...] = ()


_NOTHING = Requirement()


def required(node: Node) -> Requirement:
    """What a folded node requires to be TRUE."""
    match node:
        case Logic(operator="AND", operands=operands):
            parts = [required(operand) for operand in operands]
            conditions = dict.fromkeys(condition for part in parts for condition in part.conditions)
            terms = dict.fromkeys(term for part in parts for term in part.terms)
            return Requirement(tuple(conditions), all(part.complete for part in parts), tuple(terms))
        case Logic(operator="OR", operands=operands):
            result = required(operands[0])
            for operand in operands[1:]:
                result = _either(result, required(operand))
            # One term has an error in all operands, or in none.
            certain = bool(result.terms) or all(_certain(operand) for operand in operands[:-1])
            return Requirement(result.conditions, result.complete and certain, result.terms)
        case Compare(operator="=", left=Attribute(name=name), right=right):
            if isinstance(right, Literal) and isinstance(right.value, str):
                return Requirement((Condition(name, "exact", frozenset({right.value})),), complete=True)
        case Compare(operator="=", left=Literal(value=value), right=Attribute(name=name)):
            return _cast_to_attribute(name, (value,))
        case In(operand=Attribute(name=name), elements=elements, negated=False):
            # What its elements are cast to is the event's business.
            values = tuple(element.value for element in elements if isinstance(element, Literal))
            if len(values) == len(elements):
                return _cast_to_attribute(name, values)
        case Like(operand=Attribute(name=name), negated=False):
            return _like(name, node)
        case Exists(name=name) if name not in REQUIRED:
            return Requirement((Condition(name, "prefix", frozenset({""})),), complete=True)
        case Not(operand=operand):
            return _of_term(tested(operand), negated=True)
    return _of_term(tested(node))


def _of_term(found: TermCondition | None, *, negated: bool = False) -> Requirement:
    if found is None:
        return _NOTHING
    return Requirement(complete=True, terms=(found.opposite() if negated else found,))


def _cast_to_attribute(name: str, values: tuple[Value, ...]) -> Requirement:
    """The attribute equals one of these values, each cast to its type first.

    So `'05' = x` is TRUE for the Integer 5 as well. Where a value reads as another type, or a cast may fail at one
    value and keep those after it from being looked at, the texts alone do not decide.
    """
    texts = frozenset(
        string(cast) for value in values for kind in CASTS if (cast := CASTS[kind](value)) is not None
    )
    plain = all(isinstance(value, str) for value in values) and texts == frozenset(values)
    others = [kind for value in values for kind in (int, bool) if CASTS[kind](value) is not None]
    return Requirement(
        (Condition(name, "exact", texts),), complete=plain and (len(values) == 1 or not others)
    )


def _like(name: str, node: Like) -> Requirement:
    parts = node.compiled.parts
    first, last = literal(parts[0]), literal(parts[-1])
    if len(parts) == 1:
        if first is not None:
            return Requirement((Condition(name, "exact", frozenset({first})),), complete=True)
        return Requirement(_ends(name, _until_any(parts[0]), _until_any(parts[0][::-1])[::-1]))
    conditions = _ends(name, _until_any(parts[0]), _until_any(parts[-1][::-1])[::-1])
    simple = first is not None and last is not None and not (first and last) and not node.compiled.searches
    return Requirement(conditions, complete=simple)


def _until_any(part: tuple[str | None, ...]) -> str:
    return "".join(character for character in part[: part.index(None) if None in part else None] if character)


def _ends(name: str, prefix: str, suffix: str) -> tuple[Condition, ...]:
    """Without either, the attribute has at least to be there."""
    found = (Condition(name, "prefix", frozenset({prefix})),) if prefix or not suffix else ()
    return (*found, Condition(name, "suffix", frozenset({suffix}))) if suffix else found


def _certain(node: Node) -> bool:
    """Whether a node has no error when its attribute is there: after one, OR does not get to what follows."""
    match node:
        case Compare(operator="=", left=Attribute(), right=right):
            return isinstance(right, Literal) and isinstance(right.value, str)
        case Like(operand=Attribute(), compiled=pattern):
            return not pattern.searches
        case Logic(operator="OR", operands=operands):
            return all(map(_certain, operands))
        case _:
            return isinstance(node, Exists)


def _either(one: Requirement, other: Requirement) -> Requirement:
    """What holds whenever one or the other does: conditions of the same attribute and kind, joined."""
    joined = tuple(
        Condition(a.attribute, a.kind, a.values | b.values)
        for a in one.conditions
        for b in other.conditions
        if (a.attribute, a.kind) == (b.attribute, b.kind)
    )
    terms = tuple(found for a in one.terms for b in other.terms if (found := a.joined(b)) is not None)
    single = len(one.conditions) + len(one.terms) == len(other.conditions) + len(other.terms) == 1
    complete = one.complete and other.complete and single and len(joined) + len(terms) == 1
    return Requirement(joined, complete, terms)
