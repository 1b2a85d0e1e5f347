"""The words of the timeline: what can be said about a message or a document, read as source:subject:action.

The timeline is an append-only log; nothing in it is changed or taken back. Each row of TITLES is what people see.
"""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    DOCUMENT_ACCEPTED = "document:submission:accepted"
    DOCUMENT_ROUND_OPENED = "document:round:opened"
    DOCUMENT_STATE_CHANGED = "document:state:changed"
    DOCUMENT_SILENT = "document:silence:overdue"
    DOCUMENT_DEADLINE_NEAR = "document:deadline:near"
    MESSAGE_WITHHELD = "message:values:withheld"
    MESSAGE_WAITING = "message:prerequisite:waiting"
    MESSAGE_PREREQUISITE_MET = "message:prerequisite:met"
    MESSAGE_SIGNED = "message:bytes:signed"
    MESSAGE_SENDING = "message:attempt:started"
    MESSAGE_HANDED_OVER = "message:attempt:handed-over"
    MESSAGE_NOT_REACHED = "message:attempt:not-reached"
    MESSAGE_OUTCOME_UNKNOWN = "message:attempt:outcome-unknown"
    MESSAGE_LOCATED = "message:status:located"
    MESSAGE_NOT_THERE = "message:status:not-there"
    MESSAGE_DELIVERED = "message:receipt:accepted"
    MESSAGE_REFUSED = "message:receipt:refused"
    MESSAGE_PARKED = "message:lane:parked"
    MESSAGE_REDRIVEN = "message:lane:redriven"
    MESSAGE_EXPIRED = "message:lane:expired"
    MESSAGE_SILENT = "message:silence:overdue"
    REPLY_RECEIVED = "partner:reply:received"
    REPLY_DOUBLED = "partner:reply:doubled"
    REPLY_UNMATCHED = "partner:reply:unmatched"
    REPLY_REFUSED = "partner:reply:refused"
    REPLY_CONFLICTING = "partner:reply:conflicting"
    REPLY_PARTLY_READ = "partner:reply:partly-read"
    ANSWERED_BY_HAND = "operator:reply:entered"
    READ_AGAIN = "operator:reply:read-again"
    LANE_PAUSED = "operator:lane:paused"
    LANE_RESUMED = "operator:lane:resumed"
    BREAKER_OPENED = "partner:breaker:opened"
    BREAKER_CLOSED = "partner:breaker:closed"
    WEBHOOK_CHANGED = "operator:webhook:changed"
    WEBHOOK_DISABLED = "webhook:target:disabled"


TITLES: dict[EventType, tuple[str, str]] = {
    EventType.DOCUMENT_ACCEPTED: ("Accepted by the gateway and stored", "网关已受理并入库"),
    EventType.DOCUMENT_ROUND_OPENED: ("A new round was opened", "开始新一轮申报"),
    EventType.DOCUMENT_STATE_CHANGED: ("The business state changed", "业务状态变化"),
    EventType.DOCUMENT_SILENT: ("Nothing was heard for too long", "超时未收到回执"),
    EventType.DOCUMENT_DEADLINE_NEAR: ("A legal deadline is near", "法定期限临近"),
    EventType.MESSAGE_WITHHELD: ("Values were withheld that may not leave", "部分数据不得出境，未发送"),
    EventType.MESSAGE_WAITING: ("Waiting for another document", "等待前置单证"),
    EventType.MESSAGE_PREREQUISITE_MET: ("What it waited for is there", "前置单证已到位"),
    EventType.MESSAGE_SIGNED: (
        "The bytes are frozen, signed where that is agreed",
        "报文内容已固定（约定签名的已签名）",
    ),
    EventType.MESSAGE_SENDING: ("An attempt to send began", "开始发送"),
    EventType.MESSAGE_HANDED_OVER: ("Handed over to the partner", "已交付对方"),
    EventType.MESSAGE_NOT_REACHED: ("The partner was not reached", "未能送达对方"),
    EventType.MESSAGE_OUTCOME_UNKNOWN: ("It may or may not have arrived", "是否送达尚不确定"),
    EventType.MESSAGE_LOCATED: ("Found at the partner", "已在对方查到"),
    EventType.MESSAGE_NOT_THERE: ("The partner does not have it", "对方未收到"),
    EventType.MESSAGE_DELIVERED: ("The partner's receipt is stored", "已收到对方回执"),
    EventType.MESSAGE_REFUSED: ("The partner refused it", "对方拒收"),
    EventType.MESSAGE_PARKED: ("Waiting for a person", "等待人工处理"),
    EventType.MESSAGE_REDRIVEN: ("Sent on its way again", "重新投递"),
    EventType.MESSAGE_EXPIRED: ("Given up", "已放弃"),
    EventType.MESSAGE_SILENT: ("No receipt for too long", "超时未收到接收回执"),
    EventType.REPLY_RECEIVED: ("The partner answered", "收到对方回执"),
    EventType.REPLY_DOUBLED: ("The same answer arrived again", "重复回执"),
    EventType.REPLY_UNMATCHED: ("An answer that fits no message yet", "回执暂未匹配"),
    EventType.REPLY_REFUSED: ("An answer that could not be trusted or read", "回执无法识别或不可信"),
    EventType.REPLY_CONFLICTING: ("Same id, other content: refused", "同号不同内容，已拒绝"),
    EventType.REPLY_PARTLY_READ: ("The message holds elements that nobody knows", "报文含有无法识别的元素"),
    EventType.ANSWERED_BY_HAND: ("Answered by a person", "人工录入回执"),
    EventType.READ_AGAIN: ("Read again by a person", "人工重新读取"),
    EventType.LANE_PAUSED: ("The lane was paused", "通道已暂停"),
    EventType.LANE_RESUMED: ("The lane goes on", "通道已恢复"),
    EventType.BREAKER_OPENED: ("The partner is resting after failures", "对方连续失败，暂停发送"),
    EventType.BREAKER_CLOSED: ("The partner answers again", "对方恢复正常"),
    EventType.WEBHOOK_CHANGED: ("A webhook was changed", "事件推送设置已变更"),
    EventType.WEBHOOK_DISABLED: ("A webhook was disabled", "事件推送已停用"),
}
