"""JSON values to messages: whatever shape a request, an answer or a history has.

`conversation` reads a value from outside in: a list of messages, a message, or an object that holds either
(`INPUT_KEYS`, `OUTPUT_KEYS`). What it does not know yields nothing: arguments of a tool are not a conversation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from milepost_collector.protocol.messages.message import Message
from milepost_collector.protocol.messages.parts import Part, content_parts, is_block, tool_call, tool_result
from milepost_collector.protocol.messages.values import MAX_MESSAGES, parsed, parsed_container

MAX_NESTING = 6  # objects and lists around the messages

USUAL_ROLES = frozenset(("system", "user", "assistant", "developer"))
ROLES = {
    "human": "user", "ai": "assistant", "model": "assistant", "function": "tool", "bot": "assistant",
    "chatbot": "assistant", "generic": "user", "chat": "user", "aimessagechunk": "assistant", "tool-response": "tool",
    "tool_response": "tool", "agent": "assistant",
}  # fmt: skip
# What says who speaks where there is no role: LangChain's and Autogen's classes, items of OpenAI's Responses, kinds of
# Pydantic AI's parts and messages.
TYPE_ROLES = {
    **dict.fromkeys(("human", "HumanMessage", "HumanMessageChunk", "UserMessage", "request", "user"), "user"),
    **dict.fromkeys(
        ("ai", "AIMessage", "AIMessageChunk", "AssistantMessage", "response", "assistant", "ChatMessage",
         "ThoughtEvent", "ToolCallRequestEvent"),
        "assistant",
    ),
    **dict.fromkeys(("system", "SystemMessage", "SystemMessageChunk"), "system"),
    **dict.fromkeys(
        ("tool", "ToolMessage", "ToolMessageChunk", "FunctionMessage", "FunctionExecutionResultMessage",
         "ToolCallExecutionEvent"),
        "tool",
    ),
    **dict.fromkeys(("function_call", "reasoning", "mcp_call", "custom_tool_call"), "assistant"),
    **dict.fromkeys(("function_call_output", "custom_tool_call_output"), "tool"),
}  # fmt: skip
ITEM_TYPES = frozenset(  # items of a Responses conversation that are a block of their own
    ("function_call", "reasoning", "mcp_call", "custom_tool_call", "function_call_output", "custom_tool_call_output")
)
EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
PART_ROLES = {"system-prompt": "system", "user-prompt": "user", "tool-return": "tool", "retry-prompt": "tool"}

CONTENT_KEYS = ("parts", "contents", "blocks", "content", "text", "message", "_content", "combined_chunk_content")
SYSTEM_KEYS = (
    "system", "instructions", "system_instruction", "systemInstruction", "system_instructions", "system_prompt",
    "systemPrompt",
)  # fmt: skip
CONFIG_KEYS = ("config", "generationConfig")  # where Gemini's clients keep it
INPUT_KEYS = (
    "messages", "contents", "input", "prompt", "prompts", "chat_history", "history", "request", "kwargs", "args",
    "body", "llm_request", "new_message", "inputs", "task", "data",
)  # fmt: skip
OUTPUT_KEYS = (
    "choices", "candidates", "generations", "output", "message", "messages", "response", "content", "update", "outputs",
    "replies", "chat_message", "result", "completion", "output_text", "text", "combined_chunk_content", "answer",
    "kwargs", "llm_response", "data",
)  # fmt: skip


def conversation(value: Any, role: str, *, is_model: bool = False) -> list[Message]:
    """Return the messages of a value, none if it is not a conversation.

    role: whose they are unless they say so, "user" for what was sent and "assistant" for the answer. is_model: the
    value is known to belong to a call of a model, so that a plain text is a message too.
    """
    return _read(value, role, is_model, MAX_NESTING)[:MAX_MESSAGES]


def message_list(values: Iterable[Any], role: str) -> list[Message]:
    """Return the messages of objects that are known to be messages; what is none is left out."""
    return merged([message for value in values if isinstance(value, dict) for message in messages_of(value, role)])


def messages_of(item: dict[str, Any], role: str | None = None) -> list[Message]:
    """Return the messages of one object, none if it is not a message. role: whose it is unless it says so.

    Results of tools become messages of their own, one for each, as OpenAI has them: Anthropic, Gemini and the
    conventions put several into one message of the user.
    """
    parts = item.get("parts")
    said = item.get("role")
    if type(said) is str and said and isinstance(parts, list):
        if said in USUAL_ROLES and "name" not in item and len(parts) == 1 and _is_plain(parts[0]):
            return [Message(said, parts)]
        said = said.lower()
        return _split(ROLES.get(said, said), content_parts(parts), _name(item, said))
    item = _unwrapped(item)
    said = _role(item) or (role if _is_body(item) else None)
    if said is None:
        return []
    if isinstance(parts, list) and item.get("kind") in ("request", "response"):
        return _of_pydantic(parts, said)
    return _split(said, _parts(item, said), _name(item, said))


def _read(value: Any, role: str, is_model: bool, depth: int) -> list[Message]:
    if depth <= 0 or value is None:
        return []
    if isinstance(value, dict):
        return messages_of(value) or _held(value, role, is_model, depth)
    if isinstance(value, list):
        return _paired(value) or _listed(value, role, is_model, depth)
    if is_model and type(value) is str and value:
        return [Message(role, [{"type": "text", "content": value}])]
    return []


def _paired(value: list[Any]) -> list[Message]:
    """Return the message of a pair of role and text, LangChain's shorthand."""
    if len(value) != 2 or not all(type(text) is str and text for text in value):
        return []
    role = ROLES.get(value[0].lower(), value[0].lower())
    return [Message(role, [{"type": "text", "content": value[1]}])] if role in USUAL_ROLES else []


