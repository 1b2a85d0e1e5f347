"""Identifiers of the trade: what each must look like and, where its owner published one, its check digit.

An identifier is a name, two titles, a source and a check. A check takes any text and returns None or the fault: what was
found and what was expected. Nothing here raises, upper-cases or strips: an identifier is kept as it was written.

Two severities, since two things can be wrong. A shape or a check digit that its owner publishes is an ERROR. Where we
know a rule only from practice, or where known good numbers break it, the fault is a WARNING and the document goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gateway.documents import check_digits as digits
from gateway.errors import Severity

SHAPE = "document.identifier.shape"
CHECK_DIGIT = "document.identifier.check_digit"


class Fault(NamedTuple):
    """What is wrong with one identifier; code is SHAPE or CHECK_DIGIT."""

    found: str
    expected: str
    code: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Identifier:
    """One kind of identifier.

    pattern: what the whole text must match; shape: the same in words. check_digit: the ending that a text of this shape
    should have, None where it needs none; absent where no rule is published. shape_severity, digit_severity: how bad each is.
    """

    name: str
    title_zh: str
    title_en: str
    source: str
    shape: str
    pattern: re.Pattern[str]
    check_digit: Callable[[str], str | None] | None = None
    shape_severity: Severity = Severity.ERROR
    digit_severity: Severity = Severity.ERROR
    lenient: Callable[[str], bool] | None = None  # texts whose wrong check digit is only worth a warning

    def check(self, value: str) -> Fault | None:
        if not self.pattern.fullmatch(value):
            return Fault(value, self.shape, SHAPE, self.shape_severity)
        expected = self.check_digit(value) if self.check_digit else None
        if expected is None or value.endswith(expected):
            return None
        severity = Severity.WARNING if self.lenient and self.lenient(value) else self.digit_severity
        return Fault(value, f"…{expected}", CHECK_DIGIT, severity)


_WARNING = Severity.WARNING


# Characters of an IBAN by country; ISO 13616 registry, release 2025. Other countries: 15 to 34.
_IBAN_LENGTHS = {
    "AE": 23, "AT": 20, "AZ": 28, "BE": 16, "BY": 28, "CH": 21, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GE": 22, "GR": 27, "HU": 28, "IE": 22, "IT": 27, "KZ": 20, "LT": 20, "LU": 20,
    "LV": 21, "MN": 20, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RU": 33, "SE": 24, "SK": 24, "TR": 26, "UA": 29,
}  # fmt: skip


def _iban_form() -> str:
    known = "|".join(f"{country}[0-9]{{2}}[0-9A-Z]{{{length - 4}}}" for country, length in _IBAN_LENGTHS.items())
    return f"{known}|(?!{'|'.join(_IBAN_LENGTHS)})[A-Z]{{2}}[0-9]{{2}}[0-9A-Z]{{11,30}}"


def _kinds() -> list[Identifier]:
    def kind(
        name: str,
        title_zh: str,
        title_en: str,
        source: str,
        shape: str,
        pattern: str,
        check_digit: Callable[[str], str | None] | None = None,
        shape_severity: Severity = Severity.ERROR,
        digit_severity: Severity = Severity.ERROR,
        lenient: Callable[[str], bool] | None = None,
    ) -> Identifier:
        compiled = re.compile(pattern, re.ASCII)
        return Identifier(
            name, title_zh, title_en, source, shape, compiled, check_digit, shape_severity, digit_severity, lenient
        )

    seen = "seen in practice, no rule published"
    return [
        kind("container", "集装箱号", "container number", "ISO 6346:2022", "4 letters (the 4th U, J or Z), 7 digits",
             r"[A-Z]{3}[UJZ][0-9]{7}", digits.container_digit, shape_severity=_WARNING),
        kind("cn-usci", "统一社会信用代码", "unified social credit identifier", "GB 32100-2015",
             "18 characters of 0-9 and A-Z without I, O, S, V, Z", r"[0-9A-HJ-NP-RTUWXY]{18}", digits.usci_digit),
        kind("cn-customs", "海关注册编码", "customs enterprise code", seen, "10 digits or letters", r"[0-9A-Z]{10}"),
        kind("cn-organisation", "组织机构代码", "organisation code", "GB 11714-1997", "8 digits or letters and a check character",
             r"[0-9A-Z]{8}[0-9X]", digits.organisation_digit,
             # Senders fill the field with other company numbers too, and customs accepts them.
             shape_severity=_WARNING, digit_severity=_WARNING),
        kind("cn-ciq", "检验检疫编码", "inspection registration number", seen, "10 digits", r"[0-9]{10}",
             shape_severity=_WARNING),
        kind("cn-ic-card", "操作员IC卡号", "operator IC card number", seen, "13 digits", r"[0-9]{13}",
             shape_severity=_WARNING),
        kind("cn-declaration-number", "报关单号", "customs declaration number", seen, "18 digits", r"[0-9]{18}"),
        kind("cn-seq-no", "数据中心统一编号", "unified number of the data centre", seen,
             "I, E or Z and 17 digits, or 18 digits", r"[IEZ0-9][0-9]{17}", shape_severity=_WARNING),
        kind("cn-dxp", "数据交换平台节点号", "DXP identifier", seen, "up to 16 letters and digits, DXP first",
             r"DXP[A-Z0-9]{3,13}|EPORT", shape_severity=_WARNING),
        kind("plate", "车牌号", "vehicle plate", seen, "up to 20 letters, digits, Chinese characters, spaces and hyphens",
             r"[0-9A-Z\u0400-\u04FF\u4E00-\u9FFF][0-9A-Z\u0400-\u04FF\u4E00-\u9FFF .·-]{1,19}",
             shape_severity=_WARNING),
        kind("vin", "车辆识别代号", "vehicle identification number", "ISO 3779:2009", "17 digits or letters without I, O, Q",
             r"[0-9A-HJ-NPR-Z]{17}", shape_severity=_WARNING),
        kind("wagon-1520", "1520毫米轨距车号", "wagon number, 1520 mm", "1520 mm wagon numbering, eight digits", "8 digits",
             r"[0-9]{8}", digits.alternating_digit),
        kind("wagon-uic", "UIC车号", "wagon number, UIC", "UIC leaflet 438-2", "12 digits", r"[0-9]{12}",
             digits.alternating_digit),
        kind("wagon", "车号", "wagon number", "UIC leaflet 438-2; 1520 mm wagon numbering",
             "12 digits (UIC), 8 digits (1520 mm) or 7 digits (China)", r"[0-9]{7,8}|[0-9]{12}", digits.wagon_digit),
        kind("air-waybill", "航空运单号", "air waybill number", "IATA resolution 600a", "3 digits, a hyphen, 8 digits",
             r"[0-9]{3}-?[0-9]{8}", digits.air_waybill_digit),
        kind("iban", "国际银行账号", "international bank account number", "ISO 13616-1:2020",
             "2 letters, 2 digits, then as many digits or letters as the country has", _iban_form(), digits.iban_whole),
        kind("mrn", "报关单主参考号", "movement reference number", "Implementing Regulation (EU) 2015/2447, annex B",
             "2 digits, 2 letters, 13 digits or letters, a check digit", r"[0-9]{2}[A-Z]{2}[0-9A-Z]{13}[0-9]", digits.mrn_digit,
             # The United Kingdom uses the same sum but publishes no rule, and its own samples break it.
             lenient=lambda text: text[2:4] in {"GB", "XI"}),
        kind("eori", "经济经营者注册识别号", "EORI number", "Delegated Regulation (EU) 2015/2446, annex 12-01",
             "2 letters and up to 15 digits or letters", r"[A-Z]{2}[0-9A-Z]{1,15}", shape_severity=_WARNING),
        kind("aeo", "经认证的经营者编码", "authorised economic operator code", "GACC announcements 2018/131, 2019/101, 2023/49",
             "a country code and what its customs gives: CN and 10 characters, SG and 12 digits, MO and 9, others up to 33",
             r"(AEO)?+(CN[0-9A-Z]{10}|SG[0-9]{12}|MO[0-9]{9}|(?!CN|SG|MO)[A-Z]{2}[0-9A-Z]{1,33})", shape_severity=_WARNING),
        kind("aeo-cn", "中国海关AEO编码", "China AEO code", "GACC announcements on mutual recognition",
             "AEOCN or CN and the 10 characters of the customs enterprise code", r"(AEO)?CN[0-9A-Z]{10}"),
        kind("tir-carnet", "TIR证号", "TIR carnet number", "TIR Convention 1975; the check letters are not public",
             "2 letters and 8 digits", r"[A-Z]{2}[0-9]{8}", shape_severity=_WARNING),
        kind("imo-number", "国际海事组织编号", "IMO ship number", "IMO resolution A.1117(30)", "7 digits, IMO before them or not",
             r"(IMO|UN)?[0-9]{7}", digits.imo_digit),
        kind("un-locode", "联合国口岸及地点代码", "UN/LOCODE", "UN/ECE Recommendation 16",
             "2 letters of the country and 3 letters or digits 2 to 9", r"[A-Z]{2}[A-Z2-9]{3}"),
        kind("postal-item", "邮件号", "postal item number", "UPU standard S10", "2 letters, 9 digits, 2 letters",
             r"[A-Z]{2}[0-9]{9}[A-Z]{2}", digits.postal_item_digit),
        kind("lei", "全球法人识别编码", "legal entity identifier", "ISO 17442-1:2020", "18 digits or letters and 2 digits",
             r"[0-9A-Z]{18}[0-9]{2}", digits.mod_97_digits),
        kind("gln", "全球参与方位置码", "global location number", "GS1 General Specifications 7.9", "13 digits", r"[0-9]{13}",
             digits.gln_digit),
        kind("duns", "邓白氏编码", "D-U-N-S number", seen, "9 digits", r"[0-9]{9}", shape_severity=_WARNING),
        kind("ru-inn", "俄罗斯纳税人识别号", "Russian taxpayer number", "order of the Federal Tax Service on the INN",
             "10 or 12 digits", r"[0-9]{10}|[0-9]{12}", digits.taxpayer_digits_ru),
        kind("ru-ogrn", "俄罗斯主要国家登记号", "Russian main state registration number",
             "order of the Ministry of Finance on the register of legal entities", "13 or 15 digits", r"[0-9]{13}|[0-9]{15}",
             digits.registration_digit_ru),
        kind("kz-bin", "哈萨克斯坦商业识别号", "Kazakh business identification number",
             "law of the Republic of Kazakhstan on national registers of identification numbers", "12 digits", r"[0-9]{12}",
             digits.business_number_digit_kz, digit_severity=_WARNING),
    ]  # fmt: skip


IDENTIFIERS: Mapping[str, Identifier] = {identifier.name: identifier for identifier in _kinds()}
