"""The HTTP shapes of passwords."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from functions.identity.passwords.hashing import MAX_LENGTH, MIN_LENGTH
from shared.runtime.schema import Request, Schema

GivenPassword = Annotated[SecretStr, Field(min_length=1, max_length=MAX_LENGTH)]


class PasswordRequest(Request):
    """The password to be; `currentPassword` is required when there is one, but from who just came in without it."""

    password: SecretStr = Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)
    current_password: GivenPassword | None = None


class ForgottenRequest(Request):
    """Whose password is forgotten."""

    email: str = Field(min_length=1, max_length=320)


class ForgottenBody(Schema):
    """By whom a link is to be had: by mail, if the address is somebody's here, or from who runs this Weir."""

    by: Literal["mail", "operator"]
