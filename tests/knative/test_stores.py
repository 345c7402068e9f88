"""Postgres and Redis go and come back while events come in and are delivered."""

import time
from typing import Any

import pytest

from cli.local.servers import PostgresServer, RedisServer
from tests.knative.cluster import Cluster
from tests.knative.traffic import Traffic
from tests.knative.waiting import eventually, say
from tests.support.projects import Project

RATE = 150.0
AWAY_SECONDS = 5.0


def play(weir: Cluster, project: Project, server: PostgresServer | RedisServer | None) -> dict[str, Any]:
    """Stop `server` under load and start it again; what happened. Nothing may be lost and no order broken."""
    if server is None:
        pytest.skip(
            "this cluster's stores are not this test's to restart: it has those of WEIR_KNATIVE_DATABASE_URL"
        )
    with Traffic(weir, project) as traffic:
        traffic.send(rate=RATE)
        eventually("some deliveries", lambda: len(traffic.receiver.arrived) > 100, 60)
        server.stop()
        stopped = time.monotonic()
        time.sleep(AWAY_SECONDS)  # the fault lasts
        during = len(traffic.load.acknowledged)
        server.start()
        started = time.monotonic()
        eventually(
            "events are taken again", lambda: len(traffic.load.acknowledged) > during + 50, 60, every=0.1
        )
        taken = time.monotonic() - started
        eventually("and delivered", lambda: len(traffic.receiver.arrived) > during + 50, 90, every=0.1)
        delivered = time.monotonic() - started
        acknowledged = traffic.whole()
        traffic.delivered(120)
        assert traffic.receiver.order.violations == {}
        return {
            "events": acknowledged,
            "away for s": round(started - stopped, 1),
            "taken again after s": round(taken, 1),
            "delivered again after s": round(delivered, 1),
            "answers": {str(status): count for status, count in sorted(traffic.load.answers.items())},
            "repeated": traffic.receiver.repeats,
        }


def test_postgres_restarts_under_load(weir: Cluster, project: Project, figures: dict[str, Any]) -> None:
    figures["Postgres away"] = play(weir, project, weir.stores.postgres)
    say(f"{figures['Postgres away']}")
    # Whoever could not be served was told so and when to come again.
    assert set(figures["Postgres away"]["answers"]) <= {"202", "503"}


def test_redis_restarts_under_load(weir: Cluster, project: Project, figures: dict[str, Any]) -> None:
    figures["Redis away"] = play(weir, project, weir.stores.redis)
    say(f"{figures['Redis away']}")
    # Without it everything goes on: wakes go to the broker.
    assert set(figures["Redis away"]["answers"]) == {"202"}
