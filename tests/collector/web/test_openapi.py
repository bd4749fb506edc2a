"""/openapi.json is valid, complete, and true of the answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.routing import Route

from milepost_collector.app import create_app
from milepost_collector.config import CollectorConfig
from milepost_collector.web.openapi import document
from tests.collector.server import Server


def test_document_is_valid_openapi() -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(document())


def test_every_route_is_described_and_nothing_else(tmp_path: Any) -> None:
    app = create_app(CollectorConfig(data_dir=tmp_path))
    served = {
        (route.path.replace(":path}", "}"), method.lower())
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(path, method) for path, operations in document()["paths"].items() for method in operations}
    assert described == served


def test_every_reference_resolves() -> None:
    whole = document()
    names = set(re.findall(r"#/components/schemas/([^'\"]+)", str(whole)))
    assert names <= whole["components"]["schemas"].keys()
    assert {"RunSummary", "SpanDetail", "Batch", "Problem", "SqlResult"} <= names


def test_parameters_are_described() -> None:
    for path, operations in document()["paths"].items():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                assert parameter["in"] == "path" or parameter["description"], (path, parameter["name"])


def test_document_is_served(server: Server) -> None:
    assert server.get("/openapi.json") == document()


def test_refusals_of_otlp_are_in_its_own_encodings() -> None:
    responses = document()["paths"]["/v1/traces"]["post"]["responses"]
    for status in ("400", "413", "415", "503"):
        assert responses[status]["content"].keys() == {"application/x-protobuf", "application/json"}
    assert "application/problem+json" in document()["paths"]["/api/runs"]["get"]["responses"]["400"]["content"]
