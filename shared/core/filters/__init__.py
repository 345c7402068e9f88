"""Filter dialects of the CloudEvents Subscriptions API (section 3.2.4), and `cel`, which sees data too.

One evaluator serves delivery, check and explain: `compile_filters` turns the JSON into a `Filter`. What each
dialect sees and says is in docs/reference/filters.md.
"""

from shared.core.filters.clauses import All, Any, Clause, Filter, Leaf, Not
from shared.core.filters.compiler import MAX_CLAUSES, MAX_DEPTH, InvalidFilter, compile_filters
from shared.core.filters.data import NO_DATA, EventData, data_of
from shared.core.filters.verdict import Attributes, Value, Verdict, canonical

__all__ = [
    "MAX_CLAUSES",
    "MAX_DEPTH",
    "NO_DATA",
    "All",
    "Any",
    "Attributes",
    "Clause",
    "EventData",
    "Filter",
    "InvalidFilter",
    "Leaf",
    "Not",
    "Value",
    "Verdict",
    "canonical",
    "compile_filters",
    "data_of",
]
