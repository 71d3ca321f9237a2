"""Messages as bytes: a client that was written by others reads each as one whole text."""

from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from roxels.wire.framing import framed


def read(data: bytes) -> list[Frame]:
    """The frames that a WebSocket client finds."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    frames: list[Frame] = []
    while reader.buffer:
        parsed = Frame.parse(reader.read_exact, mask=False)
        try:
            while True:
                next(parsed)
        except StopIteration as end:
            frames.append(end.value)
    return frames


def test_each_message_is_one_whole_text_of_its_size() -> None:
    texts = ["", "a", *("x" * size for size in (125, 126, 127, 65_535, 65_536, 70_000)), "ünïcödé 🙂" * 20, "last"]
    frames = read(framed(texts))
    assert [bytes(frame.data).decode() for frame in frames] == texts
    assert all(frame.opcode is Opcode.TEXT and frame.fin for frame in frames)
    assert framed([]) == b""
