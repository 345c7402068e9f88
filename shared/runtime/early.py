"""The wake that a process sends before it has loaded itself."""

import logging
import socket
import threading
from typing import Self

from shared.core.ids import SHARDS
from shared.runtime.broker import Broker

WAKE = "dev.weir.wake"
"""`contracts.wake` says what it is; to load that takes longer than to send it."""

TIMEOUT_SECONDS = 5.0
PATIENCE_SECONDS = 0.25
"""How much longer than the rest of a start it may take."""

logger = logging.getLogger("weir")


class EarlyWake:
    """A wake for all shards, sent by a thread while the process loads: for one that starts because work is coming."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._given_up = False
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    @classmethod
    def sent(cls) -> Self | None:
        """Send it to the broker of the environment; None where there is none that takes it so, see `Broker.send_now`."""
        broker = Broker.from_environment()
        return cls(broker) if broker.can_send_now else None

    def connection(self) -> socket.socket | None:
        """Where its answer comes, for whoever asks first; None when it has not gone out by now, then it is given up."""
        self._thread.join(PATIENCE_SECONDS)
        with self._lock:
            self._given_up = True
            connection, self._connection = self._connection, None
        return connection

    def _send(self) -> None:
        try:
            connection = self._broker.send_now(
                WAKE, {"shards": list(range(SHARDS))}, timeout_seconds=TIMEOUT_SECONDS
            )
        except OSError as error:
            logger.warning("the broker did not take an early wake: %r", error)
            return
        with self._lock:
            if not self._given_up:
                self._connection = connection
                return
        connection.close()
