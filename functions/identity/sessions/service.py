"""The use cases of one's sessions: see them, end one, end all."""

from functions.identity.proof import demand_proof
from functions.identity.service import Identity, user_id_of
from functions.identity.sessions.families import Kept
from shared.audit.by import By
from shared.auth.access import Principal
from shared.core.problems import NOT_FOUND, Problem


async def list_sessions(identity: Identity, principal: Principal) -> list[Kept]:
    """The user's sessions, the one that was used last first."""
    return await (await identity.sessions()).of_user(user_id_of(principal))


async def end_session(identity: Identity, principal: Principal, session_id: str, by: By) -> None:
    """End a session of the user's; another than the one that asks needs a recent proof. Raises Problem 403, 404."""
    user = await identity.user(user_id_of(principal))
    if session_id != principal.session:
        await demand_proof(identity, principal)
    if not await (await identity.sessions()).end(session_id, of=user.id):
        raise Problem(NOT_FOUND, "There is no such session of yours.")
    await identity.record(by, "session.ended", user, session_id, {"why": "ended by its owner"})


async def end_sessions(identity: Identity, principal: Principal, *, others: bool, by: By) -> int:
    """End all sessions of the user, or all others. How many. Raises Problem 403."""
    user = await identity.user(user_id_of(principal))
    await demand_proof(identity, principal)
    sessions = await identity.sessions()
    ended = await sessions.end_others(user.id, principal.session if others else None)
    await identity.record(by, "sessions.ended", user, user.id, {"ended": ended, "others": others})
    return ended
