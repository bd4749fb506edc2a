"""Bodies: any chunking and coding comes out as it went in; limits hold before memory is spent."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import resource
import zlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.errors import BodyTooLargeError, MalformedBodyError
from milepost_collector.web.body import collect, inflate
from tests.collector.server import Server, StartServer

MIB = 1024 * 1024


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


COMPRESS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstandard.ZstdCompressor().compress),
}


@given(data=st.binary(max_size=5000), coding=st.sampled_from(sorted(COMPRESS)))
def test_compressed_body_comes_out_as_it_went_in(data: bytes, coding: str) -> None:
    encoding, compress = COMPRESS[coding]
    assert inflate(encoding, compress(data), 5000) == data


@given(parts=st.lists(st.binary(max_size=500), min_size=1, max_size=5), coding=st.sampled_from(["gzip", "zstd"]))
def test_concatenated_members_are_all_read(parts: list[bytes], coding: str) -> None:
    body = b"".join(COMPRESS[coding][1](part) for part in parts)
    assert inflate(coding, body, 5000) == b"".join(parts)


@given(data=st.binary(min_size=1, max_size=2000), coding=st.sampled_from(sorted(COMPRESS)), cut=st.integers(1, 3))
def test_body_cut_off_is_malformed(data: bytes, coding: str, cut: int) -> None:
    encoding, compress = COMPRESS[coding]
    with pytest.raises(MalformedBodyError, match=f"not valid {encoding}"):
        inflate(encoding, compress(data)[:-cut], 5000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("body", [b"", b"not compressed at all"])
def test_body_that_is_not_compressed_is_malformed(encoding: str, body: bytes) -> None:
    with pytest.raises(MalformedBodyError):
        inflate(encoding, body, 5000)


@given(size=st.integers(1, 300_000), coding=st.sampled_from(sorted(COMPRESS)))
def test_inflated_limit_is_exact(size: int, coding: str) -> None:
    encoding, compress = COMPRESS[coding]
    body = compress(b"x" * size)
    assert len(inflate(encoding, body, size)) == size
    with pytest.raises(BodyTooLargeError, match="inflated body is larger"):
        inflate(encoding, body, size - 1)


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300)))
def test_any_chunking_is_joined(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})

    async def chunks() -> AsyncIterator[bytes]:
        for begin, end in itertools.pairwise(places):
            yield data[begin:end]

    assert asyncio.run(collect(chunks(), 300)) == data
    if data:
        with pytest.raises(BodyTooLargeError, match="compressed body is larger"):
            asyncio.run(collect(chunks(), len(data) - 1))


def post(server: Server, body: object, encoding: str | None = None) -> httpx.Response:
    headers = {"Content-Type": "application/json"} | ({"Content-Encoding": encoding} if encoding else {})
    return server.client.post("/v1/events", content=body, headers=headers)  # type: ignore[arg-type]


@pytest.mark.parametrize("coding", sorted(COMPRESS))
def test_every_coding_is_taken_over_http_in_small_chunks(server: Server, coding: str) -> None:
    encoding, compress = COMPRESS[coding]
    body = compress(b'{"producer_id": "%s", "sequence": 0, "events": []}' % coding.encode())
    answer = post(server, (body[place : place + 3] for place in range(0, len(body), 3)), encoding)
    assert answer.json() == {"accepted": 0, "rejected": [], "duplicate": False}


def test_unknown_coding_is_named_with_the_known_ones(server: Server) -> None:
    answer = post(server, b"x", "br")
    assert answer.status_code == 415
    assert "Content-Encoding 'br' is not supported; send one of gzip, deflate, zstd" in answer.json()["detail"]


@pytest.mark.parametrize("chunked", [True, False])
def test_body_over_the_limit_is_refused(start_server: StartServer, chunked: bool) -> None:
    small = start_server(max_body_bytes=1000)
    answer = post(small, iter([b"x" * 600, b"x" * 600]) if chunked else b"x" * 1200)
    assert answer.status_code == 413
    assert answer.json()["limit"] == 1000


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_ten_megabyte_bomb_costs_no_memory(start_server: StartServer, encoding: str) -> None:
    target = start_server(max_inflated_bytes=8 * MIB)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bomb = bomb_of(encoding, 10 * MIB)
    for _ in range(3):
        answer = post(target, bomb, encoding)
        assert answer.status_code == 413
        assert "the inflated body is larger than 8388608 bytes" in answer.json()["detail"]
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mib < 120  # the bomb itself thrice, on both ends of the socket; inflated it is 10 GB and more
    assert target.client.get("/readyz").status_code == 200


def bomb_of(encoding: str, size: int) -> bytes:
    """Return a body of about `size` bytes that inflates to a thousand times as much."""
    zeros = b"\0" * (64 * MIB)
    if encoding == "zstd":
        frame = zstandard.ZstdCompressor().compress(zeros)
    else:
        frame = gzip.compress(zeros) if encoding == "gzip" else zlib.compress(zeros)
    if encoding == "deflate":  # one stream only: as much again of full flushes
        deflater = zlib.compressobj()
        frame = b"".join(deflater.compress(zeros) for _ in range(4)) + deflater.flush()
        return frame
    return frame * (size // len(frame) + 1)


async def test_clients_that_go_away_in_the_middle_of_a_body_are_no_error(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "milepost.web")
    _, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(server.url).port)
    writer.write(b"POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(10), httpx.AsyncClient(base_url=server.url) as client:
        while "went away" not in caplog.text:
            assert (await client.get("/healthz")).status_code == 200
    assert "unexpected error" not in caplog.text
