"""What is done to Weir, in the order it is done."""

from tests.torture import faults
from tests.torture.play import Scenario
from tests.torture.sinks import MISDEEDS

LEASE_SECONDS = 10
"""How long a shard stays with an owner that says nothing."""

REDIS_SECONDS = 60.0

SCENARIOS = (
    Scenario("calm", "nothing is broken"),
    Scenario(
        "ingest killed",
        "kill -9, and started again",
        faults.kill_ingest,
        faults.start_again,
    ),
    Scenario(
        "dispatch killed",
        "kill -9 of the one of two that holds the most shards, in the middle of a batch, and started again",
        faults.kill_dispatch,
        faults.start_again,
        repeats=True,
    ),
    Scenario(
        "both killed",
        "kill -9 of ingest and of all dispatchers, and started again",
        faults.kill_both,
        faults.start_again,
        repeats=True,
    ),
    Scenario(
        "dispatch paused",
        "SIGSTOP of the dispatcher with the most shards until its leases have run out, then SIGCONT",
        faults.pause_dispatch,
        faults.resume_dispatch,
        hold=LEASE_SECONDS + 5,
        repeats=True,
    ),
    Scenario(
        "postgres stopped",
        "a fast shutdown, started again after 4 s",
        faults.stop_postgres,
        faults.start_again,
        hold=4,
        repeats=True,
    ),
    Scenario(
        "postgres long away",
        "a fast shutdown, started again when all leases have run out",
        faults.stop_postgres,
        faults.start_again,
        hold=LEASE_SECONDS + 3,
        repeats=True,
    ),
    Scenario(
        "postgres killed",
        "kill -9, started again at once",
        faults.kill_postgres,
        faults.start_again,
        repeats=True,
    ),
    Scenario(
        "postgres restarted",
        "a fast shutdown and a start",
        faults.stop_postgres,
        faults.start_again,
        repeats=True,
    ),
    Scenario(
        "postgres frozen",
        "SIGSTOP of all its processes until all leases have run out, then SIGCONT",
        faults.freeze_postgres,
        faults.thaw_postgres,
        hold=LEASE_SECONDS + 3,
        repeats=True,
    ),
    Scenario(
        "redis killed",
        "kill -9, started again after {hold:.0f} s",
        faults.kill_redis,
        faults.start_again,
        hold=REDIS_SECONDS,
    ),
    *(
        Scenario(f"sink: {misdeed}", "one more subscription, whose sink does that", misdeed=misdeed, hold=4)
        for misdeed in MISDEEDS
    ),
    Scenario(
        "poisoned events",
        "an event in every shard that no code can read",
        faults.poison,
        faults.remove_poison,
        hold=2,
    ),
    Scenario(
        "everything killed",
        "receivers refuse everything; kill -9 of every process and of both stores; all of it again",
        faults.kill_all,
        faults.start_again,
        hold=1,
        repeats=True,
    ),
    Scenario(
        "clock forward",
        "the clock of all processes, Postgres too, jumps an hour ahead",
        faults.clocks(weir=1, postgres=1),
        hold=3,
        place="clock",
        repeats=True,
    ),
    Scenario(
        "clock back",
        "and an hour back again",
        faults.clocks(weir=0, postgres=0),
        hold=3,
        place="clock",
        repeats=True,
    ),
    Scenario(
        "clocks apart: ahead",
        "Weir's clock is an hour ahead of Postgres' for 3 s",
        faults.clocks(weir=1, postgres=0),
        faults.clocks(weir=0, postgres=0),
        hold=3,
        place="clock",
        repeats=True,
    ),
    Scenario(
        "clocks apart: behind",
        "Weir's clock is an hour behind Postgres' for 3 s",
        faults.clocks(weir=-1, postgres=0),
        faults.clocks(weir=0, postgres=0),
        hold=3,
        place="clock",
        repeats=True,
    ),
    Scenario(
        "clock back at a crash",
        "all dispatchers are killed, and started again with the clock an hour back",
        faults.crash_and_set_back,
        faults.start_again,
        place="clock",
        repeats=True,
    ),
    Scenario(
        "disk full",
        "Postgres' disk fills up, and is freed 3 s after the first event was refused",
        faults.fill_disk,
        faults.free_disk,
        hold=3,
        place="disk",
        repeats=True,
        padding=4_000,
    ),
    Scenario(
        "weir up: workers killed",
        "kill -9 of both workers; the supervisor starts them",
        faults.local("worker"),
        place="local",
        repeats=True,
    ),
    Scenario(
        "weir up: supervisor killed",
        "kill -9 of the supervisor; when all else has ended with it, `weir up` again",
        faults.kill_supervisor,
        faults.up,
        place="local",
        repeats=True,
    ),
    Scenario(
        "weir up: everything killed",
        "kill -9 of every process, and `weir up` again",
        faults.local(""),
        faults.up,
        place="local",
        repeats=True,
    ),
)
