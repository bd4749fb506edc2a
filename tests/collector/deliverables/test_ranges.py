"""Ranges of bytes against slices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.deliverables.ranges import UnsatisfiableRange, read_range

sizes = st.integers(min_value=0, max_value=50)
places = st.integers(min_value=0, max_value=60)


@given(size=sizes, first=places, last=places)
def test_first_and_last_are_a_slice(size: int, first: int, last: int) -> None:
    """`bytes=first-last` is content[first:last + 1], unless that is nothing."""
    header, content = f"bytes={first}-{last}", bytes(range(size))
    if last < first:
        assert read_range(header, size) is None
    elif not content[first:]:
        with pytest.raises(UnsatisfiableRange):
            read_range(header, size)
    else:
        part = read_range(header, size)
        assert part is not None
        assert content[part.start : part.end] == content[first : last + 1]


@given(size=sizes, first=places)
def test_open_end_is_the_rest(size: int, first: int) -> None:
    """`bytes=first-` is content[first:]."""
    content = bytes(range(size))
    if not content[first:]:
        with pytest.raises(UnsatisfiableRange):
            read_range(f"bytes={first}-", size)
    else:
        part = read_range(f"bytes={first}-", size)
        assert part is not None
        assert content[part.start : part.end] == content[first:]


@given(size=sizes, length=st.integers(min_value=1, max_value=60))
def test_suffix_is_the_end(size: int, length: int) -> None:
    """`bytes=-n` is content[-n:]; all of it when there is less."""
    part, content = read_range(f"bytes=-{length}", size), bytes(range(size))
    assert content[-length:] == (content if part is None else content[part.start : part.end])


@pytest.mark.parametrize(
    "header", [None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "items=0-1", "bytes=5-1", "0-1"]
)
def test_what_is_not_one_range_of_bytes_is_not_followed(header: str | None) -> None:
    """The whole is answered, as RFC 9110 allows."""
    assert read_range(header, 10) is None


@given(header=st.text(max_size=40), size=sizes)
def test_any_text_is_the_whole_a_part_or_refused(header: str, size: int) -> None:
    """No header breaks anything, and no part lies outside."""
    try:
        part = read_range(header, size)
    except UnsatisfiableRange:
        return
    assert part is None or 0 <= part.start < part.end <= size


def test_a_suffix_of_nothing_is_refused() -> None:
    """There is no last zero bytes."""
    with pytest.raises(UnsatisfiableRange):
        read_range("bytes=-0", 10)
