"""How many pods each function has, as it changes."""

import subprocess
import threading
import time
from collections import Counter
from typing import Self

from tests.knative.cluster import SERVICE, Cluster
from tests.knative.waiting import eventually

LABEL = SERVICE.replace(".", r"\.")
LINE = (
    "{.type}|{.object.metadata.name}|{.object.metadata.labels." + LABEL + "}"
    '|{.object.metadata.deletionTimestamp}|{.object.status.conditions[?(@.type=="Ready")].status}{"\\n"}'
)


class Pods:
    """`with Pods(cluster) as pods` watches; a pod counts from when it is ready until it is told to end.

    `steps` has (seconds since the watch began, pods of each function) at every change, `events` what made them.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ready: dict[str, str] = {}
        self._watch: subprocess.Popen[str] | None = None
        self._reading: threading.Thread | None = None
        self.began = 0.0
        self.steps: list[tuple[float, Counter[str]]] = [(0.0, Counter())]
        self.made: dict[str, float] = {}
        self.ready: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._watch = subprocess.Popen(
            [
                "kubectl",
                "-n",
                self._cluster.namespace,
                "get",
                "pods",
                "-l",
                SERVICE,
                "--watch",
                "--output-watch-events",
                "-o",
                f"jsonpath={LINE}",
            ],
            env=self._cluster.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.began = time.time()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._watch is not None
        assert self._reading is not None
        self._watch.terminate()
        with self._watch:  # waits, and closes its pipe
            self._reading.join(10)

    def now(self, function: str) -> int:
        """How many there are."""
        return self.steps[-1][1][function]

    def most(self, function: str) -> int:
        """The most there were at a time."""
        return max(counts[function] for _, counts in self.steps)

    def until(self, function: str, least: int, seconds: float) -> None:
        """Wait until there have been so many at a time."""
        eventually(f"{least} pods of {function}", lambda: self.most(function) >= least, seconds, every=0.1)

    def story(self, function: str) -> str:
        """`0 s: 0, 3 s: 1, …`: what became of the pods of a function."""
        told: list[tuple[float, int]] = []
        for at, counts in self.steps:
            if not told or told[-1][1] != counts[function]:
                told.append((at, counts[function]))
        return ", ".join(f"{at:.0f} s: {count}" for at, count in told)

    def _read(self) -> None:
        assert self._watch is not None
        assert self._watch.stdout is not None
        for line in self._watch.stdout:
            kind, name, function, ending, ready = line.rstrip("\n").split("|")
            self.made.setdefault(name, time.time())
            if kind != "DELETED" and not ending and ready == "True":
                self._ready[name] = function
                self.ready.setdefault(name, time.time())
            else:
                self._ready.pop(name, None)
            self.steps.append((time.time() - self.began, Counter(self._ready.values())))
