"""Flattened attributes put together again: prefix.N.message.tool_calls.0.tool_call.id to objects and lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# OpenInference wraps each object in its own name: {"message": {…}}, {"message_content": {…}}, {"tool_call": {…}}.
WRAPPERS = ("message", "message_content", "tool_call", "prompt", "completion")
MAX_STEPS = 16  # of a name; what lies deeper stays under its whole name


def unflatten(fields: Iterable[tuple[int, str, Any]]) -> list[dict[str, Any]]:
    """Return the objects that (index, path, value) spell out, by index."""
    trees: dict[int, dict[str, Any]] = {}
    for index, path, value in fields:
        _put(trees.setdefault(index, {}), path.split(".", MAX_STEPS), value)
    objects = [_message(_untangled(trees[index])) for index in sorted(trees)]
    return [item for item in objects if isinstance(item, dict)]


def _put(tree: dict[str, Any], steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        inner = tree.get(step)
        if not isinstance(inner, dict):
            inner = tree[step] = {}
        tree = inner
    if not isinstance(tree.get(steps[-1]), dict):
        tree[steps[-1]] = value


def _untangled(tree: Any) -> Any:
    """Return objects whose keys are all numbers as lists, and wrappers as what they hold."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdecimal() for key in tree):
        return [_untangled(tree[key]) for key in sorted(tree, key=int)]
    value = {key: _untangled(item) for key, item in tree.items()}
    # A block may have two: what Anthropic calls a tool_use has its call beside its content.
    for wrapper in WRAPPERS:
        if isinstance(value.get(wrapper), dict):
            value |= value.pop(wrapper)
    return value


def _message(item: Any) -> Any:
    """Return a message with the names that OpenInference gives to a call of the older kind."""
    if isinstance(item, dict) and "function_call_name" in item:
        call = {"name": item["function_call_name"], "arguments": item.get("function_call_arguments_json")}
        return {**item, "function_call": call}
    return item
