"""Chat messages in one shape from every convention, and originals stored without repeating them.

Reading order: `message` (the shape, its id), `parts` and `media` (blocks of content), `shapes` (JSON values to
messages), `sources` with `sources.json` and `table` (which attributes and events hold them; `flattened`, `events` and
`chunks` read the forms that are not JSON), `lift` and `rope` (attributes with what repeats taken out, and put back).
"""

from milepost_collector.protocol.messages.lift import Lifted, lift, piece_ids, restore
from milepost_collector.protocol.messages.message import EncodedMessage, Found, Message, encode_message
from milepost_collector.protocol.messages.sources import event_messages, span_messages

__all__ = [
    "EncodedMessage", "Found", "Lifted", "Message", "encode_message", "event_messages", "lift", "piece_ids", "restore",
    "span_messages",
]  # fmt: skip
