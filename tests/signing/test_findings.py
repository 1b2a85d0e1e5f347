"""Every finding that the room can raise has its texts, and no text is left over."""

import re

import yaml


def test_every_code_has_texts_in_both_languages(project_root):
    texts = yaml.safe_load((project_root / "specs/findings/signing.yaml").read_text())
    source = "".join(path.read_text() for path in (project_root / "gateway/signing").glob("*.py"))
    codes = set(re.findall(r'"((?:trust|keys|signing)\.[a-z_.]+)"', source))
    assert codes == set(texts)
    for row in texts.values():
        assert all(set(row[language]) == {"title", "text", "action"} for language in ("en", "zh"))
