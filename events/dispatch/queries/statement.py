"""What the statements of dispatch have in common."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection | asyncpg.Pool"
Row = Sequence[Any]

TIMEOUT_SECONDS = 10

EVENT = """e.uid, e.data_kind, e.id, e.source, e.type, e.specversion, e.subject, e.time,
    e.datacontenttype, e.dataschema, e.extensions, e.data"""
