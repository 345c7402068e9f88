"""Which of many filters an event passes, without asking each of them."""

from shared.core.matching.index import REMEMBERED_BYTES, MatchIndex
from shared.core.matching.memo import Budget
from shared.core.matching.plans import Matches

__all__ = ["REMEMBERED_BYTES", "Budget", "MatchIndex", "Matches"]
