"""Rules on what follows a declaration: its amendment, its cancellation, the presentation of its goods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.documents.rules import Book, Complaint, Facts, at, members, text
from gateway.documents.shape import short
from gateway.errors import Severity

Document = Mapping[str, Any]
AMENDMENT = ("declaration_amendment",)
CANCELLATION = ("declaration_cancellation",)
BOOK = Book()


@BOOK.register(
    "DOC-010", "change_missing", AMENDMENT, source="WCO Data Model, 06A: an amendment says what it changes",
    zh="修改申请应至少有一项修改", en="An amendment says at least one change",
)  # fmt: skip
def change_missing(document: Document, _facts: Facts) -> Iterator[Complaint]:
    if not any(members(document, "changes")) and not at(document, "content"):
        yield Complaint(("changes",))


@BOOK.register(
    "DOC-011", "change_nowhere", AMENDMENT, source="RFC 6901; the place is one of a declaration",
    zh="修改位置应是报关单中的栏目", en="A change points to a place that a declaration has",
)  # fmt: skip
def change_nowhere(document: Document, facts: Facts) -> Iterator[Complaint]:
    for index, change in members(document, "changes"):
        pointer = at(change, "pointer")
        if isinstance(pointer, str) and not facts.has_place("declaration", pointer):
            yield Complaint(("changes", index, "pointer"), short(pointer))


@BOOK.register(
    "DOC-012", "change_of_nothing", AMENDMENT, source="a change leaves something different",
    zh="修改前后内容不应相同", en="A value differs before and after a change",
    severity=Severity.WARNING,
)  # fmt: skip
def change_of_nothing(document: Document, _facts: Facts) -> Iterator[Complaint]:
    for index, change in members(document, "changes"):
        new = text(change, "new_value")
        if new is not None and new == text(change, "old_value"):
            yield Complaint(("changes", index, "new_value"), short(new))


@BOOK.register(
    "DOC-013", "reason_missing", CANCELLATION, source="WCO Data Model, 099 and 225: a cancellation gives its reason",
    zh="撤销申请应注明原因", en="A cancellation gives its reason",
)  # fmt: skip
def reason_missing(document: Document, _facts: Facts) -> Iterator[Complaint]:
    content = at(document, "content")
    given = [
        text(document, "reason_code"),
        text(document, "reason_text"),
        *(text(said, "statement_description") for _, said in members(content, "additional_informations")),
        *(text(change, "change_reason_code") for _, change in members(content, "amendments")),
    ]
    if not any(given):
        yield Complaint(("reason_code",))


@BOOK.register(
    "DOC-014", "declaration_unnamed", (*AMENDMENT, *CANCELLATION, "goods_presentation"),
    source="a request names the declaration it is about",
    zh="应注明所涉报关单的编号", en="The declaration that is meant is named by at least one number",
)  # fmt: skip
def declaration_unnamed(document: Document, facts: Facts) -> Iterator[Complaint]:
    if facts.follows:
        return
    meant = at(document, "declaration")
    names = ("id", "functional_reference_id", "unified_number", "pre_entry_number")
    if isinstance(meant, dict) and not any(text(meant, name) for name in names):
        yield Complaint(("declaration", "id"))
