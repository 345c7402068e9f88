"""What dispatch needs to know of where it runs."""

from pydantic import Field

from shared.runtime.environment import FromEnvironment


class DispatchSettings(FromEnvironment):
    """`dispatch_linger_seconds` is how long shards without work are kept for what may come next.

    Where an open request is billed (AWS Lambda), less of it costs less, and more new starts.
    """

    dispatch_linger_seconds: float = Field(default=15.0, ge=0)
