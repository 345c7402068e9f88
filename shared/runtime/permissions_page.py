"""`docs/reference/permissions.md`: what each route asks for, and who may call it, from the routes themselves."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route

from shared.auth.dependency import demands_of
from shared.auth.permissions import DESCRIPTIONS, MEANINGS, ROLES
from shared.runtime.function import Function
from shared.runtime.openapi import PROBES

_HEAD = """# Permissions

Generated from the routes and `shared/auth/permissions.py` by `make generate`; a test walks every route as every role and
compares. An API key may do what its scopes name ([keys.md](keys.md)), a member what their role allows. Beside the four
built-in roles a project can have its own, of any of these permissions ([why so](../decisions/0039-roles-are-names-and-giving-is-checked-again.md)):

```sh
weir roles create auditor --permission events:read --permission audit:read --description 'Looks back'
weir members set jonas@example.com auditor
```

Nobody gives more than they may do themselves: neither by a role, nor to a member, nor by a key. A project never loses its
last owner, a role that somebody has cannot be deleted, and every change holds everywhere within one second. Anybody may
leave. What belongs to another project is 404, whatever one may do.
"""

_TERMS = {"public": "nothing: it is public", "signed-in": "any valid credential"}


def page(applications: Iterable[tuple[Function, FastAPI]]) -> str:
    """The page. Raises ValueError for a route that does not say what it demands."""
    roles = list(ROLES)
    lines = [_HEAD, "## Roles", ""]
    lines += [f"- **{role}**: {DESCRIPTIONS[role][0].lower()}{DESCRIPTIONS[role][1:]}" for role in roles]
    lines += ["", *_row("permission", "lets one", *roles), _rule(2, len(roles))]
    for permission, meaning in MEANINGS.items():
        told = f"{meaning[0].lower()}{meaning[1:]}"
        lines += _row(f"`{permission}`", told, *(_mark(permission, role) for role in roles))
    for function, app in applications:
        rows = sorted(_calls(app), key=lambda call: (call[1], call[0]))
        lines += ["", f"## {function.name}", "", f"{function.summary}.", ""]
        lines += [*_row("call", "asks for", *roles), _rule(2, len(roles))]
        for method, path, demand in rows:
            asks = _TERMS.get(demand, f"`{demand}`")
            marks = (_mark(demand, role) for role in roles)
            lines += _row(f"`{method} {path}`", asks, *marks)
    return "\n".join(lines) + "\n"


def _calls(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    for route in _flat(app.routes):
        if route.path in PROBES:
            continue
        demand = demands_of(route)
        if demand is None:
            raise ValueError(f"{route.path} does not say what it demands")
        for method in (route.methods or set()) - {"HEAD"}:
            yield method, route.path, demand


def _flat(routes: Iterable[BaseRoute]) -> Iterator[Route]:
    """Routes, those of routers that were included among them."""
    for route in routes:
        if isinstance(route, Route):
            yield route
        else:
            inner: Any = getattr(route, "routes", None) or getattr(route, "original_router", None)
            yield from _flat(getattr(inner, "routes", inner))


def _mark(demand: str, role: str) -> str:
    return "yes" if demand in _TERMS or demand in ROLES[role] else ""


def _row(*cells: str) -> list[str]:
    return [f"| {' | '.join(cells)} |"]


def _rule(texts: int, marks: int) -> str:
    return f"|{'---|' * texts}{':-:|' * marks}"
