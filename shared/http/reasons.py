"""Why there was no answer, in words for the owner of the address."""

import os
import ssl

from shared.http.addresses import AddressRefused
from shared.http.connection import Broken
from shared.http.dial import Unresolved
from shared.http.request import InvalidRequest


def reason(error: BaseException, timeout_seconds: float | None = None) -> str:
    """In words why a request that raised `error` has no answer."""
    if isinstance(error, AddressRefused | Unresolved | Broken):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_seconds:g} s" if timeout_seconds else "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message or error}"[:300]
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {error.reason or error}"[:300]
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "the connection was reset"
    if isinstance(error, InvalidRequest):
        return f"the request cannot be sent: {error}"
    if isinstance(error, OSError):
        number = error.errno
        return f"no connection: {os.strerror(number) if number and number > 0 else error}"[:300]
    return f"{type(error).__name__}: {error}"[:300]
