"""The kinds there are: those of the package, and those in a folder that the deployment names."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import msgspec

from shared.core.pointers import InvalidPointer, read_pointer
from shared.core.webhooks.kind import Kind, read_kind
from shared.core.webhooks.recipe import compile_mapping, compile_signature
from shared.core.webhooks.template import InvalidTemplate, Template

FOLDER = Path(__file__).with_name("kinds")


class InvalidKind(ValueError):
    """A file that describes no kind of source; the text names it and says why."""


@lru_cache(maxsize=8)
def load_kinds(folder: str | None = None) -> Mapping[str, Kind]:
    """The kinds by name, in that order; read once, when the first webhook comes.

    `folder` adds `*.json` files of its own; one of a name that the package has replaces it. Raises InvalidKind.
    """
    found = {kind.name: kind for kind in map(_load, sorted(FOLDER.glob("*.json")))}
    if folder is not None:
        found |= {kind.name: kind for kind in map(_load, sorted(Path(folder).glob("*.json")))}
    return MappingProxyType(dict(sorted(found.items())))


def _load(path: Path) -> Kind:
    try:
        kind = read_kind(path.read_bytes())
        compile_mapping(kind.mapping)
        if kind.signature is not None:
            compile_signature(kind.signature)
        for reply in kind.replies:
            Template(reply.body)
            for pointer in reply.when:
                read_pointer(pointer)
    except (OSError, msgspec.MsgspecError, InvalidTemplate, InvalidPointer) as error:
        raise InvalidKind(f"{path}: {error}") from None
    if kind.name != path.stem:
        raise InvalidKind(f"{path}: its name is {kind.name!r}; the file must have it")
    return kind
