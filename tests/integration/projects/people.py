"""Somebody who asks for things of one project."""

from dataclasses import dataclass

import asyncpg
import httpx

from shared.auth.authority import authority_of
from shared.runtime.resources import Resources
from tests.support.people import Person, create_person
from tests.support.projects import Project


@dataclass
class Caller:
    """Asks below `/v1/projects/{project}` as that person."""

    client: httpx.AsyncClient
    project: Project
    person: Person
    headers: dict[str, str]

    async def ask(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        url = f"/v1/projects/{self.project.name}{path}"
        return await self.client.request(method, url, json=body, headers=self.headers, params=query)

    @property
    def path(self) -> str:
        """Where they are as a member."""
        return f"/members/{self.person.id}"


class People:
    """Makes members of the project."""

    def __init__(
        self, client: httpx.AsyncClient, project: Project, resources: Resources, pool: asyncpg.Pool
    ) -> None:
        self._client, self._project, self._resources, self._pool = client, project, resources, pool

    async def __call__(self, role: str) -> Caller:
        person = await create_person(self._pool, roles={self._project.id: role})
        token = await authority_of(self._resources).issue(person.id, "a session")
        headers = {"authorization": f"Bearer {token.text}"}
        return Caller(self._client, self._project, person, headers)
