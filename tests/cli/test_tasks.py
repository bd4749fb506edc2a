"""`milepost task …` against a real collector and a worker that does what the test tells it."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.sdk.client.hand import Hand

from milepost_collector.cli.commands import milepost as command_line

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke

    from conftest import CollectorProcess

_numbers = itertools.count(1)


@pytest.fixture
def agent() -> str:
    """Return the name of an agent that no other test uses."""
    return f"agent-{next(_numbers)}"


@pytest.fixture
def hand(collector: CollectorProcess, agent: str) -> Iterator[Hand]:
    """Return a worker of the agent that handles `work`."""
    hand = Hand(collector.url, agent, "work")
    yield hand
    hand.close()


@pytest.fixture
def make(invoke: Invoke, agent: str) -> Callable[..., str]:
    """Return a function that creates a task for the agent and returns its id."""
    return lambda *options: invoke("task", "create", "work", "--agent", agent, *options).stdout.strip()


@pytest.fixture
def read(invoke: Invoke) -> Callable[..., Any]:
    """Return a function that runs a command with --json and returns what it printed."""
    return lambda *arguments: json.loads(invoke(*arguments, "--json").stdout)


def test_created_task_has_what_was_given(make: Callable[..., str], read: Callable[..., Any], tmp_path: Path):
    (tmp_path / "order.json").write_text('{"day": "mon"}')
    first = make()
    task_id = make(
        *("--input", f"@{tmp_path}/order.json", "--context", "[1]", "--priority", "high", "--tag", "a", "--tag", "b"),
        *("--depends-on", f"{first[-10:]}=pages", "--deadline", "+2h", "--max-retries", "5", "--timeout", "5m"),
        *("--retry-delay", "250ms", "--set", "backoff=fixed", "--app", "shop", "--key", "customer/1"),
    )
    task = read("task", "get", task_id)
    assert (task["input"], task["context"], task["tags"]) == ({"day": "mon"}, [1], ["a", "b"])
    assert (task["priority"], task["app"], task["key"]) == ("high", "shop", "customer/1")
    assert task["settings"] == {"max_retries": 5, "timeout_ms": 300_000, "retry_delay_ms": 250, "backoff": "fixed"}
    assert [(one["task_id"], one["output_as"]) for one in task["dependencies"]] == [(first, "pages")]
    assert task["deadline"] is not None


def test_create_says_how_the_task_stands(invoke: Invoke, agent: str):
    done = invoke("task", "create", "work", "--agent", agent)
    assert len(done.stdout.split()) == 1
    assert done.stderr == f"work is pending: no worker of agent {agent} is polling\n"


def test_input_is_read_from_standard_input(invoke: Invoke, agent: str, read: Callable[..., Any]):
    task_id = invoke("task", "create", "work", "--agent", agent, "--input", "-", stdin='{"a": 1}').stdout.strip()
    assert read("task", "get", task_id)["input"] == {"a": 1}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--input", "hello"], "'hello' is not JSON"),
        (["--input", "@nowhere.json"], "nowhere.json cannot be read"),
        (["--deadline", "tomorrow"], "'tomorrow' is not a time"),
        (["--timeout", "5 parsecs"], "'5 parsecs' is not a length of time"),
        (["--set", "max_retrys=3"], "unknown field `max_retrys`"),
        (["--set", "nothing"], "'nothing' is not KEY=VALUE"),
        (["--priority", "asap"], "'asap' is not one of"),
        (["--depends-on", "abcd="], "names no field"),
    ],
)
def test_wrong_usage_is_explained(invoke: Invoke, options: list[str], said: str):
    done = invoke("task", "create", "work", *options, code=2)
    assert said in done.stderr


def test_list_shows_what_matters(invoke: Invoke, agent: str, make: Callable[..., str]):
    first, second = make("--priority", "urgent"), make("--tag", "other")
    listed = invoke("task", "list", "--agent", agent).stdout
    assert first[-8:] in listed
    assert "urgent" in listed
    assert f"no worker of agent {agent} is polling" in listed
    only = invoke("task", "list", "--agent", agent, "--tag", "other").stdout
    assert (first[-8:] in only, second[-8:] in only) == (False, True)


def test_list_says_when_there_are_more(invoke: Invoke, agent: str, make: Callable[..., str]):
    make(), make()
    done = invoke("task", "list", "--agent", agent, "--limit", "1", "--json")
    assert len(json.loads(done.stdout)) == 1
    assert "there are more" in done.stderr


def test_list_says_when_nothing_matches(invoke: Invoke):
    assert invoke("task", "list", "--agent", "nobody").stdout == "no task matches\n"


def test_counts_are_by_a_field(invoke: Invoke, agent: str, make: Callable[..., str]):
    make(), make("--priority", "low")
    rows = [
        line.split() for line in invoke("task", "list", "--agent", agent, "--count-by", "priority").stdout.split("\n")
    ]
    assert ["low", "1"] in rows
    assert ["all", "2"] in rows


def test_task_is_named_by_any_part_of_its_id(invoke: Invoke, make: Callable[..., str]):
    task_id = make()
    assert task_id in invoke("task", "get", task_id[-8:]).stdout
    assert "no task has 'zzzzzzzz' in its id" in invoke("task", "get", "zzzzzzzz", code=1).stderr
    make()
    assert "is a part of several ids" in invoke("task", "get", task_id[:4], code=1).stderr


def test_commands_steer_a_task(invoke: Invoke, make: Callable[..., str], read: Callable[..., Any]):
    task_id = make()
    assert f"{task_id} work is paused" in invoke("task", "pause", task_id, "--reason", "look first").stdout
    assert "work is pending" in invoke("task", "resume", task_id).stdout
    assert "work is cancelled" in invoke("task", "cancel", task_id, "--reason", "wrong day").stdout
    assert read("task", "get", task_id)["reason"] == "wrong day"
    assert "work is pending" in invoke("task", "run", task_id, "--input", '{"day": 2}').stdout
    events = [change["to_status"] for change in read("task", "history", task_id)]
    assert events == ["pending", "paused", "pending", "cancelled", "pending"]


def test_refusal_of_one_task_does_not_keep_the_others(invoke: Invoke, make: Callable[..., str]):
    paused, waiting = make(), make()
    invoke("task", "pause", paused)
    done = invoke("task", "resume", waiting, paused, code=1)
    assert f"Error: {waiting}: " in done.stderr
    assert "possible now" in done.stderr
    assert f"{paused} work is pending" in done.stdout


def test_update_changes_only_what_is_given(invoke: Invoke, make: Callable[..., str], read: Callable[..., Any]):
    task_id = make("--deadline", "+2h", "--priority", "low")
    shown = invoke("task", "update", task_id, "--deadline", "none", "--max-retries", "9").stdout
    assert "low" in shown
    task = read("task", "get", task_id)
    assert (task["deadline"], task["priority"], task["settings"]) == (None, "low", {"max_retries": 9})
    assert "nothing is to be changed" in invoke("task", "update", task_id, code=2).stderr


def test_delete_asks_first(invoke: Invoke, make: Callable[..., str]):
    task_id = make()
    assert "Aborted" in invoke("task", "delete", task_id, stdin="n\n", code=1).stderr
    assert f"{task_id} is deleted" in invoke("task", "delete", task_id[-8:], "--yes").stdout
    invoke("task", "get", task_id, code=1)


def test_failed_attempts_are_shown_and_retried(invoke: Invoke, make: Callable[..., str], hand: Hand):
    task_id = make()
    hand.fail(hand.take(), "disk is \x1b[31mfull", retryable=False)
    listed = invoke("task", "runs", task_id).stdout
    assert "✗ failed" in listed
    assert "ValueError: disk is �[31mfull" in listed
    assert "Traceback: disk is �[31mfull" in invoke("task", "runs", task_id, "1").stdout
    assert "work is pending" in invoke("task", "retry", task_id, "--context", '"other disk"').stdout
    assert hand.take().context == "other disk"


def test_checkpoints_are_listed(invoke: Invoke, make: Callable[..., str], hand: Hand):
    task_id = make()
    assert invoke("task", "checkpoints", task_id).stdout == "nothing is saved\n"
    hand.checkpoint(hand.take(), {"page": 3})
    assert '{"page":3}' in invoke("task", "checkpoints", task_id).stdout


def test_bulk_counts_and_asks_before_it_acts(invoke: Invoke, agent: str, make: Callable[..., str]):
    make(), make()
    only = ("--agent", agent)
    assert "2 tasks matched; cancel: 2 would be done" in invoke("task", "bulk", "cancel", *only, "--dry-run").stdout
    asked = invoke("task", "bulk", "cancel", *only, stdin="n\n", code=1)
    assert "cancel 2 tasks? [y/N]" in asked.stderr
    assert "2 tasks matched; cancel: 2 done" in invoke("task", "bulk", "cancel", *only, "--reason", "r", "--yes").stdout
    assert "there is nothing to pause" in invoke("task", "bulk", "pause", *only, code=1).stderr


def test_bulk_without_a_filter_is_wrong_usage(invoke: Invoke):
    assert "delete without a filter matches every task" in invoke("task", "bulk", "delete", code=2).stderr
    assert "retry takes no reason" in invoke("task", "bulk", "retry", "--tag", "a", "--reason", "r", code=2).stderr


@pytest.fixture
def watch(collector: CollectorProcess) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts a command whose output can be read line by line."""
    started = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-W",
            "error",
            "-m",
            "milepost_collector.cli",
            *arguments,
            "--endpoint",
            collector.url,
        ]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, **pipes, preexec_fn=heed_interrupts))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def heed_interrupts() -> None:
    """Undo what a shell does to commands in the background: they would ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Return the first line that has the text."""
    assert process.stdout is not None
    return next(line for line in process.stdout if text in line)


