"""Writes docs/reference/conformance.md: `python -m tests.contract.report`."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from shared.core.cloudevents import InvalidEvent, parse_batch, parse_structured
from tests.contract import vectors
from tests.contract.lines import Line, catalogue, proofs

PAGE = vectors.ROOT / "docs" / "reference" / "conformance.md"

HEAD = """\
# Conformance

Written by `python -m tests.contract.report`; a test fails when it is out of date.

## CloudEvents JSON format

The format tests that the CloudEvents project publishes, run against the codec by `tests/contract/test_conformance.py`.

| file | cases | pass |
|---|---:|---:|
"""
LINES = """
## Lines of the specifications

`tests/contract/lines.yaml` lists every line of the CloudEvents specifications and of Knative's that somebody has to
keep. {ours} of them are for who receives events, or stores and forwards them: {proven} are proven by the tests named
here, {declined} are declined with a reason. A test says with `@pytest.mark.spec` which lines it proves; one fails when
a line is neither proven nor declined.
"""
SECTIONS = {
    "C": "CloudEvents core",
    "H": "HTTP protocol binding",
    "J": "JSON event format",
    "F": "Other formats",
    "W": "HTTP webhooks",
    "S": "Subscriptions API",
    "Q": "CESQL",
    "X": "Documented extensions",
    "K": "Knative",
}
OTHERS = """
### Lines for another role

Of the lines for who delivers, manages subscriptions, evaluates CESQL or runs on a platform, tests name these, or they
are declined:

"""
REST = """
No test names these yet:

"""
CHOICES = """
## Choices where the specification leaves one

- Version 0.3 is taken and forwarded as 0.3. Its `schemaurl` and `datacontentencoding` are kept among the
  extensions; data that came in base64 is forwarded in base64. Objects as attribute values are refused.
- Senders that do not percent-encode headers exist: a `%` that begins no percent-encoding, spaces, unbalanced quotes
  and raw UTF-8 are taken literally; percent-encoded bytes that are not UTF-8 are refused. Where a URI in a header is
  one only before percent-decoding, it is kept undecoded.
- A body that is not what its `Content-Type` says is stored and forwarded as the bytes it is.
- Numbers in JSON data may have any size, and repeated members in it are kept: it is not looked into. Only escapes of
  lone surrogates (`"\\ud800"`) are refused in the JSON format, because they are no characters; in binary mode they are
  kept like all bytes. JSON is read as UTF-8 whatever a `charset` says.
- Data whose `datacontenttype` is not JSON must be a string in the JSON format; another JSON value is refused.
- Other formats than JSON answer 415. A batch in which versions are mixed is invalid, unless
  `Prefer: handling=lenient` asks to judge each element alone.

"""
CESQL = """\
## CESQL

The test cases that the CloudEvents project publishes for CESQL 1.0, run against `shared/core/cesql` by
`tests/contract/test_cesql.py`: the value, its type and the kind of the error have to be right. One case contradicts the
specification, which is followed: `NOT 10` is false without an error, since every Integer has a Boolean (section 3.7).

| file | cases | pass |
|---|---:|---:|
"""


def passes(file: str, content: Any) -> bool:
    """Whether the codec judges this event or batch as the vector says."""
    body = json.dumps(content).encode()
    valid = file.startswith("valid")
    try:
        if file.endswith("batches"):
            return valid is not any(isinstance(element, InvalidEvent) for element in parse_batch(body))
        parse_structured(body)
    except InvalidEvent:
        return not valid
    return valid


def proof(identity: str) -> str:
    """The tests that name a line, under the files that they are in."""
    tests: dict[str, list[str]] = {}
    for found in proofs().get(identity, ()):
        tests.setdefault(found.path, []).append(found.test)
    return "<br>".join(
        f"[{Path(path).stem}](../../{path}): " + ", ".join(f"`{name}`" for name in names)
        for path, names in tests.items()
    )


def table(lines: list[Line], tests: str = "proven by") -> str:
    """One row for each line: the tests that name it, or why it is not kept."""
    rows = "".join(
        f"| {line.id} | {line.level or 'note'} | {line.title} | "
        + (f"*declined:* {line.declined}" if line.declined else proof(line.id))
        + " |\n"
        for line in lines
    )
    return f"| line | level | what it says | {tests} |\n|---|---|---|---|\n{rows}"


def lines_section() -> str:
    """Every line that is Weir's as receiver and intermediary, and what is known of the others."""
    ours = [line for line in catalogue().values() if line.is_ours]
    declined = sum(bool(line.declined) for line in ours)
    text = LINES.format(ours=len(ours), proven=len(ours) - declined, declined=declined)
    for letter, title in SECTIONS.items():
        if chosen := [line for line in ours if line.id[0] == letter]:
            text += f"\n### {title}\n\n{table(chosen)}"
    others = [line for line in catalogue().values() if not line.is_ours]
    text += OTHERS + table([line for line in others if line.id in proofs() or line.declined], "tests") + REST
    left = [line for line in others if line.id not in proofs() and not line.declined]
    for letter, title in SECTIONS.items():
        if ids := [line.id for line in left if line.id[0] == letter]:
            text += f"- {title}: {', '.join(ids)}\n"
    return text


def page() -> str:
    """The whole document."""
    total: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for file, _, content in vectors.json_cases():
        total[file] += 1
        passed[file] += passes(file, content)
    formats = "".join(f"| `{file}.json` | {total[file]} | {passed[file]} |\n" for file in total)
    cesql = "".join(
        f"| `{name}` | {len(cases)} | {sum(vectors.cesql_passes(name, case) for case in cases)} |\n"
        for name, cases in vectors.cesql_cases().items()
    )
    return HEAD + formats + lines_section() + CHOICES + CESQL + cesql


if __name__ == "__main__":
    if not vectors.present():
        sys.exit(vectors.MISSING)
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
