"""The console in its bucket: what is published, in which order, and how long it may be kept."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.stage import ROOT, Moto

BUCKET = "acme-console"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with Moto(tmp_path_factory.mktemp("moto") / "log") as running:
        running.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield running


@pytest.fixture
def console(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/index-4f2a.js").write_text("export {}")
    (tmp_path / "assets/index-9c1b.css").write_text("a{}")
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def publish(aws: Moto, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **aws.environment}
    return subprocess.run(
        [sys.executable, ROOT / "infra/console/publish", "--bucket", BUCKET, "--folder", folder, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_file_says_how_long_it_may_be_kept(aws: Moto, console: Path) -> None:
    done = publish(aws, console)
    assert done.stdout == f"published 4 files to {BUCKET}\n", done.stderr
    store = aws.client("s3")

    def head(key: str) -> tuple[str, str]:
        found = store.head_object(Bucket=BUCKET, Key=key)
        return found["ContentType"], found["CacheControl"]

    immutable = "public, max-age=31536000, immutable"
    assert head("assets/index-4f2a.js") == ("text/javascript; charset=utf-8", immutable)
    assert head("assets/index-9c1b.css") == ("text/css; charset=utf-8", immutable)
    assert head("index.html") == ("text/html; charset=utf-8", "no-cache")
    assert head("favicon.svg") == ("image/svg+xml", "no-cache")
    names = {each["Key"] for each in store.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert "config.json" not in names


def test_where_the_api_is_can_be_said(aws: Moto, console: Path) -> None:
    assert publish(aws, console, "--api", "https://api.example.com").returncode == 0
    found = aws.client("s3").get_object(Bucket=BUCKET, Key="config.json")
    assert json.loads(found["Body"].read()) == {"apiUrl": "https://api.example.com"}
    assert found["CacheControl"] == "no-cache"
    done = publish(aws, console, "--api", "api.example.com/v1")
    assert done.returncode == 2
    assert "write it like https://api.example.com" in done.stderr


def test_the_page_comes_last(aws: Moto, console: Path) -> None:
    publish(aws, console)
    log = aws.log.read_text()
    written = [
        line.split(f"/{BUCKET}/")[1].split()[0] for line in log.splitlines() if f"PUT /{BUCKET}/" in line
    ]
    assert written[-4:] == ["assets/index-4f2a.js", "assets/index-9c1b.css", "favicon.svg", "index.html"]


def test_files_of_before_stay(aws: Moto, console: Path) -> None:
    publish(aws, console)
    (console / "assets/index-4f2a.js").rename(console / "assets/index-77aa.js")
    publish(aws, console)
    names = {each["Key"] for each in aws.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert {"assets/index-4f2a.js", "assets/index-77aa.js"} <= names


def test_without_a_built_console_nothing_is_published(aws: Moto, tmp_path: Path) -> None:
    done = publish(aws, tmp_path)
    assert done.returncode == 1
    assert "run `make console` first" in done.stderr
