"""Both clients hand over and fetch, from a real collector."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from pathlib import Path

import pytest

import milepost
from milepost.errors import ApiError, InvalidRequestError, NotFoundError
from milepost.resources import _deliverables


@pytest.fixture(params=["blocking", "awaited"])
def ask(request, collector):
    """Return a function that asks a client, ask(lambda client: …), and gives the answer."""

    def blocking(question):
        with milepost.Client(endpoint=collector.url) as client:
            return question(client)

    async def awaited(question):
        async with milepost.AsyncClient(endpoint=collector.url) as client:
            answer = question(client)
            return await answer if inspect.isawaitable(answer) else answer

    return blocking if request.param == "blocking" else lambda question: asyncio.run(awaited(question))


@pytest.fixture
def task(ask):
    """Return a task that nobody does."""
    return ask(lambda client: client.tasks.create("Report", agent="nobody"))


def test_attach_list_download_and_remove(ask, task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_deliverables, "PIECE_BYTES", 1_000)
    source = tmp_path / "source.csv"
    source.write_bytes(bytes(range(256)) * 10)
    made = ask(lambda client: client.tasks.attach(task, "sums.csv", source, type="data", by="Jürgen ✓"))
    assert (made.version, made.content_type, made.size_bytes, made.by) == (1, "text/csv", 2_560, "Jürgen ✓")
    assert made.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    again = ask(lambda client: client.tasks.attach(task.id, "sums.csv", source, type="data"))
    assert again.version == 1
    assert ask(lambda client: client.tasks.attach(task, "sums.csv", b"2", type="data")).version == 2
    found = ask(lambda client: client.tasks.deliverables(task, all_versions=True))
    assert [one.version for one in found.deliverables] == [2, 1]
    assert ask(lambda client: client.tasks.deliverable(task, "sums.csv", version=1)).size_bytes == 2_560
    told: list[int] = []
    place = ask(
        lambda client: client.tasks.download(
            task, "sums.csv", tmp_path, version=1, on_progress=lambda done, size: told.append(done)
        )
    )
    assert place == tmp_path / "sums.csv"
    assert place.read_bytes() == source.read_bytes()
    assert told == [0, 1_000, 2_000, 2_560]
    assert ask(lambda client: client.tasks.read(task, "sums.csv")) == b"2"
    ask(lambda client: client.tasks.delete_deliverable(task, "sums.csv"))
    with pytest.raises(NotFoundError):
        ask(lambda client: client.tasks.deliverable(task, "sums.csv"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.csv", "sums.csv"]


def test_empty_contents_are_contents(ask, task, tmp_path: Path):
    ask(lambda client: client.tasks.attach(task, "empty", b""))
    assert ask(lambda client: client.tasks.read(task, "empty")) == b""
    assert ask(lambda client: client.tasks.download(task, "empty", tmp_path / "e")).read_bytes() == b""


def test_runs_of_their_own_hand_over_too(ask):
    run = "cd" * 16
    ask(lambda client: client.runs.attach(run, "a.txt", "hi"))
    assert ask(lambda client: client.runs.read(run, "a.txt")) == b"hi"
    assert [one.run_id for one in ask(lambda client: client.runs.deliverables(run)).deliverables] == [run]
    ask(lambda client: client.runs.delete_deliverable(run, "a.txt"))


def test_names_that_lead_elsewhere_are_refused_before_anything_is_sent(ask, task, tmp_path: Path):
    for name in ("../x", "a/b", "", ".x"):
        with pytest.raises(InvalidRequestError, match="cannot be the name"):
            ask(lambda client, name=name: client.tasks.attach(task, name, b"x"))
        with pytest.raises(InvalidRequestError, match="cannot be the name"):
            ask(lambda client, name=name: client.tasks.download(task, name, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_content_is_no_file(ask, task, tmp_path: Path, collector):
    ask(lambda client: client.tasks.attach(task, "a.txt", b"right"))
    folder = Path(collector.data_dir) / "deliverables" / "contents"
    digest = hashlib.sha256(b"right").hexdigest()
    (stored,) = (folder / digest[:2]).glob(f"{digest}-*")
    stored.write_bytes(b"wrong")
    with pytest.raises(ApiError, match="SHA-256"):
        ask(lambda client: client.tasks.download(task, "a.txt", tmp_path))
    assert list(tmp_path.iterdir()) == []
    stored.write_bytes(b"right")
