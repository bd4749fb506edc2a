"""The controller's addresses. Longer paths stand before the shorter ones whose last part would take them in."""

from __future__ import annotations

from typing import Any

from milepost.wire.agents import Agent, AgentList, AgentUpdate, Limit, LimitList
from milepost.wire.asks import (
    Ask,
    AskCreate,
    AskList,
    CancelAskRequest,
    DecideRequest,
    DelegateRequest,
    ReceivedRequest,
)
from milepost.wire.attempts import Attempt, AttemptList, CheckpointList, TransitionList
from milepost.wire.batches import BatchAnswer, BatchCreate, BatchList, BatchProgress
from milepost.wire.budgets import (
    Budget,
    BudgetDetail,
    BudgetList,
    BudgetRaise,
    BudgetSet,
    ReserveAnswer,
    ReserveRequest,
)
from milepost.wire.schedules import (
    BackfillAnswer,
    BackfillRequest,
    InstantList,
    Preview,
    PreviewRequest,
    Schedule,
    ScheduleCreate,
    ScheduleList,
    ScheduleUpdate,
)
from milepost.wire.tasks import (
    BulkAnswer,
    BulkRequest,
    CancelRequest,
    CompleteRequest,
    CountList,
    PauseRequest,
    RedirectRequest,
    RetryRequest,
    RunRequest,
    Task,
    TaskCreate,
    TaskList,
    TaskUpdate,
)
from milepost.wire.teams import Match, MemberRequest, Team, TeamCreate, TeamList, TeamUpdate
from milepost.wire.worker import (
    PollAnswer,
    PollRequest,
    RegisterAnswer,
    RegisterRequest,
    ReportsAnswer,
    ReportsRequest,
    UnregisterRequest,
)
from milepost_collector.web.controller import agents, asks, attempts, budgets, schedules, tasks, teams, worker
from milepost_collector.web.controller.building import change as _change
from milepost_collector.web.controller.building import command as _command
from milepost_collector.web.controller.building import delete as _delete
from milepost_collector.web.controller.building import get as _get
from milepost_collector.web.controller.deliverables import DELIVERABLE_ENDPOINTS
from milepost_collector.web.controller.parameters import (
    InstantListParameters,
    ScheduleListParameters,
    TaskCountParameters,
    TaskListParameters,
)
from milepost_collector.web.endpoint import Endpoint, Handler
from milepost_collector.web.events import JSON, MSGPACK


def _worker(name: str, handler: Handler, taken: Any, kind: Any, summary: str) -> Endpoint:
    return Endpoint(
        path=f"/api/worker/{name}",
        method="POST",
        handler=handler,
        summary=summary,
        body={MSGPACK: taken, JSON: taken},
        answers={} if kind is None else {MSGPACK: kind, JSON: kind},
        status=204 if kind is None else 200,
        errors=(400, 404, 413, 415, 503),
    )


def _answer(verb: str, handler: Handler, taken: Any, summary: str) -> Endpoint:
    is_optional = taken in (CancelAskRequest, ReceivedRequest)
    return Endpoint(
        path=f"/api/asks/{{ask_id}}/{verb}",
        method="POST",
        handler=handler,
        summary=summary,
        body={JSON: taken},
        is_body_optional=is_optional,
        answers={JSON: Ask},
        errors=(400, 403, 404, 409, 413, 415, 503),
    )


_TASK = "/api/tasks/{task_id}"
_SCHEDULE = "/api/schedules/{schedule}"
_AGENT = "/api/agents/{name}"
_BUDGET = "/api/budgets/{budget_id}"
_TEAM = "/api/teams/{name}"

