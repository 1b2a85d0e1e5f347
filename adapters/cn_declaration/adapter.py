"""The adapter: which message is meant, how it is read and written, what the gateway adds to a declaration it files.

Rule 1: what is read is never lost: a value that its canonical field cannot take goes to the remainder (remainder.py).
Rule 2: in a round trip the sender's own numbers and habits are written again; when filing, the agreement decides them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from adapters.cn_declaration import filing, receipts, recognise, rules
from adapters.cn_declaration.mapping import REQUEST_KINDS, STANDARD, Dialect, Forms
from adapters.cn_declaration.remainder import LEFTOVERS
from gateway.documents.shape import Shape
from gateway.errors import Finding, NotFound, SchemaBroken
from gateway.mapping import LossReport, Mapping
from gateway.mapping.family import Form, located, read
from gateway.mapping.report import Later
from gateway.ports import (
    AdapterKit,
    Agreement,
    Alias,
    Decoded,
    DecodedDocument,
    EncodeContext,
    Encoded,
    Json,
    Reply,
)


class CnDeclaration:
    """One partner message family: declarations, requests about them, and what customs answers."""

    id = STANDARD
    book = rules.BOOK

    def __init__(self, kit: AdapterKit) -> None:
        self.root: Path = kit.root
        self._documents = kit.documents
        self._forms = Forms(kit.documents.codelists, kit.schemas)
        self._shapes: dict[str, Shape] = {}

    @cached_property
    def mappings(self) -> dict[str, Mapping]:
        """Every table of the family by name, for checks and docs."""
        return self._forms.mappings()

    def check(self, document: Json, context: EncodeContext) -> list[Finding]:
        """The numbered rules of this partner for a document that is to be filed."""
        return rules.check(context.kind, document, context, self._documents, self._fields)

    @cached_property
    def _fields(self) -> frozenset[str]:
        """The fields of the declaration by name, as an amendment names them."""
        table = self._forms.of_declaration("decmessage", Dialect()).mapping.table
        return frozenset(node.name for node in table.walk() if node.is_leaf)

    def encode(self, document: Json, context: EncodeContext) -> Encoded:
        """The message. RuleBroken and SchemaBroken carry every fault with its JSON Pointer."""
        kind = context.kind
        if context.as_received:
            return self._written_again(kind, document, context)
        if kind != "declaration" and kind not in REQUEST_KINDS:
            raise _unknown_kind(kind)
        declaration = self._forms.of_declaration(filing.message_of(context), filing.dialect_of(context))
        form = self._forms.of_request(kind) if kind in REQUEST_KINDS else declaration
        prepared = filing.prepare(kind, document, context, declaration, self._shape("declaration").findings)
        data, report = self._written(form, prepared.document, tolerant=False)
        report = _told(report, prepared)
        aliases = tuple(dict.fromkeys((Alias("cn-client-seq-no", prepared.number), *self.aliases(document))))
        return self._encoded(form, data, prepared.name, aliases, report)

    def _written_again(self, kind: str, document: Json, context: EncodeContext) -> Encoded:
        """A message as it was read: its own numbers, its own dialect, its own faults."""
        bag = filing.bag_of(document)
        message = context.message
        if kind == "declaration":
            chosen = message if message in ("decmessage", "importmessage") else filing.message_of(context)
            world = str(context.agreement.parameters.get("code_world") or "letters")
            form = self._forms.of_declaration(chosen, Dialect.recalled(bag, world))
        elif kind in REQUEST_KINDS:
            form = self._forms.of_request(kind)
        elif kind == "customs_response":
            form = self._forms.of_reply(message or receipts.message_of(document))
        else:
            raise _unknown_kind(kind)
        data, report = self._written(form, document, tolerant=True)
        name = str(document.get("functional_reference_id") or form.name)
        return self._encoded(form, data, f"{name}.xml", tuple(self.aliases(document)), report)

    def _encoded(self, form: Form, data: bytes, name: str, aliases: tuple[Alias, ...], report: LossReport) -> Encoded:
        return Encoded(
            data=data,
            standard=STANDARD,
            version=form.schema.table.version,
            message=form.name,
            name=name,
            media_type="application/xml",
            aliases=aliases,
            report=report,
        )

    def _written(self, form: Form, document: Json, *, tolerant: bool) -> tuple[bytes, LossReport]:
        """The checked bytes. tolerant: faults that a tolerant reader lets pass may be written again."""
        data = form.mapping.encode(document).encode()
        data = LEFTOVERS.put_back(data, document, form.schema.table)
        try:
            form.schema.parse_and_check(data, tolerant=tolerant)
        except SchemaBroken as refused:
            raise located(form, refused, data, document) from None
        return data, form.mapping.loss(document)

    # Reading.

    def decode(self, data: bytes, *, tolerant: bool, agreement: Agreement | None = None) -> Decoded:
        """Any message of the family. SchemaBroken and RuleBroken carry every fault; tolerant reading reports what it lets pass.

        A message tells its dialect itself, whatever the agreement says of those that leave.
        """
        seen = recognise.Recogniser(self._forms)
        taken = read(data, seen.form_for, tolerant=tolerant, known=recognise.ROOTS)
        kind, form, document = taken.form.kind, taken.form, taken.document
        if kind == "declaration":
            document.setdefault("extensions", {}).setdefault(STANDARD, {}).update(seen.dialect.remembered())
        elif kind == "customs_response":
            receipts.complete(form.name, document)
        LEFTOVERS.settle(
            taken.root, data, document, taken.report, form.schema.table, self._shape(kind), tolerant=tolerant
        )
        return Decoded.alone(kind, document, form.name, taken.report)

    def _shape(self, kind: str) -> Shape:
        if kind not in self._shapes:
            self._shapes[kind] = Shape(self._documents.schema(kind))
        return self._shapes[kind]

    # Answers and ids.

    def replies(self, decoded: DecodedDocument, *, received_us: int, sent: Json | None) -> list[Reply]:
        """The one answer in a receipt; nothing in a declaration."""
        if decoded.kind != "customs_response":
            return []
        return [receipts.reply(decoded.document, decoded.message, received_us=received_us, sent=sent)]

    def aliases(self, document: Json) -> Iterable[Alias]:
        """Containers, plates, bills, contract, batch or voyage, carnet, references: what people ask for."""
        return filing.aliases(document)


def _told(report: LossReport, prepared: filing.Prepared) -> LossReport:
    """The report in the words of the document as it was given: what the gateway set instead is no carried value of it."""
    replaced = prepared.replaced
    carried = Later(lambda: tuple(pointer for pointer in report.carried if pointer not in replaced))
    return replace(report, carried=carried, ignored={**report.ignored, **replaced}, constants=prepared.constants)


def _unknown_kind(kind: str) -> NotFound:
    finding = Finding("cn_declaration.kind", found=kind[:80], expected=", ".join(("declaration", *REQUEST_KINDS)))
    return NotFound(f"this partner takes no {kind[:80]}", [finding], code=finding.code)