def _listed(values: list[Any], role: str, is_model: bool, depth: int) -> list[Message]:
    """Return the messages of a list, none if something in it is neither a message nor a list of messages."""
    if is_model and values and all(_is_bare(value) for value in values):
        return _split(role, content_parts(values), None)
    found: list[Message] = []
    for value in values:
        messages = _read(parsed_container(value), role, is_model, depth - 1)
        if not messages and not _is_silent(value):
            return []
        found += messages
    return found if role == "assistant" and any(_is_alternative(value) for value in values) else merged(found)


def _held(value: dict[str, Any], role: str, is_model: bool, depth: int) -> list[Message]:
    """Return the messages of an object that holds them, with the system prompt beside them."""
    is_model = is_model or ("model" in value and ("messages" in value or "input" in value))
    for key in INPUT_KEYS if role == "user" else OUTPUT_KEYS:
        held = parsed_container(value.get(key))
        messages = _arguments(held, role, depth) if key == "args" else _read(held, role, is_model, depth - 1)
        if messages:
            return [*system_of(value), *messages] if role == "user" else messages
    return []


def _arguments(values: Any, role: str, depth: int) -> list[Message]:
    """Return the messages of the one positional argument that is a conversation."""
    if not isinstance(values, list):
        return []
    return next((found for value in values if (found := _read(value, role, False, depth - 1))), [])


def system_of(value: dict[str, Any]) -> list[Message]:
    """Return the system prompt that a request has beside its messages."""
    for holder in (value, *(value[key] for key in CONFIG_KEYS if isinstance(value.get(key), dict))):
        for key in SYSTEM_KEYS:
            if parts := content_parts(_inside(holder.get(key))):
                return [Message("system", parts)]
    return []


def _inside(content: Any) -> Any:
    """Return the parts of a Gemini content object, anything else as it is."""
    return content["parts"] if isinstance(content, dict) and "parts" in content else content


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    """Return the message inside a serialised LangChain object, a choice, a generation or a haystack message."""
    if isinstance(kwargs := item.get("kwargs"), dict) and "lc" in item:
        name = item.get("id")
        return {"type": name[-1] if isinstance(name, list) and name else None, **kwargs}
    if isinstance(data := item.get("data"), dict) and _kind(item) in TYPE_ROLES:
        return {**data, "type": item["type"]}
    if "role" not in item and "content" not in item:
        inner = item.get("message") or item.get("delta")
        if isinstance(inner, dict):
            beside = {key: item[key] for key in ("tool_calls", "index") if item.get(key) and not inner.get(key)}
            return _unwrapped({"role": "assistant", **inner, **beside} if "lc" not in inner else inner)
    if "_role" in item:
        return {"role": item["_role"], "content": item.get("_content"), "name": item.get("_name")}
    return item


