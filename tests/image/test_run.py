"""Functions run from the image as a platform runs them: any user, a read-only root, SIGTERM at the end."""

import random
from pathlib import Path

import httpx
import pytest

from shared.runtime import registry
from tests.bench.cold import ENVIRONMENT
from tests.support.image import Contained

USERS = {"the image's": (65532, 65532), "any, in the root group": (random.randint(10**9, 2 * 10**9), 0)}
"""OpenShift gives a random high uid with the group 0; others what the image says."""


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
@pytest.mark.parametrize("function", registry.functions(), ids=lambda f: f.name)
def test_a_function_runs_as_anybody_and_writes_nothing(contained, function, user):
    with Contained(contained, {**ENVIRONMENT, "WEIR_FUNCTION": function.name}, user=user) as served:
        process = Path(f"/proc/{served.pid()}")
        lines = (process / "status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        mounts = (process / "mountinfo").read_text().splitlines()
        # Without its stores it answers, is not ready, and is no other function.
        assert httpx.get(f"{served.url}/readyz", timeout=30).status_code == 503
        about = httpx.get(f"{served.url}/openapi.json", timeout=30)
        written = [path.name for path in served.tmp.iterdir()]
        assert served.end() == 0
    assert status["Uid"].split() == [str(user[0])] * 4
    assert status["CapEff"].strip("0") == ""
    root = next(line.split() for line in mounts if line.split()[4] == "/")
    assert "ro" in root[5].split(",")
    assert written == []
    if function.is_handler:
        assert about.status_code == 404
    else:
        assert about.json()["info"]["title"] == f"Weir {function.name}"
    assert '"level":"error"' not in served.errors


def test_the_port_is_8080_unless_told(contained):
    # Another process of this machine may have that port: what counts is that it asks for it.
    served = Contained(contained, {**ENVIRONMENT, "WEIR_FUNCTION": "receive", "PORT": "8080"})
    served.port, served.url = 8080, "http://127.0.0.1:8080"
    with served:
        assert httpx.get(f"{served.url}/healthz", timeout=30).json() == {"status": "ok"}
        assert served.end() == 0


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "name a function (or set WEIR_FUNCTION)"),
        ({"WEIR_FUNCTION": "nothing"}, "there is no function 'nothing'; there are archive, "),
        ({"WEIR_FUNCTION": "ingest", "WEIR_SECRET": None}, "secret"),
        ({"WEIR_FUNCTION": "ingest", "PORT": "http"}, "PORT"),
    ],
    ids=["none", "unknown", "no secret", "no port"],
)
def test_it_says_what_is_wrong_with_its_settings(contained, environment, says):
    given = {name: value for name, value in {**ENVIRONMENT, **environment}.items() if value is not None}
    with _started(contained, given) as served:
        assert served.wait() == 2
        assert says in served.written()
        assert "Traceback" not in served.written()


def test_it_migrates_a_database_and_serves_it(contained, empty_database, settings):
    """The Job of a deployment, then `readyz`, both with what is in the image."""
    environment = {
        **ENVIRONMENT,
        "WEIR_DATABASE_URL": empty_database,
        "WEIR_REDIS_URL": settings.redis_url.get_secret_value(),
    }
    with _started(contained, environment, ["python", "-m", "shared.db.migrate"]) as job:
        assert job.wait(120) == 0, job.written()
    with Contained(contained, {**environment, "WEIR_FUNCTION": "explore"}) as served:
        assert httpx.get(f"{served.url}/readyz", timeout=30).status_code == 200
        assert served.end() == 0


FILTER = """
from shared.core.cloudevents import DataKind
from shared.core.filters import EventData, compile_filters
event = {"type": "t", "source": "/s", "id": "1", "time": "2026-11-27T10:00:00Z"}
matcher = compile_filters([{"cel": 'timestamp(time).getHours("Europe/Berlin") == 11'}])
assert matcher.matches(event, EventData(b"{}", DataKind.JSON))
"""


def test_a_filter_knows_time_zones_where_there_is_no_distribution_to_have_them(contained):
    with _started(contained, ENVIRONMENT, ["python", "-c", FILTER]) as ran:
        assert ran.wait() == 0, ran.written()


IMPORTS = """
import importlib, pkgutil, sys
import functions, events, shared
for package in (functions, events, shared):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        # Generating is done from sources, a migration's environment is loaded by Alembic alone, and on AWS
        # another package runs.
        own = found.name not in {"shared.runtime.generate", "shared.db.migrations.env"}
        if own and not found.name.startswith("shared.runtime.aws"):
            importlib.import_module(found.name)
import aiohttp, argon2, asyncpg, cel_expr_python.cel, cloudevents, cryptography.hazmat.bindings._rust, jsonata
import jsonschema_rs, jwt, redis, sqlalchemy.dialects.postgresql.asyncpg, uvloop
import ssl, zoneinfo
assert len(ssl.create_default_context().get_ca_certs()) > 100
assert zoneinfo.ZoneInfo("Europe/Berlin")
print("all of it")
"""


def test_every_module_of_weir_can_be_imported(contained):
    with _started(contained, ENVIRONMENT, ["python", "-c", IMPORTS]) as ran:
        assert ran.wait() == 0, ran.written()
        assert "all of it" in ran.written()


class _started:  # noqa: N801 used as a function
    """A container that is expected to end by itself."""

    def __init__(self, image, environment, command=None) -> None:
        self._contained = Contained(image, environment, command)

    def __enter__(self) -> Contained:
        self._contained.start()
        return self._contained

    def __exit__(self, *_: object) -> None:
        self._contained.__exit__()
