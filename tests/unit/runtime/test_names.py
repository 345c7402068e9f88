"""What people and programs call things, wherever that is shown to somebody else."""

import re
import unicodedata
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from functions.identity.device.schemas import DeviceRequest
from functions.identity.invitations.schemas import AcceptRequest
from functions.identity.passkeys.schemas import PasskeyName
from functions.identity.schemas import NameRequest
from functions.projects.keys.schemas import KeyRequest
from shared.runtime.schema import SIGN

NAMED: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (DeviceRequest, {}),
    (AcceptRequest, {"token": "t"}),
    (PasskeyName, {}),
    (NameRequest, {}),
    (KeyRequest, {"scopes": ["*"]}),
]
MISLEADING = [
    "a\u202etxt.exe",
    "a\u2066b",
    "\u200fa",
    "a\u061cb",
    "a\u2028b",
    "a\nb",
    "a\x1b[2J",
    "a\0b",
    "a\u200bb",
]
GOOD = [
    "Ann's laptop",
    "\u05e0\u05e2\u05de\u05d4",
    "\u0641\u0627\u0637\u0645\u0647\u200c\u0632",
    "👩\u200d💻 desk",
    "日本語",
]


@pytest.mark.parametrize(("model", "more"), NAMED)
def test_a_name_is_shown_as_it_is_written(model: type[BaseModel], more: dict[str, Any]) -> None:
    for name in GOOD:
        assert model.model_validate({**more, "name": name}).name == name  # type: ignore[attr-defined]
    for name in MISLEADING:
        with pytest.raises(ValidationError, match="has signs that cannot be shown"):
            model.model_validate({**more, "name": name})


@pytest.mark.parametrize(("model", "more"), NAMED[1:])
def test_a_name_is_not_empty(model: type[BaseModel], more: dict[str, Any]) -> None:
    for name in ("", " ", "\u00a0\u3000"):
        with pytest.raises(ValidationError):
            model.model_validate({**more, "name": name})


def test_the_rule_has_all_that_turns_a_text_round() -> None:
    turning = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    turns = [chr(code) for code in range(0x110000) if unicodedata.bidirectional(chr(code)) in turning]
    assert len(turns) == len(turning)
    assert [sign for sign in turns if re.fullmatch(SIGN, sign)] == []
