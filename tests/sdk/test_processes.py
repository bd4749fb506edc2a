"""Forks, multiprocessing and exits, in real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import time

import pytest

from sdk.sink import wait_for


def run_script(body, endpoint, *arguments, **environment):
    """Run a script in a fresh interpreter; return (seconds, completed process)."""
    settings = {"MILEPOST_ENDPOINT": endpoint, "PYTHONPATH": os.pathsep.join(sys.path)} | environment
    command = [sys.executable, "-W", "error", *arguments, "-c", textwrap.dedent(body)]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, env=os.environ | settings)
    return time.monotonic() - began, done


def succeed(body, endpoint, *arguments, **environment):
    _, done = run_script(body, endpoint, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def black_hole():
    """An address that accepts connections and never reads from them."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def nobody():
    """An address that refuses connections."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}"


ONE_TASK = """
    import milepost
    with milepost.start_run("run"):
        milepost.start_task("step", input={"n": 1}).complete()
"""


def test_exit_sends_everything_and_a_closing_heartbeat(sink):
    succeed(ONE_TASK, sink.endpoint)
    assert sink.ended_names() == ["run", "step"]
    assert [beat.closing for beat in sink.heartbeats] == [True]


def test_exit_by_exception_sends_everything(sink):
    _, done = run_script(ONE_TASK + "\n    raise SystemExit(3)", sink.endpoint)
    assert done.returncode == 3
    assert sink.ended_names() == ["run", "step"]


def test_exit_without_a_collector_is_quick_and_logged(nobody):
    seconds, done = run_script(ONE_TASK, nobody)
    assert done.returncode == 0
    assert seconds < 2 + 3  # the deadline, and an interpreter that starts on a busy machine
    assert "start it with `milepost serve`" in done.stderr


def test_exit_with_a_hanging_collector_keeps_the_deadline(black_hole):
    body = ONE_TASK + "\n    import time, atexit; began = time.monotonic()\n"
    body = "    import time, atexit\n    atexit.register(lambda: print(time.monotonic() - began))\n" + body
    _, done = run_script(body, black_hole, MILEPOST_EXIT_TIMEOUT_MS="700")
    assert done.returncode == 0, done.stderr
    assert 0.6 <= float(done.stdout) < 3


def test_exit_waits_for_a_collector_that_is_busy(sink):
    sink.script = [503, 503]
    succeed(ONE_TASK, sink.endpoint)
    assert sink.ended_names() == ["run", "step"]


def test_import_and_idle_use_start_no_thread_and_no_http_client(nobody):
    succeed(
        """
        import sys, threading, milepost
        milepost.init()
        assert threading.active_count() == 1, threading.enumerate()
        assert "http.client" not in sys.modules
        assert "opentelemetry.sdk" not in sys.modules
        """,
        nobody,
    )


def test_malformed_environment_disables_and_does_not_raise(sink):
    done = succeed(ONE_TASK, sink.endpoint, MILEPOST_FLUSH_INTERVAL_MS="soon")
    assert "nothing is recorded, because MILEPOST_FLUSH_INTERVAL_MS: must be a whole number" in done.stderr
    assert sink.requests == []


def test_disabled_sends_nothing(sink):
    succeed(ONE_TASK, sink.endpoint, MILEPOST_DISABLED="true")
    assert sink.requests == []


def test_fork_makes_another_producer_and_sends_each_span_once(sink):
    succeed(
        """
        import os, milepost
        with milepost.start_run("run") as run:
            inherited = run.start_task("inherited")
            queued = run.start_task("queued in the parent").complete()
            child = os.fork()
            if child == 0:
                inherited.complete()
                inherited.checkpoint({"from": "child"})
                with milepost.start_task("in child"):
                    run.start_task("in child too").complete()
                raise SystemExit(0)
            os.waitpid(child, 0)
            inherited.complete()
        """,
        sink.endpoint,
    )
    assert sink.ended_names() == ["in child", "in child too", "inherited", "queued in the parent", "run"]
    assert len({span.run_id for span in sink.ended}) == 1
    by_producer = {}
    for batch in sink.batches:
        names = [event.name for event in batch.events if hasattr(event, "status")]
        by_producer.setdefault(batch.producer_id, []).extend(names)
    assert sorted(map(sorted, by_producer.values())) == [
        ["in child", "in child too"],
        ["inherited", "queued in the parent", "run"],
    ]
    assert {batch.resource.process_id for batch in sink.batches}.__len__() == 2


def test_forked_children_do_not_share_ids(sink):
    succeed(
        """
        import os, milepost
        milepost.start_task("parent").complete()
        children = []
        for index in range(4):
            child = os.fork()
            if child == 0:
                milepost.start_task(f"child {index}").complete()
                raise SystemExit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        """,
        sink.endpoint,
    )
    assert (
        len(sink.ended) == len({span.span_id for span in sink.ended}) == len({span.run_id for span in sink.ended}) == 5
    )


def test_fork_while_threads_record_does_not_deadlock(sink):
    succeed(
        """
        import os, threading, milepost
        stop = threading.Event()
        def busy():
            while not stop.is_set():
                milepost.start_task("busy", input={"text": "x" * 3000}).complete()
        threads = [threading.Thread(target=busy) for _ in range(3)]
        for thread in threads: thread.start()
        for index in range(20):
            child = os.fork()
            if child == 0:
                milepost.start_task(f"child {index}").complete()
                os._exit(0 if milepost.flush(20) else 1)
            assert os.waitpid(child, 0)[1] == 0, index
        stop.set()
        for thread in threads: thread.join()
        """,
        sink.endpoint,
    )
    assert sum(name.startswith("child") for name in sink.ended_names()) == 20


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_children_send_before_they_exit(sink, tmp_path, method):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import multiprocessing, milepost
            def work(index):
                milepost.start_task(f"child {{index}}").complete()
            if __name__ == "__main__":
                context = multiprocessing.get_context("{method}")
                with milepost.start_run("run"):
                    workers = [context.Process(target=work, args=(index,)) for index in range(2)]
                    for worker in workers: worker.start()
                    for worker in workers: worker.join()
            """
        )
    )
    environment = os.environ | {"MILEPOST_ENDPOINT": sink.endpoint, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, str(script)], check=True, timeout=50, env=environment)
    assert sink.ended_names() == ["child 0", "child 1", "run"]
    roots = {span.parent_span_id is None for span in sink.ended if span.name.startswith("child")}
    assert roots == {method == "spawn"}  # a forked child inherits the current run, a spawned one knows nothing of it