def test_watch_tells_every_change_to_the_end(
    watch: Callable[..., subprocess.Popen[str]], agent: str, hand: Hand, make: Callable[..., str]
):
    process = watch("task", "create", "work", "--agent", agent, "--watch")
    lease = hand.take()
    hand.progress(lease, 0.5, "half way")
    assert "attempt 1  50%  half way" in read_until(process, "half way")
    hand.complete(lease, 1)
    assert "completed" in read_until(process, "completed")
    assert process.wait(20) == 0


def test_watch_ends_with_the_outcome(
    watch: Callable[..., subprocess.Popen[str]], agent: str, hand: Hand, make: Callable[..., str]
):
    first, second = make(), make()
    process = watch("task", "watch", "--agent", agent, "--json")
    read_until(process, "pending")
    hand.complete(hand.take())
    hand.fail(hand.take(), "disk is full", retryable=False)
    last = json.loads(read_until(process, "disk is full"))
    assert (last["status"], last["id"] in (first, second)) == ("failed", True)
    assert process.wait(20) == 1


def test_watch_that_is_interrupted_leaves_the_task_alone(
    watch: Callable[..., subprocess.Popen[str]], make: Callable[..., str], read: Callable[..., Any]
):
    task_id = make()
    process = watch("task", "watch", task_id)
    read_until(process, "pending")
    process.send_signal(signal.SIGINT)
    assert "what is not finished goes on" in process.communicate(timeout=20)[1]
    assert process.returncode == 1
    assert read("task", "get", task_id)["status"] == "pending"


