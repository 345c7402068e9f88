"""What a TLS connection to a sink is made with: whom it trusts, and who it says it is."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def tls_context(
    certificate: str | None = None,
    private_key: str | None = None,
    ca: str | None = None,
    *,
    also: str | None = None,
) -> ssl.SSLContext:
    """A context of a client: TLS 1.2 or newer, names checked. All texts are PEM.

    It trusts those in `ca` alone if that is given, else what the system trusts and those in `also`. Raises
    ssl.SSLError, ValueError for what OpenSSL does not take.
    """
    context = ssl.create_default_context(cadata=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if also is not None:
        context.load_verify_locations(cadata=also)
    if certificate is not None and private_key is not None:
        with _file(f"{certificate.rstrip()}\n{private_key.rstrip()}\n".encode()) as path:
            context.load_cert_chain(path, password=_no_password)
    return context


def _no_password() -> bytes:
    """Without this OpenSSL would ask on the terminal for the password of an encrypted key."""
    return b""


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """OpenSSL reads a chain from a file alone: one in memory where there is such a thing."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("chain")
        try:
            os.write(fd, content)
            yield f"/proc/self/fd/{fd}"
        finally:
            os.close(fd)
        return
    with tempfile.NamedTemporaryFile() as file:  # mode 0600
        file.write(content)
        file.flush()
        yield file.name
