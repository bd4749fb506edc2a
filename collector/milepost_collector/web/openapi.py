"""/openapi.json, generated from the endpoint table and the msgspec types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost._version import __version__
from milepost_collector.protocol.api import Problem
from milepost_collector.web.endpoint import Endpoint
from milepost_collector.web.problems import MEDIA_TYPE
from milepost_collector.web.routes import ENDPOINTS

PATH = "/openapi.json"
_REF = "#/components/schemas/{name}"
_ID_DIGITS = {"run_id": 32, "span_id": 16, "message_id": 32}
_NUMBERS = ("attempt",)


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    endpoints = [*ENDPOINTS, OPENAPI]
    types = list(dict.fromkeys([Problem, *(kind for endpoint in endpoints for kind in _types(endpoint))]))
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, by_type)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Milepost collector",
            "version": __version__,
            "summary": "Takes events of agents in and answers what they did.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components},
    }
    # As it reads once it is JSON: defaults of the types are tuples and structs.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(whole))
    return plain


async def get_openapi(request: Request) -> Response:
    """Return the document."""
    return Response(msgspec.json.encode(document()), media_type="application/json")


OPENAPI = Endpoint(
    path=PATH, handler=get_openapi, summary="This document.", answers={"application/json": dict[str, Any]}
)


def _types(endpoint: Endpoint) -> Iterable[Any]:
    return (kind for kind in [*(endpoint.body or {}).values(), *endpoint.answers.values()] if kind is not None)


def _operation(endpoint: Endpoint, by_type: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "parameters": [*_path_parameters(endpoint.path), *_query_parameters(endpoint.parameters)],
        "responses": _responses(endpoint, by_type),
    }
    if endpoint.body:
        operation["requestBody"] = {
            "required": not endpoint.is_body_optional,
            "content": _content(endpoint.body, by_type),
        }
    return operation


def _responses(endpoint: Endpoint, by_type: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    problem = {MEDIA_TYPE: {"schema": by_type[Problem]}}
    refusal = problem if endpoint.refusals is None else _content(endpoint.refusals, by_type)
    errors = {str(status): {"description": _phrase(status), "content": refusal} for status in endpoint.errors}
    answer = {
        "description": "The answer.",
        **({"content": _content(endpoint.answers, by_type)} if endpoint.answers else {}),
    }
    return {
        **{str(status): answer for status in (endpoint.status, *endpoint.also)},
        **errors,
        "default": {"description": "Any other error.", "content": problem},
    }


def _content(types: dict[str, Any], by_type: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    return {media_type: {"schema": by_type[kind]} if kind else {} for media_type, kind in types.items()}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(name)}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _path_schema(name: str) -> dict[str, Any]:
    if name in _NUMBERS:
        return {"type": "integer", "minimum": 1}
    if name in _ID_DIGITS:
        return {"type": "string", "pattern": f"^[0-9a-fA-F]{{{_ID_DIGITS[name]}}}$"}
    return {"type": "string", "minLength": 1}


def _query_parameters(wanted: type[Struct] | None) -> list[dict[str, Any]]:
    if wanted is None:
        return []
    schema = msgspec.json.schema_components([wanted], ref_template=_REF)[1][wanted.__name__]
    return [_query_parameter(name, dict(field)) for name, field in schema["properties"].items()]


def _query_parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = next(
        (option for option in (schema, *schema.get("anyOf", ())) if "description" in option), {}
    )
    return {"name": name, "in": "query", "description": described.get("description", ""), "schema": schema}


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"\w+", endpoint.path.replace(".", "_"))
    return "_".join([endpoint.method.lower(), *words])


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase
