"""What a signed-in operator may do, each act on a page of its own: what will happen, why it is done, and one button.

Rule 1: an act is a row of ACTS; what it does is gateway.pipeline.operate, as for API and command line.
Rule 2: every act asks a reason, and a person is told what will happen before it does.
Rule 3: what is refused is said on the same page with every finding, and what was typed is still there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flask
from werkzeug.wrappers import Response

from gateway.api import bodies, problems, reading
from gateway.api.parts import here
from gateway.console import showing
from gateway.console.rendering import lang, render, visitor
from gateway.console.safety import page
from gateway.errors import Finding, GatewayError
from gateway.lifecycle import FUNCTIONS, MOVES
from gateway.pipeline.operate import reason_of
from gateway.pipeline.places import DECLARATION
from gateway.pipeline.reading import View, absent
from gateway.pipeline.submission import Submission
from gateway.pipeline.titles import state_title
from gateway.ports import MessageRow

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Act:
    """One act. subject: what it is done to; fields: what is asked beside the reason; needed: those that may not be empty."""

    subject: str
    do: Callable[[str, str, Form], object]
    fields: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


def _declare_again(root_id: str, actor: str, form: Form) -> None:
    """The corrected document opens the next round, in the name of the tenant that filed the declaration."""
    reason = reason_of(form["reason"])
    document = bodies.parse(form["document"].encode())
    with here().store.read() as stored:
        tenant = View(stored, None).declaration(root_id).tenant
    here().submitter.submit(
        Submission(DECLARATION, document, tenant=tenant, actor=actor, root_id=root_id, reason=reason)
    )


ACTS: dict[str, Act] = {
    "redrive": Act("message", lambda id_, actor, form: _operator().redrive(id_, actor=actor, reason=form["reason"])),
    "answer": Act(
        "message",
        lambda id_, actor, form: _operator().answer_by_hand(
            id_, form["function"], actor=actor, reason=form["reason"], evidence=form["evidence"]
        ),
        fields=("function", "evidence"),
        needed=("function",),
    ),
    "stop_waiting": Act(
        "message", lambda id_, actor, form: _operator().stop_waiting(id_, actor=actor, reason=form["reason"])
    ),
    "park": Act("message", lambda id_, actor, form: _operator().park(id_, actor=actor, reason=form["reason"])),
    "expire": Act("message", lambda id_, actor, form: _operator().expire(id_, actor=actor, reason=form["reason"])),
    "pause": Act("lane", lambda id_, actor, form: _operator().pause_lane(id_, actor=actor, reason=form["reason"])),
    "resume": Act("lane", lambda id_, actor, form: _operator().resume_lane(id_, actor=actor, reason=form["reason"])),
    "read_again": Act(
        "delivery", lambda id_, actor, form: _operator().read_again(id_, actor=actor, reason=form["reason"])
    ),
    "duty_paid": Act(
        "declaration",
        lambda id_, actor, form: _operator().duty_paid(
            id_, actor=actor, reason=form["reason"], evidence=form["evidence"]
        ),
        fields=("evidence",),
        needed=("evidence",),
    ),
    "declare_again": Act("declaration", _declare_again, fields=("document",), needed=("document",)),
}
# Steps of lifecycle.MOVES and the act that takes each, the one that mends most often first.
_STEPS = {"redriven": "redrive", "not_there": "redrive", "stuck": "park", "gave_up": "expire"}


def add(pages: flask.Blueprint) -> None:
    pages.add_url_rule("/acts/<name>/<target>", "act", _act, methods=["GET", "POST"])


def of_message(message: MessageRow) -> list[str]:
    """The acts that its status allows, the likeliest first."""
    steps = [act for step, act in _STEPS.items() if step in MOVES[message.status]]
    waiting = ["stop_waiting"] if message.waiting_for else []
    answer = ["answer"] if message.attempts else []
    return list(dict.fromkeys([*waiting, *steps[:1], *answer, *steps[1:]]))


@page(role="operator")
def _act(name: str, target: str) -> Response | str | tuple[str, int]:
    act = ACTS.get(name)
    if act is None:
        raise absent()
    with reading.open_for(visitor()) as view:
        subject = _SUBJECTS[act.subject](view, target)
    back = flask.url_for(subject["endpoint"], **subject["arguments"], lang=lang())
    shown = {"name": name, "act": act, "subject": subject, "back": back, "functions": _functions()}
    if flask.request.method == "GET":
        typed = {"document": subject.get("document", ""), "function": flask.request.args.get("function", "")}
        return render("act.html", typed=typed, wrong=[], **shown)
    form = {field: flask.request.form.get(field, "") for field in ("reason", *act.fields)}
    try:
        act.do(target, visitor().actor, form)
    except GatewayError as refused:
        wrong = [{**here().texts.render(finding, lang()), **_place(finding)} for finding in refused.findings]
        return render("act.html", typed=form, wrong=wrong, **shown), problems.status_of(refused)
    return flask.redirect(f"{back}&done={name}", 303)


def _operator() -> Any:
    return here().operator


def _place(finding: Finding) -> dict[str, str]:
    return {"pointer": finding.pointer or finding.partner_place or ""}


def _functions() -> list[tuple[str, str]]:
    """What a partner may have said, (function, title), in the order of the lifecycle."""
    told = here().telling
    named = []
    for function, target in FUNCTIONS.items():
        title = told.word("function", function, lang())
        if title == function and target:
            title = state_title(*target, lang())
        named.append((function, title if title == function else f"{title} ({function})"))
    return named


def _message(view: View, message_id: str) -> dict[str, Any]:
    row = view.message(message_id)
    return {"endpoint": "console.message", "arguments": {"message_id": row.id}, "title": row.name}


def _declaration(view: View, declaration_id: str) -> dict[str, Any]:
    root = view.declaration(declaration_id)
    latest = view.rounds(root)[-1]
    return {
        "endpoint": "console.declaration",
        "arguments": {"declaration_id": root.id},
        "title": latest.reference or root.id,
        "document": showing.whole(view.payload(latest.digest)),
    }


def _lane(_: View, agreement_id: str) -> dict[str, Any]:
    if agreement_id not in here().directory.agreements:
        raise absent()
    return {"endpoint": "console.lanes", "arguments": {}, "title": agreement_id}


def _delivery(view: View, delivery_id: str) -> dict[str, Any]:
    row = view.delivery(delivery_id)
    return {
        "endpoint": "console.delivery",
        "arguments": {"delivery_id": row.id},
        "title": row.reference or row.id,
    }


_SUBJECTS: dict[str, Callable[[View, str], dict[str, Any]]] = {
    "message": _message,
    "declaration": _declaration,
    "lane": _lane,
    "delivery": _delivery,
}
