"""What a transform may take."""

from pydantic import Field

from shared.runtime.environment import FromEnvironment


class TransformSettings(FromEnvironment):
    """`transform_timeout_seconds` is for one event; `transform_memory_bytes` is address space of a child process.

    `transform_processes` is how many there may be in one process of ours; they start at the first transform.
    """

    transform_timeout_seconds: float = Field(default=1.0, gt=0, le=30)
    transform_memory_bytes: int = Field(default=512 * 1024 * 1024, ge=128 * 1024 * 1024)
    transform_processes: int = Field(default=2, ge=1, le=16)
