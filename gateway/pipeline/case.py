"""What is stored of one declaration, as one unit of work sees it.

Matching an answer, storing it and drawing its consequences look at the same rows again and again. Within a write transaction
nobody else changes them, so each kind of row is read once, when it is first wanted, and what the unit adds is added here too.
A case lives as long as its unit; it is never kept.
"""

from __future__ import annotations

from gateway.ports import DocumentRow, JudgementRow, MessageRow, Reading, StandingRow


class Case:
    """The rows of one declaration and of everything filed and answered about it."""

    __slots__ = ("_documents", "_judgements", "_messages", "_reading", "root_id")

    def __init__(self, reading: Reading, root_id: str) -> None:
        self._reading = reading
        self.root_id = root_id
        self._documents: list[DocumentRow] | None = None
        self._judgements: list[JudgementRow] | None = None
        self._messages: list[MessageRow] | None = None

    @property
    def documents(self) -> list[DocumentRow]:
        """Oldest first."""
        if self._documents is None:
            self._documents = self._reading.documents_of(self.root_id)
        return self._documents

    @property
    def judgements(self) -> list[JudgementRow]:
        """In the order in which they were stored."""
        if self._judgements is None:
            self._judgements = self._reading.judgements_of(self.root_id)
        return self._judgements

    @property
    def messages(self) -> list[MessageRow]:
        """Oldest first. Their statuses are those at the beginning of the unit."""
        if self._messages is None:
            self._messages = self._reading.messages_of(self.root_id)
        return self._messages

    def standing(self, of: str = "") -> StandingRow | None:
        """Where the declaration stands, or the request whose document id is given."""
        return self._reading.standing(of or self.root_id)

    def document(self, document_id: str) -> DocumentRow | None:
        return next((row for row in self.documents if row.id == document_id), None)

    def tells(self, document: DocumentRow, judgement: JudgementRow) -> None:
        """An answer that the unit has just stored."""
        self.documents.append(document)
        self.judgements.append(judgement)
