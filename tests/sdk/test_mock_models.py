"""`milepost.testing.ModelServer`: the script, the record, failures, and what needs no script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.testing import Failure, Message, ModelRequest, ModelServer, Reply, Tool, ToolCall, Usage, default_reply
from milepost.testing._replies import example_value
from milepost.testing._text import count_tokens, pieces

pytest_plugins = ["pytester"]

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
CHAT_TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]


@pytest.fixture
def models():
    with ModelServer(seed=1) as server:
        yield server


@pytest.fixture
def ask(models):
    """Return a function that asks, by default, for a chat completion."""
    with httpx.Client(trust_env=False, timeout=10) as client:

        def send(text="Hello", path="/v1/chat/completions", **body):
            body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]} | body
            return client.post(models.url + path, json=body)

        yield send


def text_of(answer):
    return answer.json()["choices"][0]["message"]["content"]


def test_replies_come_in_the_order_of_the_script(models, ask):
    models.reply("first")
    models.reply("second")
    assert [text_of(ask()) for _ in range(3)] == ["first", "second", "You said: Hello"]


def test_reply_carries_usage_model_and_finish(models, ask):
    told = Usage(input_tokens=100, output_tokens=20, cache_read_tokens=60, cache_write_tokens=10, reasoning_tokens=5)
    models.reply("Hi", usage=told, model="gpt-4o-mini-custom", finish="length")
    answer = ask().json()
    assert (answer["model"], answer["choices"][0]["finish_reason"]) == ("gpt-4o-mini-custom", "length")
    assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (100, 20)
    assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] == 60
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == 5
    assert models.calls[0].usage == told


def test_anthropic_is_told_input_without_its_cached_parts(models, ask):
    models.reply("Hi", usage=Usage(input_tokens=100, output_tokens=20, cache_read_tokens=60, cache_write_tokens=10))
    usage = ask(path="/v1/messages", max_tokens=10).json()["usage"]
    parts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    assert [usage[part] for part in parts] == [30, 60, 10, 20]


def test_calls_say_what_was_asked_and_answered(models, ask):
    answer = ask("Hello", tools=CHAT_TOOLS, stream=False)
    [call] = models.calls
    assert (call.request.api, call.request.model, call.request.prompt) == ("openai.chat", "gpt-4o-mini", "Hello")
    assert call.request.tools == (Tool(name="get_weather", schema=CITY),)
    assert (call.status, call.completed, call.told_usage) == (200, True, True)
    assert (call.id, call.model) == (answer.json()["id"], "gpt-4o-mini-2024-07-18")
    assert call.reply.tool_calls[0].arguments == {"city": "Hello"}


def test_usage_is_the_sum_of_all_calls_and_clear_forgets(models, ask):
    ask("one")
    ask("one two three")
    assert models.usage.input_tokens == sum(call.usage.input_tokens for call in models.calls) > 0
    models.reply("forgotten")
    models.clear()
    assert (models.calls, models.usage, text_of(ask())) == ([], Usage(), "You said: Hello")


def test_stream_tells_usage_only_when_it_is_asked_to(models, ask):
    events = [line for line in ask(stream=True).text.splitlines() if line.startswith("data: ")]
    assert events[-1] == "data: [DONE]"
    assert "usage" not in "".join(events)
    ask(stream=True, stream_options={"include_usage": True})
    assert [call.told_usage for call in models.calls] == [False, True]
    assert models.calls[0].usage == models.calls[1].usage != Usage()


def test_function_answers_what_the_script_does_not(models, ask):
    models.respond(lambda request: Reply(request.prompt.upper()) if request.prompt else None)
    models.reply("scripted")
    assert [text_of(ask("loud")) for _ in range(2)] == ["scripted", "LOUD"]
    models.respond(lambda request: "plain text")
    assert text_of(ask()) == "plain text"
    models.respond(lambda request: Failure(status=503))
    assert ask().status_code == 503
    models.respond(lambda request: None)
    assert text_of(ask()) == "You said: Hello"


def test_function_that_raises_is_an_error_that_says_why(models, ask):
    models.respond(lambda request: 1 // 0)
    answer = ask()
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.json()["error"]["message"]
    assert "ZeroDivisionError" in models.calls[0].failure.message


def test_failure_has_status_message_and_retry_after(models, ask):
    models.fail(429, "slow down", retry_after_s=0.5)
    answer = ask()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "0.5")
    assert answer.json()["error"]["message"] == "slow down"
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"
    assert (models.calls[0].status, models.calls[0].usage, models.calls[0].reply) == (429, Usage(), None)


def test_failure_is_told_in_anthropic_s_way_to_its_clients(models, ask):
    models.fail(529)
    answer = ask(path="/v1/messages", max_tokens=10)
    assert (answer.status_code, answer.json()["error"]["type"]) == (529, "overloaded_error")


def test_dropped_connection_gives_no_answer(models, ask):
    models.drop()
    with pytest.raises(httpx.RemoteProtocolError):
        ask()
    assert (models.calls[0].status, models.calls[0].completed) == (0, False)
    assert text_of(ask()) == "You said: Hello"


def test_dropped_stream_breaks_off_after_its_events(models, ask):
    models.drop(after_events=3)
    with httpx.Client(trust_env=False) as client:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
        with client.stream("POST", f"{models.openai_url}/chat/completions", json=body) as answer:
            lines = answer.iter_lines()
            seen = [next(lines) for _ in range(5)]
            with pytest.raises(httpx.RemoteProtocolError):
                list(lines)
    assert sum(line.startswith("data: ") for line in seen) == 3
    assert (models.calls[0].completed, models.calls[0].usage) == (False, Usage())


def test_stalled_answer_ends_with_the_client_s_patience_or_the_server(models):
    models.stall()
    body = {"model": "m", "messages": []}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{models.openai_url}/chat/completions", json=body, timeout=0.1, trust_env=False)
    models.stop()
    models.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"{models.openai_url}/chat/completions", json=body, timeout=1, trust_env=False)


def test_stop_waits_for_every_thread():
    def threads():
        return [
            thread
            for thread in threading.enumerate()
            if "request_thread" in thread.name or thread.name == "model-server"
        ]

    with ModelServer() as server, httpx.Client(trust_env=False) as client:
        client.get(f"{server.openai_url}/models")
        assert len(threads()) == 2
    assert threads() == []


def test_embeddings_take_no_reply_but_a_failure(models, ask):
    models.reply("for the chat")
    vectors = ask(path="/v1/embeddings", input=["a", "b", "a"]).json()["data"]
    assert vectors[0]["embedding"] == vectors[2]["embedding"] != vectors[1]["embedding"]
    assert text_of(ask()) == "for the chat"
    models.fail(500)
    assert ask(path="/v1/embeddings", input="a").status_code == 500


def test_token_lists_are_embedded_as_one_text_each(ask):
    assert len(ask(path="/v1/embeddings", input=[1, 2, 3]).json()["data"]) == 1
    assert len(ask(path="/v1/embeddings", input=[[1, 2], [3]]).json()["data"]) == 2


def test_settings_mark_tokens_as_cached_and_reasoning():
    with ModelServer(cached_tokens=4, cache_write_tokens=1000, reasoning_tokens=3) as server:
        body = {"model": "m", "messages": [{"role": "user", "content": "one two three four"}]}
        httpx.post(f"{server.openai_url}/chat/completions", json=body, trust_env=False)
        usage = server.usage
    assert (usage.cache_read_tokens, usage.reasoning_tokens) == (4, 3)
    assert usage.cache_read_tokens + usage.cache_write_tokens == usage.input_tokens


def test_token_delay_holds_back_a_stream():
    with ModelServer(token_delay_s=0.01) as server:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
        answer = httpx.post(f"{server.openai_url}/chat/completions", json=body, trust_env=False)
    assert answer.elapsed.total_seconds() >= 0.01 * answer.text.count("data: ")


def test_ids_repeat_only_with_a_seed():
    def first_id(**settings):
        with ModelServer(**settings) as server:
            body = {"model": "m", "messages": []}
            return httpx.post(f"{server.openai_url}/chat/completions", json=body, trust_env=False).json()["id"]

    assert first_id(seed=7) == first_id(seed=7) != first_id()
    assert first_id() != first_id()


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/v1/chat/completions", b"not json", "cannot be read"),
        ("/v1/chat/completions", b'{"model": "m"}', "messages"),
        ("/v1/chat/completions", b'{"model": 7, "messages": []}', "model must be a string, got 7"),
        ("/v1/responses", b'{"model": "m", "input": [7]}', "cannot be read"),
        ("/v1/messages", b"[]", "cannot be read"),
        ("/v1/messages/count_tokens", b"{}", "cannot be read"),
    ],
)
def test_malformed_request_is_refused_and_not_recorded(models, path, body, says):
    answer = httpx.post(models.url + path, content=body, trust_env=False)
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]
    assert models.calls == []


def test_unknown_path_names_what_is_served(models):
    answer = httpx.post(f"{models.url}/v1/completions", json={}, trust_env=False)
    assert answer.status_code == 404
    assert "POST /v1/chat/completions" in answer.json()["error"]["message"]


def test_chunked_request_is_read(models):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hello"}]}).encode()
    answer = httpx.post(f"{models.openai_url}/chat/completions", content=iter([body[:9], body[9:]]), trust_env=False)
    assert text_of(answer) == "You said: Hello"


@pytest.mark.parametrize("setting", ["cached_tokens", "cache_write_tokens", "reasoning_tokens", "token_delay_s"])
def test_negative_settings_are_refused(setting):
    with pytest.raises(ValueError, match=f"{setting} must be at least 0, got -1"):
        ModelServer(**{setting: -1})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Usage(input_tokens=-1), "negative"),
        (lambda: Usage(input_tokens=1, cache_read_tokens=2), "inside input_tokens"),
        (lambda: Usage(output_tokens=1, reasoning_tokens=2), "inside output_tokens"),
        (lambda: Failure(status=200), "from 400 to 599, got 200"),
        (lambda: Failure(kind="drop", after_events=-1), "at least 0, got -1"),
    ],
)
def test_impossible_values_are_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


TOOLS = (Tool(name="search", schema=CITY), Tool(name="final_answer", schema=CITY))


def asked(*messages, **settings):
    return ModelRequest(
        api="openai.chat", model="m", messages=(Message(role="user", text="To Rome"), *messages), **settings
    )


def called(name):
    return Message(role="assistant", tool_calls=(ToolCall(name, {}, "1"),)), Message(role="tool", text="found")


@pytest.mark.parametrize(
    ("request_", "tool"),
    [
        (asked(tools=TOOLS), "search"),
        (asked(tools=TOOLS, tool_choice="final_answer"), "final_answer"),
        (asked(tools=TOOLS, tool_choice="none"), None),
        (asked(*called("search"), tools=TOOLS), None),
        (asked(*called("search"), tools=TOOLS, tool_choice="required"), "final_answer"),
        (asked(*called("search"), *called("final_answer"), tools=TOOLS, tool_choice="required"), "final_answer"),
        (asked(*called("search"), Message(role="user", text="And then?"), tools=TOOLS), "search"),
        (asked(*called("transfer"), tools=TOOLS), "search"),
        (asked(Message(role="assistant", text="Calling search"), tools=TOOLS, tool_choice="required"), "final_answer"),
    ],
)
def test_default_reply_calls_tools_in_turn(request_, tool):
    calls = default_reply(request_).tool_calls
    assert [call.name for call in calls] == ([tool] if tool else [])


def test_default_reply_answers_from_results_and_fills_schemas():
    assert default_reply(asked(*called("search"), tools=TOOLS)).text == "The tools say: found"
    assert default_reply(asked(response_schema=CITY)).text == '{"city":"Rome"}'
    assert default_reply(ModelRequest(api="openai.chat", model="m")).text == "You said: "


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": ["null", "number"]}, 1.0),
        ({"type": "boolean"}, True),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 5}, 5),
        ({"type": "string", "default": "d"}, "d"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, "hint"),
        ({"$ref": "#/$defs/C", "$defs": {"C": {"properties": {"n": {"type": "null"}}}}}, {"n": None}),
        ({"$ref": "elsewhere#/x"}, "hint"),
    ],
)
def test_example_value_follows_the_schema(schema, value):
    assert example_value(schema, "hint") == value


def test_example_value_ends_in_recursive_schemas():
    tree = {"$ref": "#/$defs/T", "$defs": {"T": {"properties": {"left": {"$ref": "#/$defs/T"}}}}}
    assert json.dumps(example_value(tree, "hint")).count("left") == 8


@given(st.text())
def test_pieces_joined_are_the_text(text):
    assert "".join(pieces(text)) == text
    assert count_tokens(text) == len(pieces(text))


@given(st.text(), st.text(max_size=8))
def test_stream_says_what_the_whole_answer_says(text, argument):
    """Both ways of answering, put together again, are the reply that was queued."""
    from milepost.testing._calls import ModelCall
    from milepost.testing._chat import ChatCompletions

    reply = Reply(text, (ToolCall("search", {"city": argument}, "call_1"),))
    call = ModelCall(request=asked(), reply=reply, id="chatcmpl-1", model="m")
    deltas = [
        data["choices"][0]["delta"]
        for _, data in ChatCompletions().events(call)
        if isinstance(data, dict) and data["choices"]
    ]
    message = ChatCompletions().whole(call)["choices"][0]["message"]
    assert "".join(delta.get("content") or "" for delta in deltas) == (message["content"] or "") == text
    arguments = "".join(part["function"]["arguments"] for delta in deltas for part in delta.get("tool_calls", ()))
    assert json.loads(arguments) == {"city": argument}


def test_parallel_callers_are_all_on_record(models, ask):
    threads = [threading.Thread(target=ask, args=(f"call {number}",)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {call.request.prompt for call in models.calls} == {f"call {number}" for number in range(16)}
    assert len({call.id for call in models.calls}) == 16


def test_plugin_offers_a_server_and_its_environment(pytester):
    pytester.makepyfile(
        """
        import os
        def test_it(model_server):
            assert os.environ["OPENAI_BASE_URL"] == model_server.openai_url
            assert os.environ["ANTHROPIC_BASE_URL"] == model_server.anthropic_url
        """
    )
    pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:asyncio").assert_outcomes(passed=1)


ASKING = """
import json, os, urllib.request
body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
print(urllib.request.urlopen(url, json.dumps(body).encode()).status)
raise SystemExit(3)
"""


def run_models(*arguments):
    command = [sys.executable, "-m", "milepost.testing.models", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env={**os.environ, "NO_PROXY": "*"})


def test_command_line_runs_a_command_and_says_what_it_used():
    done = run_models(sys.executable, "-c", ASKING)
    assert (done.returncode, done.stdout) == (3, "200\n")
    assert done.stderr == "models: 1 call, 0 failed, 5 input and 4 output tokens\n"


def test_command_line_names_what_it_cannot_run_or_serve():
    done = run_models("no-such-command")
    assert (done.returncode, done.stderr) == (127, "error: no-such-command cannot be run: No such file or directory\n")
    with ModelServer() as server:
        done = run_models("--port", server.url.rpartition(":")[2])
    assert done.returncode == 2
    assert "cannot be served at 127.0.0.1:" in done.stderr


def test_command_line_serves_until_it_is_told_to_stop():
    command = [sys.executable, "-m", "milepost.testing.models"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        assert line.startswith("export OPENAI_BASE_URL=http://127.0.0.1:")
        assert httpx.get(f"{line.partition('=')[2].strip()}/models", trust_env=False).status_code == 200
        process.terminate()
        assert process.wait(10) == 0
        assert process.stderr.read() == "models: 0 calls, 0 failed, 0 input and 0 output tokens\n"
