"""WCO Data Model declarations (DEC) and the answers to them (RES), as customs of several countries profile them.

Only what these messages mean is here; bytes, sockets, clocks and keys are elsewhere. A document on its way out: requests.py
writes out what stands twice, references.py adds what the message says of itself, mapping.py writes it; then the schema has its say. The way in is the way
back; each response in a wrapper is a document (several.py). What no canonical field holds of a received message (LEFTOVERS)
lies in the bag, for a round trip alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from lxml import etree

from adapters.wco_declaration import mapping, receipts, references, requests, rules, several
from adapters.wco_declaration.parts import EORI
from adapters.wco_declaration.pointers import Places
from gateway.documents.shape import Shape
from gateway.errors import Finding, Rejected, RuleBroken, SchemaBroken, errors_only
from gateway.mapping import DecodeReport, Mapping
from gateway.mapping.family import Form, located
from gateway.mapping.leftovers import Leftovers
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
from gateway.syntax.explain import text_of
from gateway.syntax.tables import ElementTable
from gateway.syntax.white_space import trimmed
from gateway.syntax.xml import parse

STANDARD, VERSION = mapping.ADAPTER, "3.6"
DECLARATION, RESPONSE = "declaration", "customs_response"
KINDS = {
    DECLARATION: mapping.declaration,
    requests.AMENDMENT: mapping.declaration_amendment,
    requests.CANCELLATION: mapping.declaration_cancellation,
    requests.PRESENTATION: mapping.goods_presentation,
    RESPONSE: mapping.customs_response,
}
LEFTOVERS = Leftovers(mapping.ADAPTER, mapping.LEFT)
KIND_OF_TYPE = {code: kind for kind, code in requests.REQUESTS.items()}


class WcoDeclaration:
    """Fulfils gateway.ports.Adapter."""

    id = mapping.ADAPTER
    book = rules.BOOK

    def __init__(self, kit: AdapterKit) -> None:
        self.root = kit.root
        self._schemas = kit.schemas
        self._rules_data = kit.documents.rules_data
        self._mapping = cache(self._make_mapping)
        self._form = cache(self._make_form)
        self._shape = cache(lambda kind: Shape(kit.documents.schema(kind)))
        self._places = cache(lambda kind: Places(self._mapping(kind, EORI)))

    @property
    def mappings(self) -> dict[str, Mapping]:
        """One a kind of document, for loss tables and docs."""
        return {kind: self._mapping(kind, EORI) for kind in KINDS}

    def _make_mapping(self, kind: str, scheme: str) -> Mapping:
        message = "notification" if kind == RESPONSE else "declaration"
        return KINDS[kind](self._schemas.table(STANDARD, VERSION, message), scheme)

    def _make_form(self, kind: str, message: str, scheme: str) -> Form:
        return Form(message, self._mapping(kind, scheme), self._schemas.schema(STANDARD, VERSION, message))

    # Out.

    def check(self, document: Json, context: EncodeContext) -> list[Finding]:
        return rules.check(document, context, self._rules_data)

    def encode(self, document: Json, context: EncodeContext) -> Encoded:
        """The message, checked; in a round trip as the sender wrote it, with the sender's own numbers and faults."""
        kind = context.kind
        if kind not in KINDS:
            finding = Finding("wco_declaration.kind", found=kind, expected=", ".join(KINDS))
            raise RuleBroken(f"{kind} is no document of this family", [finding], code=finding.code)
        again = context.as_received
        name = _message(kind, context.message)
        form = self._form(kind, name, mapping.party_scheme(context.agreement))
        expanded = requests.expand(kind, document, self._places(DECLARATION)) if kind in requests.REQUESTS else None
        whole = expanded.document if expanded else document
        added = {} if again or kind == RESPONSE else references.added(kind, document, context)
        if added:
            whole = references.with_added(whole, added)
        data = self._written(form, whole, checked=not again)
        further = context.further if kind == RESPONSE else ()
        if further:
            data = several.join(data, [self._written(form, one, checked=not again) for one in further])
        report = form.mapping.loss(whole)
        if expanded:
            report = expanded.report(report)
        return Encoded(
            data=data,
            standard=STANDARD,
            version=VERSION,
            message=form.name,
            name=str(whole.get("functional_reference_id") or context.message_id),
            media_type="application/xml",
            aliases=tuple(references.aliases(whole)),
            report=references.told(report, added),
            documents=1 + len(further),
        )

    def _written(self, form: Form, document: Json, *, checked: bool) -> bytes:
        data = form.mapping.encode(document).encode()
        if not checked:
            return LEFTOVERS.put_back(data, document, form.mapping.table)
        if entries := LEFTOVERS.entries_of(document):
            # What a sender once wrote is for writing the same message again; a filing says only what was checked.
            finding = Finding("wco_declaration.as_written", LEFTOVERS.pointer, f"{len(entries)}")
            raise RuleBroken("the bag of a round trip cannot be filed", [finding], code=finding.code)
        try:
            form.schema.parse_and_check(data)
        except SchemaBroken as refused:
            raise located(form, refused, data, document) from None
        return data

    # In.

    def decode(self, data: bytes, *, tolerant: bool, agreement: Agreement | None = None) -> Decoded:
        """Any message of the family. The very tree that was checked is the one that is decoded.

        Of several responses one that cannot be read stops no other; where none can, all their faults are raised.
        """
        root = parse(data)
        kind = _kind(root, self._mapping(DECLARATION, EORI).table)
        if kind is None:
            found, expected = _shown(root), "MetaData of WCO DMS with one Declaration, or with Responses"
            finding = Finding("syntax.message.unknown", found=found, expected=expected, partner_place="/ (line 1)")
            raise SchemaBroken("this is no message of the family", [finding], code=finding.code)
        form = self._form(kind, "notification" if kind == RESPONSE else "declaration", mapping.party_scheme(agreement))
        findings = form.schema.check(root, tolerant=tolerant)
        trees = several.split(root) if kind == RESPONSE else [root]
        faults = errors_only(findings)
        broken = several.by_response(faults) if len(trees) > 1 else {}
        if faults and (not broken or len(broken) == len(trees)):
            raise _broken(form, findings)
        message = self._message_of(kind, form, root)
        documents: list[DecodedDocument] = []
        for number, tree in enumerate(trees, 1):
            try:
                if number in broken:
                    raise _broken(form, broken[number])
                document, report = self._read(kind, form, tree, data, findings, tolerant=tolerant)
                documents.append(DecodedDocument(kind, document, message, several.placed(report, number)))
            except Rejected as refusal:
                if len(trees) == 1:
                    raise
                refused = several.placed_refusal(refusal, number)
                documents.append(DecodedDocument(kind, {}, message, DecodeReport(), refused))
        documents[0].report.findings[:0] = [finding for finding in findings if finding not in faults]
        return Decoded(several.readable(documents))

    def _read(
        self, kind: str, form: Form, root: etree._Element, data: bytes, findings: list[Finding], *, tolerant: bool
    ) -> tuple[Json, DecodeReport]:
        document, report = form.mapping.decode(root)
        LEFTOVERS.settle(
            root,
            data,
            document,
            report,
            form.mapping.table,
            self._shape(kind),
            tolerant=tolerant,
            orderly=not findings,
        )
        if kind == RESPONSE:
            receipts.explain(document, self._find)
        elif kind in requests.REQUESTS:
            requests.explain(kind, document, self._places(DECLARATION))
        return document, report

    def _message_of(self, kind: str, form: Form, root: etree._Element) -> str:
        """A cancellation has a narrower form of its own; real ones keep it or do not."""
        if kind == requests.CANCELLATION:
            narrow = self._form(kind, _message(kind, ""), EORI)
            return narrow.name if narrow.schema.accepts(root) else form.name
        return form.name

    def replies(self, decoded: DecodedDocument, *, received_us: int, sent: Json | None) -> list[Reply]:
        """The one answer in a response. Without a time of issue the time of arrival counts."""
        if decoded.kind != RESPONSE:
            return []
        return [receipts.reply(decoded.document, received_us=received_us, sent=sent, find=self._find)]

    def _find(self, steps: list[Json], sent: Json | None) -> str | None:
        """Where WCO steps lead in the document that was sent, whatever kind it is."""
        kind = DECLARATION
        if sent is not None and "direction" not in sent:
            kind = KIND_OF_TYPE.get(str(sent.get("type_code", "")), requests.AMENDMENT)
        return self._places(kind).json_pointer(steps, sent)

    def aliases(self, document: Json) -> Iterable[Alias]:
        return references.aliases(document)


