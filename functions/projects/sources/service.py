"""What can be done with sources. Each change is one transaction, and ingest goes by it within a second."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from functions.projects import queries as projects
from functions.projects.sources import queries
from shared.audit.by import By
from shared.audit.masks import secrets as shown_secrets
from shared.audit.record import record
from shared.auth.access import Access
from shared.auth.giving import check_unrestricted
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, INVALID, NOT_FOUND, Fault, Problem
from shared.core.things import no_such, there
from shared.core.webhooks.kind import Kind, is_name
from shared.core.webhooks.load import load_kinds
from shared.core.webhooks.recipe import InvalidSettings, Recipe, read_settings
from shared.core.webhooks.secret import MAX_SECRETS, InvalidSecret, check_secret, generate
from shared.runtime.listing import page_of, read_cursor
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asyncpg import Connection, Record

T = TypeVar("T")

UNUSABLE = "This source cannot be kept so."

MAKE = "make or change sources of webhooks: by them it could send any event"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is asked for. `secrets` None or empty is none said."""

    kind: str | None
    settings: dict[str, Any]
    secrets: Sequence[str] | None = field(repr=False)
    rate_per_second: int | None
    burst: int | None


class Sources:
    """The use cases, on the stores of one process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def kinds(self) -> "Iterable[Kind]":
        """Every kind of this deployment, by name."""
        return load_kinds(self._resources.settings.source_kinds_dir).values()

    async def page(self, access: Access, cursor: str | None, limit: int) -> "tuple[list[Record], str | None]":
        """The project's sources by name. Raises Problem 422 for a bad cursor."""
        after = read_cursor(cursor)
        rows = await queries.sources(
            await self._resources.of(access.project_id), access.project_id, after=after, limit=limit + 1
        )
        return page_of(rows, limit)

    async def get(self, access: Access, name: str) -> "Record":
        """One source. Raises Problem 404."""
        async with (await self._resources.of(access.project_id)).acquire() as connection:
            return await _found(connection, access, name)

    async def create(self, access: Access, by: By, name: str, draft: Draft) -> "tuple[Record, str | None]":
        """Keep a new one, and the secret that was made for it. Raises Problem 403, 409, 422."""
        check_unrestricted(access, MAKE)
        faults = (
            [] if is_name(name) else [Fault("/name", "must be of a-z, 0-9 and - inside, at most 63 signs")]
        )
        recipe, more = self._recipe(draft.kind or "", draft)
        faults += more
        made = None
        secrets = draft.secrets or ()
        if recipe is not None:
            if not secrets and (made := generate(recipe)) is not None:
                secrets = (made,)
            faults += _secret_faults(recipe, secrets)
        if recipe is None or faults:
            raise Problem(INVALID, UNUSABLE, errors=faults)
        source_id = uuid7()

        async def use_case(connection: "Connection") -> "Record":
            row = await queries.insert(
                connection,
                source_id=source_id,
                project_id=access.project_id,
                name=name,
                kind=recipe.kind.name,
                settings=draft.settings,
                secrets_sealed=self._seal(source_id, secrets),
                rate_per_second=draft.rate_per_second,
                burst=draft.burst,
            )
            if row is None:
                raise Problem(CONFLICT, f"There is a source named {name} in this project.")
            await _record(connection, access, by, "created", after=(row, secrets))
            return row

        return await self._change(access, use_case), made

    async def replace(
        self, access: Access, by: By, name: str, draft: Draft, *, drop_secrets: bool
    ) -> "Record":
        """Change one. No secrets in the draft keep those there are, unless `drop_secrets`.

        Raises Problem 403, 404, 422.
        """
        check_unrestricted(access, MAKE)

        async def use_case(connection: "Connection") -> "Record":
            old = await _found(connection, access, name)
            recipe, faults = self._recipe(draft.kind or old["kind"], draft)
            secrets: Sequence[str] = draft.secrets or ()
            if not secrets and not drop_secrets:
                secrets = self._open(old)
            if recipe is not None:
                faults += _secret_faults(recipe, secrets)
            if recipe is None or faults:
                raise Problem(INVALID, UNUSABLE, errors=faults)
            row = await queries.replace(
                connection,
                source_id=old["id"],
                project_id=access.project_id,
                kind=recipe.kind.name,
                settings=draft.settings,
                secrets_sealed=self._seal(old["id"], secrets),
                rate_per_second=draft.rate_per_second,
                burst=draft.burst,
            )
            before = (old, self._open(old))
            await _record(connection, access, by, "changed", before=before, after=(row, secrets))
            return row

        return await self._change(access, use_case)

    async def add_secret(
        self, access: Access, by: By, name: str, secret: str | None
    ) -> "tuple[Record, str | None]":
        """Take a second secret beside the newest there is; the one that was made when none is given.

        Raises Problem 403, 404, 422.
        """
        check_unrestricted(access, MAKE)

        async def use_case(connection: "Connection") -> "tuple[Record, str | None]":
            old = await _found(connection, access, name)
            draft = Draft(None, old["settings"], None, None, None)
            recipe, faults = self._recipe(old["kind"], draft)
            made = None
            if recipe is not None:
                made = generate(recipe) if secret is None else None
                given = secret or made
                if given is None:
                    faults = [Fault("/secret", f"must be there: {recipe.kind.secrets.hint}")]
                else:
                    faults = [Fault("/secret", fault.detail) for fault in _secret_faults(recipe, (given,))]
                    if not faults:
                        had = self._open(old)
                        secrets = (given, *had)[:MAX_SECRETS]
                        sealed = self._seal(old["id"], secrets)
                        row = await queries.set_secrets(connection, access.project_id, old["id"], sealed)
                        await _record(
                            connection, access, by, "changed", before=(old, had), after=(row, secrets)
                        )
                        return row, made
            raise Problem(INVALID, UNUSABLE, errors=faults)

        return await self._change(access, use_case)

    async def drop_older_secret(self, access: Access, by: By, name: str) -> None:
        """Take the newest secret alone from now on. Raises Problem 404."""

        async def use_case(connection: "Connection") -> None:
            old = await _found(connection, access, name)
            had = self._open(old)
            row = await queries.set_secrets(
                connection, access.project_id, old["id"], self._seal(old["id"], had[:1])
            )
            await _record(connection, access, by, "changed", before=(old, had), after=(row, had[:1]))

        await self._change(access, use_case)

    async def delete(self, access: Access, by: By, name: str) -> None:
        """Delete one; what it sends is refused everywhere within a second. Raises Problem 404."""

        async def use_case(connection: "Connection") -> None:
            old = await queries.delete(connection, access.project_id, name) if is_name(name) else None
            if old is None:
                raise no_such("source")
            await _record(connection, access, by, "deleted", before=(old, self._open(old)))

        await self._change(access, use_case)

    def count_secrets(self, row: "Record") -> int | None:
        """How many secrets a source has; None when they cannot be opened any more."""
        from shared.auth.sealing import UnsealError

        try:
            return len(self._read(row))
        except UnsealError:
            return None

    def url(self, access: Access, name: str) -> str:
        """Where the third party has to send to."""
        return f"{self._resources.settings.public_url.rstrip('/')}/in/{access.project_name}/{name}"

    async def _change(self, access: Access, use_case: "Callable[[Connection], Awaitable[T]]") -> T:
        """`use_case` in a transaction that no other change of the project's intake runs beside."""
        pool = await self._resources.of(access.project_id)
        async with pool.acquire() as connection, connection.transaction():
            if not await projects.bump_intake(connection, access.project_id):
                raise Problem(NOT_FOUND, "There is no such project any more.")
            return await use_case(connection)

    def _recipe(self, name: str, draft: Draft) -> tuple[Recipe | None, list[Fault]]:
        """What the draft asks for, or None, and what is wrong with it beside its secrets."""
        faults: list[Fault] = []
        if draft.burst is not None and draft.rate_per_second is None:
            faults.append(Fault("/burst", "needs a ratePerSecond"))
        known = load_kinds(self._resources.settings.source_kinds_dir)
        kind = known.get(name)
        if kind is None:
            faults.append(Fault("/kind", f"is not a kind of source; there are {', '.join(known)}"))
            return None, faults
        try:
            return read_settings(kind, draft.settings), faults
        except InvalidSettings as error:
            faults += [Fault(f"/settings{fault.pointer}", fault.detail) for fault in error.faults]
            return None, faults

    def _seal(self, source_id: Any, secrets: Sequence[str]) -> bytes | None:
        from shared.auth.source_secrets import seal_secrets

        return seal_secrets(self._resources.settings.sealing, source_id, secrets)

    def _read(self, row: "Record") -> tuple[str, ...]:
        from shared.auth.source_secrets import open_secrets

        return open_secrets(self._resources.settings.sealing, row["id"], row["secrets_sealed"])

    def _open(self, row: "Record") -> tuple[str, ...]:
        """The secrets of a row; none where they cannot be opened any more."""
        from shared.auth.sealing import UnsealError

        try:
            return self._read(row)
        except UnsealError:
            return ()


async def _record(
    connection: "Connection",
    access: Access,
    by: By,
    what: str,
    *,
    before: "tuple[Record, Sequence[str]] | None" = None,
    after: "tuple[Record, Sequence[str]] | None" = None,
) -> None:
    """Each is a row and its secrets, of which their number is kept and whether they are new."""
    found = after or before
    assert found is not None
    marks = shown_secrets(before[1] if before else (), after[1] if after else ())
    await record(
        connection,
        by,
        f"source.{what}",
        project_id=access.project_id,
        id=found[0]["id"],
        name=found[0]["name"],
        before=_document(before[0], marks[0]) if before else None,
        after=_document(after[0], marks[1]) if after else None,
    )


def _document(row: "Record", marks: list[str]) -> dict[str, Any]:
    """A source as the audit log keeps it."""
    return {
        "name": row["name"],
        "kind": row["kind"],
        "settings": row["settings"],
        "secrets": marks,
        "ratePerSecond": row["rate_per_second"],
        "burst": row["burst"],
    }


def _secret_faults(recipe: Recipe, secrets: Sequence[str]) -> list[Fault]:
    if not secrets and recipe.kind.secrets.required:
        return [Fault("/secrets", f"must have one: {recipe.kind.secrets.hint}")]
    faults = []
    for index, secret in enumerate(secrets):
        try:
            check_secret(recipe, secret)
        except InvalidSecret as error:
            faults.append(Fault(f"/secrets/{index}", str(error)))
    return faults


async def _found(connection: "Connection", access: Access, name: str) -> "Record":
    row = await queries.source(connection, access.project_id, name) if is_name(name) else None
    return there(row, "source")
