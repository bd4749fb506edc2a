"""The model server: its script, what it was asked, what it answered."""

from __future__ import annotations

import json
import random
import string
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, Self

from milepost.testing._anthropic import Messages, anthropic_error
from milepost.testing._calls import Dialect, ModelCall
from milepost.testing._chat import ChatCompletions, Embeddings, openai_error
from milepost.testing._http import Answer, Hangup, HttpServer
from milepost.testing._replies import Failure, Reply, Usage, default_reply
from milepost.testing._requests import Message, ModelRequest, ToolCall
from milepost.testing._responses import Responses
from milepost.testing._text import as_json, count_tokens

__all__ = ["ModelServer"]

Outcome = Reply | Failure
Responder = Callable[[ModelRequest], Reply | Failure | str | None]

_DIALECTS: tuple[Dialect, ...] = (ChatCompletions(), Responses(), Embeddings(), Messages())
# What the providers answer with when they are asked for an alias.
_VERSIONS = {
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
    "claude-opus-4-5": "claude-opus-4-5-20251101",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
}
_EMBEDDING_MODELS = ("text-embedding-3-large", "text-embedding-3-small")
_ID_LETTERS = string.ascii_letters + string.digits
_ID_LENGTH = 24


class ModelServer:
    """Models on this machine that answer as OpenAI's and Anthropic's do, for tests without a network or a key.

    It serves chat completions, responses, embeddings and messages, streamed or whole, with tools, schemas and usage,
    from its construction until `stop` or the end of its `with` block. Any key and any model name will do.

    Without a script a tool that is offered is called first and its result answered, a schema is filled in, and
    otherwise the user's message comes back (`default_reply`). `reply`, `fail`, `drop` and `stall` queue what comes
    next, each for one request; `respond` hands every further request to a function. All of it, and reading `calls`,
    may be done from any thread.

    cached_tokens, cache_write_tokens: how much of each input the provider's cache had or took, as far as the input
    reaches; reasoning_tokens: added to each output for thoughts that are not shown. token_delay_s: wait before each
    event of a stream, for all of them before a whole answer. seed: makes the ids of answers the same in every process.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        cached_tokens: int = 0,
        cache_write_tokens: int = 0,
        reasoning_tokens: int = 0,
        token_delay_s: float = 0.0,
        seed: int | None = None,
    ) -> None:
        for name, value in (
            ("cached_tokens", cached_tokens),
            ("cache_write_tokens", cache_write_tokens),
            ("reasoning_tokens", reasoning_tokens),
            ("token_delay_s", token_delay_s),
        ):
            if value < 0:
                raise ValueError(f"{name} must be at least 0, got {value}")
        self._cached_tokens = cached_tokens
        self._cache_write_tokens = cache_write_tokens
        self._reasoning_tokens = reasoning_tokens
        self._token_delay_s = token_delay_s
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._script: deque[Outcome] = deque()
        self._responder: Responder | None = None
        self._calls: list[ModelCall] = []
        self._conversations: dict[str, tuple[Message, ...]] = {}
        self._stopping = threading.Event()
        self._http = HttpServer(host, port, self._respond)
        self.url = f"http://{host}:{self._http.server_port}"

    @property
    def openai_url(self) -> str:
        """What OpenAI's clients take as `base_url`."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """What Anthropic's clients take as `base_url`."""
        return self.url

    def environment(self) -> dict[str, str]:
        """Return the variables by which OpenAI's and Anthropic's clients, and what builds on them, come here."""
        return {
            "OPENAI_BASE_URL": self.openai_url,
            "OPENAI_API_BASE": self.openai_url,  # litellm's and older clients' name for it
            "OPENAI_API_KEY": "sk-milepost-testing",
            "ANTHROPIC_BASE_URL": self.anthropic_url,
            "ANTHROPIC_API_BASE": self.anthropic_url,
            "ANTHROPIC_API_KEY": "sk-ant-milepost-testing",
        }

    @property
    def calls(self) -> list[ModelCall]:
        """Every call so far, in the order of arrival; malformed requests are not among them."""
        with self._lock:
            return list(self._calls)

    @property
    def usage(self) -> Usage:
        """The sum of all calls."""
        return sum((call.usage for call in self.calls), Usage())

    def clear(self) -> None:
        """Forget the calls and the script."""
        with self._lock:
            self._calls.clear()
            self._script.clear()
            self._conversations.clear()
            self._responder = None

    def reply(
        self,
        text: str = "",
        *,
        tool_calls: Sequence[ToolCall] = (),
        reasoning: str = "",
        usage: Usage | None = None,
        model: str | None = None,
        finish: Literal["done", "length", "content_filter"] = "done",
    ) -> None:
        """Queue a reply; see `Reply` for what the parts mean."""
        self._queue(Reply(text, tool_calls, reasoning, usage, model, finish))

    def fail(self, status: int = 500, message: str = "", *, retry_after_s: float | None = None) -> None:
        """Queue an error. retry_after_s: sent as `Retry-After`."""
        self._queue(Failure(status=status, message=message, retry_after_s=retry_after_s))

    def drop(self, *, after_events: int = 0) -> None:
        """Queue a connection that closes in the middle, after so many events of a stream; 0: without any answer."""
        self._queue(Failure(kind="drop", after_events=after_events))

    def stall(self) -> None:
        """Queue an answer that never comes, for tests of timeouts."""
        self._queue(Failure(kind="stall"))

    def respond(self, function: Responder | None) -> None:
        """Answer what the queue does not with function(request): a `Reply`, its text, a `Failure`, or None for the
        default. A function that raises is answered with status 500. None takes the function away.
        """
        with self._lock:
            self._responder = function

    def stop(self) -> None:
        """Close every connection and the port. Safe to call twice."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._http.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _queue(self, outcome: Outcome) -> None:
        with self._lock:
            self._script.append(outcome)

    def _respond(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path = path.partition("?")[0].rstrip("/")
        error = anthropic_error if "anthropic-version" in headers else openai_error
        if method == "GET" and "/models" in path:
            return Answer(body=_models(path))
        if method == "POST" and path.endswith("/messages/count_tokens"):
            return self._counted(body, headers)
        dialect = next((dialect for dialect in _DIALECTS if path.endswith(dialect.path)), None)
        if method != "POST" or dialect is None:
            served = ", ".join(f"POST /v1{dialect.path}" for dialect in _DIALECTS)
            return Answer(status=404, body=error(404, f"no {method} {path} here; served are {served}, GET /v1/models"))
        try:
            request = dialect.read(json.loads(body), headers)
            if not isinstance(request.model, str):
                raise ValueError(f"model must be a string, got {request.model!r}")
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            return Answer(status=400, body=dialect.error(400, f"the request cannot be read: {problem!r}"))
        return self._called(dialect, self._recalled(request))

    def _counted(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer Anthropic's question of how many tokens a request would be."""
        try:
            request = Messages().read(json.loads(body), headers)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            return Answer(status=400, body=anthropic_error(400, f"the request cannot be read: {problem!r}"))
        return Answer(body={"input_tokens": request.count_tokens()})

    def _recalled(self, request: ModelRequest) -> ModelRequest:
        """Return the request with the messages that its `previous_response_id` stands for."""
        earlier = self._conversations.get(str(request.body.get("previous_response_id")))
        return replace(request, messages=earlier + request.messages) if earlier else request

    def _called(self, dialect: Dialect, request: ModelRequest) -> Answer:
        call = self._decided(dialect, request)
        if call.failure is not None and call.failure.kind == "stall":
            self._stopping.wait()
            raise Hangup
        if call.failure is not None and not (call.failure.after_events and request.stream):
            return _failed(dialect, call)
        if request.stream:
            return Answer(headers={"x-request-id": call.id}, pieces=self._pieces(dialect, call))
        self._stopping.wait(self._token_delay_s * call.usage.output_tokens)
        call.completed = True
        return Answer(headers={"x-request-id": call.id, "request-id": call.id}, body=dialect.whole(call))

    def _decided(self, dialect: Dialect, request: ModelRequest) -> ModelCall:
        """Return the call with what becomes of it, put on record."""
        outcome = self._next(request)
        call = ModelCall(request=request, created=int(time.time()))
        call.id = dialect.id_prefix + self._new_id()
        if isinstance(outcome, Failure):
            call.failure = outcome
            call.told_usage = False
            call.status = outcome.status if outcome.kind == "error" else 0
        if isinstance(outcome, Reply) or outcome.after_events:
            self._settle(dialect, call, outcome if isinstance(outcome, Reply) else default_reply(request))
        with self._lock:
            self._calls.append(call)
        return call

    def _settle(self, dialect: Dialect, call: ModelCall, reply: Reply) -> None:
        """Fill in ids, model and usage of an answer."""
        named = [replace(tool, id=tool.id or dialect.call_id_prefix + self._new_id()) for tool in reply.tool_calls]
        reply = replace(reply, tool_calls=tuple(named))
        call.reply = reply
        call.model = reply.model or _VERSIONS.get(call.request.model, call.request.model)
        if call.failure is None:
            call.usage = reply.usage or self._count(call.request, reply)
            call.told_usage = dialect.tells_usage(call.request)
        said = Message(role="assistant", text=reply.text, tool_calls=reply.tool_calls)  # type: ignore[arg-type]
        with self._lock:
            self._conversations[call.id] = (*call.request.messages, said)

    def _next(self, request: ModelRequest) -> Outcome:
        with self._lock:
            # Embeddings are computed, so only failures are for them.
            takes = request.api != "openai.embeddings" or (self._script and isinstance(self._script[0], Failure))
            if self._script and takes:
                return self._script.popleft()
            responder = self._responder
        if request.api == "openai.embeddings":
            return Reply()
        try:
            outcome = responder(request) if responder else None
        except Exception as problem:  # the agent under test gets an error, and the test reads why
            return Failure(message=f"the function given to respond raised {problem!r}")
        if isinstance(outcome, str):
            return Reply(outcome)
        return outcome or default_reply(request)

    def _count(self, request: ModelRequest, reply: Reply) -> Usage:
        tokens = request.count_tokens()
        if request.api == "openai.embeddings":
            return Usage(input_tokens=tokens)
        calls = sum(count_tokens(tool.name) + count_tokens(as_json(tool.arguments)) for tool in reply.tool_calls)
        reasoning = count_tokens(reply.reasoning) + self._reasoning_tokens
        cached = min(self._cached_tokens, tokens)
        return Usage(
            input_tokens=tokens,
            output_tokens=max(1, count_tokens(reply.text) + calls + reasoning),
            cache_read_tokens=cached,
            cache_write_tokens=min(self._cache_write_tokens, tokens - cached),
            reasoning_tokens=reasoning,
        )

    def _pieces(self, dialect: Dialect, call: ModelCall) -> Iterator[str]:
        """Return a stream as it goes over the wire, up to where it is to break off."""
        events = list(dialect.events(call))
        for index, (name, data) in enumerate(events):
            if call.failure is not None and index == call.failure.after_events:
                raise Hangup
            if self._stopping.wait(self._token_delay_s) if self._token_delay_s else self._stopping.is_set():
                raise Hangup
            call.completed = index == len(events) - 1
            text = data if isinstance(data, str) else as_json(data)
            yield f"event: {name}\ndata: {text}\n\n" if name else f"data: {text}\n\n"

    def _new_id(self) -> str:
        with self._lock:
            return "".join(self._random.choices(_ID_LETTERS, k=_ID_LENGTH))


def _failed(dialect: Dialect, call: ModelCall) -> Answer:
    failure = call.failure
    if failure is None or failure.kind != "error":
        raise Hangup
    headers = {"x-request-id": call.id, "request-id": call.id}
    if failure.retry_after_s is not None:
        headers["Retry-After"] = f"{failure.retry_after_s:g}"
    call.completed = True
    message = failure.message or f"the model server was told to fail with status {failure.status}"
    return Answer(status=failure.status, headers=headers, body=dialect.error(failure.status, message))


def _models(path: str) -> dict[str, Any]:
    """Return the list of models, or the one that is named, in a shape that both providers' clients read."""
    names = sorted({*_VERSIONS, *_VERSIONS.values(), *_EMBEDDING_MODELS})
    wanted = path.rpartition("/models")[2].strip("/")
    if wanted:
        return _model(wanted)
    shown = [_model(name) for name in names]
    return {"object": "list", "data": shown, "has_more": False, "first_id": names[0], "last_id": names[-1]}


def _model(name: str) -> dict[str, Any]:
    owner = "anthropic" if name.startswith("claude") else "openai"
    born = {"created": 1735689600, "created_at": "2025-01-01T00:00:00Z"}
    return {"id": name, "object": "model", "type": "model", "owned_by": owner, "display_name": name} | born
