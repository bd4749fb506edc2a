"""A large database in the collector's own layout, generated in SQL: 20 spans a run, a quarter of them llm calls."""

from __future__ import annotations

from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from milepost_collector.storage.migrate import migrate, run_parts_sql
from tests.benchmarks.figures import progress

SPANS_PER_RUN = 20
SPANS_PER_COMMIT = 5_000
CHUNK_SPANS = 50_000  # summed up at once, as by the collector under load
NEEDLE = "needle-in-a-haystack"  # in the attributes of one span in 100,000
DAYS = 30
FIRST_NS = 1_762_000_000_000_000_000

# Times rise with the number of the span, runs overlap a little, and ids are random as in life.
_SPANS = """
INSERT INTO spans BY NAME
SELECT
    md5('run' || r) AS run_id,
    left(md5('span' || i), 16) AS span_id,
    CASE WHEN k > 0 THEN left(md5('span' || (r * {per_run})), 16) END AS parent_span_id,
    CASE WHEN k = 0 THEN 'report-' || (r % 8) WHEN llm THEN 'chat ' || model ELSE 'step-' || k END AS name,
    CASE WHEN k = 0 THEN 'agent' WHEN llm THEN 'llm' WHEN k % 4 = 2 THEN 'tool' ELSE 'task' END AS kind,
    CASE WHEN failed THEN 'failed' ELSE 'completed' END AS status,
    make_timestamp_ns(begin_ns) AS start_time,
    make_timestamp_ns(begin_ns + CASE WHEN k = 0 THEN 4000000000 ELSE 20000000 + h % 900000000 END) AS end_time,
    'agent-' || (r % 5) AS agent,
    CASE WHEN k = 0 THEN 'session-' || (r // 10) END AS session_id,
    CASE WHEN k = 0 THEN 'user-' || (r % 1000) END AS user_id,
    CASE WHEN k = 0 THEN ['nightly', 'team-' || (r % 7)] END AS tags,
    CASE WHEN llm THEN model END AS model,
    CASE WHEN llm THEN provider END AS provider,
    CASE WHEN llm THEN 200 + h % 4000 END AS input_tokens,
    CASE WHEN llm THEN 20 + h % 700 END AS output_tokens,
    CASE WHEN llm THEN h % 200 END AS cache_read_tokens,
    CASE WHEN llm THEN round((200 + h % 4000) * 2.5e-6 + (20 + h % 700) * 1e-5, 9) END AS cost_usd,
    CASE WHEN llm THEN 'computed' END AS cost_source,
    CASE WHEN failed THEN 'ConnectionError' END AS error_type,
    CASE WHEN failed THEN 'connection refused by host ' || (h % 50) END AS error_message,
    '{{"file":"report-' || (h % 9973) || '.pdf","pages":' || (h % 40) || '}}' AS input,
    '{{"rows":' || (h % 977) || ',"ok":true}}' AS output,
    '{{"http.route":"/v1/items/' || (h % 7919) || '","server.address":"api-' || (h % 12) || '.example.com",'
        || '"retry":' || (h % 3) || ',"request.id":"' || md5('request' || i) || '","note":"'
        || CASE WHEN i % 100000 = 77 THEN '{needle}' ELSE 'page ' || (h % 500) || ' of the report was read' END
        || '"}}' AS attributes,
    'bench' AS service,
    'producer-' || (r % 16) AS producer_id,
    i // {per_commit} AS commit_id
FROM (
    SELECT
        *,
        k % 4 = 1 AS llm,
        (h >> 20) % 50 = 0 AS failed,
        {first_ns} + r * {step_ns} + k * 150000000 + h % 50000000 AS begin_ns,
        ['gpt-4o-mini', 'gpt-4o', 'claude-sonnet-4-5', 'gemini-2.5-pro', 'mistral-large', 'grok-4'][1 + h % 6] AS model,
        ['openai', 'openai', 'anthropic', 'google', 'mistral', 'x-ai'][1 + h % 6] AS provider
    FROM (
        SELECT i, i // {per_run} AS r, i % {per_run} AS k, (hash(i) >> 2)::BIGINT AS h
        FROM range({low}, {high}) AS numbers(i)
    )
)
"""

_EVENTS = """
INSERT INTO events BY NAME
SELECT
    md5('run' || r) AS run_id, left(md5('span' || (r * {per_run})), 16) AS span_id,
    make_timestamp_ns({first_ns} + r * {step_ns} + 1000000000) AS time, 'checkpoint' AS kind, 'pages' AS name,
    '{{"page":' || (r % 40) || '}}' AS body, 'producer-' || (r % 16) AS producer_id, r AS sequence, 0 AS batch_index
FROM range({low} // {per_run}, {high} // {per_run}) AS numbers(r)
"""

_PRODUCERS = """
INSERT INTO producers BY NAME
SELECT 'producer-' || p AS producer_id, make_timestamp_ns({first_ns}) AS first_seen, 'bench' AS service_name,
    1000 + p AS process_id, 'milepost' AS sdk_name
FROM range(16) AS numbers(p)
"""


def ensure_database(folder: Path, spans: int) -> Path:
    """Return the folder of a database with this many spans, generating it unless it is there already."""
    data_dir = folder / f"milepost-{spans}-spans"
    if not (data_dir / "complete").exists():
        progress(f"generating {spans:,} spans, 20 s a million")
        generate(data_dir, spans)
        (data_dir / "complete").touch()
    return data_dir


def generate(data_dir: Path, spans: int) -> None:
    """Fill a new database by the collector's own migrations and its own sums per run."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "milepost.duckdb"
    path.unlink(missing_ok=True)
    step_ns = DAYS * 86_400 * 10**9 // max(spans // SPANS_PER_RUN, 1)
    with duckdb.connect(str(path), config={"checkpoint_threshold": "1GB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        migrate(connection, path)
        for low in range(0, spans, CHUNK_SPANS):
            _add(connection, low, min(low + CHUNK_SPANS, spans), step_ns)
            if low and low % 1_000_000 == 0:
                progress(f"  {low // 1_000_000} million")
        connection.execute(_PRODUCERS.format(first_ns=FIRST_NS))
        connection.execute("UPDATE summed SET up_to = (SELECT max(commit_id) FROM spans)")


def _add(connection: DuckDBPyConnection, low: int, high: int, step_ns: int) -> None:
    values = {
        "low": low, "high": high, "per_run": SPANS_PER_RUN, "per_commit": SPANS_PER_COMMIT, "first_ns": FIRST_NS,
        "step_ns": step_ns, "needle": NEEDLE,
    }  # fmt: skip
    connection.execute(_SPANS.format(**values))
    connection.execute(_EVENTS.format(**values))
    first, last = low // SPANS_PER_COMMIT, (high - 1) // SPANS_PER_COMMIT
    fresh = f"(SELECT * FROM spans WHERE commit_id BETWEEN {first} AND {last})"
    connection.execute(f"INSERT INTO run_sums BY NAME {run_parts_sql(fresh)}")
