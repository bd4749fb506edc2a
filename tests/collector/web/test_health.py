"""Health, readiness and metrics."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from milepost.wire import SpanStarted
from milepost_collector.storage.schema import public_schema, schema_markdown
from tests.collector.server import Server, StartServer


def metrics_of(server: Server) -> dict[str, float]:
    families = text_string_to_metric_families(server.client.get("/metrics").text)
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_running_collector_is_healthy_and_ready(server: Server) -> None:
    assert server.get("/healthz")["status"] == "ok"
    assert server.get("/readyz")["status"] == "ready"


def test_metrics_count_what_was_ingested(start_server: StartServer) -> None:
    counted = start_server()
    counted.send([SpanStarted(run_id="a" * 32, span_id="b" * 16, name="x", start_time=1)])
    found = metrics_of(counted)
    assert found["milepost_ingest_committed_batches_total"] == 1
    assert found["milepost_ingest_live_spans"] == 1
    assert found["milepost_ingest_queued_bytes"] == 0
    assert found["process_resident_memory_bytes"] > 0


def test_requests_are_counted_by_route_not_by_address(start_server: StartServer) -> None:
    counted = start_server()
    for path in ("/api/runs/" + "0" * 32, "/api/runs/" + "1" * 32, "/made/up"):
        counted.client.get(path)
    counted.client.request("PROPFIND", "/")
    text = counted.client.get("/metrics").text
    assert 'milepost_http_requests_total{method="GET",route="/api/runs/{run_id}",status="404"} 2.0' in text
    assert 'method="other",route="other"' in text
    assert "/made/up" not in text


def test_two_applications_count_apart(start_server: StartServer, tmp_path: object) -> None:
    first, second = start_server(), start_server(data_dir=tmp_path / "other")  # type: ignore[operator]
    first.client.get("/healthz")
    assert "/healthz" not in second.client.get("/metrics").text


def test_collector_that_cannot_write_is_not_ready(start_server: StartServer) -> None:
    full = start_server()
    full.app.state.services.ingest._writer.available = False
    answer = full.client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "cannot be written; free space on its disk" in answer.json()["detail"]


def test_schema_describes_the_database_as_it_is(server: Server) -> None:
    public = {table.name: [(column.name, column.type) for column in table.columns] for table in public_schema().tables}
    for name, columns in public.items():
        real = [(row[0], row[1]) for row in server.rows(f"DESCRIBE {name}")]
        assert columns == real, name
    sums = {"run_sums", "run_parts", "live_run_parts", "uncounted_run_parts", "summed"}
    recorded = {"task_versions", "attempt_versions", "instant_versions", "attached_versions", "controller_position"}
    internal = sums | recorded | {"migrations", "stored_messages", "span_messages", "pieces"}
    assert {row[0] for row in server.rows("SHOW TABLES")} - internal == public.keys()


def test_schema_is_served_and_written_as_markdown(server: Server) -> None:
    tables = server.get("/api/schema")["tables"]
    assert [table["name"] for table in tables][:2] == ["runs", "tasks"]
    text = schema_markdown()
    for table in tables:
        assert f"#### `{table['name']}`" in text
        for column in table["columns"]:
            assert f"| `{column['name']}` | {column['type']} |" in text


def test_status_tells_what_is_held(start_server: StartServer) -> None:
    asked = start_server()
    asked.send([SpanStarted(run_id="a" * 32, span_id="b" * 16, name="x", start_time=1)])
    status = asked.get("/api/status")
    assert (status["storage"]["live_spans"], status["storage"]["spans"]) == (1, 0)
    assert status["storage"]["free_bytes"] > 0
    assert status["storage"]["tasks_bytes"] > 0
    assert status["queue"]["committed_events"] == 1
    assert status["limits"]["task_retention_days"] == 30
    assert status["prices"] == {"own_file": None, "own_entries": 0}
    assert status["task_store"] == "sqlite"
