"""The HTTP surface of one's sessions."""

from typing import Annotated

from fastapi import APIRouter, Depends

from functions.identity.service import Identity
from functions.identity.sessions import service
from functions.identity.sessions.schemas import EndedSessionsBody, KeptSessionBody, SessionList
from shared.auth.access import Principal
from shared.auth.acting import Author
from shared.auth.dependency import signed_in
from shared.runtime.refusals import problems

Caller = Annotated[Principal, Depends(signed_in)]


def sessions(identity: Identity) -> APIRouter:
    """The routes below `/v1/me/sessions`."""
    router = APIRouter(prefix="/v1/me/sessions", tags=["account"])

    @router.get("")
    async def list_sessions(caller: Caller) -> SessionList:
        """One's sessions: where, since when, when last, and which is this one."""
        return SessionList(
            items=[
                KeptSessionBody(
                    id=kept.id,
                    how=kept.how,
                    started_at=kept.started_at,
                    last_used_at=kept.last_used_at,
                    address=kept.address,
                    browser=kept.browser,
                    is_current=kept.id == caller.session,
                )
                for kept in await service.list_sessions(identity, caller)
            ]
        )

    @router.delete("/{session}", status_code=204)
    async def end_session(session: str, caller: Caller, by: Author) -> None:
        """End a session of one's own. Another than the one that asks needs a recent proof."""
        await service.end_session(identity, caller, session, by)

    @router.delete("", openapi_extra=problems())
    async def end_sessions(caller: Caller, by: Author, others: bool = False) -> EndedSessionsBody:  # noqa: FBT001, FBT002
        """Sign out everywhere; with `others`, everywhere else. Needs a recent proof."""
        return EndedSessionsBody(ended=await service.end_sessions(identity, caller, others=others, by=by))

    return router
