"""What the tests of Terraform stand on: the binary, a copy of the sources, an AWS that is moto."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import boto3

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "infra/terraform"
WITHOUT = Path(__file__).parent / "without"
REGION = "eu-central-1"
PREFIX = "acme"
PROVIDER = "registry.terraform.io/hashicorp/aws"
ROOTS = ("bootstrap", "environments/dev", "environments/staging", "environments/production")

MIRRORS = (
    Path.home() / ".terraform.d/plugins",
    Path("/usr/local/share/terraform/plugins"),
    Path("/usr/share/terraform/plugins"),
)
"""Where Terraform itself looks before it asks the registry."""

VARIABLES: dict[str, dict[str, Any]] = {
    "dev": {},
    "staging": {
        "api_url": "https://api.staging.example.com",
        "cluster_administrators": {"deploy": "arn:aws:iam::123456789012:role/deploy"},
    },
    "production": {
        "api_url": "https://api.example.com",
        "cluster_administrators": {"deploy": "arn:aws:iam::123456789012:role/deploy"},
        "cluster_access_cidrs": ["203.0.113.0/24"],
        "console_aliases": ["weir.example.com"],
        "console_certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0f2f6f0e-0000-4000-8000-000000000000",
        "alarm_emails": ["operations@example.com"],
    },
}


def plugins() -> Path | None:
    """The folder with the provider, in the registry's layout; None where there is none."""
    named = os.environ.get("WEIR_TERRAFORM_PLUGIN_DIR")
    candidates = (Path(named),) if named else MIRRORS
    return next((folder for folder in candidates if (folder / PROVIDER).is_dir()), None)


def missing() -> str | None:
    """Why nothing of this can run here, if it cannot."""
    if shutil.which("terraform") is None:
        return "there is no terraform: https://developer.hashicorp.com/terraform/install"
    if plugins() is None:
        return f"WEIR_TERRAFORM_PLUGIN_DIR names no folder with {PROVIDER}: `terraform providers mirror` makes one"
    return None


class TerraformError(Exception):
    """Terraform ended with an error; the message is what it said."""


@dataclass(frozen=True)
class Tree:
    """A copy of `infra/terraform`."""

    folder: Path

    @classmethod
    def copied(cls, folder: Path) -> "Tree":
        """The sources in `folder`, without what was left by work in them."""
        target = folder / "terraform"
        shutil.copytree(
            SOURCES, target, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars")
        )
        return cls(target)

    def without_what_moto_lacks(self) -> None:
        """Lay the override files of `without/` beside the modules that they are for."""
        shutil.copytree(WITHOUT, self.folder, dirs_exist_ok=True)

    def run(self, where: str, *arguments: str, moto: "Moto | None" = None, refused: bool = False) -> str:
        """Run Terraform in the folder `where` and give what it wrote; `refused` says that it has to fail.

        Raises TerraformError when it fails, or when it does not although it should.
        """
        done = subprocess.run(
            self.command(where, *arguments),
            env=_environment(moto),
            capture_output=True,
            text=True,
            check=False,
        )
        if (done.returncode == 0) == refused:
            said = f"{done.stdout[-4000:]}\n{done.stderr[-6000:]}"
            raise TerraformError(
                f"terraform {' '.join(arguments[:2])} in {where} gave {done.returncode}:\n{said}"
            )
        return done.stdout + (done.stderr if refused else "")

    def command(self, where: str, *arguments: str) -> list[str]:
        """What to execute."""
        return ["terraform", f"-chdir={self.folder / where}", *arguments]

    def prepare(self, where: str, *arguments: str, moto: "Moto | None" = None) -> None:
        """`terraform init`: the lock file has to be right as it is."""
        found = plugins()
        assert found is not None
        self.run(
            where, "init", f"-plugin-dir={found}", "-lockfile=readonly", "-no-color", *arguments, moto=moto
        )


