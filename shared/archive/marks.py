"""Which texts may be among some: a Bloom filter, so that what cannot have one is not read."""

from collections.abc import Iterable
from hashlib import blake2b

BITS_EACH = 10
HASHES = 7
"""With so many bits for each text one in a hundred that are not there seems to be."""


def marks_of(texts: Iterable[str]) -> bytes:
    """The filter of `texts`."""
    given = set(texts)
    size = max(64, -(-len(given) * BITS_EACH // 8) * 8)
    found = bytearray(size // 8)
    for text in given:
        for bit in _bits(text, size):
            found[bit >> 3] |= 1 << (bit & 7)
    return bytes(found)


def may_have(marks: bytes, text: str) -> bool:
    """False where `text` was certainly not among them."""
    return all(marks[bit >> 3] & 1 << (bit & 7) for bit in _bits(text, len(marks) * 8))


def _bits(text: str, size: int) -> list[int]:
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
    first, step = int.from_bytes(digest[:8]), int.from_bytes(digest[8:]) | 1
    return [(first + n * step) % size for n in range(HASHES)]
