"""Element tables: what a row comes to, and that a table which contradicts itself is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.errors import NeedsOperator
from gateway.syntax.pages import describe, table_page, times
from gateway.syntax.registry import SchemaRegistry
from gateway.syntax.tables import NodeKind, SimpleType

Specs = Callable[..., SchemaRegistry]


def test_an_element_carries_its_facts(registry: SchemaRegistry) -> None:
    node = registry.table("cn_declaration", "3.1", "decmessage").find("DecMessage/DecHead/GrossWet")
    assert node is not None
    assert (node.tag, node.prefix) == ("{http://www.chinaport.gov.cn/dec}GrossWet", "dec")
    assert node.type == SimpleType("decimal", total_digits=19, fraction_digits=5, blank_allowed=True)
    assert (node.title_zh, node.min, node.max) == ("毛重", 0, 1)


def test_the_same_rows_serve_the_wrapper_without_namespace(registry: SchemaRegistry) -> None:
    bare = registry.table("cn_declaration", "5.0", "decmessage")
    wrapped = registry.table("cn_declaration", "1.0", "importmessage")
    inner = {
        node.path.removeprefix("ImportMessage/SWImpData/"): node for node in wrapped.walk() if "DecMessage" in node.path
    }
    for node in bare.walk():
        assert inner[node.path].type == node.type
        assert not inner[node.path].namespace


@pytest.mark.parametrize(
    ("message", "path"),
    [
        (
            "declaration",
            "MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem/Commodity/GoodsMeasure/GrossMassMeasure/@unitCode",
        ),
        ("declaration", "MetaData/Declaration/IssueDateTime/DateTimeString/@formatCode"),
        ("notification", "MetaData/Response/Declaration/ID"),
        ("notification", "MetaData/Response/dec:Declaration/GoodsShipment/Consignee/Address/CityName"),
    ],
)
def test_a_path_finds_its_node(registry: SchemaRegistry, message: str, path: str) -> None:
    node = registry.table("wco_declaration", "3.6", message).find(path)
    assert node is not None
    assert node.path == path


def test_a_path_that_no_table_holds_finds_nothing(registry: SchemaRegistry) -> None:
    table = registry.table("wco_declaration", "3.6", "declaration")
    for path in ("MetaData/Unheard", "Other", "MetaData/Declaration/ID/Deeper", "", "MetaData/@x"):
        assert table.find(path) is None


def test_every_element_has_a_chinese_and_an_english_title(registry: SchemaRegistry) -> None:
    untitled = [
        f"{standard}/{node.path}"
        for standard in registry.standards()
        for message in registry.messages(standard)
        for node in registry.table(standard, registry.newest(standard, message), message).walk()
        if node.kind is NodeKind.ELEMENT and not (node.title_zh and node.title_en)
    ]
    assert untitled == []


def test_every_named_code_list_exists(registry: SchemaRegistry, project_root: Path) -> None:
    named = {
        node.codes
        for message in registry.messages("cn_declaration")
        for node in registry.table("cn_declaration", registry.newest("cn_declaration", message), message).walk()
    }
    assert {
        name for name in named if name and not (project_root / "specs/codelists" / f"{name}.csv").is_file()
    } == set()


def test_every_class_of_a_pointer_has_its_wco_id(registry: SchemaRegistry) -> None:
    table = registry.table("wco_declaration", "3.6", "declaration")
    groups = [node for node in table.walk() if node.kind is NodeKind.ELEMENT and node.type is None]
    nameless = [node.path for node in groups if not node.wco_id]
    assert nameless == ["MetaData"]


def test_two_children_of_one_name_are_told_apart_by_namespace(registry: SchemaRegistry) -> None:
    table = registry.table("wco_declaration", "3.6", "notification")
    response = table.find("MetaData/Response")
    assert response is not None
    echo = response.child("Declaration", table.namespaces["dec"])
    own = response.child("Declaration", table.namespaces["res"])
    assert echo is not None
    assert own is not None
    assert (echo.path, own.path) == ("MetaData/Response/dec:Declaration", "MetaData/Response/Declaration")


def test_a_derived_type_adds_to_its_base(specs: Specs) -> None:
    registry = specs(
        "R namespace=a\nR/Weight type=Mass max_length=9 min=1",
        "Mass kind=type type=Number pattern=[0-9]+\nMass/@unit kind=attribute type=string min=1\nNumber kind=type type=string pattern=.{1,5}",
    )
    node = registry.table("demo", "1", "m").find("R/Weight")
    assert node is not None
    assert node.type == SimpleType("string", max_length=9, patterns=(".{1,5}", "[0-9]+"))
    assert [attribute.name for attribute in node.attributes] == ["unit"]


def test_a_type_that_contains_itself_is_walked_to_an_end(specs: Specs) -> None:
    registry = specs(
        "R namespace=a\nR/Part type=Part", "Part kind=type\nPart/Name type=string\nPart/Part type=Part max=*"
    )
    table = registry.table("demo", "1", "m")
    assert [node.path for node in table.walk()] == ["R", "R/Part", "R/Part/Name", "R/Part/Part"]
    assert table.find("R/Part/Part/Part/Part/Name") is not None


@pytest.mark.parametrize(
    "rows",
    [
        "R namespace=a\nR/A type=Unheard",
        "R namespace=a\nR/A/B type=string",
        "R namespace=a\nR/A type=string\nR/A type=string",
        "R\nS",
    ],
    ids=["a type no table holds", "a row without the row above it", "a path twice", "two roots"],
)
def test_a_table_that_contradicts_itself_is_the_operators_fault(specs: Specs, rows: str) -> None:
    with pytest.raises(NeedsOperator) as refused:
        list(specs(rows).table("demo", "1", "m").walk())
    assert refused.value.code == "syntax.table.broken"


def test_the_page_of_a_table_shows_every_element(registry: SchemaRegistry) -> None:
    table = registry.table("cn_declaration", "5.0", "decmessage")
    page = table_page(table)
    for node in table.walk():
        assert f"| `{node.path}` | {describe(node).replace('|', '&#124;')} | {times(node)} |" in page