def _role(item: dict[str, Any]) -> str | None:
    """Return who speaks, None if the object does not look like a message."""
    role = item.get("role")
    if isinstance(role, dict):  # a serialised enumeration
        role = role.get("value")
    if type(role) is str and role:
        role = role.lower()
        return ROLES.get(role, role) if _is_body(item) else None
    name = item.get("event.name")
    if type(name) is str and name in EVENT_ROLES:
        return EVENT_ROLES[name]
    kind = item.get("type") or item.get("kind")
    if type(kind) is not str:
        return None
    if kind == "TextMessage":
        return "user" if item.get("source") == "user" else "assistant"
    if kind in ("Generation", "GenerationChunk", "text_completion"):
        return "assistant"
    return TYPE_ROLES.get(kind) if kind in ITEM_TYPES or _is_body(item) else None


def _is_plain(part: Any) -> bool:
    """Tell whether a part is a text in the conventions' own form, as nearly all are: it needs no reading."""
    return (
        type(part) is dict
        and len(part) == 2
        and part.get("type") == "text"
        and type(part.get("content")) is str
        and part["content"] != ""
    )


def _is_body(item: dict[str, Any]) -> bool:
    return any(key in item for key in _BODY_KEYS)


def _parts(item: dict[str, Any], role: str) -> list[Part]:
    if _kind(item) in ITEM_TYPES:
        return content_parts(item)
    parts = _thoughts(item)
    content = next((found for key in CONTENT_KEYS if (found := content_parts(_quoted(item.get(key))))), [])
    if role == "tool" and not any(part["type"] == "tool_result" for part in content):
        return [_result(item, content)] if _has_call(item) else parts + content
    parts += [part for part in content if part not in parts]
    parts += [{"type": "refusal", "content": text} for text in (item.get("refusal"),) if type(text) is str and text]
    known = {part["id"] for part in parts if part["type"] == "tool_call" and "id" in part}
    return parts + [call for call in _calls(item) if call.get("id") not in known] + _sound(item)


def _quoted(content: Any) -> Any:
    """Return the blocks that a text spells out as JSON, as flattened attributes do; other content as it is."""
    if type(content) is str and content[:2] == "[{":
        blocks = parsed(content)
        if isinstance(blocks, list) and all(is_block(block) for block in blocks):
            return blocks
    return content


def _thoughts(item: dict[str, Any]) -> list[Part]:
    for key in ("reasoning_content", "reasoning", "thinking"):
        if type(text := item.get(key)) is str and text:
            return [{"type": "reasoning", "content": text}]
    return []


def _has_call(item: dict[str, Any]) -> bool:
    return any(item.get(key) for key in ("tool_call_id", "call_id", "id", "toolCallId", "tool_use_id", "name"))


def _result(item: dict[str, Any], content: list[Part]) -> Part:
    call_id = item.get("tool_call_id") or item.get("call_id") or item.get("toolCallId") or item.get("tool_use_id")
    said: Any = item.get("content", item.get("contents", item.get("text")))
    if content and all(part["type"] == "text" for part in content):
        said = content[0]["content"] if len(content) == 1 else "\n".join(part["content"] for part in content)
    # LangChain's `id` is the message's own, which differs from run to run; the convention's events have the call's.
    own = {} if call_id else {key: item[key] for key in ("id",) if key in item}
    return tool_result({**own, "content": said}, call_id, item.get("name"))