def test_two_processes_are_joined_by_traceparent(sink):
    succeed(
        """
        import os, subprocess, sys, milepost
        with milepost.start_run("parent"), milepost.start_task("delegate"):
            code = "import os, milepost; milepost.start_run('child', traceparent=os.environ['TRACEPARENT']).complete()"
            environment = os.environ | {"TRACEPARENT": milepost.traceparent()}
            subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        """,
        sink.endpoint,
    )
    by_name = {span.name: span for span in sink.ended}
    assert by_name["child"].run_id == by_name["parent"].run_id
    assert by_name["child"].parent_span_id == by_name["delegate"].span_id


def test_collector_restarting_costs_nothing(make_client, sink):
    """The stand-in goes away in the middle of an answer and comes back on the same port."""
    client = make_client()
    client.start_task("before").complete()
    assert client.flush()
    sink.script = ["close", "close", 503]
    client.start_task("meanwhile").complete()
    wait_for(lambda: len(sink.ended) == 2, "both tasks")
    assert sink.ended_names() == ["before", "meanwhile"]


def test_signal_handler_may_record_at_any_moment(sink):
    done = succeed(
        """
        import signal, milepost
        fired = 0
        def handler(*_):
            global fired
            fired += 1
            milepost.start_task("in handler", input={"text": "y" * 2000}).complete()
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        for _ in range(5000):
            milepost.start_task("step", input={"text": "x" * 2000}).complete()
        signal.setitimer(signal.ITIMER_REAL, 0)
        milepost.flush()
        print(fired)
        """,
        sink.endpoint,
    )
    names = sink.ended_names()
    assert names.count("in handler") == int(done.stdout) > 0
    assert names.count("step") == 5_000
