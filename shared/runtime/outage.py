"""Telling a store that is away from a mistake of our own."""

import sys

RETRY_AFTER_SECONDS = 2


def is_outage(error: BaseException) -> bool:
    """Whether `error` says that Postgres or Redis cannot be used now, so that trying again later may help.

    Drivers are looked up only when they are loaded: nobody else can have raised their errors.
    """
    if isinstance(error, OSError | TimeoutError):
        return True
    if (asyncpg := sys.modules.get("asyncpg")) is not None:
        postgres = asyncpg.exceptions
        if isinstance(
            error,
            (
                postgres.PostgresConnectionError,  # class 08
                postgres.InsufficientResourcesError,  # class 53: disk full, too many connections
                postgres.OperatorInterventionError,  # class 57: shutting down, starting up
                postgres.ReadOnlySQLTransactionError,  # a standby after a failover
            ),
        ):
            return True
        if isinstance(error, postgres.InternalClientError):
            return True  # the server's farewell was read, the end of the connection not yet
        if isinstance(error, postgres.InterfaceError):
            text = str(error)
            return "closed" in text or "closing" in text
    if (redis := sys.modules.get("redis")) is not None:
        return isinstance(error, redis.ConnectionError | redis.TimeoutError)
    return False
