"""The problems that an operation answers with beside those that every one has, for its OpenAPI."""

from typing import Any

from shared.auth.dependency import PUBLIC


def problems(*statuses: int) -> dict[str, Any]:
    """For `openapi_extra` of a route that asks for a credential."""
    return {"responses": {str(s): {"$ref": f"#/components/responses/Problem{s}"} for s in statuses}}


def public_problems(*statuses: int) -> dict[str, Any]:
    """For `openapi_extra` of a route that asks for none."""
    return {**PUBLIC, **problems(*statuses)}
