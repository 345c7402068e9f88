"""What Lambda calls: `shared.runtime.aws.entry.handler`. `WEIR_FUNCTION` names the function; `migrate` is one as well.

Importing this module is the cold start, so here alone things do happen at import.
"""

import os
from typing import Any

from pydantic import ValidationError

from shared.runtime import registry
from shared.runtime.aws.observing import Observer
from shared.runtime.aws.sandbox import Sandbox
from shared.runtime.aws.secrets import read_secrets
from shared.runtime.lean import leave_out_pydantic_1
from shared.runtime.settings import Settings

MIGRATE = "migrate"


class Unusable(Exception):
    """The function cannot start. The text, which Lambda logs, says what to set."""


def start() -> Any:
    """What answers invocations. Raises Unusable, and what `read_secrets` raises."""
    leave_out_pydantic_1()
    name = os.environ.get("WEIR_FUNCTION")
    if not name:
        raise Unusable("set WEIR_FUNCTION: the name of a function, or migrate")
    if name == MIGRATE:
        read_secrets()
        from shared.runtime.aws.migration import migrate

        return migrate
    try:
        function = registry.find(name)
    except LookupError as error:
        raise Unusable(f"WEIR_FUNCTION: {error}, and migrate") from None
    for variable, value in function.environment.items():
        os.environ.setdefault(variable, value)
    observer = Observer(function.name)
    read_secrets()
    try:
        settings = Settings.model_validate({})
    except ValidationError as error:
        raise Unusable(
            f"settings are missing, in the environment or the secret of WEIR_SECRETS_ARN: {error}"
        ) from None
    return Sandbox(function, settings, observer, os.environ.get("WEIR_BASE_PATH", ""))


handler = start()
