"""What an image weighs, by part: `python -m tests.image.budget NAME`."""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path, PurePosixPath

from tests.support.image import Image, unpacked

LIMIT_BYTES = 220 * 10**6
PACKAGES = "usr/local/lib/python3.11/site-packages"
OWN = frozenset({"functions", "events", "shared"})
LARGE_BYTES = 2 * 10**6


def part_of(path: str) -> str:
    """The part that a file belongs to."""
    parts = PurePosixPath(path).parts
    if path.startswith(PACKAGES + "/"):
        name = parts[5].partition("-")[0].removesuffix(".libs")
        return "Weir itself" if name in OWN or name == "weir" else name
    if path.startswith("opt/console"):
        return "the console"
    if path.startswith("usr/local"):
        return "Python and its standard library"
    return "C libraries and certificates"


def by_part(image: Image) -> dict[str, int]:
    """Bytes of each part, the largest first; small packages together."""
    found = Counter[str]()
    for path, entry in image.entries.items():
        found[part_of(path)] += entry.size
    own = {"Weir itself", "the console", "Python and its standard library", "C libraries and certificates"}
    small = {name for name, size in found.items() if size < LARGE_BYTES and name not in own}
    for name in small:
        found[f"{len(small)} smaller packages"] += found.pop(name)
    return dict(found.most_common())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="such as weir:local")
    with tempfile.TemporaryDirectory() as folder:
        image = unpacked(parser.parse_args().name, Path(folder))
        for part, size in by_part(image).items():
            sys.stdout.write(f"| {part} | {size / 1e6:.1f} MB |\n")
        sys.stdout.write(f"| all | {image.size / 1e6:.1f} MB |\n")


if __name__ == "__main__":
    main()
