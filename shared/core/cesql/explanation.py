"""Why an expression is not TRUE."""

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import EvaluationError
from .interpreter import Fault, cast, evaluate, shown
from .nodes import Attribute, Logic, Node, names
from .values import NAMES, Attributes, Value


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict of `matches` with its reason.

    When it did not match, `text[start:end]` of the expression is the smallest part that kept it from matching, `clause`
    that text, and `values` what the attributes in it were, None where absent. `error` is what ended the evaluation.
    """

    matched: bool
    message: str
    clause: str
    start: int
    end: int
    values: Mapping[str, Value | None]
    error: EvaluationError | None = None


def told(fault: Fault) -> EvaluationError:
    """A fault as callers see it."""
    return EvaluationError(fault.kind, fault.message, fault.node.start, fault.node.end)


def explain(text: str, root: Node, attributes: Attributes) -> Explanation:
    """Why `root` is TRUE or is not."""
    error, verdict = None, ""
    try:
        value = evaluate(root, attributes)
    except Fault as fault:
        error = told(fault)
        node = _culprit(root, attributes)
        verdict = error.message
    else:
        if value is True:
            return Explanation(True, "it is true", text, 0, len(text), _values(root, attributes))
        node = _culprit(root, attributes) if value is False else root
        verdict = (
            "is false" if value is False else f"is the {NAMES[type(value)]} {shown(value)}, and no Boolean"
        )
    clause = text[node.start : node.end]
    values = _values(node, attributes)
    facts = "; ".join(
        f"{name} is missing" if found is None else f"{name} is {shown(found)}"
        for name, found in values.items()
    )
    if error is None:
        message = f"{clause} {verdict}" + (f": {facts}" if facts and not isinstance(node, Attribute) else "")
    else:
        message = f"{clause}: {verdict}" + (
            f" ({facts})" if facts and error.kind != "missingAttribute" else ""
        )
    return Explanation(False, message, clause, node.start, node.end, values, error)


def _values(node: Node, attributes: Attributes) -> dict[str, Value | None]:
    return {name: attributes.get(name) for name in names(node)}


def _culprit(node: Node, attributes: Attributes) -> Node:
    """The smallest part that is enough to say why `node` is not TRUE: of AND the operand that was not, of OR and XOR the
    one with an error, or all of it.
    """
    if not isinstance(node, Logic):
        return node
    for operand in node.operands:
        try:
            value = cast(evaluate(operand, attributes), bool, operand)
        except Fault:
            return _culprit(operand, attributes)
        if value is False and node.operator == "AND":
            return _culprit(operand, attributes)
    return node