def _environment(moto: "Moto | None") -> dict[str, str]:
    """Nothing of this machine's AWS, so that no test ever reaches a real one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    return {
        **kept,
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        **(moto.environment if moto else {}),
    }


class Moto:
    """A server that stands for AWS on loopback. `with` starts and ends it."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "moto",
            "AWS_SECRET_ACCESS_KEY": "moto",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.infra.aws", "-H", "127.0.0.1", "-p", str(self.port)],
                cwd=ROOT,
                env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/data.json", timeout=10).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=30)

    def client(self, service: str) -> Any:
        """A client of boto3 for it."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="moto",
            aws_secret_access_key="moto",
        )

    def make_cache_nodes(self, name: str, count: int) -> None:
        """The nodes of a replication group, which moto does not make with the group."""
        for number in range(1, count + 1):
            self.client("elasticache").create_cache_cluster(
                CacheClusterId=f"{name}-{number:03d}",
                Engine="valkey",
                EngineVersion="8.2",
                CacheNodeType="cache.t4g.micro",
                NumCacheNodes=1,
                SnapshotRetentionLimit=1,
                TransitEncryptionEnabled=True,
            )


class Environment:
    """One of the environments, with its state in a bucket of moto's."""

    def __init__(self, tree: Tree, name: str, moto: Moto) -> None:
        self.tree = tree
        self.name = name
        self.moto = moto
        self.where = f"environments/{name}"
        self.bucket = f"{PREFIX}-terraform-state"
        folder = tree.folder / self.where
        (folder / "moto_override.tf").write_text('provider "aws" {\n  s3_use_path_style = true\n}\n')
        (folder / "terraform.tfvars.json").write_text(json.dumps(variables(name, tree.folder)))

    def prepare(self) -> None:
        """Connect it with its state."""
        self.tree.prepare(
            self.where,
            "-reconfigure",
            f"-backend-config=bucket={self.bucket}",
            f"-backend-config=region={REGION}",
            "-backend-config=use_path_style=true",
            moto=self.moto,
        )

    def run(self, *arguments: str, refused: bool = False) -> str:
        """Run Terraform in it."""
        return self.tree.run(self.where, *arguments, moto=self.moto, refused=refused)

    @contextmanager
    def started(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """Terraform running in it beside what is done inside; it has to end well. Raises TerraformError."""
        process = subprocess.Popen(
            self.tree.command(self.where, *arguments),
            env=_environment(self.moto),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with ThreadPoolExecutor(1) as reading:  # a full pipe would hold it up
            said = reading.submit(process.communicate)
            try:
                yield process
            except BaseException:
                process.terminate()
                raise
            text = said.result()[0]
        if process.returncode != 0:
            raise TerraformError(f"terraform {arguments[0]} gave {process.returncode}:\n{text[-8000:]}")

    def plan(self) -> dict[str, Any]:
        """What would be done, as `terraform show -json` has it; `apply made.plan` does it."""
        self.run("plan", "-out=made.plan", "-no-color")
        shown: dict[str, Any] = json.loads(self.run("show", "-json", "made.plan"))
        return shown

    def changes(self) -> list[tuple[str, list[str]]]:
        """What a plan of now would do: addresses with actions, and nothing where all is as it should be."""
        made = (
            (each["address"], each["change"]["actions"]) for each in self.plan().get("resource_changes", ())
        )
        return [(address, actions) for address, actions in made if actions not in (["no-op"], ["read"])]

    def state(self) -> str:
        """The state as it is kept, text and all."""
        found = self.moto.client("s3").get_object(Bucket=self.bucket, Key=f"weir/{self.name}.tfstate")
        text: bytes = found["Body"].read()
        return text.decode()

    def outputs(self) -> dict[str, Any]:
        """What it tells: `terraform output -json weir`."""
        given: dict[str, Any] = json.loads(self.run("output", "-json", "weir"))
        return given


def variables(name: str, folder: Path) -> dict[str, Any]:
    """Values for the variables of an environment; the package of functions is a stand-in."""
    values = {"region": REGION, "bucket_prefix": PREFIX, **VARIABLES[name]}
    if name == "dev":
        package = folder / "weir.zip"
        write_package(package, "return {}")
        values["lambda_package"] = str(package)
    return values


def write_package(package: Path, does: str) -> None:
    """A package whose functions do what the statement `does` says."""
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(zipfile.ZipInfo("handler.py"), f"def handler(event, context): {does}\n")
