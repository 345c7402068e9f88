"""Filter dialects of the CloudEvents Subscriptions API (section 3.2.4), and `cel`, which sees data too.

One evaluator serves delivery, check and explain: `compile_filters` turns the JSON into a `Filter`. What each
dialect sees and says is in docs/reference/filters.md.
"""

from shared.core.filters.clauses import All, Any, Clause, Filter, Leaf, Not
from shared.core.filters.compiler import MAX_CLAUSES, MAX_DEPTH, InvalidFilter, compile_filters
from shared.core.filters.data import NO_DATA, EventData, data_of
from shared.core.filters.need import Atom, Need, Needs, all_of, any_of, exactly
from shared.core.filters.terms import UNSURE, Comparison, Term, key_of
from shared.core.filters.verdict import Attributes, Value, Verdict, canonical

__all__ = [
    "MAX_CLAUSES",
    "MAX_DEPTH",
    "NO_DATA",
    "UNSURE",
    "All",
    "Any",
    "Atom",
    "Attributes",
    "Clause",
    "Comparison",
    "EventData",
    "Filter",
    "InvalidFilter",
    "Leaf",
    "Need",
    "Needs",
    "Not",
    "Term",
    "Value",
    "Verdict",
    "all_of",
    "any_of",
    "canonical",
    "compile_filters",
    "data_of",
    "exactly",
    "key_of",
]