CONTROLLER_ENDPOINTS = (
    _worker("poll", worker.post_poll, PollRequest, PollAnswer, "Wait for attempts to work on, and for commands."),
    _worker("reports", worker.post_reports, ReportsRequest, ReportsAnswer, "Tell what became of attempts."),
    _worker("register", worker.post_register, RegisterRequest, RegisterAnswer, "Begin a worker of an agent."),
    _worker("unregister", worker.post_unregister, UnregisterRequest, None, "End a worker; what it holds is requeued."),
    _change("POST", "/api/tasks", tasks.post_task, TaskCreate, Task,
            "Create a task. 200: the same `Idempotency-Key` had made it before.", status=201, also=(200,)),
    _get("/api/tasks", tasks.get_tasks, TaskList, "A page of tasks.", TaskListParameters),
    _change("POST", "/api/tasks/batch", tasks.post_batch, BatchCreate, BatchAnswer,
            "Create many tasks in one transaction.", status=201),
    _get("/api/batches", tasks.get_batches, BatchList, "The newest batches.", tasks.BatchParameters),
    _get("/api/batches/{batch}", tasks.get_batch, BatchProgress, "How far a batch is."),
    _change("POST", "/api/tasks/bulk", tasks.post_bulk, BulkRequest, BulkAnswer,
            "Do one thing to all tasks that match; a dry run tells how many."),
    _get("/api/tasks/counts", tasks.get_counts, CountList, "Numbers of tasks by a field.", TaskCountParameters),
    _get(_TASK, tasks.get_task, Task, "A task as it stands."),
    _change("PATCH", _TASK, tasks.patch_task, TaskUpdate, Task, "Change a task's definition."),
    _delete(_TASK, tasks.delete_task, "Remove a task with everything that belongs to it."),
    _command(f"{_TASK}/run", tasks.post_run, RunRequest, Task, "Run a task now, or once more."),
    _command(f"{_TASK}/cancel", tasks.post_cancel, CancelRequest, Task, "Cancel a task."),
    _command(f"{_TASK}/pause", tasks.post_pause, PauseRequest, Task, "Hold a task, or ask it to yield."),
    _command(f"{_TASK}/resume", tasks.post_resume, PauseRequest, Task, "Let a paused task go on."),
    _command(f"{_TASK}/retry", tasks.post_retry, RetryRequest, Task, "Try a failed or cancelled task again."),
    _command(f"{_TASK}/redirect", tasks.post_redirect, RedirectRequest, Task,
             "Give an unfinished task to another agent or team; what runs yields first."),
    _command(f"{_TASK}/complete", tasks.post_complete, CompleteRequest, Task,
             "Complete an unfinished task by hand; what runs is cut off."),
    _get(f"{_TASK}/runs", attempts.get_attempts, AttemptList, "A task's attempts, each of which is a run."),
    _get(f"{_TASK}/runs/{{attempt}}", attempts.get_attempt, Attempt, "One attempt."),
    _get(f"{_TASK}/checkpoints", attempts.get_checkpoints, CheckpointList, "What a task's attempts saved."),
    _get(f"{_TASK}/match", teams.get_match, Match, "Which agents could do a task, and how well each suits it."),
    _get(f"{_TASK}/transitions", attempts.get_transitions, TransitionList, "Everything that happened to a task."),
    *DELIVERABLE_ENDPOINTS,
    _change("POST", "/api/schedules", schedules.post_schedule, ScheduleCreate, Schedule, "Create a schedule.",
            status=201),
    _get("/api/schedules", schedules.get_schedules, ScheduleList, "A page of schedules.", ScheduleListParameters),
    _change("POST", "/api/schedules/preview", schedules.post_preview, PreviewRequest, Preview,
            "The next instants of a cadence, without making a schedule."),
    _command(f"{_SCHEDULE}/pause", schedules.post_pause, PauseRequest, Schedule, "Let a schedule fire no more."),
    _command(f"{_SCHEDULE}/resume", schedules.post_resume, PauseRequest, Schedule, "Let a schedule fire again."),
    _command(f"{_SCHEDULE}/run", schedules.post_run, RunRequest, Task, "Make a schedule's task now."),
    _change("POST", f"{_SCHEDULE}/backfill", schedules.post_backfill, BackfillRequest, BackfillAnswer,
            "Fire instants of the past."),
    _get(f"{_SCHEDULE}/instants", schedules.get_instants, InstantList, "What became of a schedule's instants.",
         InstantListParameters),
    _get(_SCHEDULE, schedules.get_schedule, Schedule, "A schedule, by id or name."),
    _change("PATCH", _SCHEDULE, schedules.patch_schedule, ScheduleUpdate, Schedule, "Change a schedule."),
    _delete(_SCHEDULE, schedules.delete_schedule, "Remove a schedule; its tasks stay."),
    _change("POST", "/api/asks", asks.post_ask, AskCreate, Ask,
            "Ask a person on behalf of a run. 200: the run has asked the same before.", status=201, also=(200,)),
    _get("/api/asks", asks.get_asks, AskList, "A page of asks.", asks.AskListParameters),
    _answer("decide", asks.post_decide, DecideRequest, "Approve, reject, edit or answer an ask."),
    _answer("delegate", asks.post_delegate, DelegateRequest, "Let others decide an ask."),
    _answer("cancel", asks.post_cancel, CancelAskRequest, "Take an ask back; the code that asked goes on."),
    _answer("received", asks.post_received, ReceivedRequest, "Tell that an ask has reached somebody."),
    _get("/api/asks/{ask_id}", asks.get_ask, Ask, "An ask, at once or when it is closed.", asks.AskParameters),
    _command(f"{_AGENT}/pause", agents.post_pause, PauseRequest, Agent, "Give an agent no more work."),
    _command(f"{_AGENT}/resume", agents.post_resume, PauseRequest, Agent, "Give an agent work again."),
    _get("/api/agents", agents.get_agents, AgentList, "Agents, their workers, and what waits for them."),
    _get(_AGENT, agents.get_agent, Agent, "One agent."),
    _change("PATCH", _AGENT, teams.patch_agent, AgentUpdate, Agent, "Say what an agent is able to."),
    _change("POST", "/api/teams", teams.post_team, TeamCreate, Team, "Make a team.", status=201),
    _get("/api/teams", teams.get_teams, TeamList, "Teams, their members, and what waits for them."),
    _change("POST", f"{_TEAM}/members", teams.post_members, MemberRequest, Team, "Put agents into a team."),
    _change("POST", f"{_TEAM}/members/remove", teams.post_leavers, MemberRequest, Team, "Take agents out of a team."),
    _get(_TEAM, teams.get_team, Team, "One team."),
    _change("PATCH", _TEAM, teams.patch_team, TeamUpdate, Team, "Change a team."),
    _delete(_TEAM, teams.delete_team, "Remove a team."),
    _get("/api/budgets", budgets.get_budgets, BudgetList, "A page of budgets with what is used of them.",
         budgets.BudgetListParameters),
    _change("PUT", "/api/budgets", budgets.put_budget, BudgetSet, Budget, "Set a budget."),
    _change("POST", "/api/budgets/reserve", budgets.post_reserve, ReserveRequest, ReserveAnswer,
            "Reserve for a run that no task stands behind. 409: a budget does not allow it."),
    _change("POST", f"{_BUDGET}/raise", budgets.post_raise, BudgetRaise, Budget, "Allow more in the present period."),
    _get(_BUDGET, budgets.get_budget, BudgetDetail, "A budget with what draws on it."),
    _delete(_BUDGET, budgets.delete_budget, "Remove a budget; what it held back goes on."),
    _get("/api/limits", agents.get_limits, LimitList, "Limits on what runs at once and how often."),
    _change("PUT", "/api/limits", agents.put_limit, Limit, Limit, "Set a limit."),
    _delete("/api/limits/{scope}/{value}", agents.delete_limit, "Remove a limit."),
)  # fmt: skip
