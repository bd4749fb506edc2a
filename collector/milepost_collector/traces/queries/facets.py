"""Which values the runs of a list have, and how many runs each: for facets beside the list, and while one types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from duckdb import DuckDBPyConnection

from milepost_collector.errors import InvalidParameterError
from milepost_collector.protocol.api import Facet, FacetValue, RunFacets
from milepost_collector.traces.queries.filters import RunFilter, all_conditions, spelt_out
from milepost_collector.traces.queries.search_sql import RUN_COLUMNS, RUN_LISTS, TOOL, literal

FACETS = ("status", "agent", "name", "model", "kind", "tool", "session", "user", "tag", "error", "service")
RECORDED = (*FACETS, "provider")  # fields whose values can be offered
MAX_VALUES = 100

_OF_SPANS = {"kind": "kind", "tool": TOOL, "error": "error_type", "provider": "provider"}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "status": {"statuses": ()}, **{name: {name: None} for name in ("agent", "name", "session", "user", "tag")}
}  # fmt: skip


def run_facets(
    connection: DuckDBPyConnection, request: RunFilter, names: Sequence[str] = FACETS, *, limit: int = 10
) -> RunFacets:
    """Return the most frequent values of these facets. Call within a transaction.

    A facet counts the runs that fulfil the request less what it says of the facet's own field, each run by itself also
    when it is a part of another. limit: values of each.

    Raises:
        InvalidParameterError: a facet is unknown or the limit out of range.
    """
    _check(names, limit)
    by_filter: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        by_filter.setdefault(_where(request, name), []).append(name)
    found: dict[str, Facet] = {}
    for where, together in by_filter.items():
        values = _values(connection, where, together, limit)
        found |= {name: Facet(field=name, values=values[name], sql=_facet_sql(name, where, limit)) for name in together}
    return RunFacets(facets=[found[name] for name in dict.fromkeys(names)])


def recorded_values(connection: DuckDBPyConnection, name: str, prefix: str, *, limit: int) -> list[FacetValue]:
    """Return the most frequent values of a field that begin with a text, in any case of its letters."""
    if name not in RECORDED:
        return []
    every = _all_values(name, "true", "runs")
    condition = f"starts_with(lower(value), lower({literal(prefix)}))" if prefix else "true"
    rows = connection.execute(_most_frequent(every, condition, limit)).fetchall()
    return [FacetValue(value=value, runs=runs) for value, runs in rows]


def _check(names: Iterable[str], limit: int) -> None:
    for name in names:
        if name not in FACETS:
            raise InvalidParameterError("field", name, f"use any of {', '.join(FACETS)}")
    if not 1 <= limit <= MAX_VALUES:
        raise InvalidParameterError("limit", limit, f"use a number from 1 to {MAX_VALUES}")


def _where(request: RunFilter, name: str) -> str:
    search = request.search.without(name) if request.search else None
    return spelt_out(all_conditions(replace(request, search=search, **_PARAMETERS.get(name, {}))))


def _values(
    connection: DuckDBPyConnection, where: str, names: Sequence[str], limit: int
) -> dict[str, list[FacetValue]]:
    """Ask for the values of several facets at once: planning the view `runs` takes longer than counting."""
    columns = [RUN_LISTS.get(name) or RUN_COLUMNS[name] for name in names if name not in _OF_SPANS]
    tables = {name: _most_frequent(_all_values(name, where, "chosen"), "true", limit) for name in names}
    parts = [f"SELECT '{name}' AS facet, value, runs FROM ({table})" for name, table in tables.items()]
    chosen = ", ".join(dict.fromkeys(["run_id", *columns]))
    sql = f"WITH chosen AS MATERIALIZED (SELECT {chosen} FROM runs WHERE {where}) {' UNION ALL '.join(parts)}"
    found: dict[str, list[FacetValue]] = {name: [] for name in names}
    for name, value, runs in connection.execute(sql).fetchall():
        found[name].append(FacetValue(value=value, runs=runs))
    return {name: sorted(values, key=lambda one: (-one.runs, one.value)) for name, values in found.items()}


def _facet_sql(name: str, where: str, limit: int) -> str:
    source = "runs" if where == "true" else f"(SELECT * FROM runs WHERE {where})"
    return _most_frequent(_all_values(name, where, source), "true", limit)


def _all_values(name: str, where: str, source: str) -> str:
    """Return the query for (run id, value) of the runs of a source. where: what these runs fulfil."""
    if name in RUN_LISTS:
        return f"SELECT run_id, unnest({RUN_LISTS[name]}) AS value FROM {source}"
    if name not in _OF_SPANS:
        return f"SELECT run_id, {RUN_COLUMNS[name]} AS value FROM {source}"
    among = "" if where == "true" else f" WHERE run_id IN (SELECT run_id FROM {source})"
    return f"SELECT DISTINCT run_id, {_OF_SPANS[name]} AS value FROM all_spans{among}"


def _most_frequent(every: str, condition: str, limit: int) -> str:
    return (
        f"SELECT value, count(*) AS runs FROM ({every}) WHERE value IS NOT NULL AND {condition} "
        f"GROUP BY value ORDER BY runs DESC, value LIMIT {limit}"
    )
