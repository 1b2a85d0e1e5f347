"""What customs answers, as the lifecycle and the correlation need it.

A response (07B) says by its function code what happened; one declaration gets many, in no certain order, and only the time of
issue puts them in line. The codes and the names of the messages are those of the profile; what they mean for us is here.
Source: WCO Data Model 3.6, Response; CDS declaration notifications.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapters.wco_declaration.pointers import shown
from gateway.ports import Alias, Json, Reply

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INFO, WARNING, ERROR = "info", "warning", "error"
REQUEST_ANSWER, GENERAL_ERROR = "11", "18"
GRANTED = "39"
LRN, MRN = "wco-lrn", "mrn"
ANSWERS_TO_REQUESTS = frozenset({"request_granted", "request_refused", "amended", "cancelled"})

Find = Callable[[list[Json], Json | None], str | None]


@dataclass(frozen=True, slots=True)
class Meaning:
    message: str
    function: str
    severity: str = INFO


MEANINGS = {
    "01": Meaning("DMSACC", "accepted"),
    "02": Meaning("DMSRCV", "registered"),
    "03": Meaning("DMSREJ", "rejected", ERROR),
    "05": Meaning("DMSCTL", "under_control", WARNING),
    "06": Meaning("DMSDOC", "documents_required", WARNING),
    "07": Meaning("DMSRES", "amended"),
    "08": Meaning("DMSROG", "released"),
    "09": Meaning("DMSCLE", "cleared"),
    "10": Meaning("DMSINV", "cancelled"),
    REQUEST_ANSWER: Meaning("DMSREQ", "information"),
    "13": Meaning("DMSTAX", "duty_calculated"),
    "14": Meaning("DMSCPI", "guarantee_insufficient", WARNING),
    "15": Meaning("DMSCPR", "payment_required", WARNING),
    "16": Meaning("DMSEOG", "exited"),
    GENERAL_ERROR: Meaning("DMSGER", "information", WARNING),
}
UNKNOWN = Meaning("", "information", WARNING)


def meaning(document: Json) -> Meaning:
    """What a response says. Two codes need a second look: the answer to a request, and the general error."""
    code = document.get("raw_code", "")
    found = MEANINGS.get(code, UNKNOWN)
    if code == REQUEST_ANSWER:
        return _answer_to_request(document, found)
    if code == GENERAL_ERROR and document.get("errors"):
        # Without a number of its own the message never became a declaration: it failed at the front.
        function = "rejected" if document.get("declaration", {}).get("id") else "failed"
        return Meaning(found.message, function, ERROR)
    return found


def _answer_to_request(document: Json, found: Meaning) -> Meaning:
    codes = [status["name_code"] for status in document.get("statuses", ()) if "name_code" in status]
    if not codes:
        return found
    granted = GRANTED in codes
    return Meaning(found.message, "request_granted" if granted else "request_refused", INFO if granted else ERROR)


def explain(document: Json, find: Find) -> None:
    """Add to a decoded response what follows from it; find turns WCO steps into a JSON Pointer."""
    meant = meaning(document)
    document["function"] = meant.function
    document["severity"] = meant.severity
    if meant.message:
        document["message_type"] = meant.message
    if text := raw_text(document):
        document["raw_text"] = text
    name_places(document, None, find)


def raw_text(document: Json) -> str:
    """Every word of the response meant for people, one a line, verbatim."""
    words = [error.get("description") for error in document.get("errors", ())]
    words += [information.get("statement_description") for information in document.get("additional_informations", ())]
    return "\n".join(word for word in words if word)


def name_places(document: Json, sent: Json | None, find: Find) -> None:
    """Put beside the pointers of each error where that is in the document that was sent."""
    places: list[Json] = []
    for error in document.get("errors", ()):
        if steps := error.get("pointers"):
            place: Json = {"scheme": "wco_pointer", "value": shown(steps)}
            pointer = find(steps, sent)
            if pointer is not None:
                place["pointer"] = pointer
            error["places"] = [place]
            places.append(dict(place))
    if places:
        document["places"] = places


def reply(document: Json, *, received_us: int, sent: Json | None, find: Find) -> Reply:
    """The answer in a response. With the document it speaks of, its places are those of that document."""
    if sent is not None and document.get("errors"):
        document = copy.deepcopy(document)
        name_places(document, sent, find)
    function = str(document.get("function", "information"))
    named = dict(_named(document.get("declaration", {})))
    return Reply(
        document=document,
        function=function,
        raw_code=str(document.get("raw_code", "")),
        raw_text=str(document.get("raw_text", "")),
        issued_us=issued_us(document, received_us),
        aliases=tuple(_ordered(named, function)),
        learned=(Alias(MRN, named[MRN]),) if MRN in named else (),
        receipt=function != "failed",
        partner_message_id=str(document.get("functional_reference_id", "")),
        names_places=bool(document.get("errors")),
    )


def _named(declaration: Json) -> Iterator[tuple[str, str]]:
    if reference := declaration.get("functional_reference_id"):
        yield LRN, str(reference)
    if number := declaration.get("id"):
        yield MRN, str(number)


def _ordered(named: dict[str, str], function: str) -> Iterable[Alias]:
    """The filer's reference names one message; but what answers a request bears the reference of the declaration, and only
    the number leads to the request as well."""
    schemes = (MRN, LRN) if function in ANSWERS_TO_REQUESTS else (LRN, MRN)
    return (Alias(scheme, named[scheme]) for scheme in schemes if scheme in named)


def issued_us(document: Json, received_us: int) -> int:
    """Microseconds since the epoch of the time of issue. A bare day says no hour: the arrival counts, up to the end of that
    day (UTC); so answers of one day stay in the order in which they came, and none is older than what it answers.
    """
    told = str(document.get("issue_date_time", ""))
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return received_us
    if moment.tzinfo is None:
        next_day = moment.replace(tzinfo=UTC) + timedelta(days=1)
        return min(received_us, (next_day - EPOCH) // timedelta(microseconds=1) - 1)
    return (moment - EPOCH) // timedelta(microseconds=1)
