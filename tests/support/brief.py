"""How long is short: by the speed of the processor that the tests run on, so that a slow one fails no test."""

import time
from functools import cache

REFERENCES = 110
_MODULUS = 2**2048 - 1942289


def brief(share: float = 1.0) -> float:
    """Seconds of processor time: what 110 powers of 2,048 bits take here, one on a quick processor, or a `share` of that."""
    return share * REFERENCES * _power_seconds()


@cache
def _power_seconds() -> float:
    started = time.process_time()
    for _ in range(3):
        pow(3, _MODULUS - 1, _MODULUS)
    return (time.process_time() - started) / 3
