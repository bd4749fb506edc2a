"""The process that helps to read: the same rows as without it, whatever becomes of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from milepost_collector.errors import MalformedBodyError
from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.price_file import parse_prices
from milepost_collector.protocol.pricing import PriceBook
from milepost_collector.traces import helper as helping
from milepost_collector.traces.helper import Helper, Request, read_otlp

CORPUS = Path(__file__).parents[2] / "corpus"
BODIES = sorted(path for path in CORPUS.iterdir() if path.suffix == ".binpb" or path.name.endswith(".01.json"))
BOOK = PriceBook(parse_prices('[[prices]]\nmodel = "*"\ninput = 1\noutput = 1\n'))


@pytest.fixture(scope="module")
def helper() -> Iterator[Helper]:
    one = Helper(BOOK)
    one.is_usable = True  # on one processor, too
    one.start()
    yield one
    one.stop()


def request_of(path: Path) -> Request:
    content_type = "application/json" if path.suffix == ".json" else "application/x-protobuf"
    return Request(
        "logs" if "logs" in path.name else "traces", content_type, 1_700_000_000_000_000_000, path.read_bytes()
    )


def content(batch: DecodedBatch) -> dict[str, Any]:
    """Return everything in a batch, comparable."""
    fields = {name: getattr(batch, name) for name in DecodedBatch.__slots__ if name not in ("attached", "contents")}
    attached = [batch.attached.get(id(row)) for row in batch.spans]
    return {**fields, "attached": attached, "messages": batch.contents.messages, "pieces": batch.contents.pieces}


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.name)
def test_rows_are_the_same_as_without_help(helper: Helper, path: Path) -> None:
    request = request_of(path)
    assert content(helper.read(request)) == content(read_otlp(request, BOOK))
    assert helper.process_id is not None


def test_body_that_is_none_is_refused_here(helper: Helper) -> None:
    with pytest.raises(MalformedBodyError):
        helper.read(Request("traces", "application/x-protobuf", 1, b"\xff" * 100))
    assert helper.process_id is not None


def test_threads_get_their_own_answers(helper: Helper) -> None:
    requests = [request_of(path) for path in BODIES[:12]] * 3
    with ThreadPoolExecutor(helping.IN_FLIGHT) as threads:
        digests = [batch.digest for batch in threads.map(helper.read, requests)]
    assert digests == [read_otlp(request, BOOK).digest for request in requests]


def test_dead_process_costs_nothing_but_time(caplog: pytest.LogCaptureFixture) -> None:
    one = Helper(BOOK)
    one.is_usable = True
    one.start()
    assert one.process_id is not None
    os.kill(one.process_id, signal.SIGKILL)
    request = request_of(BODIES[0])
    assert content(one.read(request)) == content(read_otlp(request, BOOK))
    assert (one.process_id, one.is_usable) == (None, True)
    assert "ended" in caplog.text


def test_stopped_process_is_gone() -> None:
    one = Helper(BOOK)
    one.is_usable = True
    one.start()
    process_id = one.process_id
    one.stop()
    one.stop()
    assert process_id is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
    assert one.read(request_of(BODIES[0])).accepted > 0


def test_process_of_another_version_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(helping, "PROGRAM", ("0.0.0",))
    one = Helper(BOOK)
    one.is_usable = True
    one.start()
    assert (one.process_id, one.is_usable) == (None, False)
    assert "restart the collector" in caplog.text
