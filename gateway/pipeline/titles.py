"""What statuses, states and movers are called, in English and Chinese: one spelling for API, console and command line."""

from __future__ import annotations

from gateway.lifecycle import STATES, Mover, Status
from gateway.pipeline.standings import REQUEST

STATUS_TITLES: dict[Status, tuple[str, str]] = {
    Status.ACCEPTED: ("stored by the gateway", "网关已入库"),
    Status.SIGNED: ("ready to be sent", "待发送"),
    Status.SENDING: ("being sent", "发送中"),
    Status.SENT: ("handed over, no receipt yet", "已交付，待回执"),
    Status.DELIVERED: ("delivered", "已送达"),
    Status.UNKNOWN: ("may or may not have arrived", "是否送达不明"),
    Status.PARKED: ("waiting for a person", "待人工处理"),
    Status.EXPIRED: ("given up", "已放弃"),
}
MOVER_TITLES: dict[Mover, tuple[str, str]] = {
    Mover.GATEWAY: ("the gateway", "网关"),
    Mover.PARTNER: ("the partner or its client, which has the message", "对方或其客户端（报文已交付）"),
    Mover.OPERATOR: ("the operator of the gateway", "网关值班人员"),
    Mover.CARD_HOLDER: ("the card holder, who must declare the draft", "持卡人（须提交暂存单）"),
    Mover.DECLARANT: ("the declarant", "申报人"),
    Mover.CUSTOMS: ("customs", "海关"),
    Mover.NOBODY: ("nobody", "无"),
}
# What a person does about a message that others of its declaration wait behind.
SETTLE_TITLES: dict[Status, tuple[str, str]] = {
    Status.UNKNOWN: (
        "The gateway asks where it can. Else look at the partner: enter its answer if it is there; if not, redrive or expire.",
        "是否送达不明。网关会尽可能查询；否则请向对方核实：已收到则录入回执（answer），未收到则重新投递（redrive）或放弃（expire）。",
    ),
    Status.PARKED: (
        "It waits for a person: mend what its reason says and redrive it, or give it up.",
        "待人工处理：请按其原因处理后重新投递（redrive），或放弃（expire）。",
    ),
}
# What a person does where no answer of a partner may come, by the answer to be entered.
ENTER_TITLES: dict[str, tuple[str, str]] = {
    "duty_paid": (
        (
            "Pay it. Where no answer tells of the payment, enter it with the number of customs' receipt: "
            "POST /v1/declarations/ID/duty-paid, or `swgate messages answer ID duty_paid --evidence NUMBER`"
        ),
        (
            "请缴税。如无回执告知缴税结果，请凭海关缴款凭证号录入：POST /v1/declarations/ID/duty-paid，"
            "或 `swgate messages answer ID duty_paid --evidence 凭证号`"
        ),
    ),
}
REQUEST_TITLES: dict[str, tuple[str, str]] = {
    "filed": ("filed with the gateway", "已提交网关"),
    "stashed": ("draft kept by the single window", "已暂存"),
    "submitted": ("sent to customs", "已提交海关"),
    "registered": ("stored by customs", "海关入库"),
    "refused": ("refused", "未通过"),
    "granted": ("granted", "已通过"),
}
_STATE_TITLES = {(str(track), name): (state.en, state.zh) for (track, name), state in STATES.items()}


def said(words: tuple[str, str], lang: str) -> str:
    """The words in a language: (en, zh)."""
    return words[1] if lang == "zh" else words[0]


def state_title(track: str, name: str, lang: str) -> str:
    """What a state is called; of the track of a request too."""
    words = REQUEST_TITLES.get(name) if track == REQUEST else _STATE_TITLES.get((track, name))
    return said(words or (name, name), lang)
