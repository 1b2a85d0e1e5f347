"""Every code that this room gives to a finding has its texts, and no text stands there for nothing."""

import re
from pathlib import Path

import yaml


def test_every_finding_code_of_the_room_has_texts(project_root: Path) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (project_root / "gateway/syntax").glob("*.py"))
    named = {code for code in re.findall(r'"(syntax\.[a-z_.]+)"', source) if not code.endswith(".")}
    named |= {f"syntax.value.{fault}" for fault in re.findall(r'Fault\("([a-z]+)"', source)}
    named |= {f"syntax.{what}.unknown" for what in re.findall(r'_unknown\("([a-z]+)"', source)}
    texts = yaml.safe_load((project_root / "specs/findings/syntax.yaml").read_text(encoding="utf-8"))
    assert named | {"syntax.not_well_formed"} == set(texts)  # the last is the class's own code in gateway/errors.py
    for code, languages in texts.items():
        assert set(languages) == {"en", "zh"}, code
        assert all(set(text) == {"title", "text", "action"} for text in languages.values()), code
