"""Chat messages in one shape from every convention, and originals stored without repeating them.

Reading order: `message` (the shape, its id), `parts` and `media` (blocks of content), `shapes` (JSON values to
messages), `sources` with `sources.json` and `table` (which attributes and events hold them; `flattened`, `events` and
`chunks` read the forms that are not JSON), `lift`, `telling` and `rope` (attributes with what repeats taken out, and
put back).
"""

from milepost_collector.protocol.messages.lift import Lifted, lift, piece_ids, restore
from milepost_collector.protocol.messages.message import EncodedMessage, Found, Message, encode_message
from milepost_collector.protocol.messages.sources import event_messages, span_messages
from milepost_collector.protocol.messages.telling import LONG_TEXT, Text, text_of

__all__ = [
    "LONG_TEXT", "EncodedMessage", "Found", "Lifted", "Message", "Text", "encode_message", "event_messages", "lift",
    "piece_ids", "restore", "span_messages", "text_of",
]  # fmt: skip
