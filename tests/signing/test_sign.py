"""`make sign` and `make verify` with a key, on a registry of one's own. Keyless, they need the pipeline's identity."""

import base64
import json
import os
import subprocess
from pathlib import Path

from tests.signing.conftest import COSIGN, SBOM
from tests.support.served import ROOT


def run(what: str, image: str, key: Path | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COSIGN_")}
    if key is not None:
        environment |= {"COSIGN_KEY": str(key), "COSIGN_PASSWORD": ""}
    command = [ROOT / "infra/docker" / what, image]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_what_is_signed_is_verified_and_its_bill_of_materials_is_its_own(pushed, keys):
    image, ours = pushed("weir"), keys("ours")
    signed = run("sign", image, ours.with_suffix(".key"))
    assert signed.returncode == 0, signed.stderr
    verified = run("verify", image, ours.with_suffix(".pub"))
    assert verified.returncode == 0, verified.stderr
    assert f"signed, and its bill of materials too: {image}" in verified.stdout
    attested = subprocess.run(
        [
            *(COSIGN, "verify-attestation", "--key", ours.with_suffix(".pub")),
            *("--insecure-ignore-tlog=true", "--type", "cyclonedx", image),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    statement = json.loads(base64.b64decode(json.loads(attested)["payload"]))
    assert statement["predicate"] == SBOM
    assert [each["digest"]["sha256"] for each in statement["subject"]] == [image.rpartition(":")[2]]


def test_another_key_and_another_image_are_refused(pushed, keys):
    image, ours, theirs = pushed("signed"), keys("ours"), keys("theirs")
    assert run("sign", image, ours.with_suffix(".key")).returncode == 0
    assert run("verify", image, theirs.with_suffix(".pub")).returncode != 0
    assert run("verify", pushed("bare"), ours.with_suffix(".pub")).returncode != 0
    unsaid = run("verify", image, None)
    assert unsaid.returncode == 2
    assert "say who may have signed it" in unsaid.stderr


def test_an_image_without_its_bill_of_materials_is_not_signed(pushed, keys):
    image, ours = pushed("empty", None), keys("ours")
    refused = run("sign", image, ours.with_suffix(".key"))
    assert refused.returncode != 0
    assert "opt/sbom.cdx.json" in refused.stderr
    assert run("verify", image, ours.with_suffix(".pub")).returncode != 0


def test_a_tag_is_not_signed(pushed, keys):
    image, ours = pushed("moved"), keys("ours")
    refused = run("sign", f"{image.partition('@')[0]}:1", ours.with_suffix(".key"))
    assert refused.returncode == 2
    assert "a tag may be moved" in refused.stderr
