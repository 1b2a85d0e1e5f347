"""The ``type`` of every problem leads to a page that a person can read, in the language of the one who asks."""

from __future__ import annotations

import re
from typing import Any

import pytest

HAN = re.compile(r"[\u4e00-\u9fff]")


def test_the_type_of_a_refusal_leads_to_its_page(running: Any) -> None:
    refused = running.api.post("/v1/declarations", {"direction": "sideways"})
    for code in {refused.json["type"], *(f"/problems/{row['code']}" for row in refused.json["findings"])}:
        page = running.api.get(code, key="")
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8"), code
        assert code.removeprefix("/problems/") in page.data.decode()


@pytest.mark.parametrize(("asked", "lang"), [("zh", "zh"), ("en", "en"), ("mn", "zh"), ("", "zh")])
def test_the_page_is_in_the_language_asked_for(running: Any, asked: str, lang: str) -> None:
    page = running.api.get("/problems/document.code.unknown", key="", Accept_Language=asked)
    text = page.data.decode()
    assert page.headers["content-language"] == lang
    assert f'<html lang="{lang}">' in text
    assert bool(HAN.search(text)) == (lang == "zh")
    assert "<var>found</var>" in text


def test_every_code_of_the_catalogue_has_a_page_and_a_family_lists_its_codes(running: Any) -> None:
    codes = running.app.parts.texts.codes()
    assert len(codes) > 200
    assert [code for code in codes if running.api.get(f"/problems/{code}", key="").status != 200] == []
    listed = running.api.get("/problems/syntax.xml.not_well_formed", key="").data.decode()
    assert "syntax.schema" not in listed
    family = running.api.get("/problems/document.refused", key="").data.decode()
    assert "<h1>" in family


def test_what_is_no_code_is_not_found_and_nothing_of_it_becomes_markup(running: Any) -> None:
    assert running.api.get("/problems/nothing.of.the.sort", key="").status == 404
    assert running.api.get("/problems/%3Cscript%3E", key="").status == 400
    page = running.api.get("/problems/document.code.unknown", key="")
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_code_of_a_later_version_is_shown_as_the_nearest_one_known(running: Any) -> None:
    page = running.api.get("/problems/document.code.unknown.in_some_way", key="")
    assert page.status == 200
    assert "document.code.unknown.in_some_way" in page.data.decode()


def test_a_language_that_the_operator_added_is_spoken_in_problems_and_on_pages(mongolian: Any) -> None:
    refused = mongolian.api.get("/v1/declarations", key="", Accept_Language="mn")
    assert (refused.status, refused.headers["content-language"]) == (401, "mn")
    assert refused.json["title"] == "Түлхүүр алга"
    page = mongolian.api.get("/problems/http.unauthorized", key="", Accept_Language="mn, en;q=0.3")
    assert "Түлхүүрээ шалгана уу." in page.data.decode()
    several = mongolian.api.post("/v1/declarations", {"direction": "sideways", "remark": 1}, Accept_Language="mn")
    assert several.status == 422
    assert re.match(r"\d errors; the first: ", several.json["detail"])
    filed = mongolian.api.post("/v1/declarations", mongolian.declaration())
    told = mongolian.api.get(f"/v1/declarations/{filed.json['id']}/timeline", Accept_Language="mn")
    assert told.json["items"][0]["title"]
    assert not HAN.search(told.json["items"][0]["title"])
    shown = mongolian.api.get("/console", key="", Accept_Language="mn")
    assert shown.status in {200, 302, 303}
