"""Makes the package of every function for AWS Lambda: `python infra/lambda/build.py --arch x86_64`.

One zip; WEIR_FUNCTION selects. Dependencies are those of uv.lock by hash, as wheels for Amazon Linux 2023, byte-compiled
by an interpreter of the version that runs them: /var/task cannot be written to, and without byte-code each cold start
would compile all of it. The same inputs give the same zip, byte for byte.

    python infra/lambda/build.py --arch arm64 --interpreter /opt/python3.13/bin/python3.13
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "lambda"
PYTHON = "3.13"
PLATFORMS = {"x86_64": "x86_64-manylinux_2_34", "arm64": "aarch64-manylinux_2_34"}
"""glibc 2.34 is Amazon Linux 2023's, which Lambda has from Python 3.12 on."""

UNUSED = ("uvicorn", "uvloop", "httpx", "click")
"""What only serving on a socket and the `weir` command need."""

BOTOCORE_DATA = {"endpoints.json", "partitions.json", "sdk-default-configuration.json", "_retry.json", "xray"}
"""Of the SDK, which tracing brings along, the descriptions of some 400 services weigh most."""

LIMIT_BYTES = 250 * 1024 * 1024
"""What Lambda takes at most, unzipped."""

EPOCH = (1980, 1, 1, 0, 0, 0)


class Failed(Exception):
    """There is no package. The text says what to do."""


VERSION_OF = "import sys; print('{}.{}'.format(*sys.version_info))"


def interpreter(version: str, named: str | None) -> str:
    """An interpreter of that version, to compile with: the one that is `named`, or one that is here. Raises Failed."""
    if named is None and version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = shutil.which(named or f"python{version}")
    # What is found may be a stand-in that only says what is not installed.
    asked = found and subprocess.run([found, "-c", VERSION_OF], capture_output=True, text=True, check=False)  # noqa: S603
    if not asked or asked.stdout.strip() != version:
        raise Failed(
            f"{named or f'python{version}'} is no Python {version}, which has to byte-compile it: install one, or name it:"
            f" make LAMBDA_PYTHON=/path/to/python{version} …"
        )
    return str(found)


def install(folder: Path, arch: str, version: str) -> None:
    """Everything that functions need, and Weir itself, into `folder`."""
    uv = Path(sys.executable).with_name("uv")
    with tempfile.TemporaryDirectory() as scratch:
        requirements = Path(scratch) / "requirements.txt"
        pruned = [option for name in UNUSED for option in ("--prune", name)]
        run(
            uv, "export", "-q", "--frozen", "--no-default-groups", "--group", "lambda", "--no-emit-project",
            *pruned, "-o", requirements,
        )  # fmt: skip
        target = ("--target", folder, "--python-version", version, "--python-platform", PLATFORMS[arch])
        run(
            uv, "pip", "install", "-q", "--no-deps", "--require-hashes", "--only-binary", ":all:",
            *target, "-r", requirements,
        )  # fmt: skip
        run(uv, "build", "-q", "--wheel", "--out-dir", scratch)
        (wheel,) = Path(scratch).glob("weir-*.whl")
        run(uv, "pip", "install", "-q", "--no-deps", *target, wheel)


def strip(folder: Path) -> None:
    """Take out what no function ever opens."""
    for name in ("bin", "cli", ".lock"):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
    for path in list(folder.rglob("*")):
        if not path.exists():
            continue
        if path.is_dir() and path.name in {"__pycache__", "tests", "test"}:
            shutil.rmtree(path)
        elif path.suffix in {".pyx", ".pxd", ".c", ".h", ".pyi", ".a"}:
            path.unlink()
    for path in (folder / "botocore" / "data").iterdir():
        if path.name not in BOTOCORE_DATA:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in folder.glob("*.dist-info"):
        # Says where it was installed from, which differs from machine to machine.
        for name in ("direct_url.json", "RECORD", "INSTALLER", "REQUESTED", "uv_cache.json"):
            (path / name).unlink(missing_ok=True)


def compile_all(folder: Path, python: str) -> None:
    """Byte-code that is never compared with its source, whose times in a zip say nothing."""
    run(
        python, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash",
        "-s", folder, "-p", "/var/task", folder,
        environment={"PYTHONHASHSEED": "0"},
    )  # fmt: skip


def files(folder: Path) -> Iterator[Path]:
    """Every file below, in one order everywhere."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def pack(folder: Path, target: Path) -> None:
    """Zip `folder`, with the same bytes for the same content."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for path in files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            entry.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, path.read_bytes())
    part.replace(target)


def build(arch: str, version: str, target: Path, named: str | None) -> None:
    """Make the package at `target`, byte-compiled by the interpreter that is `named`, if one is. Raises Failed."""
    python = interpreter(version, named)
    with tempfile.TemporaryDirectory(prefix="weir-lambda-") as scratch:
        folder = Path(scratch) / "task"
        install(folder, arch, version)
        strip(folder)
        compile_all(folder, python)
        size = sum(path.stat().st_size for path in files(folder))
        if size > LIMIT_BYTES:
            raise Failed(f"unzipped it has {size:,} bytes, and Lambda takes {LIMIT_BYTES:,}")
        pack(folder, target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    sizes = f"{target.stat().st_size / 2**20:.0f} MiB, unzipped {size / 2**20:.0f} MiB"
    print(f"{target}: {sizes}, sha256 {digest}")


def run(*command: object, environment: dict[str, str] | None = None) -> None:
    """Run a command in the root. Raises Failed with what it said."""
    done = subprocess.run(  # noqa: S603
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{Path(str(command[0])).name} {command[1]}: {done.stderr or done.stdout}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(
        prog="infra/lambda/build.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--arch", choices=sorted(PLATFORMS), default="x86_64")
    parser.add_argument("--python", default=PYTHON, help=f"the runtime's version ({PYTHON})")
    parser.add_argument("--interpreter", help="what byte-compiles it, of that version (pythonVERSION)")
    parser.add_argument("--out", type=Path, help="where to (build/lambda/weir-ARCH.zip)")
    chosen = parser.parse_args(arguments)
    try:
        target = chosen.out or OUT / f"weir-{chosen.arch}.zip"
        build(chosen.arch, chosen.python, target, chosen.interpreter)
    except Failed as error:
        print(f"lambda package: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
