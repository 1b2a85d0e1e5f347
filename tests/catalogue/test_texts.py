"""Every finding that the catalogue and the command line speak of has its words in both languages."""

import re
from pathlib import Path

import yaml

CODE = re.compile(r'"((?:catalogue|translate)\.[a-z_.]+)"')


def test_every_code_has_words_and_every_word_has_a_code(project_root: Path) -> None:
    sources = [*(project_root / "gateway/catalogue").glob("*.py"), *(project_root / "gateway/cli").glob("*.py")]
    used = {code for path in sources for code in CODE.findall(path.read_text(encoding="utf-8"))}
    rows = yaml.safe_load((project_root / "specs/findings/catalogue.yaml").read_text(encoding="utf-8"))
    assert used == set(rows)
    for row in rows.values():
        assert all(row[language][part] for language in ("en", "zh") for part in ("title", "text", "action"))
