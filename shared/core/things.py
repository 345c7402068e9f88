"""The things of a project that somebody names: found, or a refusal that is the same for each kind of them."""

from typing import TypeVar
from uuid import UUID

from shared.core.problems import NOT_FOUND, Problem

Row = TypeVar("Row")


def no_such(thing: str) -> Problem:
    """404 for a `thing` that the project does not have, whether or not another one has it."""
    return Problem(NOT_FOUND, f"There is no such {thing} in this project.")


def there(row: Row | None, thing: str) -> Row:
    """`row`, which is there. Raises Problem 404."""
    if row is None:
        raise no_such(thing)
    return row


def read_uuid(text: str) -> UUID | None:
    """The UUID that `text` is; None for what is none, and so the id of nothing."""
    try:
        return UUID(text)
    except ValueError:
        return None


def id_of(text: str, thing: str) -> UUID:
    """The id of a `thing` in a path. Raises Problem 404 for what is no id at all."""
    return there(read_uuid(text), thing)
