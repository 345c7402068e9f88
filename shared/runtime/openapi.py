"""The OpenAPI document: FastAPI's, with what FastAPI cannot know, and the merged one of all functions."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shared.core.problems import KINDS

SECURITY: list[dict[str, list[str]]] = [{"bearer": []}]
PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")

PROBLEM_SCHEMA = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}

RESPONSES = {
    400: "The request cannot be read.",
    401: "There is no valid credential.",
    403: "The credential does not allow this.",
    404: "There is no such thing, or it belongs to another project.",
    409: "It conflicts with what is there.",
    413: "The request is too large.",
    415: "The format of the body is not understood.",
    422: "The request has values that cannot be used; `errors` points at them.",
    429: "Too many requests; `Retry-After` says when to come again.",
    501: "What was asked for cannot be done where this runs.",
    503: "A store cannot be reached; `Retry-After` says when to come again.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document of one function, with every problem that its operations may answer."""
    found = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        routes=app.routes,
        openapi_version=app.openapi_version,
    )
    for path, item in found.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                _complete(item[method], path)
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for schema in schemas.values():
        _drop_titles(schema)
    schemas["Problem"] = PROBLEM_SCHEMA
    found["components"]["responses"] = {_name(status): _response(status) for status in RESPONSES}
    found["components"]["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key (`weir_…`) or an access token.",
        }
    }
    found["security"] = SECURITY
    return found


def merged(documents: Iterable[dict[str, Any]], version: str) -> dict[str, Any]:
    """One document for the whole of Weir. Raises ValueError when two functions claim one operation."""
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Weir", "summary": "A CloudEvents gateway", "version": version},
        "security": SECURITY,
        "paths": {},
        "components": {"schemas": {}, "responses": {}, "securitySchemes": {}},
    }
    for found in documents:
        for path, item in found.get("paths", {}).items():
            there = whole["paths"].setdefault(path, {})
            for method, operation in item.items():
                if method in there:
                    raise ValueError(f"two functions declare {method.upper()} {path}")
                there[method] = operation
        for group, parts in found["components"].items():
            there = whole["components"].setdefault(group, {})
            for name, part in parts.items():
                if there.setdefault(name, part) != part:
                    raise ValueError(f"two functions declare different {group} {name!r}")
    whole["paths"].update(PROBES)
    whole["paths"] = dict(sorted(whole["paths"].items()))
    for group in ("schemas", "responses"):
        whole["components"][group] = dict(sorted(whole["components"][group].items()))
    _check_operation_ids(whole)
    return whole


def _check_operation_ids(whole: dict[str, Any]) -> None:
    seen: dict[str, str] = {}
    for path, item in whole["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                where = f"{method.upper()} {path}"
                other = seen.setdefault(operation["operationId"], where)
                if other != where:
                    raise ValueError(f"{other} and {where} have one operationId")


def _complete(operation: dict[str, Any], path: str) -> None:
    public = operation.get("security") == []
    if operation.get("security") == SECURITY:
        del operation["security"]
    responses = operation.setdefault("responses", {})
    if _is_fastapis(responses.get("422")):
        del responses["422"]
    for status in _possible(operation, path, public=public):
        responses.setdefault(str(status), {"$ref": f"#/components/responses/{_name(status)}"})
    for parameter in operation.get("parameters", ()):
        _drop_titles(parameter.get("schema", {}))


def _possible(operation: dict[str, Any], path: str, *, public: bool) -> Iterator[int]:
    if "requestBody" in operation:
        yield from (400, 413, 415, 422)
    elif operation.get("parameters"):
        yield 422
    if not public:
        yield from (401, 403)
    if "{" in path:
        yield 404
    yield 503


def _is_fastapis(response: dict[str, Any] | None) -> bool:
    return response is not None and "HTTPValidationError" in str(response)


def _name(status: int) -> str:
    return f"Problem{status}"


def _response(status: int) -> dict[str, Any]:
    slugs = ", ".join(f"`{kind.slug}`" for kind in KINDS if kind.status == status)
    return {
        "description": f"{RESPONSES[status]} Types: {slugs}.",
        "content": {"application/problem+json": {"schema": PROBLEM_REF}},
    }


def _drop_titles(schema: Any) -> None:
    """Take out the titles that pydantic derives from names: they say nothing new."""
    if isinstance(schema, list):
        for part in schema:
            _drop_titles(part)
    elif isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for key, part in schema.items():
            if key in {"properties", "$defs"}:
                for inner in part.values():
                    _drop_titles(inner)
            elif key not in {"example", "examples", "default", "const", "enum"}:
                _drop_titles(part)


def _probe(operation: str, summary: str, status: dict[str, Any], *, public: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation,
        "summary": summary,
        "tags": ["system"],
        "responses": status,
    }
    if public:
        found["security"] = []
    return {"get": found}


_STATUS = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"type": "string"}},
}

PROBES: dict[str, Any] = {
    "/healthz": _probe(
        "getHealth",
        "Whether the process answers",
        {"200": {"description": "It does.", "content": {"application/json": {"schema": _STATUS}}}},
    ),
    "/readyz": _probe(
        "getReadiness",
        "Whether the stores answer",
        {
            "200": {"description": "They do.", "content": {"application/json": {"schema": _STATUS}}},
            "503": {"$ref": "#/components/responses/Problem503"},
        },
    ),
    "/metrics": _probe(
        "getMetrics",
        "The process's metrics, for the metrics token",
        {
            "200": {
                "description": "Prometheus' text format.",
                "content": {"text/plain": {"schema": {"type": "string"}}},
            },
            "401": {"$ref": "#/components/responses/Problem401"},
        },
        public=False,
    ),
    "/openapi.json": _probe(
        "getOpenapi",
        "This document",
        {
            "200": {
                "description": "OpenAPI 3.1.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
    ),
}
"""What every function answers beside its own routes."""
