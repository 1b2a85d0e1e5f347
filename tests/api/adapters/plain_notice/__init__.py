"""An adapter for tests of the API: XML with the reference and the values of a document, and replies of one line.

A reply reads ``<Reply ref="..." function="..." code="..." at="...">text</Reply>``, its attributes in any order. A document whose remarks contain
"break" makes encode fail as no adapter should, so that the API's own last defence is seen. What is no reply is refused; where it says
"odd", after a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson

from gateway.errors import Finding, NotWellFormed, Severity
from gateway.mapping.report import DecodeReport, LossReport
from gateway.ports import Agreement, Alias, Decoded, DecodedDocument, EncodeContext, Encoded, Reply

Json = dict[str, Any]
REPLY = re.compile(r'<Reply((?: [a-z]+="[^"]*"){4})>([^<]*)</Reply>')
NAMES = ("ref", "function", "code", "at")


class PlainNotice:
    id = "plain_notice"
    root = Path(__file__).parent

    def check(self, document: Json, context: EncodeContext) -> list[Finding]:
        if document.get("remarks") == "refuse me":
            return [Finding("plain.refused", "/remarks", "refuse me", "something else", "rule 1")]
        return []

    def encode(self, document: Json, context: EncodeContext) -> Encoded:
        if "break" in document.get("remarks", ""):
            raise ZeroDivisionError(document["remarks"])
        reference = str(document.get("functional_reference_id", context.message_id))
        data = f"<Notice ref={quoteattr(reference)}>{escape(orjson.dumps(document).decode())}</Notice>".encode()
        number = context.reserve("plain_notice")
        return Encoded(
            data=data,
            standard="plain_notice",
            version="1",
            message="Notice",
            name=f"notice-{number}.xml",
            media_type="application/xml",
            aliases=(Alias("plain-ref", reference),),
            report=LossReport(carried=tuple(f"/{name}" for name in document)),
        )

    def decode(self, data: bytes, *, tolerant: bool, agreement: Agreement | None = None) -> Decoded:
        match = REPLY.fullmatch(data.decode("utf-8", "replace").strip())
        fields = {} if match is None else dict(re.findall(r'([a-z]+)="([^"]*)"', match[1])) | {"text": match[2]}
        if set(fields) != {*NAMES, "text"}:
            warning = Finding("syntax.element.unknown", found="odd", severity=Severity.WARNING)
            warnings = [warning] if b"odd" in data else []
            raise NotWellFormed("not a reply", [*warnings, Finding("syntax.not_well_formed", found="not a reply")])
        return Decoded.alone(
            "customs_response",
            {"function": fields["function"], "raw_code": fields["code"], **fields},
            "Reply",
            DecodeReport(),
        )

    def replies(self, decoded: DecodedDocument, *, received_us: int, sent: Json | None) -> list[Reply]:
        said = decoded.document
        return [
            Reply(
                document=said,
                function=said["function"],
                raw_code=said["code"],
                raw_text=said["text"],
                issued_us=int(said["at"]),
                aliases=(Alias("plain-ref", said["ref"]),),
                receipt=True,
            )
        ]

    def aliases(self, document: Json) -> Iterable[Alias]:
        shipment = document.get("goods_shipment", {})
        for equipment in shipment.get("consignment", {}).get("transport_equipments", []):
            yield Alias("container", equipment["id"])


ADAPTER = PlainNotice()
