"""A second process that reads OTLP bodies: within one, reading and committing take turns at Python's one lock.

Both halves are here: `Helper`, the collector's, and `main`, what the process does. Over its pipes go pickles, each with
its length before it. What the process cannot do is done by the collector itself, so nothing depends on it.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Any, NamedTuple

from milepost._version import __version__
from milepost_collector.protocol.batch import DecodedBatch
from milepost_collector.protocol.conventions import TABLE_VERSION
from milepost_collector.protocol.export_rows import export_batch
from milepost_collector.protocol.foreign_rows import METRIC_COLUMNS, Attached, Contents
from milepost_collector.protocol.otlp import Signal, decode_export
from milepost_collector.protocol.price_file import PriceEntry
from milepost_collector.protocol.pricing import PriceBook
from milepost_collector.protocol.rows import EVENT_COLUMNS, LIVE_COLUMNS, SPAN_COLUMNS

logger = logging.getLogger("milepost.ingest")

PIPE_BYTES = 1024 * 1024  # the most Linux allows everyone; every further read has to wait for the lock
STOP_TIMEOUT_S = 5.0
IN_FLIGHT = (
    2  # requests that are worth giving it: the process has the next one while the collector takes the last answer
)
LENGTH_BYTES = 8

# Both sides must be the same program; an upgrade may have replaced it since the collector started.
PROGRAM = (__version__, TABLE_VERSION, SPAN_COLUMNS, LIVE_COLUMNS, EVENT_COLUMNS, METRIC_COLUMNS)


class Request(NamedTuple):
    """An OTLP request. received_at: Unix ns."""

    signal: Signal
    content_type: str
    received_at: int
    body: bytes


def read_otlp(request: Request, book: PriceBook) -> DecodedBatch:
    """Return the rows of an OTLP request. Pure; safe in any thread.

    Raises:
        UnsupportedEncodingError: neither protobuf nor JSON.
        MalformedBodyError: not an OTLP request.
    """
    export = decode_export(request.signal, request.body, request.content_type, request.received_at)
    return export_batch(export, book)


class Helper:
    """The collector's side. Safe to use from several threads. book: the prices to compute with."""

    def __init__(self, book: PriceBook) -> None:
        self._book = book
        self._process: subprocess.Popen[bytes] | None = None
        self._sending = threading.Lock()
        self._answers = threading.Condition()
        self._sent = self._received = 0
        self.is_usable = _processors() > 1 and bool(sys.executable)

    @property
    def process_id(self) -> int | None:
        """The process's id while it runs, None otherwise."""
        process = self._process
        return process.pid if process else None

    def start(self) -> None:
        """Start the process and wait until it is ready, which takes some 0.5 s; one that fails is not tried again."""
        if self._process is not None or not self.is_usable:
            return
        try:
            process = _launched(self._book)
        except (OSError, EOFError) as error:
            self.is_usable = False
            logger.warning("no process helps to read: %s", error)
            return
        with self._sending, self._answers:
            self._process, self._sent, self._received = process, 0, 0
        logger.info("process %d helps to read", process.pid)

    def stop(self) -> None:
        """End the process, if it runs; what it had not answered the collector reads itself. Safe to call twice."""
        with self._answers:
            process, self._process = self._process, None
            self._answers.notify_all()
        if process is not None:
            _end(process)

    def read(self, request: Request) -> DecodedBatch:
        """Return the rows of an OTLP request, read by the process if it runs.

        Raises:
            UnsupportedEncodingError, MalformedBodyError: as `read_otlp`.
        """
        answer = self._ask(request)
        return read_otlp(request, self._book) if answer is None else _unpacked(answer, self._book)

    def _ask(self, request: Request) -> Any:
        """Return the process's answer, None if there is none."""
        process = None
        try:
            with self._sending:
                process = self._process
                if process is None:
                    return None
                _send(_pipes(process)[0], request)
                turn, self._sent = self._sent, self._sent + 1
            return self._answer(process, turn)
        except (OSError, EOFError, ValueError) as error:  # ValueError: of a pipe that was closed meanwhile
            if self._process is process:
                logger.warning("the process that helped to read ended: %s", error)
                self.stop()
            return None

    def _answer(self, process: subprocess.Popen[bytes], turn: int) -> Any:
        """Return the answer to the request of that number; answers come in the order of requests."""
        with self._answers:
            self._answers.wait_for(lambda: self._received == turn or self._process is not process)
            if self._process is not process:
                raise EOFError("it was stopped")
        data = _receive(_pipes(process)[1])
        with self._answers:
            self._received += 1
            self._answers.notify_all()
        return pickle.loads(data)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _launched(book: PriceBook) -> subprocess.Popen[bytes]:
    """Return the process, ready.

    Raises:
        OSError, EOFError: it cannot be started or is not what it should be.
    """
    process = subprocess.Popen([sys.executable, "-P", "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    source, sink = _pipes(process)
    try:
        _widen(source)
        _widen(sink)
        if pickle.loads(_receive(sink)) != PROGRAM:
            raise EOFError("the program was replaced since the collector started; restart the collector")
        _send(source, book.entries)
    except BaseException:
        _end(process)
        raise
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in _pipes(process):
        _close(pipe)


def main() -> None:
    """Answer requests until the collector ends or closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the collector's, which may still have something to read
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anybody prints is no answer
    _send(sink, PROGRAM)
    entries: Sequence[PriceEntry] = pickle.loads(_receive(source))
    book = PriceBook(entries)
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    while True:
        try:
            request: Request = pickle.loads(_receive(source))
        except EOFError:
            return
        _send(sink, _attempt(request, book))


def _attempt(request: Request, book: PriceBook) -> Any:
    try:
        return _packed(read_otlp(request, book))
    except Exception:  # the collector meets it again, where it is answered or logged
        logger.debug("a body cannot be read", exc_info=True)
        return None


def _packed(batch: DecodedBatch) -> Any:
    """Return a batch in a form that pickles quickly: identities as places, no book, plain tuples."""
    places = {id(row): place for place, row in enumerate(batch.spans)}
    attached = [(places[key], one.events, one.conversations, one.links) for key, one in batch.attached.items()]
    messages = [tuple(row) for row in batch.contents.messages.values()]
    return replace(batch, attached={}, contents=Contents(pieces=batch.contents.pieces)), attached, messages


def _unpacked(answer: Any, book: PriceBook) -> DecodedBatch:
    batch: DecodedBatch
    batch, attached, messages = answer
    batch.contents.book = book
    batch.contents.messages = {row[0]: row for row in messages}
    batch.attached = {id(batch.spans[place]): Attached(*rest) for place, *rest in attached}
    return batch


def _send(pipe: IO[bytes], message: Any) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    pipe.write(len(data).to_bytes(LENGTH_BYTES, "big"))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    """Return the next pickle.

    Raises:
        EOFError: the other side closed the pipe.
    """
    size = int.from_bytes(_exactly(pipe, LENGTH_BYTES), "big")
    return _exactly(pipe, size)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError("the pipe is closed")
    return data


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None  # asked for in `_launched`
    assert process.stdout is not None
    return process.stdin, process.stdout


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:  # what was being sent does not arrive
        return


def _widen(pipe: IO[bytes]) -> None:
    """Let a pipe hold more, where the system can."""
    if sys.platform != "linux":
        return
    import fcntl

    try:
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except PermissionError:  # too many wide pipes of this user
        return


if __name__ == "__main__":
    main()
