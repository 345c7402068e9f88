"""The HTTP surface of the built-in sink."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from functions.receive import record, service
from functions.receive.function import FUNCTION
from functions.receive.schemas import AnswerRequest, SinkBody
from functions.receive.service import Receiver
from shared.auth.access import Access
from shared.auth.acting import Author, changes_nothing
from shared.auth.dependency import declare, requires
from shared.runtime.app import endpoint_app
from shared.runtime.refusals import public_problems
from shared.runtime.resources import Resources

MAX_BODY_BYTES = 4 * 1024 * 1024
"""An event of 1 MiB in base64, with room for what surrounds it."""

_TAKES: dict[str, Any] = {
    **public_problems(429),
    "requestBody": {"content": {"*/*": {"schema": {"description": "Anything; the first 64 KiB are kept."}}}},
}


def create(resources: Resources) -> FastAPI:
    """The application of `receive`."""
    app = endpoint_app(FUNCTION, resources, _router(resources), max_body_bytes=MAX_BODY_BYTES)
    _open_sink(app, Receiver(resources))
    return app


def _open_sink(app: FastAPI, receiver: Receiver) -> None:
    @changes_nothing
    async def receive(project: str, request: Request) -> Response:
        """Take a request and answer as the project's sink is told."""
        return await receiver.take(project, request)

    declare(receive, "public")
    app.post("/sink/{project}", openapi_extra=_TAKES, tags=["receive"], response_model=None)(receive)
    others = ["GET", "PUT", "PATCH", "DELETE"]
    app.api_route("/sink/{project}", methods=others, include_in_schema=False)(receive)
    app.api_route("/sink/{project}/{rest:path}", methods=["POST", *others], include_in_schema=False)(receive)


def _router(resources: Resources) -> APIRouter:
    router = APIRouter(tags=["receive"])

    @router.get("/v1/projects/{project}/sink")
    async def get_sink(access: Annotated[Access, Depends(requires("deliveries:read"))]) -> SinkBody:
        """The project's built-in sink and what it received within the last hour."""
        return await shown(access)

    @router.put("/v1/projects/{project}/sink")
    async def set_sink(
        body: AnswerRequest,
        access: Annotated[Access, Depends(requires("subscriptions:write"))],
        by: Author,
    ) -> SinkBody:
        """Tell the project's built-in sink how to answer."""
        await service.tell(resources, access, by, body.answer)
        return await shown(access)

    async def shown(access: Access) -> SinkBody:
        answer, requests = await record.read(await resources.redis(), access.project_id)
        url = f"{resources.settings.public_url.rstrip('/')}/sink/{access.project_name}"
        return SinkBody.model_validate({"url": url, "answer": answer, "requests": requests})

    return router
