"""Every route of every endpoint function that could change something says who does, or that it changes nothing.

That those that say so do record is watched in every test: `_every_change_is_recorded` in `tests/conftest.py`.
"""

import pytest

from shared.auth.acting import records
from shared.runtime.resources import Resources
from tests.support.routes import ENDPOINTS, app_of, flat

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_a_route_that_changes_something_records_it(name: str, resources: Resources) -> None:
    forgotten = [
        f"{'/'.join(sorted(methods))} {route.path}"
        for route in flat(app_of(name, resources).routes)
        if (methods := (route.methods or set()) & CHANGING) and records(route) is False
    ]
    assert forgotten == [], "these take `by: Author` and record, or say `@changes_nothing`"


async def test_there_are_routes_to_walk(resources: Resources) -> None:
    said = [
        records(route)
        for name in ENDPOINTS
        for route in flat(app_of(name, resources).routes)
        if (route.methods or set()) & CHANGING
    ]
    assert said.count(True) > 25
    assert said.count(None) > 5
