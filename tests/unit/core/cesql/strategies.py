"""Expressions and events to try them on: few names and few values, so that they meet."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from shared.core.cesql import BUILTINS
from shared.core.cesql.like import read
from shared.core.cesql.nodes import (
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

NAMES = ("type", "subject", "n", "flag", "in", "1a")
TEXTS = ("", "a", "ab", "b", "true", "TRUE", "5", "05", "-1", "0", "a'b", 'a"', "a\\b", "2147483648", "ß")
PATTERNS = ("%", "a%", "%b", "a", "%a%", "_", "a_", "%_b%", "5%", "tr%", "", "a%b", "\\%", "0_")

values = st.sampled_from(TEXTS) | st.integers(-3, 6) | st.booleans()
attributes: SearchStrategy[dict[str, str | int | bool]] = st.dictionaries(
    st.sampled_from(NAMES), values, max_size=6
) | st.fixed_dictionaries(dict.fromkeys(NAMES, values))

literals: SearchStrategy[Node] = st.builds(
    Literal, st.sampled_from(TEXTS) | st.sampled_from([0, 1, 5, -1, 2**31 - 1, -(2**31)]) | st.booleans()
)
names: SearchStrategy[Node] = st.sampled_from(NAMES).map(Attribute)


def _call(name: str, arguments: list[Node]) -> Node:
    return Call(name, tuple(arguments), BUILTINS.find(name, len(arguments)))


def _logic(operator: str, operands: list[Node]) -> Node:
    return Logic(operator, tuple(operands))


def _like(operand: Node, pattern: str, negated: bool) -> Node:
    return Like(operand, pattern, negated, read(pattern))


def _over(inner: SearchStrategy[Node]) -> SearchStrategy[Node]:
    return st.one_of(
        st.builds(Not, inner),
        st.builds(Negate, inner),
        st.builds(Arithmetic, st.sampled_from("+-*/%"), inner, inner),
        st.builds(Compare, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), inner, inner),
        st.builds(Compare, st.just("="), names, literals),
        st.builds(Compare, st.just("="), literals, names),
        st.builds(_logic, st.sampled_from(["AND", "OR", "XOR"]), st.lists(inner, min_size=2, max_size=4)),
        st.builds(_logic, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
        st.builds(_like, inner | names, st.sampled_from(PATTERNS), st.booleans()),
        st.builds(
            lambda operand, elements, negated: In(operand, tuple(elements), negated),
            inner | names,
            st.lists(inner | literals, min_size=1, max_size=3),
            st.booleans(),
        ),
        st.builds(
            _call,
            st.sampled_from(
                [
                    "LENGTH",
                    "CONCAT",
                    "CONCAT_WS",
                    "LOWER",
                    "UPPER",
                    "TRIM",
                    "LEFT",
                    "RIGHT",
                    "SUBSTRING",
                    "ABS",
                    "INT",
                    "BOOL",
                    "STRING",
                    "NONE_SUCH",
                ]
            ),
            st.lists(inner, max_size=3),
        ),
    )


trees: SearchStrategy[Node] = st.recursive(
    literals | names | st.sampled_from((*NAMES, "id")).map(Exists), _over, max_leaves=12
)
clauses: SearchStrategy[Node] = st.one_of(
    st.builds(Compare, st.just("="), names, literals),
    st.builds(Compare, st.just("="), literals, names),
    st.builds(_like, names, st.sampled_from(PATTERNS), st.booleans()),
    st.builds(
        lambda operand, elements, negated: In(operand, tuple(elements), negated),
        names,
        st.lists(literals, min_size=1, max_size=3),
        st.just(False),
    ),
    st.sampled_from((*NAMES, "id")).map(Exists),
)
terms: SearchStrategy[Node] = names | st.one_of(
    names.map(lambda name: _call("LENGTH", [name])),
    names.map(lambda name: _call("UPPER", [name])),
    names.map(lambda name: Arithmetic("/", Literal(6), name)),
    st.builds(lambda name, count: _call("LEFT", [name, count]), names, names),
)
compared: SearchStrategy[Node] = st.one_of(
    st.builds(Compare, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), terms, literals),
    st.builds(Compare, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), literals, terms),
    st.builds(_like, terms, st.sampled_from(PATTERNS), st.booleans()),
    st.builds(
        lambda operand, elements, negated: In(operand, tuple(elements), negated),
        terms,
        st.lists(literals, min_size=1, max_size=3),
        st.booleans(),
    ),
)
"""What an index works out of an event."""

filters: SearchStrategy[Node] = st.recursive(
    clauses | compared | compared.map(Not),
    lambda inner: st.builds(_logic, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
    max_leaves=5,
)
"""Such as people write: what an index can do something with."""
