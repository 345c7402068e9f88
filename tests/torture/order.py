"""Whether deliveries kept the order of their keys, as a receiver sees it. Pure."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class Key:
    """What is known of one key. Its events are numbered from 1; each was acknowledged before the next was sent."""

    begun: int = 0
    answered: set[int] = field(default_factory=set)
    whole: int = 0
    """All up to this one have been answered with 2xx."""


class Order:
    """Counts requests that came before their turn, and repeats that came after it.

    A **violation** is the first request for n+1 that starts before the request for n, or for one before that,
    has been answered with 2xx. A **late** repeat is a request for n that starts after one for n+1 had started
    in its turn: at least once allows it, order does not count it, but it is told.
    """

    def __init__(self) -> None:
        self._keys: defaultdict[str, Key] = defaultdict(Key)
        self.violations: Counter[str] = Counter()
        self.late = 0

    def begin(self, name: str, number: int) -> None:
        """A request for event `number` of key `name` has started."""
        key = self._keys[name]
        if number < key.begun:
            self.late += number in key.answered
        elif number > key.begun:
            if key.whole < number - 1:
                self.violations[name] += 1
            key.begun = number

    def end(self, name: str, number: int) -> None:
        """It was answered with 2xx."""
        key = self._keys[name]
        key.answered.add(number)
        while key.whole + 1 in key.answered:
            key.whole += 1
