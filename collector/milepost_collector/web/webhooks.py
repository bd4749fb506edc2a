"""`/api/webhooks…`: webhooks by id or name, their deliveries, and what is done to them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from milepost.wire.webhooks import (
    DELIVERY_STATUSES,
    DeliveryDetail,
    DeliveryList,
    EventTypeList,
    ReplayAnswer,
    ReplayRequest,
    RotateRequest,
    Webhook,
    WebhookCreate,
    WebhookHold,
    WebhookList,
    WebhookSecret,
    WebhookUpdate,
)
from milepost_collector.web.controller.bodies import Body, answer, nothing
from milepost_collector.web.controller.parameters import Cursor, check
from milepost_collector.web.endpoint import Endpoint, Handler
from milepost_collector.web.events import JSON
from milepost_collector.web.parameters import parse
from milepost_collector.web.state import services
from milepost_collector.webhooks import views
from milepost_collector.webhooks.service import Webhooks

MAX_DELIVERIES = 1_000

_create = Body(WebhookCreate)
_update = Body(WebhookUpdate)
_hold = Body(WebhookHold)
_rotate = Body(RotateRequest)
_replay = Body(ReplayRequest)


class DeliveryListParameters(Struct, kw_only=True):
    """A page of a webhook's deliveries."""

    status: Annotated[
        list[str], Meta(description=f"Any of these statuses; may be repeated: {', '.join(DELIVERY_STATUSES)}.")
    ] = []
    type: Annotated[str, Meta(description="Of this type of event.", max_length=100)] | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(description="Deliveries at most.", ge=1, le=MAX_DELIVERIES)] = 50


async def post_webhook(request: Request) -> Response:
    """Create a webhook."""
    wanted = await _create.read(request)
    return answer(await _webhooks(request).create(wanted), 201)


async def get_webhooks(request: Request) -> Response:
    """Return every webhook."""
    return answer(await services(request).controller.read(views.webhooks))


async def get_event_types(request: Request) -> Response:
    """Return every type of event."""
    return answer(views.event_types())


async def get_webhook(request: Request) -> Response:
    """Return a webhook as it stands."""
    which = _which(request)
    return answer(await services(request).controller.read(lambda tx: views.webhook(tx, views.find_webhook(tx, which))))


async def patch_webhook(request: Request) -> Response:
    """Change a webhook."""
    wanted = await _update.read(request)
    return answer(await _webhooks(request).update(_which(request), wanted))


async def delete_webhook(request: Request) -> Response:
    """Remove a webhook with its deliveries."""
    await _webhooks(request).delete(_which(request))
    return nothing()


async def post_pause(request: Request) -> Response:
    """Hold a webhook's deliveries."""
    wanted = await _hold.read(request)
    return answer(await _webhooks(request).pause(_which(request), wanted))


async def post_resume(request: Request) -> Response:
    """Let a webhook's deliveries go on."""
    wanted = await _hold.read(request)
    return answer(await _webhooks(request).resume(_which(request), wanted))


async def post_rotate(request: Request) -> Response:
    """Give a webhook another secret."""
    wanted = await _rotate.read(request)
    return answer(await _webhooks(request).rotate(_which(request), wanted))


async def post_test(request: Request) -> Response:
    """Send a delivery that says nothing, and tell what came of it."""
    return answer(await _webhooks(request).test(_which(request)))


async def post_replay(request: Request) -> Response:
    """Deliver again what failed."""
    wanted = await _replay.read(request)
    return answer(await _webhooks(request).replay_failed(_which(request), wanted))


async def get_deliveries(request: Request) -> Response:
    """Return a page of a webhook's deliveries, the newest first."""
    which, wanted = _which(request), parse(request.query_params, DeliveryListParameters)
    for status in wanted.status:
        check("status", status, DELIVERY_STATUSES)
    return answer(
        await services(request).controller.read(
            lambda tx: views.deliveries(
                tx, which, statuses=wanted.status, kind=wanted.type, cursor=wanted.cursor, limit=wanted.limit
            )
        )
    )


async def get_delivery(request: Request) -> Response:
    """Return a delivery, what is sent, and every try."""
    which, delivery_id = _which(request), request.path_params["delivery_id"]
    return answer(await services(request).controller.read(lambda tx: views.delivery_detail(tx, which, delivery_id)))


async def post_delivery_replay(request: Request) -> Response:
    """Deliver once more."""
    return answer(await _webhooks(request).replay(_which(request), request.path_params["delivery_id"]))


def _webhooks(request: Request) -> Webhooks:
    return services(request).webhooks


def _which(request: Request) -> str:
    which: str = request.path_params["webhook"]
    return which


def _get(path: str, handler: Handler, kind: Any, summary: str, parameters: type[Struct] | None = None) -> Endpoint:
    errors = (400, 404, 503) if "{" in path else (400, 503)
    return Endpoint(
        path=path, handler=handler, summary=summary, parameters=parameters, answers={JSON: kind}, errors=errors
    )


def _change(path: str, handler: Handler, taken: Any, kind: Any, summary: str, **more: Any) -> Endpoint:
    return Endpoint(
        path=path,
        handler=handler,
        summary=summary,
        body=None if taken is None else {JSON: taken},
        answers={JSON: kind},
        errors=(400, 404, 409, 413, 415, 503),
        **{"method": "POST", **more},
    )


_WEBHOOK = "/api/webhooks/{webhook}"
_DELIVERY = f"{_WEBHOOK}/deliveries/{{delivery_id}}"

WEBHOOK_ENDPOINTS = (
    _change("/api/webhooks", post_webhook, WebhookCreate, WebhookSecret,
            "Create a webhook. Its secret is not shown again.", status=201),
    _get("/api/webhooks", get_webhooks, WebhookList, "Webhooks by name, and how each does."),
    _get("/api/webhooks/events", get_event_types, EventTypeList, "The types of events there are."),
    _change(f"{_DELIVERY}/replay", post_delivery_replay, None, DeliveryDetail, "Deliver once more."),
    _change(f"{_WEBHOOK}/pause", post_pause, WebhookHold, Webhook, "Keep what happens for later.",
            is_body_optional=True),
    _change(f"{_WEBHOOK}/resume", post_resume, WebhookHold, Webhook, "Deliver again, what waits included.",
            is_body_optional=True),
    _change(f"{_WEBHOOK}/rotate", post_rotate, RotateRequest, WebhookSecret,
            "Give a webhook another secret; for a time deliveries are signed with both.", is_body_optional=True),
    _change(f"{_WEBHOOK}/test", post_test, None, DeliveryDetail, "Send `webhook.test` and tell what came of it."),
    _change(f"{_WEBHOOK}/replay", post_replay, ReplayRequest, ReplayAnswer,
            "Deliver again what failed of events since a time."),
    _get(f"{_WEBHOOK}/deliveries", get_deliveries, DeliveryList, "A webhook's deliveries, the newest first.",
         DeliveryListParameters),
    _get(_DELIVERY, get_delivery, DeliveryDetail, "A delivery, what is sent, and every try."),
    _get(_WEBHOOK, get_webhook, Webhook, "A webhook, by id or name."),
    _change(_WEBHOOK, patch_webhook, WebhookUpdate, Webhook, "Change a webhook.", method="PATCH"),
    Endpoint(path=_WEBHOOK, method="DELETE", handler=delete_webhook, summary="Remove a webhook with its deliveries.",
             answers={}, status=204, errors=(404, 503)),
)  # fmt: skip
