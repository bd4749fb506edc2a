"""Deliverables over HTTP."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost_collector.deliverables.headers import digest_field
from tests.collector.server import Server, StartServer
from tests.collector.web.controller.api import Api

HTML = b"<script>alert(1)</script>"


@pytest.fixture
def api(server: Server) -> Api:
    """Return how the module's collector is asked."""
    return Api.of(server)


@pytest.fixture
def task(api: Api) -> str:
    """Return the id of a task that nobody works on."""
    task_id: str = api.create(agent="nobody")["id"]
    return task_id


def put(api: Api, task: str, name: str, content: Any, **headers: str) -> httpx.Response:
    """PUT a content; headers: by names with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.client.put(f"/api/tasks/{task}/deliverables/{name}", content=content, headers=named)


def content(api: Api, task: str, name: str, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
    """GET a content."""
    return api.client.get(f"/api/tasks/{task}/deliverables/{name}/content", headers=headers, params=query)


def test_what_is_put_can_be_read(api: Api, task: str) -> None:
    """With everything that was said of it."""
    said = {"milepost_type": "report", "content_type": "text/csv", "milepost_by": "J%C3%BCrgen"}
    answer = put(api, task, "sums.csv", b"a,b\n1,2\n", **said)
    assert answer.status_code == 201
    made = answer.json()
    digest = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert (made["name"], made["version"], made["type"], made["sha256"]) == ("sums.csv", 1, "report", digest)
    assert (made["size_bytes"], made["content_type"], made["by"]) == (8, "text/csv", "Jürgen")
    assert api.get(f"/tasks/{task}/deliverables/sums.csv") == made
    assert api.get(f"/tasks/{task}/deliverables")["deliverables"] == [made]
    assert api.get(f"/tasks/{task}")["deliverables"] == [made]
    read = content(api, task, "sums.csv")
    assert read.content == b"a,b\n1,2\n"
    assert read.headers["content-type"] == "text/csv"
    assert read.headers["etag"] == f'"{digest}"'
    assert read.headers["repr-digest"] == digest_field(digest)


def test_the_same_again_changes_nothing_and_something_else_is_the_next_version(api: Api, task: str) -> None:
    """So an upload may be repeated."""
    assert [put(api, task, "a.txt", b"one").status_code for _ in range(2)] == [201, 200]
    assert put(api, task, "a.txt", b"two").json()["version"] == 2
    assert put(api, task, "a.txt", b"one").json()["version"] == 3
    every = api.get(f"/tasks/{task}/deliverables", versions="all")
    assert [one["version"] for one in every["deliverables"]] == [3, 2, 1]
    assert every["total_bytes"] == 9
    assert content(api, task, "a.txt", version=2).content == b"two"
    assert content(api, task, "a.txt").content == b"one"
    api.get(f"/tasks/{task}/deliverables/a.txt", refused=404, version=4)


def test_values_are_kept_as_json_and_texts_as_they_are(api: Api, task: str) -> None:
    """POST takes them with what is said of them."""
    path = f"/tasks/{task}/deliverables"
    assert api.post(path, {"name": "sums", "value": {"a": [1, 2.5, None]}}, status=201)["type"] == "data"
    assert content(api, task, "sums").json() == {"a": [1, 2.5, None]}
    api.post(path, {"name": "r.md", "value": "# Hä", "type": "report", "content_type": "text/markdown"}, status=201)
    assert content(api, task, "r.md").text == "# Hä"
    api.post(path, {"name": "r.md", "value": {"not": "text"}, "content_type": "text/markdown"}, status=400)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    chunks=st.lists(st.binary(min_size=1, max_size=3_000), max_size=6),
    ends=st.tuples(st.integers(0, 999), st.integers(0, 999)),
)
def test_any_bytes_in_any_chunks_and_any_range(
    api: Api, task: str, chunks: Sequence[bytes], ends: tuple[int, int]
) -> None:
    """A body without a declared length comes back, and its ranges are its slices."""
    whole = b"".join(chunks)
    assert put(api, task, "any", iter(chunks)).status_code in (200, 201)
    read = content(api, task, "any")
    assert read.content == whole
    assert read.headers["content-length"] == str(len(whole))
    first, last = min(ends), max(ends)
    part = content(api, task, "any", {"Range": f"bytes={first}-{last}"})
    if whole[first:]:
        assert part.status_code == 206
        assert part.content == whole[first : last + 1]
        end = min(last, len(whole) - 1)
        assert part.headers["content-range"] == f"bytes {first}-{end}/{len(whole)}"
    else:
        assert part.status_code == 416
        assert part.headers["content-range"] == f"bytes */{len(whole)}"


def test_head_tells_the_length_without_the_content(api: Api, task: str) -> None:
    """And does not follow ranges."""
    put(api, task, "a", b"12345")
    answer = api.client.head(f"/api/tasks/{task}/deliverables/a/content", headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "5", b"")


def test_a_known_content_is_not_sent_again(api: Api, task: str) -> None:
    """304 by entity tag; a range only of the content that is meant."""
    tag = f'"{put(api, task, "a", b"12345").json()["sha256"]}"'
    assert content(api, task, "a", {"If-None-Match": tag}).status_code == 304
    assert content(api, task, "a", {"If-None-Match": '"other"'}).status_code == 200
    assert content(api, task, "a", {"Range": "bytes=1-2", "If-Range": tag}).content == b"23"
    assert content(api, task, "a", {"Range": "bytes=1-2", "If-Range": '"other"'}).content == b"12345"


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xml", "application/pdf"])
def test_active_contents_are_saved_and_sandboxed(api: Api, task: str, kind: str) -> None:
    """Whatever a browser makes of the answer, nothing runs."""
    put(api, task, "page", HTML, content_type=kind)
    headers = content(api, task, "page").headers
    assert headers["content-disposition"].startswith("attachment;")
    assert headers["x-content-type-options"] == "nosniff"
    assert any("sandbox" in policy for policy in headers.get_list("content-security-policy"))


def test_inert_contents_are_shown_unless_they_are_to_be_saved(api: Api, task: str) -> None:
    """Sandboxed too."""
    put(api, task, "note.txt", b"hi", content_type="text/plain")
    assert content(api, task, "note.txt").headers["content-disposition"].startswith("inline;")
    assert content(api, task, "note.txt", download="true").headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd", "a%5Cb", "%00", ".hidden", "x" * 201])
def test_names_that_lead_elsewhere_are_refused(api: Api, task: str, name: str) -> None:
    """As they come, percent-encoded."""
    answer = put(api, task, name, b"x")
    assert answer.status_code == 400
    assert answer.json()["field"] == "name"


def test_a_content_that_is_not_what_its_digest_says_is_refused(api: Api, task: str) -> None:
    """RFC 9530's Content-Digest is checked."""
    right = digest_field(hashlib.sha256(b"right").hexdigest())
    refused = put(api, task, "a", b"wrong", content_digest=right)
    assert refused.status_code == 400
    assert refused.json()["field"] == "Content-Digest"
    assert put(api, task, "a", b"right", content_digest=right).status_code == 201
    assert api.get(f"/tasks/{task}/deliverables")["total_bytes"] == 5