def test_watch_needs_tasks_or_a_filter(invoke: Invoke):
    assert "name the tasks to watch, or give a filter" in invoke("task", "watch", code=2).stderr
    assert "no task matches" in invoke("task", "watch", "--agent", "nobody", code=1).stderr


def test_absent_collector_is_told_at_once(invoke: Invoke):
    done = invoke("task", "list", "--endpoint", "http://127.0.0.1:9", code=1)
    assert "no collector answers at http://127.0.0.1:9; start one with `milepost serve`" in done.stderr


@pytest.mark.parametrize("group", ["task", "schedule", "agent", "limit"])
def test_help_of_every_command_teaches_by_example(invoke: Invoke, group: str):
    for name in command_line.commands[group].commands:  # type: ignore[attr-defined]
        examples = invoke(group, name, "--help").stdout.partition("Examples:")[2]
        assert f"milepost {group} {name}" in examples


def test_running_task_is_edited_given_away_and_completed_by_hand(
    invoke: Invoke, make: Callable[..., str], hand: Hand, read: Callable[..., Any]
):
    task_id = make("--input", '{"day": "mon"}')
    hand.take()
    assert invoke("task", "update", task_id, "--input", "1", code=1).stderr.rstrip().endswith("or interrupt it")
    shown = invoke("task", "update", task_id, "--input", "1", "--interrupt").stdout
    assert ["requested", "yield"] in [line.split() for line in shown.splitlines()]
    assert "asked to yield" in invoke("task", "redirect", task_id, "--team", "night", "--reason", "late").stdout
    assert invoke("task", "redirect", task_id, "--to", "x", "--team", "y", code=2)
    assert "is completed" in invoke("task", "complete", task_id, "--result", "[3]", "--reason", "by phone").stdout
    task = read("task", "get", task_id)
    assert (task["input"], task["team"], task["result"]) == (1, "night", [3])
