"""Every word of the pages, in both languages: (en, zh)."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Single Window Gateway", "单一窗口网关"),
    "other_language": ("中文", "English"),
    "sign_in": ("Sign in", "登录"),
    "sign_out": ("Sign out", "退出"),
    "key": ("API key", "API 密钥"),
    "key_wrong": ("Nobody has this key.", "密钥不存在。"),
    "too_often": ("Too many wrong keys. Wait five minutes.", "错误次数过多，请五分钟后再试。"),
    "search": ("Search", "查询"),
    "search_hint": (
        "Any id you hold: container, plate, wagon, bill, batch, SeqNo, declaration number",
        "任意号码：集装箱号、车牌、车厢号、提运单号、批次号、统一编号、报关单号",
    ),
    "status": ("Status", "报文状态"),
    "any": ("any", "不限"),
    "nothing": ("Nothing was found.", "没有结果。"),
    "more": ("Older", "更早"),
    "message": ("Message", "报文"),
    "reference": ("Reference", "客户端编号"),
    "kind": ("Kind", "单证"),
    "filed": ("Filed", "提交时间"),
    "declaration": ("Declaration", "报关单"),
    "declaration_all": ("The whole declaration, with its requests and all messages", "整票报关单及其全部申请和报文"),
    "messages": ("Messages", "报文"),
    "partner": ("Partner", "对方"),
    "agreement": ("Agreement", "协议"),
    "name": ("File or reference", "文件名或标识"),
    "where": ("Where it stands", "当前状态"),
    "move": ("Whose move", "待谁处理"),
    "to_do": ("What to do", "处理办法"),
    "updated": ("Last change", "最近变化"),
    "created": ("Accepted", "受理时间"),
    "attempts": ("Attempts", "发送次数"),
    "waiting_for": ("Waiting for", "等待"),
    "waits_behind": ("Waits behind", "须先处理"),
    "reason": ("Reason", "原因"),
    "round": ("Round and phase", "轮次与阶段"),
    "silent": ("Silent for", "已静默"),
    "overdue": ("longer than it may last", "已超时"),
    "known_ids": ("Known as", "相关号码"),
    "timeline": ("Timeline", "时间线"),
    "when": ("When", "时间"),
    "what": ("What", "事件"),
    "who": ("Who", "操作方"),
    "about": ("About", "所涉单证"),
    "said": ("What was said, verbatim", "原文"),
    "received": ("Received from the partner, verbatim", "收到的报文原文"),
    "canonical": ("The document", "单证内容"),
    "sent": ("The partner's message", "对方报文"),
    "frozen": ("as it goes over the wire", "实际发送内容"),
    "encoded": ("as translated, not yet signed", "已转换，尚未签名"),
    "cut": ("Too long to show here; the API has all of it.", "内容过长，完整内容请通过 API 获取。"),
    "error": ("That did not work", "无法完成"),
    "back": ("Back to the search", "返回查询"),
    "signed_in_as": ("Signed in as", "当前用户"),
}
LANGUAGES = ("en", "zh")


def words(lang: str) -> dict[str, str]:
    """Name -> word in a language."""
    return {name: pair[LANGUAGES.index(lang)] for name, pair in WORDS.items()}
