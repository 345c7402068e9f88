"""Whose turn it is to use a child process: each expression in turn, and one child stays with those that are quick."""

import asyncio
from collections import OrderedDict, deque

SLOW_SECONDS = 0.1
"""An expression that takes longer is slow: others would notice."""

FADE = 4
KNOWN = 1_000


class Turns:
    """At most `count` turns at once. Of expressions known to be slow, all of them together have one fewer.

    So whoever is quick waits for others that are quick, however many are slow. Of a `count` of 1 there is nothing to
    divide: then each expression waits for one evaluation of each other.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._free_for_slow = max(1, count - 1)
        self._waiting: OrderedDict[str, deque[asyncio.Future[bool]]] = OrderedDict()
        self._seconds: OrderedDict[str, float] = OrderedDict()

    async def take(self, expression: str) -> bool:
        """Wait for a turn; what `give` has to be told."""
        if expression not in self._waiting and self._may(slow := self._is_slow(expression)):
            self._admit(slow=slow)
            return slow
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(expression, deque()).append(turn)
        try:
            return await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.give(slow=turn.result())
            raise

    def give(self, *, slow: bool) -> None:
        """A turn is over."""
        self._free += 1
        self._free_for_slow += slow
        while self._free and self._next():
            pass

    def took(self, expression: str, seconds: float) -> None:
        """So long an evaluation took; the last ones weigh most."""
        known = self._seconds.pop(expression, seconds)
        self._seconds[expression] = known + (seconds - known) / FADE
        if len(self._seconds) > KNOWN:
            self._seconds.popitem(last=False)

    def _is_slow(self, expression: str) -> bool:
        return self._seconds.get(expression, 0.0) > SLOW_SECONDS

    def _may(self, slow: bool) -> bool:  # noqa: FBT001 the one thing that it is asked about
        return self._free > 0 and (not slow or self._free_for_slow > 0)

    def _admit(self, *, slow: bool) -> None:
        self._free -= 1
        self._free_for_slow -= slow

    def _next(self) -> bool:
        """Let the first go on who waits and may; whether there was one. Its expression is the last from then on."""
        for expression, turns in self._waiting.items():
            if not self._may(slow := self._is_slow(expression)):
                continue
            turn = turns.popleft()
            if turns:
                self._waiting.move_to_end(expression)
            else:
                del self._waiting[expression]
            if not turn.done():  # nobody waits for it any more
                self._admit(slow=slow)
                turn.set_result(slow)
            return True
        return False
