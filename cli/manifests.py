"""Subscriptions as files: read from folders, and compared with what there is."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from cli.errors import INVALID, CommandError

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
MEMBERS = ("filters", "sink", "delivery", "state", "auth", "tls", "transform")
"""What is compared, in the order in which it is told."""

SECRET = frozenset({"token", "password", "clientSecret", "privateKey", "value", "secret"})
"""Members of a credential that are never shown, so that nobody can compare them."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A subscription as a file says it. `where` names the file."""

    name: str
    body: dict[str, Any]
    where: str


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with a subscription: `create`, `change`, `keep` or `delete`.

    `differences` are of pointers: what is, what is to be; MISSING where there is nothing.
    """

    action: str
    name: str
    wanted: Manifest | None
    found: Mapping[str, Any] | None
    differences: Sequence[tuple[str, Any, Any]] = ()
    sends_secrets: bool = False


def read_manifests(paths: Sequence[str]) -> list[Manifest]:
    """The subscriptions in files and folders, `-` for standard input; a file may have several documents.

    Raises CommandError with code 5 for what is no subscription, or is named twice.
    """
    found: dict[str, Manifest] = {}
    for where, text in _texts(paths):
        for document in _documents(where, text):
            manifest = _manifest(where, document)
            if (other := found.get(manifest.name)) is not None:
                raise CommandError(
                    f"{where}: the subscription {manifest.name!r} is in {other.where} already", code=INVALID
                )
            found[manifest.name] = manifest
    return sorted(found.values(), key=lambda one: one.name)


def _texts(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    for given in paths:
        if given == "-":
            yield "standard input", sys.stdin.read()
            continue
        path = Path(given)
        files = (
            sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file())
            if path.is_dir()
            else [path]
        )
        for file in files:
            try:
                yield str(file), file.read_text()
            except (OSError, UnicodeDecodeError) as error:
                raise CommandError(f"{file}: {getattr(error, 'strerror', None) or error}") from error


def _documents(where: str, text: str) -> Iterator[Any]:
    import yaml

    try:
        for document in yaml.safe_load_all(text):
            listed = isinstance(document, dict) and isinstance(document.get("items"), list)
            # What `weir subscriptions ls -o yaml` wrote.
            yield from document["items"] if listed else () if document is None else (document,)
    except yaml.YAMLError as error:
        raise CommandError(f"{where}: neither JSON nor YAML: {error}", code=INVALID) from error


def _manifest(where: str, document: Any) -> Manifest:
    if not isinstance(document, dict):
        raise CommandError(f"{where}: a subscription is an object", code=INVALID)
    name = document.get("name")
    if not isinstance(name, str) or not name:
        raise CommandError(f"{where}: a subscription needs a name: it is known by it", code=INVALID)
    if "sink" not in document:
        raise CommandError(f"{where}: the subscription {name!r} has no sink", code=INVALID)
    if (pointer := _not_json(document)) is not None:
        raise CommandError(
            f"{where}: {pointer} of {name!r} is nothing that JSON has: put it in quotes", code=INVALID
        )
    return Manifest(name, document, where)


def _not_json(value: Any, pointer: str = "") -> str | None:
    """Where a document has what YAML knows and JSON does not: a date, a key that is no text, a number that is none."""
    if isinstance(value, dict):
        for name, one in value.items():
            found = f"{pointer}/{name}" if not isinstance(name, str) else _not_json(one, f"{pointer}/{name}")
            if found is not None:
                return found
        return None
    if isinstance(value, list):
        inside = (_not_json(one, f"{pointer}/{number}") for number, one in enumerate(value))
        return next((found for found in inside if found is not None), None)
    if isinstance(value, float) and not isfinite(value):
        return pointer
    return None if value is None or isinstance(value, str | bool | int | float) else pointer


def plan(
    manifests: Iterable[Manifest], there: Iterable[Mapping[str, Any]], *, prune: bool = False
) -> list[Step]:
    """What brings the subscriptions that are `there` to what the manifests say; the others go with `prune`."""
    known = {subscription["name"]: subscription for subscription in there}
    steps: list[Step] = []
    for manifest in manifests:
        found = known.pop(manifest.name, None)
        if found is None:
            steps.append(Step("create", manifest.name, manifest, None))
            continue
        differing = _compare(manifest, found)
        secrets = _has_secrets(manifest.body)
        action = "change" if differing or secrets else "keep"
        steps.append(Step(action, manifest.name, manifest, found, differing, secrets))
    if prune:
        steps += [Step("delete", name, None, found) for name, found in sorted(known.items())]
    return steps


def _compare(manifest: Manifest, found: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    from shared.core.differences import differences

    wanted = said(manifest)
    return [
        (f"/{member}{one.pointer}", one.left, one.right)
        for member in MEMBERS
        if member in wanted
        for one in differences(_found(found, member, wanted[member]), _shown(wanted[member]))
    ]


def _found(found: Mapping[str, Any], member: str, wanted: Any) -> Any:
    """What there is of a member; of a credential, what the manifest says something of: more is shown than is given."""
    there = found.get(member)
    if member in {"auth", "tls"} and isinstance(there, Mapping):
        there = {name: there[name] for name in there if name in wanted}
    return _shown(there)


def said(manifest: Manifest) -> dict[str, Any]:
    """What the API makes of a manifest: filters in the one way, every member of `delivery` with its value.

    What is absent and would stay as it is, is absent here. Raises CommandError with code 5.
    """
    from shared.core.delivery import InvalidPolicy, check_sink, parse_policy, policy_json
    from shared.core.filter_forms import selected

    body = manifest.body
    filters, faults = selected(body.get("filters"), body.get("filter"), body.get("source"), body.get("types"))
    try:
        check_sink(body["sink"], "/sink")
        delivery = policy_json(parse_policy(body.get("delivery")))
    except InvalidPolicy as error:
        raise CommandError(f"{manifest.where}: {error.pointer} {error.detail}", code=INVALID) from error
    if faults:
        raise CommandError(
            f"{manifest.where}: the filters of {manifest.name!r} cannot be used",
            code=INVALID,
            details=tuple(f"{fault.pointer}: {fault.detail}" for fault in faults),
        )
    kept = {name: body[name] for name in ("state", "auth", "tls", "transform") if body.get(name) is not None}
    return {"filters": filters or [], "sink": body["sink"], "delivery": delivery, **kept}


def _shown(value: Any) -> Any:
    """`value` without what of a credential is never shown, and members that say nothing."""
    if isinstance(value, Mapping):
        return {name: _shown(one) for name, one in value.items() if name not in SECRET and one is not None}
    return [_shown(one) for one in value] if isinstance(value, list) else value


def _has_secrets(value: Any) -> bool:
    """Whether a manifest has what cannot be compared, and is sent again for it."""
    if value.get("signingSecrets"):
        return True
    parts = (value.get("auth"), value.get("tls"))
    return any(isinstance(part, Mapping) and bool(SECRET & set(part)) for part in parts)
