"""Messages as other senders may write them: hand-made variants of our own samples, each with a phrase that names it."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.cn_declaration.conftest import FOLDER
from tests.cn_declaration.messages import DEC

Change = Callable[[bytes], bytes]
IMPORT, EXPORT = "import-copper-ganqimaodu-road", "export-machinery-manzhouli-rail"
SUMMARY, TIR, TRANSFER = (
    "import-rapeseed-erenhot-summary",
    "import-cashmere-erenhot-tir",
    "export-machinery-transfer-2017",
)
STASHED, REFUSED = "answer-stashed", "answer-item-refused"
RELEASED, RETURNED = "receipt-released", "receipt-returned-older-form"

TRANSIT = b"""
  <TrnHead><TransNo>1234567890123456</TransNo><TurnNo>@0706990001</TurnNo><NativeTrafMode>4</NativeTrafMode>
    <NativeShipName>\xe8\x92\x99A12345</NativeShipName><TransFlag>1E</TransFlag><ValidTime>20261201</ValidTime>
    <ESealFlag>Y</ESealFlag><TrnType>1</TrnType></TrnHead>
  <TrnList><TrafMode>3</TrafMode><ShipNameEn>X8026</ShipNameEn><BillNo>T1</BillNo><IEDate>20261130</IEDate></TrnList>
  <TrnContainers><TrnContainer><ContaNo>SWGU4812306</ContaNo><ContaSn>1</ContaSn><SealNo>S1</SealNo><SealQty>1</SealQty>
    </TrnContainer></TrnContainers>
"""
FLAT = b"<TrnContaGoodsList><GNo>1</GNo><ContaNo>SWGU4812306</ContaNo><ContaGoodsCount>4</ContaGoodsCount></TrnContaGoodsList>"
NESTED = (
    b"<TrnContaGoodsList><TrnContaGoods><GNo>1</GNo><ContaNo>SWGU4812306</ContaNo></TrnContaGoods>"
    b"<TrnContaGoods><GNo>2</GNo><ContaNo>SWGU4812311</ContaNo></TrnContaGoods></TrnContaGoodsList>"
)
MIXED = (
    b"<TrnContaGoodsList><GNo>1</GNo><ContaNo>SWGU4812306</ContaNo>"
    b"<TrnContaGoods><GNo>2</GNo><ContaNo>SWGU4812311</ContaNo></TrnContaGoods></TrnContaGoodsList>"
)
LICENCES = b"""<DecGoodsLimits>
  <DecGoodsLimit><GoodsNo>1</GoodsNo><LicTypeCode>325</LicTypeCode><LicenceNo>2026A001</LicenceNo>
    <LicWrtofDetailNo>1</LicWrtofDetailNo><LicWrtofQty>3.5</LicWrtofQty><LicWrtofQtyUnit>035</LicWrtofQtyUnit>
    <DecGoodsLimitVin><LicenceNo>2026A001</LicenceNo><VinNo>1</VinNo><VinCode>LSVAA4182E2184847</VinCode></DecGoodsLimitVin>
    <DecGoodsLimitVin><LicenceNo>2026A001</LicenceNo><VinNo>2</VinNo><VinCode>LSVAA4182E2184848</VinCode></DecGoodsLimitVin>
  </DecGoodsLimit>
  <DecGoodsLimit><LicTypeCode>411</LicTypeCode><LicenceNo>X</LicenceNo></DecGoodsLimit></DecGoodsLimits>"""
PARTS = b"""
  <DecRequestCerts><DecRequestCert><AppCertCode>11</AppCertCode><ApplOri>1</ApplOri><ApplCopyQuan>2</ApplCopyQuan></DecRequestCert>
  <DecRequestCert><AppCertCode>12</AppCertCode><ApplOri>1</ApplOri><ApplCopyQuan>0</ApplCopyQuan></DecRequestCert></DecRequestCerts>
  <DecOtherPacks><DecOtherPack><PackQty>3</PackQty><PackType>01</PackType></DecOtherPack></DecOtherPacks>
  <DecCopLimits><DecCopLimit><EntQualifNo>Q1</EntQualifNo><EntQualifTypeCode>101</EntQualifTypeCode></DecCopLimit></DecCopLimits>
  <DecUsers><DecUser><UseOrgPersonCode>A</UseOrgPersonCode><UseOrgPersonTel>1</UseOrgPersonTel></DecUser></DecUsers>
  <DecMarkLobs><DecMarkLob><AttachName>m.jpg</AttachName><AttachType>0</AttachType><Attachment>QUJD</Attachment></DecMarkLob></DecMarkLobs>
  <EcoRelation><CertType>Y</CertType><EcoCertNo>C1</EcoCertNo><DecGNo>1</DecGNo><EcoGNo>1</EcoGNo></EcoRelation>
  <EcoRelation><CertType>Y</CertType><EcoCertNo>C1</EcoCertNo><DecGNo>2</DecGNo><EcoGNo>2</EcoGNo></EcoRelation>
