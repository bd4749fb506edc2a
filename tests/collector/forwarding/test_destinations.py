"""Settings to addresses and headers."""

from __future__ import annotations

import pytest

from milepost.errors import ConfigurationError
from milepost_collector.forwarding import parse_destinations

ONE, TWO = "https://one.example.com/otlp", "http://two.example.com:4318"


@pytest.mark.parametrize("url", [ONE, ONE + "/", " https://One.Example.com/otlp "])
def test_signal_path_is_added_to_the_base_address(url: str):
    [destination] = parse_destinations([url], [])
    assert destination.address("logs") == "https://one.example.com/otlp/v1/logs"


def test_header_goes_to_the_only_destination():
    [destination] = parse_destinations([ONE], ["Authorization=Bearer a=b%2C c"])
    assert destination.headers == {"authorization": "Bearer a=b, c"}


def test_header_goes_to_the_destination_it_names():
    one, two = parse_destinations([ONE, TWO], [f"{TWO}/ x-key=2", f"{ONE} x-key=1", f"{ONE} x-team=t"])
    assert (one.headers, two.headers) == ({"x-key": "1", "x-team": "t"}, {"x-key": "2"})


def test_same_address_twice_is_one_destination():
    assert len(parse_destinations([ONE, ONE + "/"], [])) == 1


def test_folder_depends_on_the_address_only():
    [plain], [with_key], [other] = (
        parse_destinations([ONE], []),
        parse_destinations([ONE], ["a=b"]),
        parse_destinations([TWO], []),
    )
    assert plain.folder == with_key.folder != other.folder
    assert plain.folder.startswith("one.example.com-")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://host", "must be http:// or https://"),
        ("host:4318", "must be http:// or https://"),
        ("http://", "must be http:// or https://"),
        ("http://host/?key=1", "must be http:// or https://"),
        ("http://host:99999", "is not an address"),
        ("http://user:secret@host", "put them into forward_headers"),
    ],
)
def test_address_that_cannot_be_used_is_refused(url: str, message: str):
    with pytest.raises(ConfigurationError, match=message) as error:
        parse_destinations([url], [])
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.0.0.2"])
def test_own_address_is_refused(host: str):
    with pytest.raises(ConfigurationError, match="is this collector itself"):
        parse_destinations([f"http://{host}:4600/elsewhere"], [], own_port=4600)
    assert parse_destinations([f"http://{host}:4601"], [], own_port=4600)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Bearer secret", "number 1 is not"),
        ("x-key=secret\r\nx-more=1", "number 1 is not"),
        ("x-key=secret%0D%0Ax: 1", "number 1 is not"),
        ("=secret", "number 1 is not"),
        ("content-type=secret", "is set by Milepost itself"),
        ("x-key=secret", "does not say which of 2 destinations"),
        ("https://three.example.com x-key=secret", "which forward_to does not name"),
    ],
)
def test_header_that_cannot_be_used_is_refused_without_showing_it(header: str, message: str):
    with pytest.raises(ConfigurationError, match=message) as error:
        parse_destinations([ONE, TWO], [header])
    assert "secret" not in str(error.value)


def test_headers_are_not_in_a_destinations_repr():
    assert "secret" not in repr(parse_destinations([ONE], ["x-key=secret"]))
