"""What a problem's ``type`` leads to: a readable page of one code, in the language of whoever asks.

The page says what the catalogue says of the code, with the names of the values where an answer has the values themselves, and lists
the codes below it. It needs no key: there is nothing of anybody in it.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Mapping

from starlette.types import Send

from gateway.api.native import Asked
from gateway.errors import Finding, NotFound
from gateway.texts import own

STYLE = "body{font:16px/1.6 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}var{color:#555}code{background:#eee;padding:0 .2em}"
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
WORDS = {
    "en": {
        "action": "What to do",
        "below": "More exactly",
        "values": "An answer has the values themselves in these places.",
    },
    "zh": {"action": "处理办法", "below": "细分代码", "values": "实际应答中，上述位置为具体的值。"},
}
_FIELD = re.compile(r"\{([a-z_]+)\}")


async def show(asked: Asked, send: Send) -> None:
    """Answer with the page of a code; NotFound where neither the code nor a beginning of it is in the catalogue."""
    code = str(asked.values["code"])
    texts = asked.parts.texts
    if not texts.known(code):
        raise NotFound("no such code", [Finding("not_found", found=code)])
    below = [other for other in texts.codes() if other.startswith(f"{code}.")]
    body = page(code, texts.written(code, asked.lang), below, asked.lang).encode()
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-language": asked.lang,
        "content-length": str(len(body)),
        "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'",
        "vary": "Accept-Language",
        "x-content-type-options": "nosniff",
    }
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def page(code: str, row: Mapping[str, str], below: list[str], lang: str) -> str:
    """The page as HTML. row: title, text and action as the catalogue has them."""
    words = WORDS[own(lang)]
    title, text, action = (_marked(row[part]) for part in ("title", "text", "action"))
    listed = "".join(f'<li><a href="/problems/{other}"><code>{other}</code></a></li>' for other in below)
    parts = [
        f"<h1>{title}</h1><p><code>{html.escape(code)}</code></p><p>{text}</p>",
        f"<p><small>{words['values']}</small></p>" if "<var>" in text else "",
        f"<h2>{words['action']}</h2><p>{action}</p>",
        f"<h2>{words['below']}</h2><ul>{listed}</ul>" if below else "",
    ]
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{html.escape(code)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>{"".join(parts)}</body></html>'
    )


def _marked(text: str) -> str:
    """A template for people: without the brackets of what may be absent, and with the names of values set apart."""
    bare = text.replace("[", "").replace("]", "")
    return _FIELD.sub(r"<var>\1</var>", html.escape(bare))
