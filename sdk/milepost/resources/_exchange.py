"""How an operation gets its answer: what is sent, when it is sent again, and which error it ends with.

A flow is a generator: it yields what is to be done (a request, a wait) and is sent what became of it. It touches no
socket and no clock, so the blocking and the asynchronous client drive the very same one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import NoneType
from typing import Any, TypeVar

import msgspec

from milepost._version import __version__
from milepost.errors import ApiError, ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from milepost.resources._content import Content
from milepost.resources._operation import JSON, Operation, encode_body

__all__ = ["Answer", "Flow", "HttpRequest", "NoAnswer", "Outcome", "Patience", "Sleep", "exchange", "retry_delay_s"]

T = TypeVar("T")

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 2.0
LONGEST_RETRY_AFTER_S = 30.0  # a collector that asks for more is reported as unavailable instead
MAX_RETRIES = 5  # 1.6 to 3.1 s in all: a collector restarts in less

REFUSED = frozenset({408, 425, 429, 503})  # nothing was done
UNCERTAIN = frozenset({500, 502, 504})  # nobody knows
ERRORS: dict[int, type[ApiError]] = {
    **dict.fromkeys((400, 406, 413, 414, 415, 422), InvalidRequestError),
    404: NotFoundError,
    409: ConflictError,
    **dict.fromkeys((408, 425, 429, 502, 503, 504), UnavailableError),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpRequest:
    """What is to be sent. target: path and nothing else; the query stands apart."""

    method: str
    target: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    content: bytes | Content | None


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait so long, then go on."""

    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer of HTTP. retry_after_s: what its `Retry-After` asks for."""

    status: int
    content: bytes
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NoAnswer:
    """No answer came. reached: a connection was made, so the request may have been carried out."""

    reached: bool
    cause: Exception


Outcome = Answer | NoAnswer
Flow = Generator[HttpRequest | Sleep, Outcome | None, T]


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How often a request is tried again. when_unreached: also while nobody listens at the address."""

    max_retries: int = MAX_RETRIES
    when_unreached: bool = True


def exchange(operation: Operation[T], *, endpoint: str, patience: Patience, random: Callable[[], float]) -> Flow[T]:
    """Send an operation until it is answered, refused, or patience ends; return the answer.

    endpoint: for error texts. random: numbers in [0, 1), for the jitter.

    Raises:
        ApiError: it was refused or not answered; see the classes below it.
    """
    request = _request(operation)
    failures, maybe_done = 0, False
    while True:
        outcome = yield request
        assert outcome is not None
        if isinstance(outcome, Answer) and 200 <= outcome.status < 300:
            return _decode(operation, outcome, endpoint)
        if maybe_done and operation.method == "DELETE" and isinstance(outcome, Answer) and outcome.status == 404:
            return None  # type: ignore[return-value]  # the first of several tries deleted it
        maybe_done = maybe_done or _is_uncertain(outcome)
        delay_s = retry_delay_s(outcome, failures, repeatable=operation.repeatable, patience=patience, jitter=random())
        if delay_s is None:
            raise _error(operation, outcome, endpoint, maybe_done) from _cause(outcome)
        failures += 1
        yield Sleep(delay_s)


def retry_delay_s(
    outcome: Outcome, failures: int, *, repeatable: bool, patience: Patience, jitter: float
) -> float | None:
    """Return the wait before the next try, in seconds; None: there is none.

    failures: tries that failed before this one. jitter: in [0, 1); the wait lies between half of and a whole
    exponentially growing limit of at most 2 s. A wait that the collector asks for is kept up to 30 s, and lengthened by
    up to a quarter.
    """
    if failures >= patience.max_retries or not _may_repeat(outcome, repeatable, patience):
        return None
    asked_s = outcome.retry_after_s if isinstance(outcome, Answer) else None
    if asked_s is not None:
        return None if asked_s > LONGEST_RETRY_AFTER_S else asked_s * (1 + jitter / 4)
    return float(min(FIRST_DELAY_S * 2.0 ** min(failures, 16), LONGEST_DELAY_S)) * (0.5 + jitter / 2)


def _may_repeat(outcome: Outcome, repeatable: bool, patience: Patience) -> bool:
    if isinstance(outcome, NoAnswer):
        return repeatable if outcome.reached else patience.when_unreached
    return outcome.status in REFUSED or (repeatable and outcome.status == 502)


def _is_uncertain(outcome: Outcome) -> bool:
    return outcome.reached if isinstance(outcome, NoAnswer) else outcome.status in UNCERTAIN


def _cause(outcome: Outcome) -> Exception | None:
    return outcome.cause if isinstance(outcome, NoAnswer) else None


def _request(operation: Operation[Any]) -> HttpRequest:
    headers = {"accept": operation.accept, "user-agent": f"milepost/{__version__}"}
    headers |= operation.headers
    content: bytes | Content | None = operation.content
    if operation.content is not None:
        headers["content-length"] = str(operation.content.size_bytes)
    elif operation.body is not msgspec.UNSET:
        content = encode_body(operation.body)
        headers["content-type"] = JSON
    if operation.key is not None:
        headers["idempotency-key"] = operation.key
    return HttpRequest(
        method=operation.method, target=operation.path, query=operation.query, headers=headers, content=content
    )


def _decode(operation: Operation[T], answer: Answer, endpoint: str) -> T:
    if operation.answer is NoneType:
        return None  # type: ignore[return-value]
    if operation.answer is bytes:
        return answer.content  # type: ignore[return-value]
    try:
        return msgspec.json.decode(answer.content, type=operation.answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(
            f"{endpoint}{operation.path} gave an answer that this milepost does not understand ({error})",
            status=answer.status,
            problem={"remedy": "it may be another program, or a collector of another version"},
        ) from error


def _error(operation: Operation[Any], outcome: Outcome, endpoint: str, maybe_done: bool) -> ApiError:
    if isinstance(outcome, Answer):
        error = _refusal(outcome, endpoint)
    elif outcome.reached:
        error = UnavailableError(
            f"{operation.method} {endpoint}{operation.path} was not answered: "
            f"{str(outcome.cause) or type(outcome.cause).__name__}"
        )
    else:
        remedy = "start one with `milepost serve`, or name another with the endpoint setting or MILEPOST_ENDPOINT"
        error = UnavailableError(f"no collector answers at {endpoint}", problem={"remedy": remedy})
    if isinstance(error, UnavailableError):
        error.maybe_done = maybe_done
    return error


def _refusal(answer: Answer, endpoint: str) -> ApiError:
    problem = _problem(answer.content)
    if problem is None:
        kind = UnavailableError if ERRORS.get(answer.status) is UnavailableError else ApiError
        detail = f"{endpoint} answered {answer.status}; it may not be a Milepost collector"
        return kind(detail, status=answer.status)
    return ERRORS.get(answer.status, ApiError)(problem["detail"], status=answer.status, problem=problem)


def _problem(content: bytes) -> dict[str, Any] | None:
    """Return problem details; None when the body is something else."""
    try:
        problem = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return problem if isinstance(problem, dict) and isinstance(problem.get("detail"), str) else None
