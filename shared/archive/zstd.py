"""Zstandard, as Python has it from 3.14 on."""

import sys
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 6
"""By measure (`python -m tests.bench.archive`): half the processor time of 12, which makes it 8 % smaller."""

_SKIPPABLE = (0x184D2A5E).to_bytes(4, "little")
"""A frame that every decoder passes over (RFC 8878, section 3.1.2)."""

Error: type[Exception] = zstd.ZstdError


def compress(raw: bytes) -> bytes:
    """One frame, with a checksum of its content."""
    options: dict[Any, int] = {
        zstd.CompressionParameter.compression_level: LEVEL,
        zstd.CompressionParameter.checksum_flag: 1,
    }
    return bytes(zstd.compress(raw, options=options))


def decompress(frames: bytes) -> bytes:
    """What is in one frame or several. Raises Error for what is none, or does not have its checksum."""
    return bytes(zstd.decompress(frames))


def skippable(content: bytes) -> bytes:
    """A frame that holds `content`, and nothing for whoever decompresses."""
    return _SKIPPABLE + len(content).to_bytes(4, "little") + content


def content_of(skipped: bytes) -> bytes:
    """What `skippable` was given. Raises ValueError."""
    if skipped[:4] != _SKIPPABLE or int.from_bytes(skipped[4:8], "little") != len(skipped) - 8:
        raise ValueError("there is no index where one should be")
    return skipped[8:]