def test_a_compressed_body_is_refused(api: Api, task: str) -> None:
    """The digest is that of what was sent."""
    assert put(api, task, "a", b"x", content_encoding="gzip").status_code == 415


def test_an_unknown_task_has_no_deliverables(api: Api) -> None:
    """Whatever is asked of it."""
    assert put(api, "none", "a", b"x").status_code == 404
    api.get("/tasks/none/deliverables", refused=404)
    api.get("/tasks/none/deliverables/a/content", refused=404)


def test_a_stale_attempt_is_refused(api: Api) -> None:
    """An upload names its attempt, whose lease must not be over."""
    made = api.create(agent="fenced")
    worker = api.worker("fenced")
    lease = api.lease(worker, made["id"])
    attempt = lease["attempt"]
    answer = put(api, made["id"], "a", b"x", milepost_attempt=str(attempt), milepost_span_id="00000000000000ab")
    assert answer.status_code == 201
    told = answer.json()
    assert (told["attempt"], told["run_id"], told["agent"]) == (attempt, lease["run_id"], "fenced")
    assert told["span_id"] == "00000000000000ab"
    assert put(api, made["id"], "b", b"x", milepost_attempt=str(attempt + 1)).status_code == 409
    api.post("/worker/unregister", {"worker_id": worker}, status=204)
    refused = put(api, made["id"], "b", b"x", milepost_attempt=str(attempt))
    assert refused.status_code == 409
    assert f"attempt {attempt}" in refused.json()["detail"]
    assert put(api, made["id"], "b", b"x", milepost_attempt="0").status_code == 400
    events = [one["event"] for one in api.get(f"/tasks/{made['id']}/transitions")["transitions"]]
    assert events.count("attached") == 1


