"""Content of a message to parts: the blocks of OpenAI, Anthropic, Gemini, Bedrock, Vercel, LangChain, the conventions …

What a block is, is told by its `type` (`KINDS`) or, where vendors send none, by the key it stands under (`KEYED`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from milepost_collector.protocol.messages.media import media_part
from milepost_collector.protocol.messages.values import bounded, json_text, parsed_container

Part = dict[str, Any]
Block = dict[str, Any]

CALL_ID_KEYS = ("call_id", "toolCallId", "tool_call_id", "toolUseId", "tool_use_id", "tool_id", "id")
CALL_NAME_KEYS = ("name", "toolName", "tool_name", "server_tool_name")
ARGUMENT_KEYS = ("arguments", "input", "args", "tool_kwargs", "parameters", "action", "code", "kwargs")
RESULT_KEYS = ("result", "response", "output", "content", "value", "results", "return_value", "error", "outputs")
TEXT_KEYS = ("content", "text", "thinking", "reasoning", "value", "refusal", "reasoningText", "reasoning_text")


def content_parts(content: Any) -> list[Part]:
    """Return the parts of a message's content: a text, a block, or a list of both."""
    if type(content) is str:
        return [{"type": "text", "content": content}] if content else []
    if isinstance(content, list):
        return [part for block in content for part in content_parts(block)]
    if isinstance(content, dict):
        parts = content.get("parts")  # Gemini's content: {"role": …, "parts": […]}
        return content_parts(parts) if isinstance(parts, list) and "type" not in content else block_parts(content)
    return [] if content is None else [{"type": "text", "content": json_text(content)}]


def block_parts(block: Block) -> list[Part]:
    """Return the parts of one block; none if it says nothing."""
    kind = block.get("type")
    if kind == "text" and type(content := block.get("content")) is str:  # the conventions' own form, most of all parts
        return [{"type": "text", "content": content}] if content else []
    if type(kind) is not str:
        kind = next((value for key in _KIND_KEYS if type(value := block.get(key)) is str), "")
    make = KINDS.get(kind)
    if make is not None:
        return make(block)
    for key, make_of in KEYED.items():
        if block.get(key) is not None:
            return make_of(block, block[key])
    return _bare(block) or _other(block, kind)


def is_block(value: Any) -> bool:
    """Tell whether a value is a block of content rather than some other object."""
    if not isinstance(value, dict):
        return False
    kind = value.get("type")
    return (type(kind) is str and kind in KINDS) or (len(value) <= 3 and any(key in value for key in KEYED))


def tool_call(block: Block) -> Part:
    """Return a tool_call part; arguments that are JSON text become their value."""
    function = block.get("function")
    source = {**block, **function} if isinstance(function, dict) else block
    part: Part = {"type": "tool_call"}
    _add_text(part, "id", block, CALL_ID_KEYS)
    if type(function) is str:  # Ollama and others: the name alone
        part["name"] = function
    _add_text(part, "name", source, CALL_NAME_KEYS)
    arguments = _first(source, ARGUMENT_KEYS)
    # OpenInference leaves out arguments that are empty; the same call is the same message.
    part["arguments"] = {} if arguments in (None, "") else bounded(parsed_container(arguments))
    return part


def tool_result(block: Block, call_id: Any = None, name: Any = None) -> Part:
    """Return a tool_result part; results that are JSON text become their value, lists of texts a text."""
    part: Part = {"type": "tool_result"}
    if type(call_id) is str and call_id:
        part["id"] = call_id
    _add_text(part, "id", block, CALL_ID_KEYS)
    if type(name) is str and name:
        part["name"] = name
    _add_text(part, "name", block, CALL_NAME_KEYS)
    part["result"] = result_value(_first(block, RESULT_KEYS))
    return part


def result_value(result: Any) -> Any:
    """Return what a tool answered as a JSON value."""
    value = parsed_container(result)
    if isinstance(value, dict) and "value" in value and set(value) <= {"type", "value"}:  # Vercel's typed outputs
        value = parsed_container(value["value"])
    if isinstance(value, (dict, list)):
        blocks = value if isinstance(value, list) else [value]
        texts = [_only_text(block) for block in blocks]
        if texts and all(text is not None for text in texts):
            return parsed_container("\n".join(text for text in texts if text is not None))
    return bounded(value)


def _only_text(block: Any) -> str | None:
    """Return the text of a block that is nothing but text, {"text": …} or {"type": "text", …}."""
    if not isinstance(block, dict) or len(block) > 4 or block.get("type", "text") not in ("text", "output_text"):
        return None
    if type(block.get("text")) is str and set(block) <= {"text", "type", "annotations", "citations", "id"}:
        return str(block["text"])
    return None


def _text(block: Block) -> list[Part]:
    text = _inner_text(block)
    if not text:
        return []
    return [{"type": "reasoning" if block.get("thought") is True else "text", "content": text}]


def _reasoning(block: Block) -> list[Part]:
    text = _inner_text(block)
    if not text:
        summary = block.get("summary")
        blocks = summary if isinstance(summary, list) else []
        text = "\n\n".join(inner for item in blocks if isinstance(item, dict) and (inner := _inner_text(item)))
    return [{"type": "reasoning", "content": text}] if text else []


def _refusal(block: Block) -> list[Part]:
    text = _inner_text(block)
    return [{"type": "refusal", "content": text}] if text else []


