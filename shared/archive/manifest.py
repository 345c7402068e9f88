"""What is said of a day beside its objects, so that the archive explains itself without a database."""

from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

import msgspec

from shared.archive.parts import Part

FORMAT = "weir-archive/1"


class Manifest(msgspec.Struct, rename="camel", frozen=True):
    """All that is in the archive of one day of one project."""

    project_id: UUID
    project: str
    day: date
    parts: list[Part]
    events: int
    packed_bytes: int
    raw_bytes: int
    sealed_at: datetime
    format: str = FORMAT


def folder_of(project_id: UUID, day: date) -> str:
    """Where the objects of a day are, with the slash at its end."""
    return f"{project_id}/{day:%Y/%m/%d}/"


def manifest_key(project_id: UUID, day: date) -> str:
    """Where the manifest of a day is."""
    return f"{folder_of(project_id, day)}manifest.json"


def part_key(project_id: UUID, day: date, run: str, number: int) -> str:
    """Where an object is. `run` is in its name: another run writes others."""
    return f"{folder_of(project_id, day)}events-{number:05}-{run}.ndjson.zst"


def write_manifest(manifest: Manifest) -> tuple[bytes, bytes]:
    """The bytes of a manifest, and their digest."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    return content, sha256(content).digest()


def read_manifest(content: bytes) -> Manifest:
    """The manifest in `content`. Raises msgspec.DecodeError, msgspec.ValidationError."""
    return msgspec.json.decode(content, type=Manifest)
