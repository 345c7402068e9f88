"""`dev.weir.tick`: a minute has passed."""

from typing import ClassVar

from shared.contracts.contract import Contract


class Tick(Contract):
    """Picks up what a lost hint left. Carries nothing."""

    TYPE: ClassVar[str] = "dev.weir.tick"
