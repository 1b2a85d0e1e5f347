"""The adapter: which message is meant, how it is read and written, what the gateway adds to a declaration it files.

Rule 1: what is read is never lost: a value that its canonical field cannot take goes to the remainder (remainder.py).
Rule 2: in a round trip the sender's own numbers and habits are written again; when filing, the agreement decides them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lxml import etree

from adapters.cn_declaration import filing, receipts, recognise, remainder, rules
from adapters.cn_declaration.mapping import REQUEST_KINDS, STANDARD, Dialect, Forms
from gateway.documents.shape import Shape
from gateway.errors import Finding, NotFound, RuleBroken, SchemaBroken, Severity
from gateway.mapping import LossReport, Mapping
from gateway.mapping.family import Form, Read, located, read
from gateway.mapping.report import Later, Leaf
from gateway.ports import AdapterKit, Alias, Decoded, EncodeContext, Encoded, Json, Reply

BAG_POINTER = "/extensions/"


class CnDeclaration:
    """One partner message family: declarations, requests about them, and what customs answers."""

    id = STANDARD

    def __init__(self, kit: AdapterKit) -> None:
        self.root: Path = kit.root
        self._documents = kit.documents
        self._forms = Forms(kit.documents.codelists, kit.schemas)
        self._shapes: dict[str, Shape] = {}
        self._empty: dict[str, Callable[[etree._Element], bool]] = {}

    @cached_property
    def mappings(self) -> dict[str, Mapping]:
        """Every table of the family by name, for checks and docs."""
        return self._forms.mappings()

    def check(self, document: Json, context: EncodeContext) -> list[Finding]:
        """The numbered rules of this partner for a document that is to be filed."""
        kind = _kind(context)
        try:
            return rules.check(kind, document, context, self._documents.codelists)
        except (AttributeError, TypeError, KeyError):
            findings = self._shape(kind).findings(document)
            if not findings:
                raise
            return findings

    def encode(self, document: Json, context: EncodeContext) -> Encoded:
        """The message. RuleBroken and SchemaBroken carry every fault with its JSON Pointer."""
        kind = _kind(context)
        try:
            return self._encode(kind, document, context)
        except (AttributeError, TypeError, KeyError) as problem:
            findings = self._shape(kind).findings(document) or []
            if not findings and isinstance(document, dict):
                raise
            raise SchemaBroken(f"this is no {kind}", findings) from problem

    def _encode(self, kind: str, document: Json, context: EncodeContext) -> Encoded:
        if context.facts.get("roundtrip"):
            return self._written_again(kind, document, context)
        if kind != "declaration" and kind not in REQUEST_KINDS:
            raise _unknown_kind(kind)
        declaration = self._forms.of_declaration(filing.message_of(context), filing.dialect_of(context))
        form = self._forms.of_request(kind) if kind in REQUEST_KINDS else declaration
        prepared = filing.prepare(kind, document, context, declaration)
        data, report = self._written(form, prepared.document, tolerant=False)
        report = _told(report, prepared)
        aliases = tuple(dict.fromkeys((Alias("cn-client-seq-no", prepared.number), *self.aliases(document))))
        return self._encoded(form, data, prepared.name, aliases, report)

    def _written_again(self, kind: str, document: Json, context: EncodeContext) -> Encoded:
        """A message as it was read: its own numbers, its own dialect, its own faults."""
        bag = filing.bag_of(document)
        message = str(context.facts.get("message") or "")
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
        entries = filing.remainder_of(document)
        if entries:
            data = remainder.restore(data, entries, form.schema.table)
        try:
            form.schema.parse_and_check(data, tolerant=tolerant)
        except SchemaBroken as refused:
            raise located(form, refused, data, document) from None
        return data, form.mapping.loss(document)

    # Reading.

    def decode(self, data: bytes, *, tolerant: bool) -> Decoded:
        """Any message of the family. SchemaBroken and RuleBroken carry every fault; tolerant reading reports what it lets pass."""
        seen = recognise.Recogniser(self._forms)
        taken = read(data, seen.form_for, tolerant=tolerant, known=recognise.ROOTS)
        self._keep_rest(taken, data, tolerant=tolerant)
        document = taken.document
        if taken.form.kind == "declaration":
            document.setdefault("extensions", {}).setdefault(STANDARD, {}).update(seen.dialect.remembered())
        elif taken.form.kind == "customs_response":
            document = receipts.completed(taken.form.name, document)
        return Decoded(taken.form.kind, document, taken.form.name, taken.report)

    def _keep_rest(self, taken: Read, data: bytes, *, tolerant: bool) -> None:
        """Move what canonical fields cannot take to the remainder; strict reading refuses instead."""
        report, table = taken.report, taken.form.schema.table
        misfits = list(self._misfits(taken))
        if misfits and not tolerant:
            raise RuleBroken("the message holds values we cannot read", list(_unread(misfits)), code="mapping.unread")
        told_in_bag = [place for place, pointer in report.mapped.items() if pointer.startswith(BAG_POINTER)]
        for place in told_in_bag:
            report.bag.append(Leaf(place, None, "", report.mapped.pop(place)))
        if not (misfits or report.lost or report.unmapped or report.findings or self._odd(taken, data)):
            return
        unread = [*report.lost, *misfits]
        reached = {remainder.plain(place) for place in (*report.mapped, *(leaf.place for leaf in report.bag))}
        entries = remainder.gather(
            taken.root, table, unread={remainder.plain(leaf.place) for leaf in unread}, reached=reached
        )
        report.findings += [replace(finding, severity=Severity.WARNING) for finding in _unread(unread)]
        report.bag += [*unread, *report.unmapped]
        report.lost.clear()
        report.unmapped.clear()
        if entries:
            taken.document.setdefault("extensions", {}).setdefault(STANDARD, {})["remainder"] = entries

    def _odd(self, taken: Read, data: bytes) -> bool:
        """Does the message hold blanks around values, or empty elements where a value must stand?"""
        form = taken.form
        if form.name not in self._empty:
            self._empty[form.name] = remainder.empty_required(form.schema.table)
        return remainder.is_padded(data, taken.root) or self._empty[form.name](taken.root)

    def _misfits(self, taken: Read) -> Iterator[Leaf]:
        """Values that were read and that the canonical schema does not admit; they are taken out of the document."""
        findings = self._shape(taken.form.kind).findings(taken.document)
        if not findings:
            return
        places = {pointer: place for place, pointer in taken.report.mapped.items()}
        for finding in findings:
            pointer = finding.pointer or ""
            while pointer and pointer not in places:
                pointer = pointer.rpartition("/")[0]
            if pointer:
                place = places.pop(pointer)
                del taken.report.mapped[place]
                found = _taken_out(taken.document, pointer)
                yield Leaf(place, None, str(found)[:80], f"expected {finding.expected or finding.code}")

    def _shape(self, kind: str) -> Shape:
        if kind not in self._shapes:
            self._shapes[kind] = Shape(self._documents.schema(kind))
        return self._shapes[kind]

    # Answers and ids.

    def replies(self, decoded: Decoded, *, received_us: int, sent: Json | None) -> list[Reply]:
        """The one answer in a receipt; nothing in a declaration."""
        if decoded.kind != "customs_response":
            return []
        return [receipts.reply(decoded.document, decoded.message, received_us=received_us, sent=sent)]

    def aliases(self, document: Json) -> Iterable[Alias]:
        """Containers, plates, bills, contract, batch or voyage, carnet, references: what people ask for."""
        return filing.aliases(document)


def _kind(context: EncodeContext) -> str:
    return str(context.facts.get("kind") or context.kind)


def _unread(leaves: Iterable[Leaf]) -> Iterator[Finding]:
    for leaf in leaves:
        place = f"{leaf.place} (line {leaf.line})" if leaf.line else leaf.place
        yield Finding("mapping.unread", partner_place=place, found=leaf.value[:80], expected=leaf.reason)


def _taken_out(document: Json, pointer: str) -> Any:
    """Remove the value at a pointer that a mapping wrote, and objects that hold nothing any more."""
    steps = pointer.split("/")[1:]
    holders: list[Any] = [document]
    for step in steps[:-1]:
        holder = holders[-1]
        holders.append(holder[int(step)] if isinstance(holder, list) else holder[step])
    value = holders[-1].pop(steps[-1])
    for above, step, holder in zip(reversed(holders[:-1]), reversed(steps[:-1]), reversed(holders[1:]), strict=True):
        if holder or isinstance(above, list):
            break
        del above[step]
    return value


def _told(report: LossReport, prepared: filing.Prepared) -> LossReport:
    """The report in the words of the document as it was given: what the gateway set instead is no carried value of it."""
    replaced = prepared.replaced
    carried = Later(lambda: tuple(pointer for pointer in report.carried if pointer not in replaced))
    return replace(report, carried=carried, ignored={**report.ignored, **replaced}, constants=prepared.constants)


def _unknown_kind(kind: str) -> NotFound:
    finding = Finding("cn_declaration.kind", found=kind[:80], expected=", ".join(("declaration", *REQUEST_KINDS)))
    return NotFound(f"this partner takes no {kind[:80]}", [finding], code=finding.code)
