"""Are two images the same, file by file? `python -m tests.image.reproduce [--build] NAME OTHER`

Compares path, kind, mode, owner, time and digest of every file, and the configuration apart from when it was made.
`--build` builds both first, one after the other and from nothing. The exit code is 1 when anything differs.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.image import Image, unpacked
from tests.support.served import ROOT

OF_THE_BUILDER = frozenset({"Image", "Hostname"})
"""buildah's own notes: of the layer below, which has a time in it, and of the container that it built in."""


def differences(one: Image, other: Image) -> Iterator[str]:
    """A line for each."""
    for path in sorted(one.entries.keys() | other.entries.keys()):
        found, there = one.entries.get(path), other.entries.get(path)
        if found != there:
            yield f"{path}: {found} in one, {there} in the other"
    for name in sorted(one.config["config"].keys() | other.config["config"].keys()):
        values = [image.config["config"].get(name) for image in (one, other)]
        if name not in OF_THE_BUILDER and values[0] != values[1]:
            yield f"config {name}: {values[0]} in one, {values[1]} in the other"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name")
    parser.add_argument("other")
    parser.add_argument("--build", action="store_true", help="build both first")
    chosen = parser.parse_args()
    images = []
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate((chosen.name, chosen.other)):
            if chosen.build:
                fresh = {**os.environ, "WEIR_BUILD_FRESH": "1"}
                subprocess.run([ROOT / "infra/docker/build", name], env=fresh, check=True)
            into = Path(folder, str(number))
            into.mkdir()
            images.append(unpacked(name, into))
        found = list(differences(*images))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.stdout.write(f"{len(images[0].entries)} files, folders and links; {len(found)} differ\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
