"""Rules on what follows a declaration: its amendment, its cancellation, the presentation of its goods."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.documents.rules import Book, Complaint, Document, Facts, at, members, text
from gateway.documents.shape import short

AMENDMENT = "declaration_amendment"
CANCELLATION = "declaration_cancellation"
BOOK: Book[Facts] = Book("document.rule")


@BOOK.rule("DOC-010", "change_missing", AMENDMENT)
def change_missing(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """An amendment says at least one change."""
    if not any(members(document, "changes")) and not at(document, "content"):
        yield Complaint(("changes",))


@BOOK.rule("DOC-011", "change_nowhere", AMENDMENT)
def change_nowhere(document: Document, facts: Facts) -> Iterator[Complaint]:
    """A change points to a place that a declaration has."""
    for index, change in members(document, "changes"):
        pointer = at(change, "pointer")
        if isinstance(pointer, str) and not facts.has_place("declaration", pointer):
            yield Complaint(("changes", index, "pointer"), short(pointer))


@BOOK.rule("DOC-012", "change_of_nothing", AMENDMENT)
def change_of_nothing(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """A value differs before and after a change."""
    for index, change in members(document, "changes"):
        new = text(change, "new_value")
        if new is not None and new == text(change, "old_value"):
            yield Complaint(("changes", index, "new_value"), short(new))


@BOOK.rule("DOC-013", "reason_missing", CANCELLATION)
def reason_missing(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """A cancellation gives its reason."""
    content = at(document, "content")
    given = [
        text(document, "reason_code"),
        text(document, "reason_text"),
        *(text(said, "statement_description") for _, said in members(content, "additional_informations")),
        *(text(change, "change_reason_code") for _, change in members(content, "amendments")),
    ]
    if not any(given):
        yield Complaint(("reason_code",))


@BOOK.rule("DOC-014", "declaration_unnamed", AMENDMENT, CANCELLATION, "goods_presentation")
def declaration_unnamed(document: Document, facts: Facts) -> Iterator[Complaint]:
    """The declaration that is meant is named by at least one number."""
    if facts.follows:
        return
    meant = at(document, "declaration")
    names = ("id", "functional_reference_id", "unified_number", "pre_entry_number")
    if isinstance(meant, dict) and not any(text(meant, name) for name in names):
        yield Complaint(("declaration", "id"))
