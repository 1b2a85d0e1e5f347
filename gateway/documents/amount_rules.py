"""The rule on amounts of money: it asks the same of every amount, wherever in a document that stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.documents.rules import Book, Complaint, Document, Facts

BOOK: Book[Facts] = Book("document.rule")


@BOOK.rule("DOC-006", "currency_missing", "declaration", "declaration_amendment")
def currency_missing(document: Document, _facts: Facts) -> Iterator[Complaint]:
    """An amount names its currency."""
    # The places are worked out for a document that breaks the rule only: that takes three times as long.
    for place in _lacking(document, ()) if _lacks_currency(document) else ():
        yield Complaint((*place, "currency"))


def _lacks_currency(document: Document) -> bool:
    waiting: list[Any] = [document]
    for part in waiting:
        if type(part) is list:
            waiting += part
        elif type(part) is dict:
            for name, inner in part.items():
                if type(inner) is str:
                    continue
                if _is_amount(name, inner):
                    if _is_bare(inner):
                        return True
                else:
                    waiting.append(inner)
    return False


def _lacking(part: Any, above: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """The steps to every amount without a currency, in the order of the document."""
    if type(part) is list:
        for index, inner in enumerate(part):
            yield from _lacking(inner, (*above, index))
    elif type(part) is dict:
        for name, inner in part.items():
            if not _is_amount(name, inner):
                yield from _lacking(inner, (*above, name))
            elif _is_bare(inner):
                yield (*above, name)


def _is_amount(name: str, part: Any) -> bool:
    return type(part) is dict and name.endswith("amount") and type(part.get("value")) is str


def _is_bare(amount: dict[str, Any]) -> bool:
    return bool(amount["value"]) and not amount.get("currency")
