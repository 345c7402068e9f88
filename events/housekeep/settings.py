"""What housekeeping is told of where it runs."""

from pydantic import Field

from shared.runtime.environment import FromEnvironment


class HousekeepSettings(FromEnvironment):
    """`database_limit_bytes` is how large the database may become: Postgres cannot tell what its disk holds."""

    database_limit_bytes: int | None = Field(default=None, ge=1)
