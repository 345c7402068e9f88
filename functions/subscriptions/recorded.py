"""What the audit log keeps of a change of a subscription."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.subscriptions.credentials import KEEP
from functions.subscriptions.draft import Draft
from shared.audit.masks import secret
from shared.core.credentials import KINDS, secret_of
from shared.core.delivery import parse_policy, policy_json

if TYPE_CHECKING:
    from asyncpg import Record

Document = dict[str, Any]

_OF_STATE = ("state", "stateReason", "version")
_DONE = {"active": "resumed", "paused": "paused", "disabled": "disabled"}


@dataclass(frozen=True, slots=True)
class Given:
    """Which secrets a change gives anew."""

    signing: bool
    auth: bool
    private_key: bool


def given_in(draft: Draft) -> Given:
    """Those of a draft."""
    auth = draft.auth if isinstance(draft.auth, dict) else None
    tls = draft.tls if draft.tls is not KEEP and isinstance(draft.tls, dict) else {}
    return Given(
        signing=bool(draft.signing_secrets),
        auth=auth is not None and secret_of(auth) is not None,
        private_key=tls.get("privateKey") is not None,
    )


ALL = Given(signing=True, auth=True, private_key=True)


def documents(
    before: "Record | None", after: "Record | None", given: Given = ALL
) -> tuple[Document | None, Document | None]:
    """What there was and what there is, as the API shows it; of secrets, whether there are some and were given anew."""
    old, new = _shown(before), _shown(after)
    had, has = _secrets(before), _secrets(after)
    for name, changed in (("signing", given.signing), ("auth", given.auth), ("tls", given.private_key)):
        marks = secret(before=name in had, after=name in has, changed=changed)
        for document, mark in zip((old, new), marks, strict=True):
            if document is not None and mark is not None:
                _put(document, name, mark)
    return old, new


def _secrets(row: "Record | None") -> frozenset[str]:
    """Where a subscription has secrets."""
    if row is None:
        return frozenset()
    there = {
        "signing": row["signing_secrets_sealed"] is not None,
        "auth": row["auth"] is not None,
        "tls": row["tls"] is not None and bool(row["tls"].get("certificate")),
    }
    return frozenset(name for name, is_there in there.items() if is_there)


def what_was_done(old: Document, new: Document) -> str:
    """The action that leads from the one to the other: a change of nothing but its state has a word of its own."""
    rest = [{k: v for k, v in one.items() if k not in _OF_STATE} for one in (old, new)]
    if old["state"] != new["state"] and rest[0] == rest[1]:
        return f"subscription.{_DONE[new['state']]}"
    return "subscription.changed"


def _shown(row: "Record | None") -> Document | None:
    if row is None:
        return None
    return {
        "name": row["name"],
        "filters": row["filters"],
        "sink": row["sink"],
        "delivery": policy_json(parse_policy(row["delivery"])),
        "signingSecrets": None,
        "auth": None if row["auth"] is None else dict(row["auth"]),
        "tls": None if row["tls"] is None else dict(row["tls"]),
        "transform": row["transform"],
        "state": row["state"],
        "stateReason": row["state_reason"],
        "version": row["version"],
    }


def _put(document: Document, name: str, mark: str) -> None:
    if name == "auth":
        document["auth"][KINDS[document["auth"]["type"]].secret] = mark
    elif name == "tls":
        document["tls"]["privateKey"] = mark
    else:
        document["signingSecrets"] = mark
