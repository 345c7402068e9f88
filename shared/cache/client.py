"""The Redis client of a process."""

from redis.asyncio import Redis


def open_redis(url: str) -> Redis:
    """A client for `url` with short time-outs: everything asked of Redis is a hint or can be refused."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=1,
        socket_timeout=2,
        health_check_interval=15,
    )
