"""How many may watch."""

from pydantic import Field

from shared.runtime.environment import FromEnvironment


class LiveSettings(FromEnvironment):
    """Past `live_readers_max` streams in one process, or `live_project_readers_max` of one project, a reader is 503.

    `live_stream_seconds` is how long a stream stays open before its reader is asked to come back: less than what
    carries it allows (Knative: 600 seconds). Every `live_beat_seconds` a reader that gets nothing is sent a sign of
    life, and its credential is looked at again.
    """

    live_readers_max: int = Field(default=500, ge=1)
    live_project_readers_max: int = Field(default=250, ge=1)
    live_stream_seconds: float = Field(default=570, gt=0)
    live_beat_seconds: float = Field(default=10, gt=0)
