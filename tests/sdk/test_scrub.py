"""Secrets leave values by the name of their key and by the user's hook."""

from __future__ import annotations

import logging

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import milepost
from milepost._scrub import SCRUBBED, Scrubber, _may_hold_secret, is_secret_key
from milepost.testing import capture

SECRET_KEYS = [
    "authorization", "Authorization", "Proxy-Authorization", "api_key", "apikey", "API-Key", "x-api-key",
    "openaiApiKey", "OPENAI_API_KEY", "password", "db_password", "passwd", "PWD", "secret", "clientSecret",
    "AWS_SECRET_ACCESS_KEY", "token",
    "access_token", "sessionToken", "cookie", "Set-Cookie", "cookies", "credential", "credentials",
    "private_key", "ssh-key", "http.request.header.authorization", "auth", "passphrase", "bearer",
]  # fmt: skip
HARMLESS_KEYS = [
    "input_tokens", "output_tokens", "max_tokens", "max_completion_tokens", "token_count", "tokens", "tokenizer",
    "author", "authors", "keyboard", "key", "keys", "secretary", "passenger", "compass", "path", "pages", "api", "",
]  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(SECRET_KEYS + HARMLESS_KEYS), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_secret_key_is_recognised(key):
    assert is_secret_key(key)


@pytest.mark.parametrize("key", HARMLESS_KEYS)
def test_harmless_key_is_left_alone(key):
    assert not is_secret_key(key)


def _secrets(value, under_secret=False):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _secrets(item, under_secret or (is_secret_key(key) and item is not None))
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item, under_secret)
    elif under_secret:
        yield value


@given(json_values)
def test_nothing_under_a_secret_key_survives_at_any_depth(value):
    scrubbed = msgspec.json.decode(Scrubber().text(msgspec.json.encode(value), "input"))
    assert set(_secrets(scrubbed)) <= {SCRUBBED}


@given(st.dictionaries(st.sampled_from(HARMLESS_KEYS), st.lists(st.text() | st.sampled_from(SECRET_KEYS))))
def test_values_without_secret_keys_are_unchanged(value):
    assert msgspec.json.decode(Scrubber().text(msgspec.json.encode(value), "input")) == value


@given(st.text("aeikloprstuwy_-. KAPT", max_size=16) | st.sampled_from(SECRET_KEYS))
def test_the_quick_look_never_misses_a_secret_key(key):
    if is_secret_key(key):
        assert _may_hold_secret(msgspec.json.encode({"x": [{key: 1}]}))


def test_arguments_attributes_and_log_fields_are_scrubbed():
    with capture() as captured:

        @milepost.task
        def login(user, password):
            milepost.log("signing in", api_key="k")
            milepost.current_task().set_attribute("http.request.header.authorization", "Bearer x")
            return {"nested": [{"access_token": "t", "ok": 1}]}

        login("ann", "hunter2")
    span = captured.span("login")
    assert span.input == {"user": "ann", "password": SCRUBBED}
    assert span.output == {"nested": [{"access_token": SCRUBBED, "ok": 1}]}
    assert span.attributes == {"http.request.header.authorization": SCRUBBED}
    assert captured.events[0].body == {"api_key": SCRUBBED}


def test_hook_sees_path_and_value_and_replaces():
    seen = []

    def hook(path, value):
        seen.append((path, value))
        return "***" if value == "ann@example.org" else value

    with capture(scrub=hook) as captured:
        milepost.start_task("mail", input={"to": ["ann@example.org"], "n": 1}).complete()
    assert captured.span("mail").input == {"to": ["***"], "n": 1}
    assert (("input", "to", "0"), "ann@example.org") in seen


def test_hook_that_raises_costs_the_value_alone(caplog):
    def hook(path, value):
        raise KeyError("no")

    with caplog.at_level(logging.WARNING), capture(scrub=hook) as captured:
        milepost.start_task("mail", input={"to": "ann", "n": 1}).complete()
        assert captured.span("mail").input == {"to": SCRUBBED, "n": SCRUBBED}
    assert [record.getMessage() for record in caplog.records] == [
        "scrub hook failed at input.to: KeyError('no'); the value is scrubbed"
    ]


def test_hook_may_return_what_json_cannot_express():
    with capture(scrub=lambda path, value: object()) as captured:
        milepost.start_task("mail", input={"to": "ann"}).complete()
    assert captured.span("mail").input == {"to": SCRUBBED}
