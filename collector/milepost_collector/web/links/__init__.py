"""One-time links to asks: made over the API, opened in any browser.

Read `handlers` (the addresses), `page` (what a person sees, pure: no script, everything escaped) and `answers` (fields
of a form for simple JSON Schemas, pure).
"""

from milepost_collector.web.links.handlers import LINK_ENDPOINTS

__all__ = ["LINK_ENDPOINTS"]
