"""Every contract by its type."""

from shared.contracts.contract import Contract
from shared.contracts.probe import Probe
from shared.contracts.replay import Replay
from shared.contracts.tick import Tick
from shared.contracts.wake import Wake

CONTRACTS: dict[str, type[Contract]] = {contract.TYPE: contract for contract in (Wake, Tick, Probe, Replay)}
