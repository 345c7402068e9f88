"""Making a Postgres data folder."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from cli.local import launch
from cli.local.accounts import Account


def _major(programs: Path) -> int:
    text = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"(\d+)", text)
    assert found is not None
    return int(found[1])


def create_data_folder(account: Account, data: Path, password: str, *, durable: bool, log: Path) -> None:
    """Run initdb for `data`, unless it is there. Raises OSError, CalledProcessError.

    It is made beside its place and moved there when it is whole, so that a start that was cut off
    leaves nothing that looks like data.
    """
    if (data / "PG_VERSION").exists():
        return
    making = data.with_name("postgres.making")
    shutil.rmtree(making, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)
    making.mkdir(mode=0o700)
    if account.user is not None:
        os.chown(making, *account.user)
    options = ["--username=weir", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
    if _major(account.programs) >= 17:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if not durable:
        options.append("--no-sync")
    with (
        tempfile.NamedTemporaryFile("w", dir=account.data_root, prefix=".pw-") as file,
        log.open("ab") as out,
    ):
        file.write(password)
        file.flush()
        if account.user is not None:
            os.chown(file.name, *account.user)
        command = [str(account.programs / "initdb"), "-D", str(making), f"--pwfile={file.name}", *options]
        subprocess.run(
            launch.command(command, signal=signal.SIGKILL, user=account.user, capability=account.capability),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd="/",
            check=True,
        )
    single = [
        str(account.programs / "postgres"), "--single", "-D", str(making), "postgres",
    ]  # fmt: skip
    subprocess.run(
        launch.command(single, signal=signal.SIGKILL, user=account.user, capability=account.capability),
        input=b"CREATE DATABASE weir;\n",
        capture_output=True,
        cwd="/",
        check=True,
    )
    making.rename(data)
