"""Settings: what is accepted, what is refused and with which words."""

from __future__ import annotations

import pytest

import milepost
from milepost._config import DEFAULT_ENDPOINT, Config


def test_defaults_need_no_environment():
    config = Config.from_env({})
    assert (config.endpoint, config.capture, config.disabled) == (DEFAULT_ENDPOINT, True, False)
    assert (config.flush_interval_ms, config.flush_events, config.exit_timeout_ms) == (200, 512, 2_000)


def test_environment_sets_every_documented_variable():
    config = Config.from_env(
        {
            "MILEPOST_ENDPOINT": "https://collector.example/base/",
            "MILEPOST_AGENT": "writer",
            "MILEPOST_CAPTURE": "off",
            "MILEPOST_DISABLED": "true",
            "MILEPOST_FLUSH_INTERVAL_MS": "50",
            "MILEPOST_FLUSH_EVENTS": "7",
            "MILEPOST_MAX_QUEUE_EVENTS": "1000",
            "MILEPOST_MAX_QUEUE_BYTES": "1000000",
            "MILEPOST_MAX_VALUE_BYTES": "4096",
            "MILEPOST_EXIT_TIMEOUT_MS": "0",
            "MILEPOST_REQUEST_TIMEOUT_MS": "900",
        }
    )
    assert config == Config(
        endpoint="https://collector.example/base/",
        agent="writer",
        capture=False,
        disabled=True,
        flush_interval_ms=50,
        flush_events=7,
        max_queue_events=1_000,
        max_queue_bytes=1_000_000,
        max_value_bytes=4_096,
        exit_timeout_ms=0,
        request_timeout_ms=900,
    )


def test_settings_win_over_the_environment():
    config = Config.from_env({"MILEPOST_AGENT": "from-env", "MILEPOST_CAPTURE": "on"}, agent="given", capture=False)
    assert (config.agent, config.capture) == ("given", False)


def test_opentelemetry_resource_names_the_service_and_the_agent():
    config = Config.from_env(
        {
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=shop,service.version=1.2,team=a%20b,broken",
            "OTEL_SERVICE_NAME": "til",
        }
    )
    assert (config.service_name, config.service_version, config.agent_name) == ("til", "1.2", "til")
    assert config.resource_attributes == {"team": "a b"}


@pytest.mark.parametrize(("text", "disabled"), [("true", True), ("TRUE", True), ("1", False), ("", False)])
def test_opentelemetry_disables_with_true_alone(text, disabled):
    assert Config.from_env({"OTEL_SDK_DISABLED": text}).disabled is disabled


def test_otlp_endpoint_is_not_mistaken_for_a_collector():
    assert Config.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318"}).endpoint == DEFAULT_ENDPOINT


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("MILEPOST_FLUSH_INTERVAL_MS", "soon", "whole number from 10 to 60000, got 'soon'"),
        ("MILEPOST_FLUSH_INTERVAL_MS", "5", "whole number from 10 to 60000, got 5"),
        ("MILEPOST_CAPTURE", "maybe", "must be on or off, got 'maybe'"),
        ("MILEPOST_DISABLED", "2", "must be on or off, got '2'"),
        ("MILEPOST_ENDPOINT", "localhost:4600", "must be http:// or https://"),
        ("MILEPOST_ENDPOINT", "http://[::1", "is not an address"),
    ],
)
def test_malformed_variable_is_named_with_its_value(variable, text, words):
    with pytest.raises(milepost.ConfigurationError) as caught:
        Config.from_env({variable: text})
    assert caught.value.setting == variable
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"endpoint": 5},
        {"endpoint": "ftp://host"},
        {"endpoint": "http://host?x=1"},
        {"agent": 7},
        {"scrub": "not callable"},
        {"max_queue_events": True},
        {"max_value_bytes": 1.5},
    ],
)
def test_malformed_setting_is_refused_at_once(settings):
    with pytest.raises(milepost.ConfigurationError):
        milepost.Client(**settings)


def test_unknown_setting_lists_the_known_ones():
    with pytest.raises(milepost.ConfigurationError, match=r"no_such: no such setting; there are endpoint, agent"):
        Config.from_env({}, no_such=1)


def test_configuration_error_is_a_value_error_and_a_milepost_error():
    assert issubclass(milepost.ConfigurationError, ValueError)
    assert issubclass(milepost.ConfigurationError, milepost.MilepostError)