def _calls(item: dict[str, Any]) -> list[Part]:
    more = item.get("additional_kwargs")
    for holder in (item, more if isinstance(more, dict) else {}):
        calls = parsed_container(holder.get("tool_calls") or holder.get("toolCalls"))
        if isinstance(calls, dict):
            calls = [calls]
        if isinstance(calls, list) and calls:
            return [tool_call(_inner_call(call)) for call in calls if isinstance(call, dict)]
        call = parsed_container(holder.get("function_call"))
        if isinstance(call, dict) and call.get("name"):
            return [tool_call(call)]
    return []


def _inner_call(call: dict[str, Any]) -> dict[str, Any]:
    inner = call.get("tool_call")
    return inner if isinstance(inner, dict) else call


def _sound(item: dict[str, Any]) -> list[Part]:
    audio = item.get("audio")
    if not isinstance(audio, dict):
        return []
    return content_parts({"audio": audio}) + content_parts(audio.get("transcript"))


def _of_pydantic(blocks: list[Any], role: str) -> list[Message]:
    """Return the messages of a serialised Pydantic AI message: its parts say who speaks in their `part_kind`."""
    messages: list[Message] = []
    for block in blocks:
        kind = block.get("part_kind") if isinstance(block, dict) else None
        parts = content_parts(block["content"] if kind == "user-prompt" else block) if kind else []
        for message in _split(PART_ROLES.get(str(kind), role), parts, None):
            if messages and messages[-1].role == message.role != "tool":
                messages[-1].parts.extend(message.parts)
            else:
                messages.append(message)
    return messages


def _name(item: dict[str, Any], role: str) -> str | None:
    """Return the name of who speaks; the name of a tool's message is its tool's."""
    name = item.get("name") or (item.get("source") if "source" in item and "type" in item else None)
    return name if type(name) is str and role != "tool" and name.lower() not in (role, "ai") else None


def _split(role: str, parts: list[Part], name: str | None) -> list[Message]:
    """Return the parts as messages: one for each result of a tool, one for the parts between them."""
    if not parts:
        return []
    if len(parts) == 1 and name is None and parts[0]["type"] == "text":
        return [Message(role, parts)]
    messages: list[Message] = []
    for part in parts:
        whose = "tool" if part["type"] == "tool_result" else role
        if whose == "tool" or not messages or messages[-1].role != whose:
            messages.append(Message(whose, [part]))
        else:
            messages[-1].parts.append(part)
    if name:
        messages[0].parts[0].setdefault("name", name)
    return messages


def merged(messages: list[Message]) -> list[Message]:
    """Join what is one answer: OpenAI's Responses and some instrumentations make a message of each item of it."""
    if [message.role for message in messages].count("assistant") < 2:
        return messages
    joined = messages[:1]
    for message in messages[1:]:
        last = joined[-1]
        if message.role == last.role == "assistant" and (_is_head(last) or _is_tail(message)):
            joined[-1] = Message(last.role, last.parts + message.parts)
        else:
            joined.append(message)
    return joined


def _is_head(message: Message) -> bool:
    return all(part["type"] == "reasoning" for part in message.parts)


def _is_tail(message: Message) -> bool:
    return all(part["type"] == "tool_call" for part in message.parts)


def _kind(item: dict[str, Any]) -> str:
    """Return the `type` of an object, "" if it has none."""
    kind = item.get("type")
    return kind if type(kind) is str else ""


def _is_bare(value: Any) -> bool:
    """Tell whether a value is a block of content that stands outside of any message."""
    return is_block(value) and "role" not in value and _kind(value) not in ITEM_TYPES


def _is_alternative(value: Any) -> bool:
    """Tell whether a value is one of several answers to choose from, which are not joined."""
    return isinstance(value, dict) and ("finish_reason" in value or "index" in value or "finishReason" in value)


def _is_silent(value: Any) -> bool:
    """Tell whether a value is a message without content, which ends no conversation: an answer that was cut off."""
    if value is None or value == {}:
        return True
    if not isinstance(value, dict):
        return False
    inner = _unwrapped(value)
    return _role(inner) is not None or _kind(inner) in ITEM_TYPES or "finish_reason" in value


_BODY_KEYS = (*CONTENT_KEYS, "tool_calls", "toolCalls", "function_call", "reasoning_content", "refusal", "audio")
