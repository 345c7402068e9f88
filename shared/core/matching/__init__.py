"""Which of many filters an event passes, without asking each of them."""

from shared.core.matching.index import Matches, MatchIndex

__all__ = ["MatchIndex", "Matches"]
