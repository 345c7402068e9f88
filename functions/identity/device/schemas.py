"""The HTTP shapes of sign-in on a device."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from functions.identity.schemas import UserBody
from shared.runtime.schema import OneLine, Request, Schema

GivenToken = Annotated[SecretStr, Field(min_length=1, max_length=256)]


class DeviceRequest(Request):
    """`name` is what the device calls itself, to be recognised by."""

    name: Annotated[str, Field(max_length=80), OneLine] = ""


class DeviceCodesBody(Schema):
    """What RFC 8628, section 3.2, answers: a code for the device alone, and one for whoever sits before it."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_at: datetime
    interval_seconds: int


class DeviceCodeRequest(Request):
    """The device's own code."""

    device_code: GivenToken


class DevicePendingBody(Schema):
    """Nobody has decided yet. Ask again after so many seconds."""

    state: Literal["pending"]
    interval_seconds: int


class DeviceSessionBody(Schema):
    """A session for a program that is no browser: the refresh token is in the body, and works nowhere else."""

    state: Literal["approved"]
    access_token: str
    expires_at: datetime
    refresh_token: str
    user: UserBody


class RefreshTokenRequest(Request):
    """The refresh token of a session that was given to a device."""

    refresh_token: GivenToken


class UserCodeRequest(Request):
    """The short code that the device shows. Case and hyphens do not matter."""

    user_code: str = Field(min_length=1, max_length=32)


class DeviceBody(Schema):
    """A device that asks for a session. What it calls itself nobody has checked; where it asked from was seen."""

    user_code: str
    name: str
    program: str
    address: str
    asked_at: datetime
    expires_at: datetime
