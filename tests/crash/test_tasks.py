"""SIGKILL of workers and collector at random under load: every task ends, once, and the record says how."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

import milepost
from milepost_collector.controller.service.opening import FILE_NAME
from tests.controller.postgres import PostgresServer
from tests.crash.audit import Audited, check_record, check_tasks, noted, read_store
from tests.crash.load import AGENT, Creator, creating
from tests.crash.processes import Crew, KillableCollector, rest, running, until

WORKERS = 3
SLOTS = 4
MOST_WAITING = 120
COLLECTOR_SHARE = 0.3  # of the kills
EFFECTS_BETWEEN_KILLS = 5
POSTGRESQL_SHARE = 4  # of four kills, one
KILLS_PER_RESTART = 3  # of PostgreSQL

Strike = Callable[[int], None]


@pytest.mark.crash
@pytest.mark.slow
def test_tasks_complete_once_although_workers_and_collector_are_killed(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills = pytestconfig.getoption("kills")
    kills -= kills // POSTGRESQL_SHARE
    creator = work_and_be_killed(tmp_path, kills)
    report(kills, creator, audit(tmp_path, str(tmp_path / FILE_NAME), creator))


@pytest.mark.crash
@pytest.mark.slow
def test_tasks_complete_once_although_postgresql_crashes_too(
    tmp_path: Path, own_postgres: PostgresServer, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILEPOST_CONTROLLER_URL", own_postgres.url)
    kills = pytestconfig.getoption("kills") // POSTGRESQL_SHARE
    creator = work_and_be_killed(tmp_path, kills, restarting(own_postgres))
    report(kills, creator, audit(tmp_path, own_postgres.url, creator))


def restarting(server: PostgresServer) -> Strike:
    """Return what restarts PostgreSQL with every third kill, in turn as by a crash and in order."""

    def strike(kill: int) -> None:
        if kill % KILLS_PER_RESTART == 1:
            server.restart("immediate" if kill % (2 * KILLS_PER_RESTART) == 1 else "fast")

    return strike


def work_and_be_killed(folder: Path, kills: int, strike: Strike = lambda kill: None) -> Creator:
    """Kill workers and the collector while tasks are created and done; return who created them, with all of them done.

    strike: what else is done with every kill, by its number.
    """
    chance = random.Random()
    collector = KillableCollector(folder)
    crew = Crew(AGENT, collector.endpoint, folder, workers=WORKERS, slots=SLOTS)
    with running(collector, crew):
        with creating(collector.endpoint, lambda made: made - len(noted(folder, "effects")) > MOST_WAITING) as creator:
            for kill in range(kills):
                await_effects(folder, EFFECTS_BETWEEN_KILLS)
                rest(chance.uniform(0, 0.2))
                strike(kill)
                if chance.random() < COLLECTOR_SHARE:
                    collector.kill()
                else:
                    crew.kill_one(chance)
        with milepost.Client(endpoint=collector.endpoint) as client:
            until(lambda: is_done(client), "the end of every task", within_s=90)
    return creator


def await_effects(folder: Path, number: int) -> None:
    """Wait until handlers have had so many more effects: whatever is killed then, is killed at work."""
    before = len(noted(folder, "effects"))
    until(lambda: len(noted(folder, "effects")) >= before + number, f"work on {number} tasks")


def is_done(client: milepost.Client) -> bool:
    """Tell whether every task is finished."""
    groups = client.tasks.count("status").groups
    return {group.value for group in groups} == {"completed"}


def audit(folder: Path, place: str, creator: Creator) -> Audited:
    """Check the store, the record in DuckDB and the effects against each other and against what was promised."""
    stored = read_store(place)
    check_record(folder, stored)
    effects = [(task_id, attempt) for task_id, attempt, _, _ in noted(folder, "effects")]
    return check_tasks(stored, list(creator.acknowledged.values()), effects)


def report(kills: int, creator: Creator, audited: Audited) -> None:
    """Print what happened."""
    print(f"\n{kills} kills, {creator.repeated} requests repeated; {audited}")
