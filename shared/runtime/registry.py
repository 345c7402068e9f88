"""Which functions there are: every folder below `functions/` and `events/` with a `function.py`."""

from functools import cache
from importlib import import_module
from pathlib import Path

from shared.runtime.function import Function

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds `functions/`, `events/` and `shared/`."""

PACKAGES = ("functions", "events")


@cache
def functions() -> tuple[Function, ...]:
    """Every declared function, endpoint functions first, each group by name."""
    return tuple(
        declaration(package, folder.parent.name)
        for package in PACKAGES
        for folder in sorted((ROOT / package).glob("*/function.py"))
    )


def declaration(package: str, name: str) -> Function:
    """The `FUNCTION` of `package/name`; ModuleNotFoundError when there is none."""
    found = import_module(f"{package}.{name}.function").FUNCTION
    assert isinstance(found, Function)
    return found


def find(name: str) -> Function:
    """The function of that name. Raises LookupError, naming those that exist."""
    for package in PACKAGES:
        if (ROOT / package / name / "function.py").exists():
            return declaration(package, name)
    known = ", ".join(f.name for f in functions())
    raise LookupError(f"there is no function {name!r}; there are {known}")