def test_a_task_without_its_deliverables_fails(api: Api) -> None:
    """Its attempt, with what is missing; once that is there, another attempt completes it."""
    expected = [
        {"type": "report", "content_types": ["text/*"]},
        {"name": "sums.json"},
        {"type": "notes", "required": False},
    ]
    made = api.create(agent="hands-over", deliverables=expected, settings={"retry_delay_ms": 0, "jitter": 0})
    task_id, worker = made["id"], api.worker("hands-over")
    assert [one["met"] for one in made["expected_deliverables"]] == [False, False, False]
    lease = api.lease(worker, task_id)
    assert lease["deliverables"][0] == {"type": "report", "content_types": ["text/*"]}
    put(api, task_id, "r.pdf", b"x", milepost_type="report", content_type="application/pdf", milepost_attempt="1")
    api.report(worker, {"type": "completed", "task_id": task_id, "attempt": 1})
    first = api.get(f"/tasks/{task_id}/runs/1")
    assert (first["status"], first["error_type"]) == ("failed", "MissingDeliverables")
    assert "type report: r.pdf is application/pdf, not text/*" in first["error_message"]
    assert "sums.json: not attached" in first["error_message"]
    assert "notes" not in first["error_message"]
    second = api.lease(worker, task_id)["attempt"]
    put(api, task_id, "r.md", b"x", milepost_type="report", content_type="text/markdown", milepost_attempt=str(second))
    api.post(f"/tasks/{task_id}/deliverables", {"name": "sums.json", "value": 1, "attempt": second}, status=201)
    api.report(worker, {"type": "completed", "task_id": task_id, "attempt": second})
    done = api.get(f"/tasks/{task_id}")
    assert done["status"] == "completed"
    assert [one["met"] for one in done["expected_deliverables"]] == [True, True, False]
    assert done["expected_deliverables"][0]["attached"] == "r.md"
    api.post("/worker/unregister", {"worker_id": worker}, status=204)


@pytest.mark.parametrize("wrong", [{}, {"name": "../x"}, {"type": ""}, {"type": "x", "max_bytes": 0}, {"kind": "x"}])
def test_expectations_name_a_type_or_a_name(api: Api, wrong: dict[str, Any]) -> None:
    """Anything else is refused with its place."""
    refused = api.post("/tasks", {"name": "Load", "deliverables": [wrong]}, status=400)
    assert refused["field"].startswith("deliverables[0]")


def test_runs_of_their_own_have_deliverables(api: Api) -> None:
    """Under the run's id, without a fence."""
    run = "ab" * 16
    path = f"/api/runs/{run}/deliverables/a.txt"
    assert api.client.put(path, content=b"x").json()["run_id"] == run
    assert api.client.get(f"{path}/content").content == b"x"
    assert len(api.get(f"/runs/{run}/deliverables")["deliverables"]) == 1
    api.ask("DELETE", f"/runs/{run}/deliverables/a.txt", status=204)
    api.ask("DELETE", f"/runs/{run}/deliverables/a.txt", status=404)
    assert api.get(f"/runs/{run}/deliverables")["deliverables"] == []
    api.get("/runs/xyz/deliverables", refused=400)


def test_versions_can_be_removed(api: Api, task: str) -> None:
    """One of them, or the deliverable."""
    for text in (b"one", b"two"):
        put(api, task, "a", text)
    api.ask("DELETE", f"/tasks/{task}/deliverables/a", status=204, params={"version": 2})
    assert content(api, task, "a").content == b"one"


