"""A project with one of everything in it, and where each thing is: for tests that ask for another project's things."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from tests.support import stream
from tests.support.archive import archive
from tests.support.people import create_person
from tests.support.projects import Project

PARAMETER = re.compile(r"\{(\w+)\}")

MADE: dict[str, dict[str, Any]] = {
    "producers": {"name": "their-producer"},
    "sources": {"name": "their-source", "kind": "github"},
    "subscriptions": {"name": "their subscription", "sink": "http://127.0.0.1:9/"},
    "keys": {"name": "their key", "scopes": ["events:read"]},
    "searches": {"name": "their search", "page": "events", "query": {"type": ["their.type"]}},
    "roles": {"name": "their-role", "permissions": ["events:read"]},
    "invitations": {"email": "invited@example.org", "role": "viewer"},
    "holds": {"name": "their case"},
    "erasures": {"subject": "their customer"},
    "archive/recalls": {"since": "2024-03-01T00:00:00Z", "until": "2024-03-02T00:00:00Z"},
}
"""What is put into a collection, by the last part of its path. A new kind of thing needs a line here, or below."""


@dataclass
class Furnished:
    """A project with things in it. `paths` are those that were filled in, by their templates."""

    client: httpx.AsyncClient
    project: Project
    paths: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Where it is."""
        return f"/v1/projects/{self.project.name}"

    async def place(self, template: str) -> str:
        """`template` with the names of this project's own things. Fails where there is no such thing to name."""
        if template not in self.paths:
            self.paths[template] = await self._fill(template)
        return self.paths[template]

    async def _fill(self, template: str) -> str:
        path = template.replace("{project}", self.project.name)
        while (found := PARAMETER.search(path)) is not None:
            name = await self._name(found[1], path[: found.start() - 1])
            assert name is not None, (
                f"{template}: nothing is known to be in {path[: found.start()]}."
                " Put something there in tests/support/furnished.py"
            )
            path = path[: found.start()] + name + path[found.end() :]
        return path

    async def _name(self, parameter: str, collection: str) -> str | None:
        """What the first thing of a collection goes by: its name or its id, whichever leads to it."""
        answer = await self.client.get(collection, headers=self.project.headers)
        items = answer.json()["items"] if answer.status_code == 200 else []
        # Not one that every project has.
        own = [item for item in items if not item.get("isBuiltIn")]
        if not own:
            return FIXED.get(parameter)
        names = [own[0][member] for member in (parameter, "id", "uid", "name") if member in own[0]]
        for name in names:
            there = await self.client.get(f"{collection}/{name}", headers=self.project.headers)
            if there.status_code == 200:
                return str(name)
        return str(names[0]) if names else None


FIXED = {"version": "1", "source": "their-source"}
"""Names of what is in no list: versions of a schema, and what `/in/{project}/{source}` goes by."""


async def furnish(client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project) -> Furnished:
    """Put one of everything into `project`, by the API where it goes."""
    await create_person(pool, roles={project.id: "operator"})
    found = Furnished(client, project)
    noon = datetime(2024, 3, 1, 12, tzinfo=UTC)
    await archive(pool, project.id, [stream.an_event(type="their.type", subject="archived")], noon)
    for collection, body in MADE.items():
        made = await client.post(f"{found.base}/{collection}", json=body, headers=project.headers)
        assert made.status_code == 201, f"{collection}: {made.text}"
        if collection == "subscriptions":
            subscription = UUID(made.json()["id"])
    schema = {"schema": {"type": "object"}, "facets": {"order": "/order"}}
    typed = await client.put(f"{found.base}/types/their.type", json=schema, headers=project.headers)
    assert typed.status_code in {200, 201}, typed.text
    (event,) = await stream.store(pool, project.id, [stream.an_event(type="their.type")])
    await stream.deliver(pool, project.id, event, subscription)
    # At a rate of hardly any, so that it has not ended when it is asked for.
    again = {"select": {"subscription": str(subscription)}, "ratePerSecond": 0.01}
    started = await client.post(f"{found.base}/replays", json=again, headers=project.headers)
    assert started.status_code == 202, started.text
    return found
