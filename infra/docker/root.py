"""Makes FOLDER, into which packages were installed, the root of an image: `python root.py FOLDER`.

Runs in the build, on Debian. It adds this Python, without what no server needs of it; the C libraries that any file
in the folder links, and of each the entry in dpkg's list by which scanners find it; and accounts for root and
65532. It drops what the packages have for other ends than running, and compiles what is left to byte-code.
"""

import argparse
import compileall
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

PYTHON = Path(sys.base_prefix)
LIBRARY = Path("lib") / f"python{sys.version_info.major}.{sys.version_info.minor}"

STANDARD_LEFT_OUT = (
    *(
        "site-packages",
        "__pycache__",
        "test",
        "tests",
        "idlelib",
        "tkinter",
        "turtledemo",
        "turtle.py",
        "lib2to3",
    ),
    *("ensurepip", "venv", "distutils", "pydoc_data", "curses", "sqlite3", "config-*", "*.a"),
    *(
        "_test*",
        "_xxtestfuzz*",
        "_tkinter*",
        "_curses*",
        "_sqlite3*",
        "readline*",
        "_dbm*",
        "_gdbm*",
        "nis.*",
    ),
    *("ossaudiodev*", "xx*"),
)

FOLDERS_LEFT_OUT = frozenset({"tests", "test", "testing", "_testbase"})
SUFFIXES_LEFT_OUT = frozenset({".pyx", ".pxd", ".pxi", ".c", ".h", ".pyi"})
PACKAGES_LEFT_OUT = (
    # Extensions of CEL that no expression may use, each with a copy of its own of most of the library.
    "cel_expr_python/ext",
    *(f"sqlalchemy/dialects/{name}" for name in ("mssql", "mysql", "oracle", "sqlite")),
    "alembic/templates",
)

# Of modules that are there as Python too. Nothing but migrations uses them, and those wait for the database.
TWINS_LEFT_OUT = "sqlalchemy/**/*_cy.*.so"

# Loaded by name when they are needed, so that nothing links them.
LOADED_BY_NAME = ("libgcc_s.so.1",)

ACCOUNTS = {
    "passwd": "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n",
    "group": "root:x:0:\nnonroot:x:65532:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def add_python(root: Path) -> None:
    """The interpreter and its standard library."""
    target = root / PYTHON.relative_to("/")
    name = LIBRARY.name
    shutil.copytree(
        PYTHON / LIBRARY,
        target / LIBRARY,
        ignore=shutil.ignore_patterns(*STANDARD_LEFT_OUT),
        symlinks=True,
        dirs_exist_ok=True,
    )
    shutil.rmtree(target / "bin", ignore_errors=True)  # the commands of packages
    (target / "bin").mkdir()
    shutil.copy2(PYTHON / "bin" / name, target / "bin")
    for link in ("python3", "python"):
        (target / "bin" / link).symlink_to(name)
    # Where the loader looks without a cache, which only ldconfig could make.
    (root / "usr/lib").mkdir(parents=True, exist_ok=True)
    for library in (PYTHON / "lib").glob("libpython*.so*"):
        shutil.copy2(library, root / "usr/lib", follow_symlinks=False)


def drop(root: Path) -> None:
    """What packages have for other ends than running."""
    packages = root / PYTHON.relative_to("/") / LIBRARY / "site-packages"
    for name in PACKAGES_LEFT_OUT:
        shutil.rmtree(packages / name)
    for twin in packages.glob(TWINS_LEFT_OUT):
        if not (twin.parent / f"{twin.name.partition('.')[0]}.py").exists():
            raise SystemExit(f"{twin} has no twin in Python")
        twin.unlink()
    for path in sorted(packages.rglob("*")):
        if path.name in FOLDERS_LEFT_OUT and path.is_dir():
            shutil.rmtree(path)
        elif path.suffix in SUFFIXES_LEFT_OUT and path.is_file():
            path.unlink()
    shutil.rmtree(root / PYTHON.relative_to("/") / "include", ignore_errors=True)


def linked(root: Path) -> dict[str, Path]:
    """The C libraries outside `root` that its files link, by the path under which they are looked for."""
    binaries = [root / PYTHON.relative_to("/") / "bin" / LIBRARY.name, *sorted(root.rglob("*.so*"))]
    found: dict[str, Path] = {}
    for binary in binaries:
        told = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
        for line in told.splitlines():
            words = line.split()
            path = words[2] if "=>" in words else words[0]
            if "not found" in line:
                raise SystemExit(f"{binary} links {words[0]}, which is not there")
            if path.startswith("/") and not path.startswith((str(root), str(PYTHON))):
                found[path] = Path(path).resolve()
    folder = next(path.parent for path in found.values() if path.name.startswith("libc.so"))
    return found | {str(folder / name): (folder / name).resolve() for name in LOADED_BY_NAME}


def add_libraries(root: Path) -> None:
    """What `linked` finds, and dpkg's entries of the packages that it is from."""
    packages = {"ca-certificates"}
    for path, real in sorted(linked(root).items()):
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(real, target)
        packages.add(owner(real))
    entries = root / "var/lib/dpkg/status.d"
    entries.mkdir(parents=True)
    for package in sorted(packages):
        entry = subprocess.run(
            ["dpkg-query", "--status", package], capture_output=True, text=True, check=True
        ).stdout
        (entries / package.partition(":")[0]).write_text(entry)


def owner(library: Path) -> str:
    """The Debian package of a library; its list may still have the path of before /lib became /usr/lib."""
    for path in (library, Path("/", *library.parts[2:])):
        told = subprocess.run(
            ["dpkg-query", "--search", path], capture_output=True, text=True, check=False
        ).stdout
        if told:
            return told.rpartition(": ")[0].partition(",")[0]
    raise SystemExit(f"no Debian package has {library}")


def add_accounts(root: Path) -> None:
    """Users by name, where names are looked for, and a folder for what is written."""
    for name, text in ACCOUNTS.items():
        (root / "etc" / name).write_text(text)
    (root / "tmp").mkdir(exist_ok=True)
    # OpenSSL looks for one file here unless it is told of another.
    certificates = root / "usr/lib/ssl/cert.pem"
    certificates.parent.mkdir(parents=True, exist_ok=True)
    certificates.symlink_to("/etc/ssl/certs/ca-certificates.crt")


def compile_all(root: Path) -> None:
    """Byte-code for every module: a read-only root would never get any. Its sources are not looked at again."""
    library = root / PYTHON.relative_to("/") / LIBRARY
    compiled = compileall.compile_dir(
        library,
        maxlevels=20,
        stripdir=str(root),
        prependdir="/",
        quiet=1,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        raise SystemExit("not every module could be compiled")


def allow_all(root: Path) -> None:
    """Whoever it runs as may read everything and write nothing but /tmp."""
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    (root / "tmp").chmod(0o1777)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    root = parser.parse_args().folder
    add_python(root)
    drop(root)
    add_libraries(root)
    add_accounts(root)
    compile_all(root)
    allow_all(root)


if __name__ == "__main__":
    main()