@pytest.fixture
def small(start_server: StartServer) -> Api:
    """Return a collector with small limits."""
    return Api.of(start_server(max_deliverable_bytes=1_000, max_task_deliverables_bytes=1_500))


def test_sizes_are_limited(small: Api) -> None:
    """Of one content, declared or not, and of all contents of a task; the answer names value, limit and remedy."""
    task_id = small.create()["id"]
    for body in (b"x" * 1_001, iter([b"x" * 600, b"x" * 401])):
        refused = put(small, task_id, "a", body)
        assert refused.status_code == 413
        assert refused.json()["limit"] == 1_000
        assert "max_deliverable_bytes" in refused.json()["detail"]
    assert put(small, task_id, "a", b"x" * 1_000).status_code == 201
    refused = put(small, task_id, "b", iter([b"y" * 501]))
    assert refused.status_code == 413
    assert (refused.json()["value"], refused.json()["limit"]) == (1_501, 1_500)
    assert put(small, task_id, "b", b"y" * 500).status_code == 201


def test_equal_contents_are_stored_once(start_server: StartServer, tmp_path: Any) -> None:
    """Whoever attaches them, under whatever name."""
    api = Api.of(start_server())
    for number in range(3):
        assert put(api, api.create()["id"], f"file {number}", b"same").status_code == 201
    stored = [path for path in (tmp_path / "data" / "deliverables").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in stored] == [b"same"]


def test_contents_go_to_s3(start_server: StartServer, s3_url: str, tmp_path: Any) -> None:
    """With nothing but another setting."""
    api = Api.of(start_server(deliverables_url=s3_url))
    task_id = api.create()["id"]
    large = bytes(range(256)) * 40_000  # 10 MB: two parts
    assert put(api, task_id, "large.bin", large).status_code == 201
    assert content(api, task_id, "large.bin").content == large
    assert content(api, task_id, "large.bin", {"Range": "bytes=-3"}).content == large[-3:]
    assert not (tmp_path / "data" / "deliverables").exists()


def test_a_store_that_is_away_is_no_fault_of_the_caller(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, with the setting to look at."""
    for name, value in {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "k",
                        "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    api = Api.of(start_server(deliverables_url="s3://bucket/x"))
    refused = put(api, api.create()["id"], "a", b"x")
    assert refused.status_code == 503
    assert "deliverables_url" in refused.json()["detail"]


def test_sql_sees_what_was_handed_over_and_what_results_say(server: Server, api: Api) -> None:
    """The views `deliverables` and `attempts`, once they are told."""
    made = api.create(agent="told")
    worker = api.worker("told")
    lease = api.lease(worker, made["id"])
    put(api, made["id"], "r.md", b"x", milepost_type="report", milepost_attempt="1", content_type="text/markdown")
    run = "ef" * 16
    api.client.put(f"/api/runs/{run}/deliverables/a.txt", content=b"xy")
    result = {"value": 3, "summary": "Three.", "insights": ["odd"], "recommendations": ["add one"]}
    api.report(worker, {"type": "completed", "task_id": made["id"], "attempt": 1, "result": result})
    found = awaited(
        server,
        "SELECT task_id, run_id, attempt, name, version, type, content_type, size_bytes FROM deliverables "
        f"WHERE task_id = '{made['id']}' OR run_id = '{run}' ORDER BY name",
        2,
    )
    assert found == [
        [None, run, None, "a.txt", 1, "file", "application/octet-stream", 2],
        [made["id"], lease["run_id"], 1, "r.md", 1, "report", "text/markdown", 1],
    ]
    said = f"SELECT summary, insights, recommendations FROM attempts WHERE task_id = '{made['id']}' AND summary != ''"
    assert awaited(server, said, 1) == [["Three.", ["odd"], ["add one"]]]


def awaited(server: Server, sql: str, count: int) -> list[list[Any]]:
    """Return so many rows, once there are."""
    deadline = time.monotonic() + 20
    while len(found := server.rows(sql)) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
