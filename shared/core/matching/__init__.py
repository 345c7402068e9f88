"""Which of many filters an event passes, without asking each of them."""

from shared.core.matching.index import MatchIndex
from shared.core.matching.plans import Matches

__all__ = ["MatchIndex", "Matches"]