def _broken(form: Form, findings: list[Finding]) -> SchemaBroken:
    return SchemaBroken(f"the message breaks {form.name} in {len(findings)} places", findings, code="syntax.schema")


def _message(kind: str, wanted: str) -> str:
    """The partner's message for a kind of document."""
    if kind == RESPONSE:
        return "notification"
    return "cancellation" if kind == requests.CANCELLATION and wanted != "declaration" else "declaration"


def _kind(root: etree._Element, table: ElementTable) -> str | None:
    """Which kind of document a message is: by what the wrapper holds, and for a Declaration by function and type.

    A Declaration of another namespace is another standard or another edition, not a declaration with odd names.
    """
    inside = [child for child in root if _name(child) in ("Declaration", "Response")]
    ours = {"", *table.namespaces.values()}
    if _name(root) != "MetaData" or any((etree.QName(one).namespace or "") not in ours for one in (root, *inside)):
        return None
    names = {_name(child) for child in inside}
    if names == {"Response"}:
        return RESPONSE
    if names != {"Declaration"} or len(inside) != 1:
        return None
    marks = {
        name: trimmed(text_of(child)) for child in inside[0] if (name := _name(child)) in ("FunctionCode", "TypeCode")
    }
    if marks.get("FunctionCode") != references.ADDITIONAL:
        return DECLARATION
    return KIND_OF_TYPE.get(marks.get("TypeCode", ""), requests.AMENDMENT)


def _shown(root: etree._Element) -> str:
    """The root and, in a wrapper, what it holds: enough to see which message it is."""
    inside = ", ".join(str(child.tag) for child in root if _name(child) in ("Declaration", "Response"))
    return (f"{root.tag} with {inside}" if inside else str(root.tag))[:240]


def _name(element: etree._Element) -> str:
    """The local name, "" for a comment."""
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""


ADAPTER = WcoDeclaration
