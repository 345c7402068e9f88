"""Writes docs/reference/conformance.md: `python -m tests.contract.report`."""

import ast
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from shared.core.cloudevents import InvalidEvent, parse_batch, parse_structured
from shared.core.filters import InvalidFilter, compile_filters
from tests.contract import vectors

PAGE = vectors.ROOT / "docs" / "reference" / "conformance.md"
CODEC_TESTS = vectors.ROOT / "tests" / "unit" / "core" / "cloudevents"

HEAD = """\
# Conformance

Written by `python -m tests.contract.report`; a test fails when it is out of date.

## CloudEvents JSON format

The format tests that the CloudEvents project publishes, run against the codec by `tests/contract/test_conformance.py`.

| file | cases | pass |
|---|---:|---:|
"""
LINES = """
## Lines of the specification

Lines of the CloudEvents specifications that a test of the codec names (`C` the core, `H` the HTTP protocol binding,
`J` the JSON format, `S` subscriptions, `W` webhooks, `X` extensions, `F` other formats). A test says with
`@pytest.mark.spec` which lines it proves, so `grep -rn '"C13"' tests` finds them.

"""
CHOICES = """
## Choices where the specification leaves one

- Version 0.3 is taken and forwarded as 0.3. Its `schemaurl` and `datacontentencoding` are kept among the
  extensions; data that came in base64 is forwarded in base64. Objects as attribute values are refused.
- Senders that do not percent-encode headers exist: a `%` that begins no percent-encoding, spaces, unbalanced quotes
  and raw UTF-8 are taken literally; percent-encoded bytes that are not UTF-8 are refused. Where a URI in a header is
  one only before percent-decoding, it is kept undecoded.
- A body that is not what its `Content-Type` says is stored and forwarded as the bytes it is.
- Data whose `datacontenttype` is not JSON must be a string in the JSON format; another JSON value is refused.
- Other formats than JSON answer 415. A batch in which versions are mixed is invalid, unless
  `Prefer: handling=lenient` asks to judge each element alone.

"""
CESQL = """\
## CESQL

The filter dialect `sql` is refused when a subscription is saved, so none of these files is supported yet.

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


def understands(expression: str) -> bool:
    """Whether a subscription may have this CESQL expression as a filter."""
    try:
        compile_filters([{"sql": expression}])
    except InvalidFilter:
        return False
    return True


def proven_lines(folder: Path = CODEC_TESTS) -> dict[str, list[str]]:
    """The lines of the specification that `@pytest.mark.spec` names in `folder`, by their letter."""
    ids = {
        argument.value
        for path in folder.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "spec"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    letters = sorted({line[0] for line in ids})
    return {
        letter: sorted(
            (line for line in ids if line[0] == letter),
            key=lambda line: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", line)],
        )
        for letter in letters
    }


def page() -> str:
    """The whole document."""
    total: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for file, _, content in vectors.json_cases():
        total[file] += 1
        passed[file] += passes(file, content)
    formats = "".join(f"| `{file}.json` | {total[file]} | {passed[file]} |\n" for file in total)
    lines = "".join(f"- {', '.join(ids)}\n" for ids in proven_lines().values())
    cesql = "".join(
        f"| `{name}` | {len(cases)} | {sum(understands(str(case['expression'])) for case in cases)} |\n"
        for name, cases in vectors.cesql_cases().items()
    )
    return HEAD + formats + LINES + lines + CHOICES + CESQL + cesql


if __name__ == "__main__":
    if not vectors.present():
        sys.exit(vectors.MISSING)
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