def _inner_text(value: Any) -> str:
    """Return the text of a text block however deep vendors wrap it."""
    for _ in range(4):
        if isinstance(value, dict):
            value = next((value[key] for key in TEXT_KEYS if value.get(key)), None)
        elif isinstance(value, list):
            value = "\n\n".join(text for item in value if (text := _inner_text(item)))
        if type(value) is str:
            return value
    return ""


def _media(kind: str) -> Callable[[Block], list[Part]]:
    return lambda block: [media_part(block, kind)]


def _wrapped_block(block: Block) -> list[Part]:
    return content_parts(block.get("content"))


def _bare(block: Block) -> list[Part]:
    """Return a call or a result that only its fields tell of, as Autogen writes them."""
    if "name" in block and ("arguments" in block or "args" in block):
        return [tool_call(block)]
    if ("call_id" in block or "tool_call_id" in block) and any(key in block for key in RESULT_KEYS):
        return [tool_result(block)]
    return []


def _other(block: Block, kind: str) -> list[Part]:
    """Keep a block that no rule knows as it was sent, without what is empty."""
    rest = {key: value for key, value in bounded(block).items() if value is not None and key not in _KIND_KEYS}
    return [{"type": kind or "other", **rest}] if rest else []


def _first(block: Block, keys: tuple[str, ...]) -> Any:
    return next((value for key in keys if (value := block.get(key)) is not None), None)


def _add_text(part: Part, name: str, block: Block, keys: tuple[str, ...]) -> None:
    """Set a name or an id, unless it is set or none was sent. Ids may be numbers."""
    if name in part:
        return
    value = next((value for key in keys if (value := block.get(key)) not in (None, "")), None)
    if type(value) in (str, int):
        part[name] = str(value)


def _under(make: Callable[[Block], Part]) -> Callable[[Block, Any], list[Part]]:
    """Return a maker for blocks whose facts are an object under a key: {"toolUse": {…}}."""
    return lambda _, inner: [make(inner)] if isinstance(inner, dict) else []


def _origin_result(_: Block, inner: Any) -> list[Part]:
    """Return haystack's result, which names its call in `origin`."""
    if not isinstance(inner, dict):
        return []
    origin = inner.get("origin")
    origin = origin if isinstance(origin, dict) else {}
    return [tool_result(inner, origin.get("id"), origin.get("tool_name"))]


_KIND_KEYS = ("type", "block_type", "part_kind", "kind")

KINDS: dict[str, Callable[[Block], list[Part]]] = {
    **dict.fromkeys(
        (
            "text", "input_text", "output_text", "text_delta", "text-delta", "TextContent", "system-prompt",
            "user-prompt",
        ),
        _text,
    ),
    **dict.fromkeys(
        ("reasoning", "thinking", "thought", "reasoning_text", "summary_text", "thinking_delta"), _reasoning
    ),
    "refusal": _refusal,
    **dict.fromkeys(
        (
            "tool_call", "tool-call", "toolCall", "tool_use", "function_call", "functionCall", "function",
            "server_tool_use", "server_tool_call", "mcp_call", "mcp_tool_use", "custom_tool_call", "builtin-tool-call",
            "invalid_tool_call", "FunctionCall", "function-call",
        ),
        lambda block: [tool_call(block)],
    ),
    **dict.fromkeys(
        (
            "tool_call_response", "tool_result", "tool-result", "toolResult", "function_call_output", "tool-return",
            "function_response", "server_tool_call_response", "custom_tool_call_output", "web_search_tool_result",
            "mcp_tool_result", "code_execution_tool_result", "builtin-tool-return", "retry-prompt", "tool_response",
            "function_result", "function-result", "tool-error", "FunctionExecutionResult",
        ),
        lambda block: [tool_result(block)],
    ),
    **dict.fromkeys(("image", "image_url", "input_image", "image-url", "output_image", "image_file"), _media("image")),
    **dict.fromkeys(("audio", "input_audio", "audio-url", "output_audio", "audio_url"), _media("audio")),
    **dict.fromkeys(
        (
            "file", "input_file", "document", "document-url", "video", "video-url", "video_url", "blob", "uri",
            "binary", "file-data", "media",
        ),
        _media("file"),
    ),
    "message": _wrapped_block,
}  # fmt: skip

KEYED: dict[str, Callable[[Block, Any], list[Part]]] = {
    "text": lambda block, _: _text(block),
    "functionCall": _under(tool_call),
    "function_call": _under(tool_call),
    "toolUse": _under(tool_call),
    "tool_call": _under(tool_call),
    "functionResponse": _under(tool_result),
    "function_response": _under(tool_result),
    "toolResult": _under(tool_result),
    "tool_call_result": _origin_result,
    "reasoningContent": lambda _, inner: _reasoning({"content": inner}),
    "reasoning": lambda _, inner: _reasoning({"content": inner}),
    "thinking": lambda _, inner: _reasoning({"content": inner}),
    "inlineData": lambda _, inner: [media_part({"file": inner}, "file")],
    "inline_data": lambda _, inner: [media_part({"file": inner}, "file")],
    "fileData": lambda _, inner: [media_part({"file": inner}, "file")],
    "file_data": lambda _, inner: [media_part({"file": inner}, "file")],
    "image": lambda _, inner: [media_part({"image": inner}, "image")],
    "image_url": lambda _, inner: [media_part({"image_url": inner}, "image")],
    "audio": lambda _, inner: [media_part({"audio": inner}, "audio")],
    "video": lambda _, inner: [media_part({"video": inner}, "file")],
    "document": lambda _, inner: [media_part({"document": inner}, "file")],
}
