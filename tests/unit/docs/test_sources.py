"""The page on sources tells of every kind and setting what its file says."""

import json
import re
from pathlib import Path

from shared.core.webhooks.kind import SETTINGS, Kind, Scheme, read_kind
from shared.core.webhooks.load import load_kinds
from shared.core.webhooks.template import WORDS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "sources.md").read_text()


def row(kind: Kind) -> str:
    """A kind's line in the table."""
    if kind.signature is None:
        signature, forms = "a token", ["any"]
    else:
        schemes = kind.signature.schemes
        ways = ", ".join(f"`{s.prefix}` {named(s)}" if s.prefix else named(s) for s in schemes)
        signature = f"`{kind.signature.header}`: {ways} of `{kind.signature.signed}`"
        forms = [f"`{scheme.secret.prefix}…`" if scheme.secret.prefix else "any" for scheme in schemes]
    secret = " or ".join(forms) + (
        "" if kind.secrets.generate else ", given by you" if kind.token else ", from there"
    )
    return f"| `{kind.name}` | {signature} | {secret} | {listed(kind.mapping.type)} | {listed(kind.mapping.id)} |"


def named(scheme: Scheme) -> str:
    algorithm = "Ed25519" if scheme.algorithm == "ed25519" else f"HMAC-{scheme.algorithm.upper()}"
    return f"{algorithm} in {scheme.encoding}"


def listed(templates: tuple[str, ...]) -> str:
    return " · ".join("`" + text.replace("|", "\\|") + "`" for text in templates)


def test_the_table_has_every_kind_as_its_file_says() -> None:
    head = PAGE.index("| kind | signature")
    table = PAGE[head : PAGE.index("\n\n", head)].splitlines()[2:]
    assert table == [row(kind) for kind in load_kinds().values()]


def test_every_setting_and_word_is_explained() -> None:
    head = PAGE.index("| setting | meaning |")
    table = PAGE[head : PAGE.index("\n\n", head)]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(SETTINGS)
    assert {word for word in WORDS if f"`{{{word}}}`" not in PAGE} == set()


def test_the_example_of_a_kind_is_one() -> None:
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    assert read_kind(json.dumps(json.loads(example[1]))).name == "sentry"
