"""Which events are wanted, said in the other ways there are, as a `filters` array.

`filter.attributes` is Knative's (eventing control plane, TriggerFilter), `source` and `types` are members of the
CloudEvents Subscriptions API (section 3.2.1). What is kept and shown is `filters` alone.
"""

from typing import Any

from shared.core.pointers import write_pointer
from shared.core.problems import Fault

_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_DIGITS = frozenset("0123456789")
PRESENT = "EXISTS {name} AND LENGTH({name}) > 0"
"""Knative's empty value: any value that is not empty."""


def selected(filters: Any, filter_: Any, source: Any, types: Any) -> tuple[Any, list[Fault]]:
    """The filters that say all of it, and what is wrong with the other ways.

    `filters` that are not empty come instead of `filter` (K4.6); `source` and `types` hold as well. Those come
    last, so that pointers into `filters` stay right. What is wrong with `filters` themselves is not looked at.
    """
    by_attributes, faults = _of_filter(filter_)
    more = [*_of_source(source, faults), *_of_types(types, faults)]
    if filters is None or filters == []:
        filters = by_attributes
    if not isinstance(filters, list):
        return filters, faults
    return [*filters, *more], faults


def _of_filter(value: Any) -> tuple[list[Any], list[Fault]]:
    if value is None:
        return [], []
    if not isinstance(value, dict):
        return [], [Fault("/filter", 'must be an object such as {"attributes": {"type": "a"}}')]
    faults = [
        Fault(write_pointer(["filter", name]), "is not known; known is attributes")
        for name in value
        if name != "attributes"
    ]
    attributes = value.get("attributes")
    if attributes is None:
        return [], faults
    if not isinstance(attributes, dict):
        return [], [*faults, Fault("/filter/attributes", "must be an object of names and texts")]
    exact: dict[str, str] = {}
    present: list[Any] = []
    for name, wanted in attributes.items():
        at = write_pointer(["filter", "attributes", name])
        if name == "data":
            faults.append(Fault(at, 'this sees context attributes, not `data`: use `cel` in "filters"'))
        elif not name or not _NAME.issuperset(name):
            faults.append(Fault(at, "is not an attribute name: only a-z and 0-9 are allowed"))
        elif _DIGITS.issuperset(name):
            faults.append(Fault(at, "is not an attribute name here: it must not be all digits"))
        elif not isinstance(wanted, str):
            faults.append(Fault(at, "must be a text; an empty one stands for any value"))
        elif fault := _text_fault(wanted):
            faults.append(Fault(at, fault))
        elif wanted:
            exact[name] = wanted
        else:
            present.append({"sql": PRESENT.format(name=name)})
    return [*([{"exact": exact}] if exact else []), *present], faults


def _of_source(value: Any, faults: list[Fault]) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, str) or not value:
        faults.append(Fault("/source", "must be a text that is not empty"))
    elif fault := _text_fault(value):
        faults.append(Fault("/source", fault))
    else:
        return [{"exact": {"source": value}}]
    return []


def _of_types(value: Any, faults: list[Fault]) -> list[Any]:
    if value is None or value == []:
        return []
    if not isinstance(value, list):
        faults.append(Fault("/types", "must be an array of types"))
        return []
    wrong = len(faults)
    for index, entry in enumerate(value):
        if not isinstance(entry, str) or not entry:
            faults.append(Fault(f"/types/{index}", "must be a text that is not empty"))
        elif fault := _text_fault(entry):
            faults.append(Fault(f"/types/{index}", fault))
    if len(faults) > wrong:
        return []
    exact = [{"exact": {"type": entry}} for entry in dict.fromkeys(value)]
    return exact if len(exact) == 1 else [{"any": exact}]


def _text_fault(text: str) -> str | None:
    # With the codec behind it, this would double what this function adds to a start.
    from shared.core.cloudevents.rules import is_text

    return None if is_text(text) else "has characters that no attribute may have"
