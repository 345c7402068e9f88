"""What went wrong, as RFC 9457 tells it: one text for the public, another for the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TYPE_BASE = "https://weir.dev/problems/"
"""Where `type` points to; the pages are `docs/problems/SLUG.md`."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem: its page, its title, its HTTP status."""

    slug: str
    title: str
    status: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a body. `pointer` is a JSON pointer (RFC 6901), "" for the whole."""

    pointer: str
    detail: str


class Problem(Exception):
    """An answer other than the one asked for.

    `detail` is public. `internal` goes to the log alone. `headers` are added to the answer.
    """

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        internal: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail if internal is None else f"{detail} ({internal})")
        self.kind = kind
        self.detail = detail
        self.errors = tuple(errors)
        self.internal = internal
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The members of the problem document."""
        document: dict[str, Any] = {
            "type": TYPE_BASE + self.kind.slug,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": _writable(self.detail),
        }
        if self.errors:
            document["errors"] = [
                {"pointer": _writable(f.pointer), "detail": _writable(f.detail)} for f in self.errors
            ]
        return document


def _writable(text: str) -> str:
    """`text` in UTF-8's reach: JSON may bring in halves of surrogate pairs, and errors quote what came."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


NOT_A_CLOUDEVENT = ProblemKind("not-a-cloudevent", "Not a CloudEvent", 400)
MALFORMED = ProblemKind("malformed", "The request cannot be read", 400)
UNAUTHENTICATED = ProblemKind("unauthenticated", "No valid credential", 401)
PROOF_NEEDED = ProblemKind("proof-needed", "Prove again who you are", 403)
FORBIDDEN = ProblemKind("forbidden", "Not allowed", 403)
NOT_FOUND = ProblemKind("not-found", "Not found", 404)
METHOD_NOT_ALLOWED = ProblemKind("method-not-allowed", "Method not allowed", 405)
REQUEST_TIMEOUT = ProblemKind("request-timeout", "The request did not come in time", 408)
CONFLICT = ProblemKind("conflict", "It conflicts with what is there", 409)
TOO_LARGE = ProblemKind("too-large", "Too large", 413)
UNSUPPORTED_FORMAT = ProblemKind("unsupported-format", "This format is not understood", 415)
SCHEMA_VIOLATION = ProblemKind("schema-violation", "The data does not fit its schema", 422)
INVALID = ProblemKind("invalid", "The request is not valid", 422)
TOO_MANY_REQUESTS = ProblemKind("too-many-requests", "Too many requests", 429)
HEAD_TOO_LARGE = ProblemKind("head-too-large", "The head of the request is too large", 431)
INTERNAL = ProblemKind("internal", "Something went wrong here", 500)
NOT_STREAMED = ProblemKind("not-streamed", "Nothing can be streamed here", 501)
UNAVAILABLE = ProblemKind("unavailable", "Not available at the moment", 503)
STORAGE_FULL = ProblemKind("storage-full", "There is no space left to store this", 507)

KINDS = (
    NOT_A_CLOUDEVENT,
    MALFORMED,
    UNAUTHENTICATED,
    PROOF_NEEDED,
    FORBIDDEN,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    REQUEST_TIMEOUT,
    CONFLICT,
    TOO_LARGE,
    UNSUPPORTED_FORMAT,
    SCHEMA_VIOLATION,
    INVALID,
    TOO_MANY_REQUESTS,
    HEAD_TOO_LARGE,
    INTERNAL,
    NOT_STREAMED,
    UNAVAILABLE,
    STORAGE_FULL,
)
"""Every kind there is; each has a page. Of those with one status the last is the general one."""
