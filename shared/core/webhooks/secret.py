"""The secrets of sources: their texts, the keys in them, new ones."""

import base64
import binascii
import secrets as random

from shared.core.signing import new_secret
from shared.core.webhooks.kind import SecretForm
from shared.core.webhooks.recipe import Recipe

MAX_SECRETS = 2
"""Live at once, so that one can be exchanged for the other."""

MIN_LENGTH, MAX_LENGTH = 8, 1_024


class InvalidSecret(ValueError):
    """A secret that cannot be used; the text never contains the secret."""


def key_of(form: SecretForm, secret: str) -> bytes | None:
    """The key in a secret's text; None for a secret of another form."""
    if not secret.startswith(form.prefix):
        return None
    text = secret[len(form.prefix) :]
    try:
        if form.encoding == "raw":
            # What has a prefix of its own keeps it where it is not decoded: the whole text is the key.
            key = secret.encode()
        elif form.encoding == "hex":
            key = binascii.unhexlify(text)
        else:
            # Some write base64 without its padding.
            key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if form.size[0] <= len(key) <= form.size[1] else None


def check_secret(recipe: Recipe, secret: str) -> None:
    """Raise InvalidSecret unless a source with this recipe can use `secret`."""
    if not MIN_LENGTH <= len(secret) <= MAX_LENGTH:
        raise InvalidSecret(f"must have {MIN_LENGTH} to {MAX_LENGTH} characters")
    if not secret.isprintable() or secret.strip() != secret:
        raise InvalidSecret("must not have control characters, nor spaces around it")
    if recipe.signing is None:
        if not secret.isascii():
            raise InvalidSecret("must be ASCII: it is sent in a header")
        return
    forms = [scheme.secret for scheme in recipe.signing.described.schemes]
    if all(key_of(form, secret) is None for form in forms):
        raise InvalidSecret("must be " + " or ".join(map(_described, forms)))


def generate(recipe: Recipe) -> str | None:
    """A new secret of 32 random bytes; None where only the third party can give one, as it does a public key."""
    how = recipe.kind.secrets.generate
    if how is None or (recipe.signing and recipe.signing.described.schemes[0].algorithm == "ed25519"):
        return None
    return new_secret() if how == "whsec" else random.token_urlsafe(32)


def _described(form: SecretForm) -> str:
    size = f"{form.size[0]}" if form.size[0] == form.size[1] else f"{form.size[0]} to {form.size[1]}"
    what = "a text" if form.encoding == "raw" else form.encoding
    return f"{what} of {size} bytes" + (f" after {form.prefix}" if form.prefix else "")
