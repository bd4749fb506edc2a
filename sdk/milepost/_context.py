"""The current span lives in OpenTelemetry's context and nowhere else.

Beside OpenTelemetry's own key a second one remembers the innermost span of ours, so that it is found from inside a span
of another library.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.context import Context, attach, create_key, detach, get_current, set_value

__all__ = ["OWN_KEY", "SPAN_KEY", "Context", "attach", "detach", "get_current", "suppressed"]

# The key is private to OpenTelemetry, but a context made by its public function holds nothing else.
SPAN_KEY = next(iter(trace.set_span_in_context(trace.INVALID_SPAN, Context())))
OWN_KEY = create_key("milepost-span")

# Both spellings are in use: the first by most instrumentations, the second by those of HTTP clients.
_SUPPRESSION_KEYS = ("suppress_instrumentation", "suppress_http_instrumentation")


def suppressed() -> Context:
    """Return a context in which instrumented libraries record nothing, for our own requests."""
    from opentelemetry import context as api

    context = Context()
    private = (
        getattr(api, "_SUPPRESS_INSTRUMENTATION_KEY", None),
        getattr(api, "_SUPPRESS_HTTP_INSTRUMENTATION_KEY", None),
    )
    for key in (*_SUPPRESSION_KEYS, *private):
        if key:
            context = set_value(key, True, context)
    return context
