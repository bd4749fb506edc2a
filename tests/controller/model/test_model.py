"""Engine and views on both stores, and the HTTP API, agree with the model whatever is done to them."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from milepost_collector.controller.store.tables import metadata
from tests.conftest import CollectorProcess
from tests.controller.conftest import ManualClock, OpenStore
from tests.controller.model.machine import Machine
from tests.controller.model.subjects import EngineSubject, HttpSubject, Subject

SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


def empty(place: str) -> None:
    """Remove what an earlier run has left in a PostgreSQL database."""
    if place != ":memory:":
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY".encode())


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kind", "examples", "steps"), [("memory", 60, 40), ("postgresql", 6, 30)])
def test_engine_and_views_agree_with_the_model(
    kind: str, examples: int, steps: int, request: pytest.FixtureRequest, open_stores: OpenStore
) -> None:
    place = ":memory:" if kind == "memory" else str(request.getfixturevalue("postgres_url"))

    class OnEngine(Machine):
        def make_subject(self) -> Subject:
            clock = ManualClock()
            self.store = open_stores(place, clock=clock)
            empty(place)
            return EngineSubject(self.store, clock)

        def teardown(self) -> None:
            self.store.close()

    run_state_machine_as_test(OnEngine, settings=settings(SETTINGS, max_examples=examples, stateful_step_count=steps))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_http_api_agrees_with_the_model(collector: CollectorProcess) -> None:
    class OverHttp(Machine):
        delays = False

        def make_subject(self) -> Subject:
            return HttpSubject(collector.url)

        def teardown(self) -> None:
            self.clear()
            assert isinstance(self.subject, HttpSubject)
            self.subject.close()

    run_state_machine_as_test(OverHttp, settings=settings(SETTINGS, max_examples=4, stateful_step_count=25))
