"""The HTTP shapes of second factors."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from functions.identity.passkeys.schemas import PasskeyBody, ShownPasskey, Ticket
from functions.identity.passwords.schemas import GivenPassword
from shared.runtime.schema import Request, Schema

Code = Annotated[str, Field(min_length=6, max_length=40)]


class SecondFactorRequest(Request):
    """A code of the authenticator, or a recovery code, with the ticket of the step before."""

    ticket: Ticket
    code: Code


class CodeRequest(Request):
    """A code of the authenticator that is being set up."""

    code: Code


class NewTotpBody(Schema):
    """What an authenticator is given: as it is typed, and as a QR code says it. Shown once."""

    secret: str
    uri: str


class RecoveryCodesBody(Schema):
    """Recovery codes, which are shown once; null where those that there were go on."""

    recovery_codes: list[str] | None


class ProofRequest(Request):
    """The password, with a code where the account has a second factor; or a passkey."""

    password: GivenPassword | None = None
    code: Code | None = None
    passkey: ShownPasskey | None = None


class ProofBody(Schema):
    """Until when nothing more is asked for."""

    until: datetime


class TotpBody(Schema):
    """An authenticator that is set up."""

    since: datetime


class CredentialsBody(Schema):
    """What the user signs in with.

    `currentPassword` says whether setting another password asks for the one there is. `proof` names what would prove
    anew who is there, and until when the last proof is enough; without any way, one has to sign in again.
    """

    has_password: bool
    current_password: bool
    totp: TotpBody | None
    passkeys: list[PasskeyBody]
    passkeys_work_here: bool
    recovery_codes_left: int
    proof_until: datetime | None
    proof_ways: list[Literal["password", "code", "passkey"]]
