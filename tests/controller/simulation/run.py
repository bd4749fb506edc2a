"""One seed: a storm, then healing until nothing is left to do."""

from __future__ import annotations

from collections.abc import Iterable

from tests.controller.simulation.audit import Audit, BrokenError
from tests.controller.simulation.clients import AGENTS, NAMES, Clients
from tests.controller.simulation.workers import Worker
from tests.controller.simulation.world import CALM, Request, World

STEPS = 40
_PAUSES_MS = (0, 0, 10, 100, 500, 1_000, 2_000, 10_000, 90_000)
_MAX_HEALING = 200


def simulate(seed: int, *, steps: int = STEPS) -> None:
    """Run one seed.

    Raises:
        AssertionError: an invariant does not hold. Says how to repeat it.
    """
    try:
        _Simulation(seed).run(steps)
    except Exception as error:
        again = f".venv/bin/python -m tests.controller.simulation --first-seed {seed} --seeds 1"
        raise BrokenError(f"seed {seed}: {type(error).__name__}: {error}; repeat it by: {again}") from error


def simulate_all(seeds: Iterable[int]) -> None:
    """Run seeds one after the other, up to the first that fails."""
    for seed in seeds:
        simulate(seed)


def fingerprint(seed: int) -> str:
    """Run one seed; return what tells two different courses apart."""
    simulation = _Simulation(seed)
    simulation.run(STEPS)
    return simulation.fingerprint


class _Simulation:
    def __init__(self, seed: int) -> None:
        self.fingerprint = ""
        self._world = World(seed)
        self._audit = Audit(self._world)
        self._clients = Clients(self._world, self._audit)
        kinds: list[tuple[str, list[str]]] = [(agent, []) for agent in AGENTS] + [("a0", [NAMES[0]])]
        self._workers = [Worker(self._world, self._audit, agent, names) for agent, names in kinds]

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self._step()
        self._heal()
        self._world.read(self._audit.whole)
        self.fingerprint = f"{self._audit.statuses} {self._world.now} {self._world.chance.random()}"
        self._world.store.close()

    def _step(self) -> None:
        """Let some time pass, and several ask in one transaction."""
        world = self._world
        world.now += world.chance.choice(_PAUSES_MS)
        wanted = world.chance.choice((1, 2, 3, 5))
        asked = [self._anybody() for _ in range(wanted)]
        world.execute([request for request in asked if request is not None])

    def _anybody(self) -> Request | None:
        draw = self._world.chance.random()
        if draw < 0.2:
            return self._world.tick()
        if draw < 0.45:
            return self._clients.request()
        return self._world.chance.choice(self._workers).request()

    def _heal(self) -> None:
        """End all faults, and let the workers work until every task has ended.

        Raises:
            AssertionError: some never do.
        """
        world, audit = self._world, self._audit
        world.faults = CALM
        for worker in self._workers:
            worker.thaw()
        world.execute([*self._clients.ask_again(), *self._clients.heal(audit.statuses)])
        for turn in range(_MAX_HEALING + len(audit.live)):
            if not audit.live:
                return
            work = [request for worker in self._workers for request in worker.work_off()]
            world.execute([world.tick(), *work, *self._clients.release(audit.statuses)])
            world.now += 200
            if not audit.has_leases or turn % 10 == 9:  # nobody is at work, or it is lost and the clock was set back
                world.now = max(world.now, world.read(lambda tx: tx.next_due()) or 0)
        raise BrokenError(f"these never end: { {key: audit.statuses[key] for key in audit.live} }")
