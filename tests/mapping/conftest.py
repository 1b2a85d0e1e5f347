"""A small partner standard of its own, so that the engine is tested without any real one."""

from pathlib import Path

import pytest

from gateway.mapping import Mapping
from gateway.mapping.conversions import COMPACT_DATE, indicator, positional, renamed
from gateway.mapping.rows import Row, amount, bag, constant, convert, each, group, joined, measure, scope, text, when
from gateway.syntax.tables import ElementTable, load

STANDARD = """\
standard: parcel
order: any
blank_allowed: true
namespaces: {p: "urn:example:parcel"}
messages:
  parcel: {root: Parcel, versions: ["1"]}
"""

ROWS = """\
path,kind,namespace,type,max_length,min,max,codes,title_en,title_zh
Parcel,element,p,,,1,1,,parcel,包裹
Parcel/@version,attribute,,string,5,0,1,,version,版本
Parcel/Flow,element,,string,1,1,1,,direction,进出口标志
Parcel/Marks,element,,string,3,0,1,,marks,标记
Parcel/Fixed,element,,string,1,0,1,,always 1,固定
Parcel/Sent,element,,string,8,0,1,,date sent,寄出日期
Parcel/Fragile,element,,string,1,0,1,,fragile,易碎
Parcel/Sender,element,,,,0,1,,sender,寄件人
Parcel/Sender/Code,element,,string,10,0,1,,customs code,海关编码
Parcel/Sender/Uscc,element,,string,18,0,1,,uniform code,统一社会信用代码
Parcel/Sender/Name,element,,string,20,0,1,,name,名称
Parcel/Host,element,,string,10,0,1,,host,主机
Parcel/Lines,element,,,,1,1,,lines,行
Parcel/Lines/Line,element,,,,0,*,,line,行
Parcel/Lines/Line/No,element,,integer,,1,1,,number,序号
Parcel/Lines/Line/From,element,,string,3,0,1,,from,来自
Parcel/Lines/Line/To,element,,string,3,0,1,,to,去往
Parcel/Lines/Line/Mass,element,,decimal,,0,1,,mass,重量
Parcel/Lines/Line/Mass/@unitCode,attribute,,string,3,0,1,,unit,单位
Parcel/Lines/Line/Price,element,,decimal,,0,1,,price,价格
Parcel/Lines/Line/Price/@currencyID,attribute,,string,3,0,1,,currency,币制
Parcel/Permits,element,,,,0,1,,permits,许可
Parcel/Permits/Permit,element,,string,20,0,*,,permit,许可证
"""

MARKS = positional("marks", {"yes": "1", "no": "0"}, 3, "9")

TABLE_ROWS: list[Row] = [
    text("@version", "format.version"),
    convert("Flow", "direction", renamed("flow", {"import": "I", "export": "E"})),
    joined(["Marks"], ["marks.insured", "marks.tracked", "marks.signed"], MARKS),
    constant("Fixed", "1"),
    convert("Sent", "sent_date", COMPACT_DATE),
    convert("Fragile", "fragile", indicator("Y", "N")),
    group(
        "Sender",
        [
            text("Code", "sender.identifiers[scheme=CN-CUSTOMS].value"),
            text("Uscc", "sender.identifiers[scheme=CN-USCI].value"),
            text("Name", "sender.name"),
        ],
    ),
    bag("Host", "extensions.parcel.host"),
    scope(
        "shipment",
        [
            each(
                "Lines/Line",
                "items",
                [
                    text("No", "sequence_number"),
                    measure("Mass", "mass"),
                    amount("Price", "price"),
                    when(
                        "^direction",
                        {
                            "export": [text("From", "destination"), text("To", "origin")],
                            None: [text("From", "origin"), text("To", "destination")],
                        },
                    ),
                ],
            ),
            each("Permits/Permit", "documents[type=permit]", [text(".", "id")]),
        ],
    ),
]

DOCUMENT = {
    "direction": "export",
    "sent_date": "2026-03-01",
    "fragile": True,
    "marks": {"insured": "yes", "signed": "no"},
    "sender": {
        "name": "Amber & Sons <Erenhot>",
        "identifiers": [
            {"scheme": "CN-USCI", "value": "91150000MA0NAT0017"},
            {"scheme": "CN-CUSTOMS", "value": "1501960001"},
        ],
    },
    "shipment": {
        "items": [
            {
                "sequence_number": "1",
                "origin": "CN",
                "destination": "MN",
                "mass": {"value": "4.86000", "unit_code": "KGM"},
            },
            {"sequence_number": "2", "price": {"value": "10", "currency": "CNY"}},
        ],
        "documents": [{"type": "permit", "id": "P-1"}, {"type": "permit", "id": "P-2"}],
    },
    "extensions": {"parcel": {"host": "h1"}},
}


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> ElementTable:
    folder: Path = tmp_path_factory.mktemp("parcel")
    (folder / "standard.yaml").write_text(STANDARD, encoding="utf-8")
    (folder / "parcel.csv").write_text(ROWS, encoding="utf-8")
    return load(folder / "parcel.csv")


@pytest.fixture(scope="session")
def mapping(table: ElementTable) -> Mapping:
    return Mapping(document="parcel", table=table, rows=TABLE_ROWS, ignored={"dossier": "it is the gateway's own"})
