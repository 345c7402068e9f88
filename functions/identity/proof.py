"""A recent proof of who is there, for what changes what opens an account (ASVS 5.0, 7.5.1 and 7.5.2)."""

from datetime import UTC, datetime

from functions.identity.service import Identity, session_ended, user_id_of
from functions.identity.sessions.families import PROOF_SECONDS, Proof
from shared.auth.access import Principal
from shared.core.problems import PROOF_NEEDED, Problem


async def proof_of(identity: Identity, principal: Principal) -> Proof:
    """What the caller's session last proved. Raises Problem 401 for a session that has ended, 403 for an API key."""
    user_id_of(principal)
    proof = await (await identity.sessions()).proof_of(principal.session)
    if proof is None:
        raise session_ended()
    return proof


async def demand_proof(identity: Identity, principal: Principal) -> Proof:
    """The same, and refuse one that is too old. Raises Problem 403."""
    proof = await proof_of(identity, principal)
    if not proof.is_recent:
        raise Problem(
            PROOF_NEEDED,
            f"This asks for a proof of the last {PROOF_SECONDS // 60} minutes that it is you: "
            "give one at POST /v1/me/proof, or sign in again.",
        )
    return proof


def proof_ends(proof: Proof) -> datetime | None:
    """Until when the proof is recent enough; None for one that is not."""
    if not proof.is_recent:
        return None
    return datetime.fromtimestamp(proof.at.timestamp() + PROOF_SECONDS, UTC)
