from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudtui_host import frames

NOISE = st.binary(max_size=40) | st.sampled_from(
    [frames.MAGIC, frames.MAGIC[:3], frames.MAGIC + b"\x01", b"motd\r\n"]
)
PAYLOADS = st.tuples(st.sampled_from([frames.MESSAGE, frames.DATA]), st.binary(max_size=300))


def cut(stream: bytes, sizes: list[int]) -> list[bytes]:
    parts = []
    for size in sizes:
        parts.append(stream[:size])
        stream = stream[size:]
    return [*parts, stream]


@given(st.lists(PAYLOADS, max_size=6), st.lists(st.integers(1, 50), max_size=40))
def test_frames_survive_any_cutting(sent: list[tuple[int, bytes]], sizes: list[int]) -> None:
    decoder = frames.Decoder()
    stream = b"".join(frames.encode(kind, payload) for kind, payload in sent)
    assert [frame for part in cut(stream, sizes) for frame in decoder.feed(part)] == sent
    assert decoder.noise_bytes == 0


@given(st.lists(st.tuples(NOISE, PAYLOADS), max_size=5), NOISE, st.lists(st.integers(1, 50), max_size=40))
def test_frames_are_found_among_noise(
    sent: list[tuple[bytes, tuple[int, bytes]]], last: bytes, sizes: list[int]
) -> None:
    decoder = frames.Decoder()
    stream = b"".join(noise + frames.encode(*frame) for noise, frame in sent) + last
    found = [frame for part in cut(stream, sizes) for frame in decoder.feed(part)]
    # A cut-off frame in the noise may hold the next ones back until so many bytes have come.
    found += decoder.feed(b"\0" * 70_000_000 if len(found) < len(sent) else b"")
    wanted = [frame for _, frame in sent]
    assert found == wanted or _waits(stream)


def _waits(stream: bytes) -> bool:
    """Whether noise reads as the head of a frame that is longer than all that came."""
    at = stream.find(frames.MAGIC)
    while at >= 0:
        if len(stream) - at >= frames.HEAD.size:
            _, kind, length, _ = frames.HEAD.unpack_from(stream, at)
            if kind in (frames.MESSAGE, frames.DATA) and length <= frames.MAX_ACCEPTED:
                return True
        at = stream.find(frames.MAGIC, at + 1)
    return False


@given(PAYLOADS, st.data())
def test_a_changed_frame_is_never_delivered(frame: tuple[int, bytes], data: st.DataObject) -> None:
    encoded = bytearray(frames.encode(*frame))
    at = data.draw(st.integers(9, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    assert frames.Decoder().feed(bytes(encoded)) == []


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**63), st.binary(max_size=100))
def test_data_keeps_its_place(stream: int, offset: int, chunk: bytes) -> None:
    ((kind, payload),) = frames.Decoder().feed(frames.data(stream, offset, chunk))
    assert kind == frames.DATA
    assert frames.split_data(payload) == (stream, offset, chunk)
