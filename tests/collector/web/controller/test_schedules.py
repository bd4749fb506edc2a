"""`/api/schedules…`."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.collector.web.controller.api import Api

NIGHTLY = {"cron": "0 2 * * *", "zone": "Europe/Berlin"}
_numbers = itertools.count(1)


def created(api: Api, **fields: Any) -> Any:
    body = {"name": f"schedule/{next(_numbers)}", "cadence": NIGHTLY, "task": {"name": "Load"}, **fields}
    return api.post("/schedules", body, status=201)


def path(name: str) -> str:
    return "/schedules/" + name.replace("/", "%2F")


def test_schedule_is_found_by_id_and_by_name(api: Api) -> None:
    made = created(api)
    by_id, by_name = api.get(f"/schedules/{made['id']}"), api.get(path(made["name"]))
    assert by_id["id"] == by_name["id"] == made["id"]
    assert len(by_name["next"]) == 10
    assert by_name["next"][0]["local"].split("T")[-1].startswith("02:00")


def test_schedules_are_listed_by_name_in_pages(api: Api) -> None:
    names = sorted(created(api, description="listed")["name"] for _ in range(3))
    first = api.get("/schedules", text="schedule/", limit=2)
    assert first["next_cursor"]
    every = api.get("/schedules", text="schedule/", limit=100)["schedules"]
    assert set(names) <= {schedule["name"] for schedule in every}


def test_schedule_is_changed_paused_resumed_and_removed(api: Api) -> None:
    where = path(created(api)["name"])
    assert api.ask("PATCH", where, {"overlap": "allow"})["overlap"] == "allow"
    assert api.post(f"{where}/pause", {"by": "me"})["paused"] is True
    assert api.post(f"{where}/resume")["paused"] is False
    api.ask("DELETE", where, status=204)
    assert "no schedule" in api.get(where, refused=404)["detail"]


def test_schedule_runs_now_with_another_input(api: Api) -> None:
    made = created(api)
    task = api.post(f"{path(made['name'])}/run", {"input": {"day": 1}})
    assert (task["schedule_id"], task["input"]) == (made["id"], {"day": 1})


def test_past_instants_are_made_up_for_and_told_by_the_ledger(api: Api) -> None:
    where = path(created(api, cadence={"every_ms": 60_000, "start": "2026-01-01T00:00:00Z"})["name"])
    stretch = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:03:00Z"}
    dry = api.post(f"{where}/backfill", {**stretch, "dry_run": True})
    assert (len(dry["instants"]), dry["task_ids"]) == (3, [])
    done = api.post(f"{where}/backfill", stretch)
    assert len(done["task_ids"]) == 3
    ledger = api.get(f"{where}/instants", limit=2)
    assert ledger["next_cursor"]
    assert {instant["status"] for instant in ledger["instants"]} <= {"backfilled", "fired", "late", "skipped"}


def test_preview_tells_what_a_clock_change_does(api: Api) -> None:
    body = {"cadence": {"cron": "30 2 * * *", "zone": "Europe/Berlin"}, "count": 2, "after": "2026-03-28T12:00:00Z"}
    shown = api.post("/schedules/preview", body)
    assert len(shown["instants"]) == 2
    assert "does not exist" in shown["instants"][0]["note"]


@pytest.mark.parametrize("cadence", [{"cron": "61 * * * *"}, {"cron": "0 0 30 2 *"}, {}, {"every_ms": 1}])
def test_wrong_cadence_is_refused(api: Api, cadence: Any) -> None:
    body = {"name": "wrong", "cadence": cadence, "task": {"name": "Load"}}
    assert api.post("/schedules", body, status=400)["field"]
    assert api.post("/schedules/preview", {"cadence": cadence}, status=400)["field"]


def test_name_that_is_taken_is_a_conflict(api: Api) -> None:
    made = created(api)
    body = {"name": made["name"], "cadence": NIGHTLY, "task": {"name": "Load"}}
    assert made["name"] in api.post("/schedules", body, status=409)["detail"]


@pytest.mark.parametrize("command", ["pause", "resume", "run"])
def test_command_on_nothing_names_it(api: Api, command: str) -> None:
    assert "'nobody'" in api.post(f"/schedules/nobody/{command}", status=404)["detail"]


def test_ledger_of_an_unknown_status_is_refused(api: Api) -> None:
    where = path(created(api)["name"])
    assert api.client.get(f"/api{where}/instants", params={"status": "odd"}).json()["field"] == "status"
