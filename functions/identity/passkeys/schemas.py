"""The HTTP shapes of passkeys. What a browser takes and gives is in WebAuthn's own JSON (Level 3, section 5.1.8)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from shared.runtime.schema import Named, Request, Schema

Text = Annotated[str, Field(max_length=64 * 1024)]
Ticket = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=60), Named]


class ShownResponse(Schema):
    """`AuthenticatorAssertionResponseJSON`, what of it is looked at."""

    client_data_json: Text = Field(alias="clientDataJSON")
    authenticator_data: Text
    signature: Text
    user_handle: Text | None = None


class ShownPasskey(Schema):
    """`AuthenticationResponseJSON`: what `PublicKeyCredential.toJSON()` gives after `get`."""

    id: Text
    raw_id: Text
    type: Text
    response: ShownResponse


class MadeResponse(Schema):
    """`AuthenticatorAttestationResponseJSON`, what of it is looked at."""

    client_data_json: Text = Field(alias="clientDataJSON")
    attestation_object: Text
    transports: list[Annotated[str, Field(max_length=20)]] = Field(default=[], max_length=10)


class MadePasskey(Schema):
    """`RegistrationResponseJSON`: what `PublicKeyCredential.toJSON()` gives after `create`."""

    id: Text
    raw_id: Text
    type: Text
    response: MadeResponse


class OptionsRequest(Request):
    """With the ticket of the step before, the passkeys of that account alone are asked for."""

    ticket: Ticket | None = None


class OptionsBody(Schema):
    """What `navigator.credentials` is given, as `PublicKeyCredential.parse…OptionsFromJSON()` reads it."""

    public_key: dict[str, Any]


class PasskeySignInRequest(Request):
    """A passkey, with the ticket where it is the second factor."""

    credential: ShownPasskey
    ticket: Ticket | None = None


class PasskeyRequest(Request):
    """A new passkey and what its owner calls it."""

    name: Name
    credential: MadePasskey


class PasskeyName(Request):
    """What a passkey is to be called."""

    name: Name


class PasskeyBody(Schema):
    """A passkey. It works on pages of `relyingParty`."""

    id: UUID
    name: str
    relying_party: str
    is_synced: bool
    created_at: datetime
    last_used_at: datetime | None


class NewPasskeyBody(PasskeyBody):
    """A passkey that was just added, with recovery codes when it is the first second factor. They are shown once."""

    recovery_codes: list[str] | None
