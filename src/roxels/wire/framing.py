"""Text messages as the bytes of a WebSocket: whole, from a server and so unmasked (RFC 6455, section 5.2)."""

from collections.abc import Iterable
from typing import Final

#: Where the server takes many messages at one go, it is named among the extensions of a connection's scope; then they
#: stand under this name in a `websocket.send`.
TOGETHER: Final = "roxels.texts"
#: Seconds that a listener may take to accept what is sent at one go before it is hung up on; it can come back any time.
SEND_TIMEOUT: Final = 30.0

WHOLE_TEXT = 0x81
#: Sizes above these are told in two bytes, or in eight.
SHORT, LONG = 125, 0xFFFF


def framed(texts: Iterable[str]) -> bytes:
    """The messages, each a frame of its own."""
    parts: list[bytes] = []
    for text in texts:
        payload = text.encode()
        size = len(payload)
        if size <= SHORT:
            parts.append(bytes((WHOLE_TEXT, size)))
        elif size <= LONG:
            parts.append(bytes((WHOLE_TEXT, 126, size >> 8, size & 0xFF)))
        else:
            parts.append(bytes((WHOLE_TEXT, 127)) + size.to_bytes(8))
        parts.append(payload)
    return b"".join(parts)
