"""What a person sees who opens a link: one HTML page that needs no script and nothing from anywhere else.

Everything that an agent or a person has written is escaped and stands as plain text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Any

import msgspec

from milepost.wire.asks import Ask
from milepost_collector.web.links.answers import Field, fields_of

STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;overflow-wrap:anywhere}
h1{font-size:1.4rem;line-height:1.3;margin:0 0 .5rem}
pre{padding:.8rem;border:1px solid #8885;border-radius:6px;white-space:pre-wrap;font:13px/1.5 ui-monospace,monospace}
.details{white-space:pre-wrap}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;font-size:.9rem;margin:1rem 0}
dt{opacity:.75}dd{margin:0}
form,details[open]{display:grid;gap:1rem}
form{margin:1.5rem 0}
summary{cursor:pointer}
label,fieldset{display:grid;gap:.25rem}
fieldset{border:0;padding:0;margin:0}
fieldset label{display:flex;gap:.5rem}
input:not([type=radio]),select,textarea{font:inherit;padding:.4rem .5rem}
small{opacity:.75}
.buttons{display:flex;flex-wrap:wrap;gap:.75rem}
button{font:inherit;font-weight:600;padding:.6rem 1.4rem;border:1px solid #8888;border-radius:6px;cursor:pointer}
button.yes{background:#2f64c9;border-color:#2f64c9;color:#fff}
.note{padding:.8rem 1rem;border-left:4px solid #2f64c9;background:#8882}
.note.bad{border-color:#c62828}
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # The page's address is the secret; to itself it may be told, so that the browser says where the form came from.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


def form_page(ask: Ask, to: str, proof: str, *, wrong: str = "", form: Mapping[str, str] | None = None) -> str:
    """Return the page on which an open ask is decided. proof: goes with the form. wrong, form: of the last try."""
    said = form or {}
    note = f'<p class="note bad" role="alert">{escape(wrong)}</p>' if wrong else ""
    body = f"""{_about(ask)}{note}
<form method="post">
<input type="hidden" name="proof" value="{escape(proof)}">
<input type="hidden" name="digest" value="{escape(ask.edited_digest or ask.action_digest)}">
{_choices(ask, said)}
<label>Reason<input name="reason" maxlength="2000" autocomplete="off" value="{escape(said.get("reason", ""))}"></label>
<div class="buttons">{_buttons(ask)}</div>
{_editing(ask, said)}{_handing_on(said)}
</form>
<p><small>You decide as {escape(to)}, once; this link is of no use afterwards. Do not pass it on.</small></p>"""
    return _page(ask.title, body)


def outcome_page(ask: Ask, what: str, *, is_bad: bool = False) -> str:
    """Return the page that tells what became of an ask."""
    bad = " bad" if is_bad else ""
    return _page(ask.title, f'<p class="note{bad}" role="status">{escape(what)}</p>{_about(ask)}')


def handed_on_page(ask: Ask, urls: Mapping[str, str]) -> str:
    """Return the page that tells whoever has let others decide their links, by name."""
    links = "".join(f"<p>{escape(name)}</p><pre>{escape(url)}</pre>" for name, url in urls.items())
    told = "Pass these links on, each to whom it is for: they are told only here, and decide once."
    return _page(ask.title, f'<p class="note" role="status">{told}</p>{links}{_about(ask)}')


def plain_page(title: str, what: str) -> str:
    """Return a page without an ask."""
    return _page(title, f'<h1>{escape(title)}</h1><p class="note bad" role="alert">{escape(what)}</p>')


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>{escape(title)} · Milepost</title><style>{STYLE}</style></head>
<body><main>{body}</main></body></html>
"""


def _editing(ask: Ask, said: Mapping[str, str]) -> str:
    """Return where the action is edited, open when that was tried; nothing where there is nothing to edit."""
    if ask.kind != "approval" or ask.action is None:
        return ""
    text = said.get("action", _json(_current(ask)))
    fits = f"<small>{escape(f'JSON that fits {_json(ask.schema)}')}</small>" if ask.schema is not None else ""
    opened = " open" if said.get("decision") == "edit" else ""
    return (
        f"<details{opened}><summary>Edit and approve</summary>"
        f'<label>The action, as JSON<textarea name="action" rows="10" spellcheck="false">\n{escape(text)}</textarea>'
        f'{fits}</label><div class="buttons"><button name="decision" value="edit">Approve as edited</button></div>'
        "</details>"
    )


