"""The table: what ships is sound, and users may add to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from milepost.errors import MilepostError
from milepost_collector.protocol.conventions import TABLE_VERSION, Conventions, TableError, load_table, shipped_table
from milepost_collector.protocol.normalised import Normalised
from tests.collector.conventions.builders import RESOURCE, said, span


def extended(folder: Path, **parts: Any) -> Conventions:
    """Return the shipped table with a file of a user's."""
    file = folder / "mine.json"
    file.write_text(json.dumps(parts))
    return Conventions(load_table(file))


def test_shipped_table_has_a_version() -> None:
    assert shipped_table().version == TABLE_VERSION >= 2


def test_no_attribute_means_two_fields() -> None:
    fields: dict[str, set[str]] = {}
    for name, field, _ in shipped_table().places():
        fields.setdefault(name, set()).add(field)
    assert [name for name, found in fields.items() if len(found) > 1] == []


def test_no_attribute_is_listed_twice() -> None:
    names = [name for name, _, _ in shipped_table().places()]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_file_adds_a_vendor(tmp_path: Path) -> None:
    mine = extended(
        tmp_path,
        kinds=[{"source": "Acme", "attribute": "acme.type", "values": {"brain": "llm", "*hand": "tool"}}],
        texts={"model": ["acme.model"]},
        counts={"input_tokens": ["acme.in"], "output_tokens": ["acme.out"]},
        providers={"aliases": {"acme": ["acme-cloud"]}, "names": ["acme.vendor"]},
    )
    found = mine.normalise(
        span({"acme.type": "brain", "acme.model": "a1", "acme.in": 3, "acme.out": 4, "acme.vendor": "Acme-Cloud"}),
        RESOURCE,
    )
    assert (found.kind, found.model, found.provider) == ("llm", "a1", "acme")
    assert found.usage is not None
    assert (found.usage.input_tokens, found.usage.output_tokens) == (3, 4)
    assert mine.normalise(span({"acme.type": "left-hand"}), RESOURCE).kind == "tool"


def test_file_comes_before_what_ships(tmp_path: Path) -> None:
    mine = extended(
        tmp_path, kinds=[{"attribute": "acme.type", "values": {"*": "memory"}}], texts={"model": ["acme.model"]}
    )
    attributes = {"acme.type": "x", "gen_ai.operation.name": "chat", "acme.model": "a1", "llm.model_name": "gpt-4o"}
    found = mine.normalise(span(attributes), RESOURCE)
    assert (found.kind, found.model) == ("memory", "a1")


def test_file_may_change_what_a_value_means(tmp_path: Path) -> None:
    mine = extended(tmp_path, kinds=[{"attribute": "gen_ai.operation.name", "values": {"chat": "agent"}}])
    assert mine.normalise(span({"gen_ai.operation.name": "chat"}), RESOURCE).kind == "agent"


def test_empty_file_changes_nothing(tmp_path: Path) -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 3}
    found: Normalised = extended(tmp_path).normalise(span(attributes, name="chat"), RESOURCE)
    assert found == said(attributes, name="chat")


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"kinds": [{"attribute": "a", "values": {"x": "robot"}}]}, "robot"),
        ({"kinds": [{"values": {}}]}, "attribute"),
        ({"typo": []}, "typo"),
        ({"counts": {"tokens": ["a"]}}, "tokens"),
        ({"texts": {"agent": ["gen_ai.tool.name"]}}, "gen_ai.tool.name is given as agent and as tool"),
        ({"presence": {"nothing": {"*": "llm"}}}, "nothing"),
        ({"version": "2"}, "version"),
    ],
)
def test_file_that_is_no_table_is_refused_with_the_place(tmp_path: Path, parts: dict[str, Any], reason: str) -> None:
    with pytest.raises(TableError, match=reason) as caught:
        extended(tmp_path, **parts)
    assert caught.value.path == tmp_path / "mine.json"
    assert isinstance(caught.value, MilepostError)


@pytest.mark.parametrize("text", ["", "{", "[]", "\ufffe", "[" * 5000])
def test_file_that_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(TableError):
        load_table(tmp_path / "mine.json")


def test_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_table(tmp_path / "missing.json")


def test_readme_names_every_part_of_a_table() -> None:
    readme = (Path(load_table.__code__.co_filename).parent / "README.md").read_text("utf-8")
    assert [part for part in shipped_table().__struct_fields__ if f"`{part}`" not in readme] == []
