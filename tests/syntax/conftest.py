"""The tables of this project as a registry, and small tables written for one test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.syntax.registry import SchemaRegistry

HEAD = "path,kind,namespace,type,length,max_length,total_digits,fraction_digits,pattern,enumeration,min,max,order,choice,nillable"


@pytest.fixture(scope="session")
def registry(project_root: Path) -> SchemaRegistry:
    return SchemaRegistry(project_root / "specs")


@pytest.fixture
def specs(tmp_path: Path) -> Callable[..., SchemaRegistry]:
    """Write a standard `demo` with a message `m` of root R: rows and types as `path key=value ...` lines."""

    def write(rows: str, types: str = "", settings: str = "") -> SchemaRegistry:
        folder = tmp_path / "specs" / "demo"
        folder.mkdir(parents=True)
        (folder / "standard.yaml").write_text(
            f"standard: demo\nnamespaces: {{a: 'urn:a', b: 'urn:b'}}\n{settings}\n"
            "messages: {m: {root: R, versions: ['1', '2'], types: [m.types.csv]}}\n"
        )
        (folder / "m.csv").write_text(_csv(rows))
        (folder / "m.types.csv").write_text(_csv(types))
        return SchemaRegistry(tmp_path / "specs")

    return write


def _csv(lines: str) -> str:
    columns = HEAD.split(",")
    out = [HEAD]
    for line in filter(None, (line.strip() for line in lines.splitlines())):
        path, *facts = line.split()
        named = {"path": path, **dict(fact.split("=", 1) for fact in facts)}
        assert set(named) <= set(columns), line
        out.append(",".join(f'"{named.get(column, "")}"' for column in columns))
    return "\n".join(out) + "\n"
