"""Names, types, digests and dispositions."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.wire.deliverables import name_problem
from milepost_collector.deliverables.headers import (
    INERT,
    checked_content_type,
    digest_field,
    disposition,
    matches,
    read_digest,
    read_text,
)
from milepost_collector.errors import InvalidParameterError


@given(st.text(max_size=30) | st.text(alphabet="./\\:a\0 ~", max_size=12))
def test_a_name_that_is_taken_stays_in_its_folder(name: str) -> None:
    """Whatever is taken is one plain part of a path, on any system."""
    if name_problem(name) is not None:
        return
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(name)
        assert path.parts == (name,)
        assert (kind("folder") / name).parent == kind("folder")


@pytest.mark.parametrize(
    "name", ["report.pdf", "Bericht für Q4.pptx", "日本語.csv", "a", "x" * 200, "data (2).json", "é"]
)
def test_ordinary_names_are_taken(name: str) -> None:
    """Any script, blanks and brackets."""
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "/etc/passwd", "C:x", "x" * 201, "a\nb", "a\0", ".hidden", "end.",
             "e\u0301"]
)  # fmt: skip
def test_other_names_are_refused(name: str) -> None:
    """Nothing that leads elsewhere, hides or cannot be a file."""
    assert name_problem(name) is not None


@given(content=st.binary())
def test_a_digest_is_read_as_it_is_written(content: bytes) -> None:
    """Also beside digests of other algorithms."""
    digest = hashlib.sha256(content).hexdigest()
    assert read_digest(digest_field(digest)) == digest
    assert read_digest(f"unixsum=:AAA=:, {digest_field(digest)}") == digest


@pytest.mark.parametrize("field", ["sha-256=abc", "sha-256=:abc:", "sha-256=:!!:", "sha-256="])
def test_a_malformed_digest_is_refused(field: str) -> None:
    """It would otherwise check nothing."""
    with pytest.raises(InvalidParameterError, match="Content-Digest"):
        read_digest(field)


def test_digests_of_other_algorithms_are_passed_over() -> None:
    """As RFC 9530 says."""
    assert read_digest(None) is None
    assert read_digest("md5=:AAAA:") is None


@pytest.mark.parametrize(
    "kind", ["text/plain", "text/plain; charset=utf-8", 'a/b; x="y z"', "application/vnd.ms-x+json"]
)
def test_media_types_are_taken(kind: str) -> None:
    """With parameters."""
    assert checked_content_type(kind) == kind


@pytest.mark.parametrize("kind", ["", "text", "text/", "text/plain\r\nX: y", "text/html, x", "a b/c", f"a/{'b' * 260}"])
def test_what_is_no_media_type_is_refused(kind: str) -> None:
    """It becomes a header of the answer."""
    with pytest.raises(InvalidParameterError):
        checked_content_type(kind)


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "application/xml", "text/xml", "application/xhtml+xml", "application/pdf",
             "text/javascript", "application/octet-stream", "multipart/x-mixed-replace", "TEXT/HTML; charset=utf-8"]
)  # fmt: skip
def test_what_could_be_active_is_always_saved(kind: str) -> None:
    """Only types that browsers merely show are shown."""
    assert disposition("x", kind, save=False).startswith("attachment;")


def test_inert_types_are_shown_unless_they_are_to_be_saved() -> None:
    """The list holds no type that runs anything."""
    assert disposition("x", "image/png", save=False).startswith("inline;")
    assert disposition("x", "image/png", save=True).startswith("attachment;")
    assert not any(word in kind for kind in INERT for word in ("html", "xml", "svg", "script", "pdf"))


@given(st.text(min_size=1, max_size=40).filter(lambda name: name_problem(name) is None))
def test_a_disposition_carries_any_name_safely(name: str) -> None:
    """The header is ASCII, one line, and tells the name back."""
    header = disposition(name, "text/plain", save=False)
    assert header.isascii()
    assert header.isprintable()
    assert unquote(header.rpartition("UTF-8''")[2]) == name
    assert header.count('"') == 2


def test_entity_tags_are_compared_weakly() -> None:
    """In lists too."""
    assert matches('"a", W/"b"', '"b"')
    assert matches("*", '"b"')
    assert not matches('"a"', '"b"')
    assert not matches(None, '"b"')


def test_texts_of_headers_are_percent_encoded() -> None:
    """Headers are ASCII, people are not."""
    assert read_text("milepost-by", "J%C3%BCrgen") == "Jürgen"
    for wrong in ("%ff", "", "%20", "a%00b", "x" * 201):
        with pytest.raises(InvalidParameterError):
            read_text("milepost-by", wrong)
