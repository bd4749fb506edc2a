"""Reading what was recorded.

Read `source` (the view `runs` over chosen parts), `run_index` (where a run's parts lie), `search` and `search_sql` (a
search, asked of runs at hand and in SQL), `filters` (what a list may be narrowed to), then `runs`, `sessions`,
`histogram` and `facets` (what a list is of), `groups` (runs that are parts of others), `spans`, `search_spans`,
`conversations`, `turns` and `events`, `search_offers` (while one types), `task_usage` (what managed tasks used),
`activity` (when something was last recorded), `ended_runs` and `search_runs` (for those who wait for runs), and
`pool` (threads, time limits, transactions).
"""

from milepost_collector.traces.queries.activity import newest_activity
from milepost_collector.traces.queries.conversations import message
from milepost_collector.traces.queries.events import event_marks, list_events, span_events
from milepost_collector.traces.queries.filters import RunFilter
from milepost_collector.traces.queries.pool import QueryPool, read_only
from milepost_collector.traces.queries.run_index import RunIndex
from milepost_collector.traces.queries.runs import list_runs, run_detail, run_summaries
from milepost_collector.traces.queries.spans import RunSpansReader, span_detail
from milepost_collector.traces.queries.task_usage import TaskUsage, Usage, usage_of_tasks
from milepost_collector.traces.queries.turns import run_messages

__all__ = [
    "QueryPool",
    "RunFilter",
    "RunIndex",
    "RunSpansReader",
    "TaskUsage",
    "Usage",
    "event_marks",
    "list_events",
    "list_runs",
    "message",
    "newest_activity",
    "read_only",
    "run_detail",
    "run_messages",
    "run_summaries",
    "span_detail",
    "span_events",
    "usage_of_tasks",
]
