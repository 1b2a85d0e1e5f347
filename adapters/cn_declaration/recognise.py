"""Which message of the family a document of XML is, and how its sender writes: seen from its root and a few values."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree

from adapters.cn_declaration.mapping import Dialect, Forms
from adapters.cn_declaration.remainder import POSITIONAL, mark_leading_blanks
from adapters.cn_declaration.requests import CANCELLATION_TYPE
from gateway.mapping.family import Form
from gateway.syntax.white_space import trimmed

Element = etree._Element

ROOTS = ("DecMessage", "ImportMessage", "DecModMessage", "DecImportResponse", "DEC_RESULT", "DEC_DATA", "Root")
REPLY_ROOTS = {
    "DecImportResponse": "decimportresponse",
    "DEC_RESULT": "dec_result",
    "DEC_DATA": "dec_data",
    "Root": "dec_root",
}
NUMBERS = re.compile(r"[0-9]{3}", re.ASCII)
LETTERS = re.compile(r"[A-Za-z]{3}", re.ASCII)
COUNTRIES = ("{*}TradeCountry", "{*}TradeAreaCode", "{*}OriginCountry", "{*}DestinationCountry", "{*}RcepOrigPlaceCode")
CURRENCIES = ("{*}TradeCurr", "{*}FeeCurr", "{*}InsurCurr", "{*}OtherCurr", "{*}Curr")


class Recogniser:
    """Picks the form for one message and remembers how its sender writes."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self.dialect = Dialect()

    def form_for(self, root: Element) -> Form | None:
        """The form that reads this message, None for a root of another family. Leading blanks of positional texts are marked."""
        name = etree.QName(root).localname
        if name in ("DecMessage", "ImportMessage"):
            _drop_comments_in_positional(root)
            mark_leading_blanks(root)
            self.dialect = dialect_of(root)
            return self._forms.of_declaration(name.lower(), self.dialect)
        if name == "DecModMessage":
            return self._forms.of_request(request_kind(root))
        return self._forms.of_reply(REPLY_ROOTS[name]) if name in REPLY_ROOTS else None


def _drop_comments_in_positional(root: Element) -> None:
    """A comment would stand between a positional text and its leading blanks. The tree is ours: signatures were verified before."""
    for element in root.iter(*(f"{{*}}{name}" for name in POSITIONAL)):
        if len(element):
            etree.strip_tags(element, etree.Comment, etree.ProcessingInstruction)


def request_kind(root: Element) -> str:
    """A request that names no changed field, or says so by its kind, asks for a cancellation."""
    kind = trimmed(root.findtext("{*}DecModType") or "").lstrip("0")
    if kind == CANCELLATION_TYPE or root.find("{*}Items/{*}Item") is None:
        return "declaration_cancellation"
    return "declaration_amendment"


def dialect_of(root: Element) -> Dialect:
    """The sender's habits: the code world that most values belong to, the form of the first signing time, the layout of goods."""
    message = root if etree.QName(root).localname == "DecMessage" else root.find("{*}SWImpData/{*}DecMessage")
    if message is None:
        return Dialect()
    countries = _world(_texts(message, COUNTRIES))
    currencies = _world(_texts(message, CURRENCIES))
    signed = trimmed(message.findtext("{*}EdocRealation/{*}SignTime") or "")
    nested = message.find("{*}TrnContaGoodsList/{*}TrnContaGoods") is not None
    return Dialect(
        countries=countries or currencies or "letters",
        currencies=currencies or countries or "letters",
        signing_time="compact" if signed.isascii() and signed.isdigit() else "spaced",
        container_goods="nested" if nested else "flat",
    )


def _texts(message: Element, names: Iterable[str]) -> list[str]:
    """The values of these elements in head, goods items, royalties and self-assessed duty."""
    parents = [
        *message.iterchildren("{*}DecHead", "{*}DecRoyaltyFee", "{*}SddTax"),
        *message.iterfind("{*}DecLists/{*}DecList"),
    ]
    return [trimmed(child.text) for parent in parents for child in parent.iterchildren(*names) if child.text]


def _world(texts: list[str]) -> str | None:
    numbers = sum(NUMBERS.fullmatch(text) is not None for text in texts)
    letters = sum(LETTERS.fullmatch(text) is not None for text in texts)
    if numbers == letters == 0:
        return None
    return "numbers" if numbers > letters else "letters"
