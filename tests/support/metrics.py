"""The Prometheus text format, read back."""

import re

LINE = re.compile(r"([a-z0-9_]+)(\{[^}]*\})? (\S+)")


def values(text: str) -> dict[str, float]:
    """Each sample by its name with its labels, as they are written."""
    found = (LINE.fullmatch(line) for line in text.splitlines() if not line.startswith("#"))
    return {match[1] + (match[2] or ""): float(match[3]) for match in found if match is not None}


def names(text: str) -> set[str]:
    """The names of the series that these metrics have, also of those without a sample yet."""
    found: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            parts = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            found |= {name + part for part in parts}
    return found
