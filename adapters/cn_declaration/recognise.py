"""Which message of the family a document of XML is, and how its sender writes: seen from its root and a few values."""

from __future__ import annotations

from lxml import etree

from adapters.cn_declaration.mapping import Dialect, Forms
from adapters.cn_declaration.remainder import mark_leading_blanks
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
            mark_leading_blanks(root)
            self.dialect = dialect_of(root)
            return self._forms.of_declaration(name.lower(), self.dialect)
        if name == "DecModMessage":
            return self._forms.of_request(request_kind(root))
        return self._forms.of_reply(REPLY_ROOTS[name]) if name in REPLY_ROOTS else None


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
    countries, currencies = map(_world, _codes(message))
    signed = trimmed(message.findtext("{*}EdocRealation/{*}SignTime") or "")
    nested = message.find("{*}TrnContaGoodsList/{*}TrnContaGoods") is not None
    return Dialect(
        countries=countries or currencies or "letters",
        currencies=currencies or countries or "letters",
        signing_time="compact" if signed.isascii() and signed.isdigit() else "spaced",
        container_goods="nested" if nested else "flat",
    )


def _codes(message: Element) -> tuple[list[str], list[str]]:
    """The codes of countries and of currencies in head, goods items, royalties and self-assessed duty."""
    parents = [
        *message.iterchildren("{*}DecHead", "{*}DecRoyaltyFee", "{*}SddTax"),
        *message.iterfind("{*}DecLists/{*}DecList"),
    ]
    countries: list[str] = []
    currencies: list[str] = []
    for parent in parents:
        countries += [text for child in parent.iterchildren(*COUNTRIES) if (text := child.text)]
        currencies += [text for child in parent.iterchildren(*CURRENCIES) if (text := child.text)]
    return countries, currencies


def _world(texts: list[str]) -> str | None:
    codes = [code for text in texts if len(code := trimmed(text)) == 3 and code.isascii()]
    numbers = sum([code.isdigit() for code in codes])
    letters = sum([code.isalpha() for code in codes])
    if numbers == letters == 0:
        return None
    return "numbers" if numbers > letters else "letters"
