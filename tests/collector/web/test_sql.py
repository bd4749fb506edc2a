"""SQL of users: what it may do, what it may not, and what comes back."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import httpx
import pyarrow
import pytest

from milepost.wire import SpanEnded
from tests.collector.server import Server, StartServer

MIB = 1024 * 1024
ARROW = "application/vnd.apache.arrow.stream"
SPAN = SpanEnded(run_id="a1" * 16, span_id="b2" * 8, name="x", start_time=10**18 + 1, end_time=10**18 + 2)


@pytest.fixture(scope="module", autouse=True)
def one_span(server: Server) -> None:
    server.send([SPAN])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS one",
        " /* comment */ SELECT 1; -- end",
        "WITH t AS (SELECT 1) FROM t",
        "VALUES (1)",
        "FROM spans SELECT count(*)",
        "DESCRIBE spans",
        "SHOW TABLES",
        "SUMMARIZE runs",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT count(*) FROM spans",
        "PIVOT spans ON kind IN ('task', 'llm') USING count(*)",
        "SELECT * FROM range(3) JOIN generate_series(1, 3) ON true",
        "SELECT unnest([1, 2])",
        "SELECT * FROM information_schema.tables",
        "SELECT count(*), count(*) FROM spans AS s JOIN spans AS t USING (run_id)",
        "SELECT sum(x) OVER (ORDER BY x) FROM range(3) AS t(x)",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t",
        "SELECT * FROM json_each('[1]')",
    ],
)
def test_reading_is_allowed(server: Server, sql: str) -> None:
    assert server.rows(sql)


ESCAPES = [
    "",
    "-- nothing",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE spans",
    "SELEC 1",
    "INSERT INTO spans SELECT * FROM spans",
    "DELETE FROM spans",
    "UPDATE spans SET name = 'x'",
    "DROP VIEW runs",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE MACRO m() AS 1",
    "ALTER TABLE spans ADD COLUMN x INT",
    "ATTACH ':memory:' AS m",
    "DETACH milepost",
    "USE memory",
    "COPY spans TO '/tmp/x.csv'",
    "COPY (SELECT 1) TO '/tmp/x.csv'",
    "EXPORT DATABASE '/tmp/x'",
    "IMPORT DATABASE '/tmp/x'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '1TB'",
    "RESET ALL",
    "PRAGMA enable_profiling",
    "PRAGMA database_list",
    "CALL checkpoint()",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "EXPLAIN DELETE FROM spans",
    "EXPLAIN ANALYZE DELETE FROM spans",
    "EXPLAIN ANALYZE SELECT * FROM checkpoint()",
    "PIVOT spans ON kind USING count(*)",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('/tmp/x.parquet')",
    "SELECT * FROM \"READ_TEXT\"('/etc/passwd')",
    "SELECT * FROM main.read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'https://example.com/x.csv'",
    "SELECT * FROM '/tmp/x.parquet'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
    "SELECT getenv('HOME')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('spans')",
    "SELECT * FROM (SELECT 1) WHERE EXISTS (FROM query('SELECT * FROM checkpoint()'))",
    "WITH t AS MATERIALIZED (FROM force_checkpoint()) SELECT 1",
    "SELECT (SELECT count(*) FROM checkpoint())",
    "SUMMARIZE (FROM checkpoint())",
    "PIVOT (FROM checkpoint()) ON success IN (true) USING count(*)",
    "SELECT * FROM (DESCRIBE (FROM checkpoint()))",
    "SELECT * FROM spans ORDER BY (SELECT 1 FROM enable_logging())",
    "FROM spans SELECT 1 LIMIT (SELECT count(*) FROM checkpoint())",
    "SELECT * FROM spans TABLESAMPLE 1 PERCENT, truncate_duckdb_logs()",
    "SELECT * FROM range((SELECT count(*) FROM checkpoint()))",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM duckdb_settings",
    "SELECT repeat('x', 1000000000)",
    "SELECT lpad('x', 1000000000, 'y')",
    "SELECT range(1000000000)",
    "SELECT list_resize([1], 1000000000)",
    "SELECT repeat('x', n) FROM range(3) AS t(n)",
    "VALUES ((SELECT 1 FROM checkpoint()))",
    "SELECT 1 UNION ALL (SELECT 1 FROM checkpoint())",
    "SELECT list_transform([1], lambda x: (SELECT count(*) FROM checkpoint()))",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_logs()",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM pandas_scan(1)",
    "SELECT * FROM python_map_function(1)",
    "SELECT * FROM seq_scan()",
    "SELECT * FROM json_execute_serialized_sql('{}')",
    "SELECT * FROM enable_profiling()",
    "SELECT * FROM test_vector_types(NULL::INT)",
    "SELECT nextval('x')",
    "SELECT currval('x')",
    "SELECT setseed(0.5)",
    "SELECT write_log('x')",
    "SELECT \"Write_Log\"('x')",
    "SELECT sleep_ms(60000)",
    "SELECT * FROM sql",  # no variable of ours
    "SELECT * FROM connection",
    "SELECT nope FROM spans",
    "SELECT $1",
    "SELECT ?",
    "SELECT " + "(" * 20_000 + "1" + ")" * 20_000,
    "SELECT " + "+".join(["1"] * 40_000),
    "SELECT '" + "x" * 100_001 + "'",
    "SELECT error('on purpose')",
    "SELECT 1 AS a FROM (SELECT 1) AS x) AS result(c0) --",
    "SELECT 1) AS result(c0) UNION ALL SELECT * FROM (SELECT 2",
]


@pytest.mark.parametrize("sql", ESCAPES, ids=lambda sql: sql[:60])
def test_everything_else_is_refused_with_a_reason(server: Server, sql: str) -> None:
    answer = server.sql(sql)
    assert answer.status_code == 400, answer.text[:500]
    assert answer.json()["detail"]
    assert "/work" not in answer.text
    assert server.rows("SELECT count(*) FROM spans WHERE run_id = repeat('a1', 16)") == [[1]]


def test_error_shows_the_users_own_text(server: Server) -> None:
    detail = server.sql("SELECT name,\n  nope\nFROM spans").json()["detail"]
    assert 'Referenced column "nope" not found' in detail
    assert "LINE 2:   nope" in detail


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"sql": 1}', b'{"sql": "SELECT 1", "x": 1}', b'{"sql": "\\ud800"}', b"\xff"]
)
def test_request_that_is_no_query_is_refused(server: Server, body: bytes) -> None:
    assert server.client.post("/api/sql", content=body).status_code == 400


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("TIMESTAMP_NS '2026-11-21 07:30:00.123456789'", "2026-11-21T07:30:00.123456789Z"),
        ("TIMESTAMP '2026-11-21 07:30:00'", "2026-11-21T07:30:00.000000000Z"),
        ("TIMESTAMPTZ '2026-11-21 07:30:00+02'", "2026-11-21T05:30:00.000000000Z"),
        ("[TIMESTAMP_NS '2026-11-21 07:30:00.000000001']", ["2026-11-21T07:30:00.000000001Z"]),
        ("{'t': TIMESTAMP_S '2026-11-21 07:30:00', 'n': 1}", {"t": "2026-11-21T07:30:00.000000000Z", "n": 1}),
        ("TIMESTAMP 'infinity'", "infinity"),
        ("DATE '2026-11-21'", "2026-11-21"),
        ("TIME '07:30:00'", "07:30:00"),
        ("DATE '12026-11-21'", "12026-11-21"),
        ("INTERVAL '1 month 2 days'", "1 month 2 days"),
        ("'nan'::DOUBLE", None),
        ("'-inf'::FLOAT", None),
        ("['inf'::DOUBLE, 1]", [None, 1.0]),
        ("9007199254740993::BIGINT", 9007199254740993),
        ("(2::HUGEINT ** 100)::HUGEINT", 2**100),
        ("-(170141183460469231731687303715884105727::HUGEINT)", -(2**127) + 1),
        ("[18446744073709551616::HUGEINT]", [18446744073709551616]),
        ("1.50::DECIMAL(9, 2)", 1.5),
        ("'\\x00\\xff'::BLOB", "AP8="),
        ("'101'::BIT", "101"),
        ("'7d444840-9dc0-11d1-b245-5ffdce74fad2'::UUID", "7d444840-9dc0-11d1-b245-5ffdce74fad2"),
        ("'a'::ENUM('a', 'b')", "a"),
        ("'{\"a\": 1}'::JSON", '{"a": 1}'),
        ("MAP {'a': 1, 'b': 2}", {"a": 1, "b": 2}),
        ("MAP {[1]: TIMESTAMP '2026-11-21'}", {"[1]": "2026-11-21T00:00:00.000000000Z"}),
        ("row(1, 'a')", [1, "a"]),
        ("row(1, TIMESTAMP '2026-11-21')", "(1, '2026-11-21 00:00:00')"),
        ("union_value(n := 3)", "3"),
        ("[[1], NULL, []]", [[1], None, []]),
        ("array_value(1, 2)", [1, 2]),
        ("{'a b\"c': 1}", {'a b"c': 1}),
        ("NULL", None),
        ("true", True),
        ("'\u2028 \U0001f600'", "\u2028 \U0001f600"),
    ],
)
def test_value_is_json_without_loss(server: Server, expression: str, expected: Any) -> None:
    assert server.rows(f"SELECT {expression}, 1") == [[expected, 1]]


def test_columns_keep_names_and_types_even_equal_ones(server: Server) -> None:
    answer = server.sql("SELECT 1 AS a, TIMESTAMPTZ '2026-11-21 07:30:00+00' AS a, [1.5] AS \"x y\"").json()
    assert [(column["name"], column["type"]) for column in answer["columns"]] == [
        ("a", "INTEGER"),
        ("a", "TIMESTAMP WITH TIME ZONE"),
        ("x y", "DECIMAL(2,1)[]"),
    ]


@pytest.mark.parametrize(("limit", "rows", "truncated"), [(0, 0, True), (1, 1, True), (3, 3, False), (None, 3, False)])
def test_rows_are_limited_and_it_is_said(server: Server, limit: int | None, rows: int, truncated: bool) -> None:
    answer = server.sql("SELECT * FROM range(3)", limit=limit)
    assert (len(answer.json()["rows"]), answer.json()["truncated"]) == (rows, truncated)
    assert answer.headers["milepost-truncated"] == str(truncated).lower()


@pytest.mark.parametrize("media_type", ["application/json", "text/csv", ARROW, "application/vnd.apache.parquet"])
def test_every_format_says_what_was_cut_and_how_long_it_took(server: Server, media_type: str) -> None:
    body = {"sql": "SELECT * FROM range(3)", "limit": 2}
    answer = server.client.post("/api/sql", json=body, headers={"Accept": media_type})
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["milepost-truncated"] == "true"
    assert 0 < float(answer.headers["milepost-elapsed-ms"]) < 60_000


def test_arrow_keeps_large_integers_and_names_the_types(server: Server) -> None:
    sql = (
        "SELECT (2::HUGEINT ** 100)::HUGEINT AS h, TIMESTAMP_NS '2026-11-21 07:30:00.123456789' AS t, '[1]'::JSON AS j"
    )
    answer = server.client.post("/api/sql", json={"sql": sql}, headers={"Accept": ARROW})
    table = pyarrow.ipc.open_stream(answer.content).read_all()
    assert [field.metadata[b"duckdb_type"] for field in table.schema] == [b"HUGEINT", b"TIMESTAMP_NS", b"JSON"]
    assert table.column("h").to_pylist() == [2**100]
    assert table.column("t").cast(pyarrow.int64()).to_pylist() == [1795246200123456789]


def test_endless_result_stops_at_the_row_limit(server: Server) -> None:
    answer = server.sql("SELECT * FROM range(1000000000000)").json()
    assert (len(answer["rows"]), answer["truncated"]) == (100_000, True)


@pytest.mark.slow
def test_huge_rows_stop_at_the_byte_limit(server: Server) -> None:
    answer = server.sql("SELECT repeat('x', 5000) AS x FROM range(100000)")
    assert len(answer.content) < 65 * MIB
    assert json.loads(answer.content)["truncated"] is True


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n FROM t) SELECT count(*) FROM t",
        "SELECT count(*) FROM range(1000000) a, range(1000000) b",
        "SELECT sum(hash(x)) FROM range(100000000000) t(x)",
    ],
)
def test_endless_query_is_stopped_and_ingest_goes_on(start_server: StartServer, sql: str) -> None:
    limited = start_server(sql_timeout_s=0.5)
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(limited.sql(sql)))
    begin = time.monotonic()
    asking.start()
    sent = 0
    while asking.is_alive():
        limited.send([SPAN])
        sent += 1
    asking.join()
    assert answers[0].status_code == 504
    assert "ran longer than 0.5 s" in answers[0].json()["detail"]
    assert time.monotonic() - begin < 10
    assert sent > 1


def test_query_ends_with_its_client(start_server: StartServer) -> None:
    patient = start_server(sql_timeout_s=600)
    for _ in range(2 * patient.app.state.services.config.query_threads):  # each would hold a thread for ten minutes
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{patient.url}/api/sql", json={"sql": "SELECT sum(hash(x)) FROM range(100000000000) t(x)"},
                       timeout=0.1)  # fmt: skip
    assert patient.rows("SELECT 42") == [[42]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT list(x) FROM range(100000000000) t(x)",
        "SELECT count(DISTINCT md5(x::VARCHAR)) FROM range(2000000000) t(x)",
        "SELECT a.x FROM range(100000000) a(x) ORDER BY hash(x) LIMIT 1 OFFSET 90000000",
        "SELECT string_agg(repeat('x', 10000), '') FROM range(1000000)",
    ],
)
def test_memory_hog_gets_an_error_and_ingest_goes_on(start_server: StartServer, sql: str) -> None:
    limited = start_server(memory_limit_bytes=256 * MIB, sql_timeout_s=20)
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(limited.sql(sql)))
    asking.start()
    while asking.is_alive():
        ingested(limited)  # may be told to try again while the hog has all memory
    asking.join()
    assert answers[0].status_code in (422, 503, 504), answers[0].text[:300]
    assert limited.rows("SELECT count(*) FROM spans") == [[1]]
    assert ingested(limited)


def ingested(server: Server) -> bool:
    try:
        server.send([SPAN])
    except AssertionError:
        return False
    return True
