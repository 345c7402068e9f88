"""Extensions that are set on every event on its way out: `ceOverrides`, and Knative's `K_CE_OVERRIDES`."""

from collections.abc import Mapping
from typing import Any

from shared.core.pointers import write_pointer
from shared.core.problems import Fault

MAX_EXTENSIONS = 20
MAX_VALUE = 1_000

_OWN = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data"}
)


def override_faults(value: Any) -> list[Fault]:
    """What is wrong with `{"extensions": {name: text}}`; pointers begin at it."""
    if not isinstance(value, Mapping):
        return [Fault("", 'must be an object such as {"extensions": {"region": "eu"}}')]
    faults = [
        Fault(write_pointer([str(name)]), "is not known; known is extensions")
        for name in value
        if name != "extensions"
    ]
    extensions = value.get("extensions")
    if extensions is None:
        return faults
    if not isinstance(extensions, Mapping):
        return [*faults, Fault("/extensions", "must be an object of names and texts")]
    if len(extensions) > MAX_EXTENSIONS:
        faults.append(Fault("/extensions", f"must not have more than {MAX_EXTENSIONS} extensions"))
    for name, text in extensions.items():
        if (fault := _fault(str(name), text)) is not None:
            faults.append(Fault(write_pointer(["extensions", str(name)]), fault))
    return faults


def _fault(name: str, text: Any) -> str | None:
    # Left to the first override: the codec is more than most of those who read policies need.
    from shared.core.cloudevents import InvalidEvent
    from shared.core.cloudevents.rules import check_name, is_text

    try:
        check_name(name)
    except InvalidEvent as error:
        return error.detail
    if name in _OWN:
        return "is an attribute of CloudEvents itself; only extensions can be set"
    if not isinstance(text, str) or not text or len(text) > MAX_VALUE or not is_text(text):
        return f"must be a text of 1 to {MAX_VALUE} characters without control characters"
    return None
