"""What a start leaves out, so that it is short."""

import sys
from types import ModuleType
from typing import cast


def leave_out_pydantic_1() -> None:
    """Make `pydantic.v1` a module that is not there, which FastAPI allows for.

    It looks in every route for models of that version, and imports all of it to do so: a seventh of a start.
    """
    sys.modules.setdefault("pydantic.v1", cast("ModuleType", None))