"""


def sample(name: str) -> bytes:
    return (FOLDER / "samples" / f"{name}.xml").read_bytes()


def swapped(before: str, after: str) -> Change:
    """One literal piece replaced, which must be there."""

    def change(data: bytes) -> bytes:
        assert before.encode() in data, before
        return data.replace(before.encode(), after.encode(), 1)

    return change


def added(piece: bytes, behind: bytes = b"</DecSign>") -> Change:
    def change(data: bytes) -> bytes:
        assert behind in data
        return data.replace(behind, behind + piece, 1)

    return change


def chained(*changes: Change) -> Change:
    def change(data: bytes) -> bytes:
        for one in changes:
            data = one(data)
        return data

    return change


def recoded(encoding: str, declared: str) -> Change:
    def change(data: bytes) -> bytes:
        return re.sub(r"<\?xml.*?\?>", f'<?xml version="1.0" encoding="{declared}"?>', data.decode()).encode(encoding)

    return change


def bare(data: bytes) -> bytes:
    return re.sub(rb"<\?xml.*?\?>\s*", b"", data)


def prefixed(prefix: str) -> Change:
    """Every element under a prefix."""

    def change(data: bytes) -> bytes:
        named = re.sub(rb"<(/?)([A-Za-z_])", rb"<\g<1>" + prefix.encode() + rb":\2", bare(data))
        return named.replace(b' xmlns="', f' xmlns:{prefix}="'.encode(), 1)

    return change


def without_namespace(data: bytes) -> bytes:
    return data.replace(f' xmlns="{DEC}"'.encode(), b"")


def declared_on_each_part(data: bytes) -> bytes:
    text = without_namespace(data).replace(b"<DecMessage", f'<d:DecMessage xmlns:d="{DEC}"'.encode())
    text = text.replace(b"</DecMessage>", b"</d:DecMessage>")
    return re.sub(rb"\n  <(\w+)>", rb"\n  <\1 " + f'xmlns="{DEC}">'.encode(), text)


def each_value(pattern: str) -> Change:
    """Every value inside something else: {} stands for the value."""
    left, right = pattern.split("{}")

    def change(data: bytes) -> bytes:
        return re.sub(rb">([^<>\s][^<>]*)</", rb">" + left.encode() + rb"\1" + right.encode() + rb"</", data)

    return change


def without(*groups: str) -> Change:
    def change(data: bytes) -> bytes:
        for group in groups:
            data = re.sub(rf"\s*<{group}>.*?</{group}>".encode(), b"", data, flags=re.DOTALL)
        return data

    return change


def wrapped(data: bytes) -> bytes:
    head = b"<SWImpHead><CopMsgId>a.xml</CopMsgId><MsgType>SWDEC001</MsgType><FunctionCode>0</FunctionCode></SWImpHead>"
    return b"<ImportMessage>" + head + b"<SWImpData>" + without_namespace(bare(data)) + b"</SWImpData></ImportMessage>"


def days(name: str, text: str) -> Change:
    """Another text in a place of a receipt, whether it was empty or not."""

    def change(data: bytes) -> bytes:
        found = re.sub(rf"<{name}>[^<]*</{name}>|<{name}/>".encode(), f"<{name}>{text}</{name}>".encode(), data)
        assert found != data
        return found

    return change


def split_containers(data: bytes) -> bytes:
    return data.replace(b"</Container>", b"</Container></DecContainers><DecContainers>", 1)


XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
ROOT = f'<DecMessage xmlns="{DEC}"'

# Phrase -> sample, change.
READ: dict[str, tuple[str, Change]] = {
    # Bytes.
    "byte order mark": (IMPORT, lambda data: b"\xef\xbb\xbf" + data),
    "no XML declaration": (IMPORT, bare),
    "GBK": (IMPORT, recoded("gbk", "GBK")),
    "gb2312": (IMPORT, recoded("gb2312", "gb2312")),
    "GB18030": (EXPORT, recoded("gb18030", "GB18030")),
    "UTF-16 with mark": (IMPORT, recoded("utf-16", "UTF-16")),
    "utf8, misspelt": (IMPORT, recoded("utf-8", "utf8")),
    "standalone": (IMPORT, swapped("encoding='UTF-8'", "encoding='UTF-8' standalone='yes'")),
    "Windows line ends": (IMPORT, lambda data: data.replace(b"\n", b"\r\n")),
    "one line": (IMPORT, lambda data: re.sub(rb">\s+<", b"><", data)),
    "tabs and blank lines": (EXPORT, lambda data: data.replace(b"\n  ", b"\n\n\t\t")),
    # Names.
    "prefix dec": (IMPORT, prefixed("dec")),
    "prefix ns2": (EXPORT, prefixed("ns2")),
    "no namespace": (IMPORT, without_namespace),
    "namespace declared on each part": (IMPORT, declared_on_each_part),
    "schema location": (IMPORT, swapped(ROOT, f'{ROOT}{XSI} xsi:schemaLocation="{DEC} dec.xsd"')),
    "type of the root": (IMPORT, swapped(ROOT, f'{ROOT}{XSI} xsi:type="DecMessage"')),
    "unused namespaces": (IMPORT, swapped(ROOT, f'{ROOT}{XSI} xmlns:xsd="http://www.w3.org/2001/XMLSchema"')),
    "version in lower case": (IMPORT, swapped(' Version="4.8"', ' version="5.0"')),
    "both versions": (IMPORT, swapped(' Version="4.8"', ' version="4.8" Version="4.8"')),
    "other order of attributes": (IMPORT, swapped(f'{ROOT} Version="4.8"', f'<DecMessage Version="4.8" xmlns="{DEC}"')),
    # Values.
    "CDATA everywhere": (IMPORT, each_value("<![CDATA[{}]]>")),
    "CDATA everywhere, export": (EXPORT, each_value("<![CDATA[{}]]>")),
    "comment before every value": (IMPORT, each_value("<!-- c -->{}")),
    "comment behind every value": (IMPORT, each_value("{}<!-- c -->")),
    "comments between": (IMPORT, lambda data: data.replace(b"\n  <", b"\n  <!-- a < b --><")),
    "instructions between": (IMPORT, lambda data: data.replace(b"\n    <", b"\n    <?note x?><")),
    "blanks around every value": (IMPORT, each_value(" {} ")),
    "line ends around every value": (EXPORT, each_value("\n      {}\n    ")),
    "character references": (IMPORT, swapped("<MarkNo>N/M", "<MarkNo>&#78;&#x2F;M")),
    "empty elements": (IMPORT, swapped("<DecHead>", "<DecHead><SeqNo/><ApprNo></ApprNo><TrafName/><PayWay></PayWay>")),
    "blank elements": (IMPORT, swapped("<DecHead>", "<DecHead><SeqNo> </SeqNo><ApprNo>\n</ApprNo>")),
    "nil elements": (
        IMPORT,
        chained(
            swapped(ROOT, ROOT + XSI), swapped("<DecHead>", '<DecHead><SeqNo xsi:nil="true"/><ApprNo xsi:nil="1"/>')
        ),
    ),
    "nil not so": (
        IMPORT,
        chained(swapped(ROOT, ROOT + XSI), swapped("<MarkNo>", '<MarkNo xsi:nil="false">')),
    ),
    "type of a value": (
        IMPORT,
        chained(swapped(ROOT, ROOT + XSI), swapped("<MarkNo>", '<MarkNo xsi:type="string">')),
    ),
    "preserved space": (IMPORT, swapped("<MarkNo>", '<MarkNo xml:space="preserve">')),
    # Positional texts.
    "comment before positional blanks": (IMPORT, swapped("<Type>  0", "<Type><!-- general -->  0")),
    "comment behind positional blanks": (IMPORT, swapped("<Type>  0", "<Type>  <!-- single -->0")),
    "positional blanks in CDATA": (IMPORT, swapped("<Type>  0", "<Type><![CDATA[  0]]>")),
    "positional blanks behind": (IMPORT, swapped("<Type>  0</", "<Type>  0   </")),
    "positional blanks only": (IMPORT, swapped("<Type>  0</", "<Type>      </")),
    "positional blanks, preserved": (IMPORT, swapped("<Type>  0", "<Type xml:space='preserve'>  0")),
    "data source, first": (IMPORT, swapped("<DecHead>", "<DecHead><DataSource>1</DataSource>")),
    "data source, third": (IMPORT, swapped("<DecHead>", "<DecHead><DataSource>  2</DataSource>")),
    "data source, fifth": (IMPORT, swapped("<DecHead>", "<DecHead><DataSource>    3</DataSource>")),
    "data source with all": (IMPORT, swapped("<DecHead>", "<DecHead><DataSource>1 2 3</DataSource>")),
    "data source with blanks behind": (IMPORT, swapped("<DecHead>", "<DecHead><DataSource>1    </DataSource>")),
    "data source of blanks": (IMPORT, swapped("<DecHead>", "<DecHead><DataSource>     </DataSource>")),
    "data source in the wrong place": (IMPORT, swapped("<DecHead>", "<DecHead><DataSource> 1</DataSource>")),
    "data source, commented": (IMPORT, swapped("<DecHead>", "<DecHead><DataSource><!-- x -->  2</DataSource>")),
    "special business": (IMPORT, swapped("<DecHead>", "<DecHead><SpecDeclFlag> 1  0</SpecDeclFlag>")),
    "short price marks": (IMPORT, swapped("<PromiseItmes>00011", "<PromiseItmes>000")),
    # Kinds.
    "summary": (SUMMARY, lambda data: data),
    "complete": (SUMMARY, swapped("<Type>", "<SeqNo>I20260000700104417</SeqNo><Type>")),
    "two-step of an older client": (IMPORT, swapped("<Type>  0", "<Type>  30011")),
    "TIR": (TIR, lambda data: data),
    "transfer, flat": (EXPORT, chained(added(TRANSIT + FLAT * 2), swapped("<DeclTrnRel>0", "<DeclTrnRel>1"))),
    "transfer, nested": (EXPORT, chained(added(TRANSIT + NESTED), swapped("<DeclTrnRel>0", "<DeclTrnRel>1"))),
    "transfer, mixed in one list": (EXPORT, added(TRANSIT + MIXED)),
    "transfer, mixed lists": (EXPORT, added(TRANSIT + FLAT + NESTED)),
    "transfer, mixed lists, nested first": (EXPORT, added(TRANSIT + NESTED + FLAT)),
    "transfer, head alone": (EXPORT, added(b"<TrnHead><TrnType>1</TrnType></TrnHead>")),
    "transfer, empty parts": (EXPORT, added(b"<TrnHead/><TrnList/><TrnContainers/><TrnContaGoodsList/>")),
    "licences of an item": (IMPORT, added(LICENCES, b"<GNo>1</GNo>")),
    "every further part": (IMPORT, added(PARTS)),
    "wrapped": (IMPORT, wrapped),
    "wrapped, export": (EXPORT, wrapped),
    "wrapped, with a prefix": (TRANSFER, lambda data: data),
    # Groups.
    "missing groups": (
        IMPORT,
        without("DecContainers", "DecLicenseDocus", "DecFreeTxt", "DecCopPromises", "EdocRealation"),
    ),
    "no goods": (IMPORT, without("DecLists")),
    "no signature block": (IMPORT, without("DecSign")),
    "head alone": (
        IMPORT,
        without("DecLists", "DecSign", "DecContainers", "DecLicenseDocus", "DecFreeTxt", "EdocRealation"),
    ),
    "empty groups": (
        IMPORT,
        swapped("</DecSign>", "</DecSign><DecUsers/><DecOtherPacks><DecOtherPack/></DecOtherPacks>"),
    ),
    "signature first": (IMPORT, lambda data: _moved(data, b"DecSign", b"<DecHead>")),
    "attachments first": (IMPORT, lambda data: _moved(data, b"EdocRealation", b"<DecHead>")),
    "thirty items": (IMPORT, lambda data: re.sub(rb"(<DecList>.*?</DecList>)", rb"\1" * 15, data, flags=re.DOTALL)),
    # Attachments.
    "compact times": (IMPORT, lambda data: re.sub(rb"(<SignTime>\d{8}) (\d\d):(\d\d):(\d\d)", rb"\1\2\3\4", data)),
    "times of both forms": (
        IMPORT,
        lambda data: re.sub(rb"(<SignTime>\d{8}) (\d\d):(\d\d):(\d\d)", rb"\1\2\3\4", data, count=1),
    ),
    "a time unlike both": (IMPORT, swapped("<SignTime>20261118 09:40:02", "<SignTime>2026-11-18T09:40:02")),
    "attachment of items": (
        IMPORT,
        swapped("<EdocFomatType>", "<GNoStr>1,2</GNoStr><EdocSize>10240</EdocSize><EdocFomatType>"),
    ),
    # Codes.
    "countries of the other world": (IMPORT, swapped("<TradeCountry>MNG", "<TradeCountry>124")),
    "currencies of the other world": (IMPORT, lambda data: data.replace(b">USD<", b">502<")),
    "lower-case codes": (IMPORT, swapped("<TradeCurr>USD", "<TradeCurr>usd")),
    "masses with many decimals": (IMPORT, swapped("<GrossWet>61240<", "<GrossWet>61240.00000<")),
    "masses without a leading nought": (IMPORT, swapped("<NetWt>60800<", "<NetWt>.5<")),
    "masses with a sign": (IMPORT, swapped("<NetWt>60800<", "<NetWt>+60800<")),
    "hashes for a number": (IMPORT, swapped("<NetWt>60800<", "<NetWt>######<")),
    "elements of a later version": (IMPORT, swapped("</DecHead>", "<NewMark>1</NewMark></DecHead>")),
    "attributes of a later version": (IMPORT, swapped("<DecList>", '<DecList id="1">')),
    # Answers.
    "answer with ns2": (STASHED, prefixed("ns2")),
    "answer without namespace": (STASHED, without_namespace),
    "answer in GBK": (STASHED, recoded("gbk", "GBK")),
    "answer in CDATA": (REFUSED, each_value("<![CDATA[{}]]>")),
    "answer without number": (STASHED, lambda data: re.sub(rb"<SeqNo>.*?</SeqNo>", b"", data)),
    "answer with an empty number": (STASHED, lambda data: re.sub(rb"<SeqNo>.*?</SeqNo>", b"<SeqNo></SeqNo>", data)),
    "answer with blanks": (STASHED, each_value(" {}\n")),
    "answer with a transfer number": (
        STASHED,
        swapped("</DecImportResponse>", "<TrnPreId>123456789012345678</TrnPreId></DecImportResponse>"),
    ),
    # Receipts.
    "receipt in UTF-16": (RELEASED, recoded("utf-16", "UTF-16")),
    "receipt in GB2312": (RELEASED, recoded("gb2312", "GB2312")),
    "receipt with a namespace": (
        RELEASED,
        lambda data: re.sub(rb"<DEC_RESULT>", f'<DEC_RESULT xmlns="{DEC}">'.encode(), data, count=1),
    ),
    "receipt with a prefix": (
        RELEASED,
        lambda data: prefixed("r")(data).replace(b"<r:DEC_RESULT", f'<r:DEC_RESULT xmlns:r="{DEC}"'.encode(), 1),
    ),
    "receipt with a blank in its time": (RELEASED, lambda data: re.sub(rb"(<NOTICE_DATE>[\d-]+)T", rb"\1 ", data)),
    "receipt with milliseconds": (RELEASED, lambda data: re.sub(rb"(<NOTICE_DATE>[^<]+)", rb"\1.123", data)),
    "receipt with an offset": (RELEASED, lambda data: re.sub(rb"(<NOTICE_DATE>[^<]+)", rb"\1+08:00", data)),
    "receipt with a compact day": (RELEASED, days("D_DATE", "20261118100211")),
    "receipt of 2024, the day without signs": (RELEASED, days("I_E_DATE", "20261118")),
    "receipt in CDATA": (RELEASED, each_value("<![CDATA[{}]]>")),
    "receipt with comments": (RELEASED, each_value("<!-- c -->{}")),
    "receipt without number": (RELEASED, lambda data: re.sub(rb"<ENTRY_ID>.*?</ENTRY_ID>", b"", data)),
    "receipt with a note of lines": (RELEASED, lambda data: re.sub(rb"<NOTE>", b"<NOTE>a\n b;\n", data)),
    "receipt of another channel": (RELEASED, lambda data: re.sub(rb"<CHANNEL>.*?<", b"<CHANNEL>Zz9<", data)),
    "older receipt": (RETURNED, lambda data: data),
    "older receipt with empty detail": (
        RETURNED,
        lambda data: re.sub(rb"<RESULT_INFO>.*?</RESULT_INFO>", b"<RESULT_INFO/>", data),
    ),
}


# Phrase -> sample, change, code and place of the finding.
NOT_READ: dict[str, tuple[str, Change, str, str]] = {
    "two lists of containers": (IMPORT, split_containers, "syntax.element.too_many", "DecMessage/DecContainers"),
    "two free texts": (
        IMPORT,
        added(b"<DecFreeTxt><BonNo>B1</BonNo></DecFreeTxt>"),
        "syntax.element.too_many",
        "DecMessage/DecFreeTxt",
    ),
    "two remarks": (
        IMPORT,
        swapped("<MarkNo>N/M</MarkNo>", "<MarkNo>N/M</MarkNo><MarkNo>second</MarkNo>"),
        "syntax.element.too_many",
        "DecMessage/DecHead/MarkNo",
    ),
    "cut off": (IMPORT, lambda data: data[:-20], "syntax.xml.not_well_formed", "line"),
    "another encoding than declared": (
        IMPORT,
        lambda data: data.decode().encode("gbk"),
        "syntax.xml.encoding",
        "line",
    ),
    "a document type": (
        IMPORT,
        swapped("<DecMessage", "<!DOCTYPE DecMessage><DecMessage"),
        "syntax.xml.doctype",
        "line 2",
    ),
    "another family": (IMPORT, lambda data: data.replace(b"DecMessage", b"InvtMessage"), "syntax.message.unknown", "/"),
}

# Phrase -> sample, change, place of what no version of the interface describes.
UNKNOWN: dict[str, tuple[str, Change, str]] = {
    "answer with more": (
        STASHED,
        swapped("</DecImportResponse>", "<SignTime>x</SignTime></DecImportResponse>"),
        "DecImportResponse/SignTime",
    ),
    "receipt with more": (
        RELEASED,
        swapped("</DEC_RESULT>", "<RSK_FLAG>0</RSK_FLAG></DEC_RESULT>"),
        "DEC_RESULT/RSK_FLAG",
    ),
}


def _moved(data: bytes, name: bytes, before: bytes) -> bytes:
    """Every element of a name moved in front of something."""
    pattern = re.compile(rb"<" + name + rb">.*?</" + name + rb">", re.DOTALL)
    parts = b"".join(pattern.findall(data))
    return pattern.sub(b"", data).replace(before, parts + before, 1)
