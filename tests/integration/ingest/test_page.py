"""The page for producers says what the door does."""

import json
import re
from pathlib import Path

from functions.ingest.settings import IngestSettings
from shared.runtime.settings import ConnectionSettings
from tests.integration.ingest.conftest import BATCH, Door

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "reference" / "ingest.md").read_text()


async def test_the_example_of_a_batch_is_answered_so(door: Door) -> None:
    body, told = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    answer = await door.post(body.encode(), BATCH, prefer="handling=lenient")
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "handling=lenient")
    given, expected = answer.json(), json.loads(told)
    expected["results"][0]["uid"] = given["results"][0]["uid"]
    assert given == expected


def test_every_status_of_the_description_is_explained() -> None:
    described = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]["/in/{project}"]["post"]
    explained = set(re.findall(r"^\| (\d{3}) ", PAGE, re.MULTILINE))
    assert set(described["responses"]) <= explained


def test_every_setting_is_told_with_its_default() -> None:
    units = {"MiB": 1024 * 1024, "KiB": 1024}
    told = {}
    for number, unit, name in re.findall(r"\| ([\d,]+)(?: (\w+))? \| `WEIR_(\w+)`", PAGE):
        told[name.lower()] = int(number.replace(",", "")) * units.get(unit, 1)
    settings = {**IngestSettings.model_fields, **ConnectionSettings.model_fields}
    assert told == {name: field.default for name, field in settings.items()}
