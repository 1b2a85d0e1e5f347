"""The documentation page of an element table: Markdown, one line an element."""

from __future__ import annotations

from gateway.syntax.tables import ElementTable, Node, NodeKind, Order

_HEAD = ("path", "type", "times", "code list", "中文", "English", "WCO id", "note", "source")


def table_page(table: ElementTable) -> str:
    """The whole table as a page. Attributes that only name the list or scheme of a code are left to the types."""
    lines = [
        f"# {table.standard}: {table.name} {table.version}",
        "",
        f"{table.title_en}（{table.title_zh}）" if table.title_zh else table.title_en,
        "",
        *(f"- `{prefix}` = `{uri}`" for prefix, uri in table.namespaces.items()),
        f"- children in {'any order' if table.root.order is Order.ANY else 'the order of this page'}",
        "",
        f"| {' | '.join(_HEAD)} |",
        f"|{'---|' * len(_HEAD)}",
        *(_line(node) for node in table.walk() if _shown(node)),
    ]
    return "\n".join(lines) + "\n"


def _shown(node: Node) -> bool:
    return node.kind is NodeKind.ELEMENT or node.min > 0 or bool(node.title_en)


def _line(node: Node) -> str:
    cells = (
        f"`{node.path}`",
        describe(node),
        times(node),
        node.codes,
        node.title_zh,
        node.title_en,
        node.wco_id,
        node.note,
        node.source,
    )
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def describe(node: Node) -> str:
    """Type and limits in short: ``string ..32``, ``decimal 19,5``, ``group``."""
    type_ = node.type
    if type_ is None:
        return "group"
    limits = [type_.base]
    if type_.length is not None:
        limits.append(str(type_.length))
    elif type_.min_length is not None or type_.max_length is not None:
        limits.append(f"{type_.min_length or ''}..{'' if type_.max_length is None else type_.max_length}")
    if type_.total_digits is not None:
        limits.append(f"{type_.total_digits},{type_.fraction_digits or 0}")
    limits += [f"`{pattern}`" for pattern in type_.patterns]
    if type_.enumeration:
        limits.append(" or ".join(type_.enumeration))
    return " ".join(limits)


def times(node: Node) -> str:
    """Cardinality: ``1``, ``0..1``, ``1..*``."""
    high = "*" if node.max is None else str(node.max)
    return high if high == str(node.min) else f"{node.min}..{high}"