def _handing_on(said: Mapping[str, str]) -> str:
    opened = " open" if said.get("decision") == "delegate" else ""
    return (
        f"<details{opened}><summary>Let somebody else decide</summary>"
        '<label>Names, or team:NAME, with commas between<input name="to" autocomplete="off" maxlength="2000" '
        f'value="{escape(said.get("to", ""))}"></label>'
        '<div class="buttons"><button name="decision" value="delegate">Delegate</button></div></details>'
    )


def _current(ask: Ask) -> Any:
    return ask.action if ask.edited_digest is None else ask.edited_action


def _about(ask: Ask) -> str:
    edited = ask.edited_digest is not None
    action = _current(ask)
    parts = [f"<h1>{escape(ask.title)}</h1>"]
    if ask.details:
        parts.append(f'<div class="details">{escape(ask.details)}</div>')
    if action is not None:
        parts.append(f"<h2>{'Action, as edited' if edited else 'Action'}</h2><pre>{escape(_json(action))}</pre>")
    lines = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in _facts(ask) if value)
    return f"{''.join(parts)}<dl>{lines}</dl>"


def _facts(ask: Ask) -> list[tuple[str, str]]:
    return [
        ("Status", ask.status),
        ("Asked by", ask.agent or ""),
        ("Task", ask.task_name or ""),
        ("For", ", ".join(ask.approvers) or "anybody"),
        ("Approvals", f"{ask.approvals} of {ask.quorum}" if ask.quorum > 1 else ""),
        ("Asked", f"{ask.created_at:%Y-%m-%d %H:%M} UTC"),
        ("Expires", f"{ask.expires_at:%Y-%m-%d %H:%M} UTC" if ask.expires_at else ""),
        ("Digest", (ask.edited_digest or ask.action_digest)[:16] if ask.action is not None else ""),
    ]


def _choices(ask: Ask, said: Mapping[str, str]) -> str:
    if ask.options:
        items = "".join(
            f'<label><input type="radio" name="option" value="{escape(option.name)}"'
            f"{' checked' if said.get('option') == option.name else ''}>{escape(option.label or option.name)}</label>"
            for option in ask.options
        )
        return f"<fieldset><legend>Which</legend>{items}</fieldset>"
    if ask.kind != "question":
        return ""
    return "".join(_field(field, said.get(field.name, "")) for field in fields_of(ask.schema))


def _field(field: Field, text: str) -> str:
    name = escape(field.name)
    required = "" if field.required else " <small>(optional)</small>"
    about = f"<small>{escape(field.help)}</small>" if field.help else ""
    return f"<label><span>{escape(field.title)}{required}</span>{_input(field, name, text)}{about}</label>"


def _input(field: Field, name: str, text: str) -> str:
    if field.kind in ("choice", "boolean"):
        choices = field.choices or ("true", "false")
        items = "".join(
            f'<option value="{escape(choice)}"{" selected" if choice == text else ""}>{escape(_shown(choice))}</option>'
            for choice in choices
        )
        return f'<select name="{name}"><option value="">choose …</option>{items}</select>'
    if field.kind == "number":
        return f'<input name="{name}" inputmode="decimal" autocomplete="off" value="{escape(text)}">'
    rows = 6 if field.kind == "json" else 2
    hint = ' placeholder="JSON"' if field.kind == "json" else ""
    return f'<textarea name="{name}" rows="{rows}"{hint}>{escape(text)}</textarea>'


def _shown(choice: str) -> str:
    value = msgspec.json.decode(choice)
    return value if isinstance(value, str) else {True: "yes", False: "no"}.get(value, choice)


def _buttons(ask: Ask) -> str:
    yes = ("answer", "Answer") if ask.kind == "question" else ("approve", "Approve")
    if ask.options and ask.kind != "question":
        yes = ("answer", "Decide")
    no = '<button name="decision" value="reject">Reject</button>'
    return f'<button class="yes" name="decision" value="{yes[0]}">{yes[1]}</button>{no}'


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode()
