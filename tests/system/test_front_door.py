"""The gateway as a stranger meets it: the README's commands, the command line, refusals in two languages, the pages."""

from __future__ import annotations

import copy
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.system.town import DECLARATIONS, FILER, OTHER, ROOT, Town, wait_for

COPPER = DECLARATIONS / "import-copper-concentrate-ganqimaodu-road.json"
HAN = re.compile(r"[\u4e00-\u9fff]")
TABLES = ("documents", "messages", "events", "work", "payloads", "aliases", "idempotency", "standings")

Change = Callable[[dict[str, Any]], None]


def copper(reference: str, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(COPPER.read_text(encoding="utf-8"))
    return {**document, "functional_reference_id": reference, **changes}


def post(town: Town, body: Any, *, key: str = FILER, query: str = "", **headers: str) -> requests.Response:
    """POST /v1/declarations. body: bytes are sent as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    said = {"X-API-Key": key, "Content-Type": "application/json", "Accept-Language": "en", **headers}
    return requests.post(f"{town.url}/v1/declarations{query}", data=data, headers=said, timeout=30)


def filed(town: Town, reference: str, **changes: Any) -> dict[str, Any]:
    answer = post(town, copper(reference, **changes))
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def delivered(town: Town, message_id: str) -> None:
    wait_for(
        lambda: town.rows("SELECT status FROM messages WHERE id = ?", message_id) == [("delivered",)],
        30,
        lambda: f"{town.rows('SELECT * FROM messages WHERE id = ?', message_id)} {town.log('work')}",
    )


def stored(town: Town) -> dict[str, int]:
    return {table: town.count(f"SELECT COUNT(*) FROM {table}") for table in TABLES}


def swgate(town: Town, *arguments: str, expect: int = 0, lang: str = "C.UTF-8") -> str:
    """Standard output of a command; its exit code must be as expected."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **town.environment, "LC_ALL": lang},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout if expect == 0 else done.stderr


# The README.


def readme_commands() -> list[str]:
    """Every curl command of the README, as one shell line each."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return [block.replace("\\\n", " ").strip() for block in blocks if block.startswith("curl")]


def shell(command: str, **words: str) -> tuple[str, str]:
    """Head and body that the command prints; where there is no curl, what requests gets for the same words."""
    if shutil.which("curl"):
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=ROOT,
            env={**os.environ, **words},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        head, _, body = done.stdout.rpartition("\n\n")
        return head, body
    said = shlex.split(re.sub(r"\$\(date \+%s\)", "1", command))
    said = [re.sub(r"\$([A-Z_]+)", lambda match: words[match[1]], word) for word in said]
    headers = dict(said[place + 1].split(": ", 1) for place, word in enumerate(said) if word == "-H")
    files = [word[1:] for word in said if word.startswith("@")]
    url = next(word for word in said if word.startswith("http"))
    data = (ROOT / files[0]).read_bytes() if files else None
    answer = requests.request("POST" if files else "GET", url, data=data, headers=headers, timeout=30)
    return f"HTTP/1.1 {answer.status_code} " + str(answer.headers), answer.text


def test_the_commands_of_the_readme_file_a_declaration_and_read_its_timeline(open_town: Town) -> None:
    file_it, read_it = readme_commands()
    head, body = shell(file_it, URL=open_town.url, KEY=FILER)
    assert re.match(r"HTTP/1\.1 202 ", head), head + body
    accepted = json.loads(body)
    assert accepted["id"]
    (message_id,) = accepted["message_ids"]
    delivered(open_town, message_id)
    _, body = shell(read_it, URL=open_town.url, KEY=FILER, ID=accepted["id"])
    told = json.loads(body)
    types = [entry["type"] for entry in told["items"]]
    assert types[0] == "document:submission:accepted"
    assert "message:attempt:handed-over" in types
    assert all(entry["title"] for entry in told["items"])
    assert "Declaration I07082026111800001, round 1" in told["items"][0]["text"]


def test_nobody_sees_what_another_tenant_filed(open_town: Town) -> None:
    accepted = filed(open_town, "DOOR-TENANT")
    for path in (f"declarations/{accepted['id']}", f"messages/{accepted['message_ids'][0]}/timeline"):
        assert requests.get(f"{open_town.url}/v1/{path}", headers={"X-API-Key": OTHER}, timeout=10).status_code == 404
        assert requests.get(f"{open_town.url}/v1/{path}", headers={"X-API-Key": FILER}, timeout=10).status_code == 200


# The command line.


def test_the_command_line_files_finds_and_tells(open_town: Town, tmp_path: Path) -> None:
    file = tmp_path / "declaration.json"
    file.write_text(json.dumps(copper("DOOR-CLI-0001")), encoding="utf-8")
    accepted = json.loads(swgate(open_town, "submit", str(file), "--tenant", "northern-frontier"))
    (message_id,) = accepted["message_ids"]
    delivered(open_town, message_id)
    (found,) = json.loads(swgate(open_town, "messages", "list", "DOOR-CLI-0001", "--json"))
    assert (found["id"], found["status"], found["agreement"]) == (message_id, "delivered", "customs")
    assert message_id in swgate(open_town, "messages", "list", "DOOR-CLI-0001")
    shown = json.loads(swgate(open_town, "messages", "show", message_id, "--json"))
    assert shown["reference"] == "DOOR-CLI-0001"
    (number,) = shown["aliases"]["cn-seq-no"]
    by_number = json.loads(swgate(open_town, "messages", "show", number, "--json"))
    assert by_number["id"] == message_id
    told = json.loads(swgate(open_town, "messages", "timeline", message_id, "--json"))
    assert told[0]["type"] == "document:submission:accepted"
    assert HAN.search(swgate(open_town, "messages", "timeline", message_id, lang="zh_CN.UTF-8"))
    assert "<DecMessage" in swgate(open_town, "messages", "content", message_id)


def test_the_command_line_files_at_a_gateway_elsewhere(open_town: Town, tmp_path: Path) -> None:
    file, key = tmp_path / "declaration.json", tmp_path / "key"
    file.write_text(json.dumps(copper("DOOR-CLI-0002")), encoding="utf-8")
    key.write_text(FILER + "\n", encoding="utf-8")
    there = ("--url", open_town.url, "--key", f"file:{key}", "--idempotency-key", "door-cli-2")
    once = json.loads(swgate(open_town, "submit", str(file), *there))
    twice = json.loads(swgate(open_town, "submit", str(file), *there))
    assert once["id"] == twice["id"]
    assert open_town.count("SELECT COUNT(*) FROM documents WHERE reference = 'DOOR-CLI-0002'") == 1


def test_the_command_line_names_what_is_wrong_and_stores_nothing(open_town: Town, tmp_path: Path) -> None:
    document = copper("DOOR-CLI-0003")
    document["goods_shipment"]["trading_country_code"] = "QQ"
    file = tmp_path / "declaration.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    told = swgate(open_town, "submit", str(file), expect=1)
    assert "document.code.unknown" in told
    assert "/goods_shipment/trading_country_code" in told
    assert open_town.count("SELECT COUNT(*) FROM documents WHERE reference = 'DOOR-CLI-0003'") == 0


# Trying, and repeating.


def test_a_dry_run_shows_the_message_and_changes_nothing(open_town: Town, tmp_path: Path) -> None:
    file = tmp_path / "declaration.json"
    file.write_text(json.dumps(copper("DOOR-DRY")), encoding="utf-8")
    _come_to_rest(open_town)
    before, files = stored(open_town), open_town.ledger()["declarations"].keys()
    answer = post(open_town, copper("DOOR-DRY"), query="?dry_run=true", **{"Idempotency-Key": "door-dry"})
    assert answer.status_code == 200, answer.text
    (message,) = answer.json()["messages"]
    assert "DecMessage" in message["content"]
    assert message["report"]
    local = json.loads(swgate(open_town, "submit", str(file), "--dry-run"))
    assert local["dry_run"] is True
    assert stored(open_town) == before
    assert open_town.ledger()["declarations"].keys() == files
    assert post(open_town, copper("DOOR-DRY-2"), **{"Idempotency-Key": "door-dry"}).status_code == 202


def _come_to_rest(town: Town) -> None:
    """Until every answer to what other tests filed has come and is stored."""

    def at_rest() -> bool:
        ledger = town.ledger()
        everything = len(ledger["declarations"]) == town.count("SELECT COUNT(*) FROM messages")
        open_ends = town.count("SELECT COUNT(*) FROM events WHERE position IS NULL")
        return everything and not ledger["waiting_answers"] and not town.files("InBox") and not open_ends

    wait_for(at_rest, 30, lambda: f"{town.ledger()} {town.files('InBox')}", 0.5)


def test_the_same_key_with_the_same_bytes_is_filed_once_and_with_others_not_at_all(open_town: Town) -> None:
    key = {"Idempotency-Key": "door-twice"}
    first = post(open_town, copper("DOOR-TWICE"), **key)
    second = post(open_town, copper("DOOR-TWICE"), **key)
    assert (first.status_code, second.status_code) == (202, 202)
    assert (second.json()["id"], second.json()["message_ids"]) == (first.json()["id"], first.json()["message_ids"])
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert open_town.count("SELECT COUNT(*) FROM documents WHERE reference = 'DOOR-TWICE'") == 1
    other = post(open_town, copper("DOOR-TWICE-OTHER"), **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.other_body")
    assert open_town.count("SELECT COUNT(*) FROM documents WHERE reference = 'DOOR-TWICE-OTHER'") == 0


# Refusals.


def _country(document: dict[str, Any]) -> None:
    document["goods_shipment"]["trading_country_code"] = "QQ"


def _net_over_gross(document: dict[str, Any]) -> None:
    document["total_net_mass"]["value"] = "70000"


def _container(document: dict[str, Any]) -> None:
    document["goods_shipment"]["consignment"]["transport_equipments"][0]["id"] = "SWGU4812307"


def _misspelt(document: dict[str, Any]) -> None:
    document["goods_shipment"]["trading_contry_code"] = "MN"


def _number(document: dict[str, Any]) -> None:
    document["total_gross_mass"]["value"] = 61240


def _missing(document: dict[str, Any]) -> None:
    del document["direction"]


def _usci(document: dict[str, Any]) -> None:
    document["agent"]["identifiers"][1]["value"] = "91150824MA13NRT055"


WRONG: dict[str, tuple[Change, int, str, str]] = {
    "a country that is in no list": (_country, 422, "document.code.unknown", "/goods_shipment/trading_country_code"),
    "more net than gross": (_net_over_gross, 422, "document.rule.net_over_gross", "/total_gross_mass/value"),
    "a container that fails its check digit": (
        _container,
        422,
        "document.identifier.check_digit",
        "/goods_shipment/consignment/transport_equipments/0/id",
    ),
    "a credit code that fails its check digit": (
        _usci,
        422,
        "document.identifier.check_digit",
        "/agent/identifiers/1/value",
    ),
    "a misspelt member": (
        _misspelt,
        422,
        "document.schema.unknown",
        "/goods_shipment/trading_contry_code",
    ),
    "a number where text is due": (_number, 422, "document.schema.type", "/total_gross_mass/value"),
    "no direction": (_missing, 422, "document.schema.required", "/direction"),
}


@pytest.mark.parametrize(("change", "status", "code", "pointer"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_body_is_refused_with_its_place_in_both_languages(
    open_town: Town, change: Change, status: int, code: str, pointer: str
) -> None:
    document = copy.deepcopy(copper("DOOR-WRONG"))
    change(document)
    said = {lang: post(open_town, document, **{"Accept-Language": lang}) for lang in ("en", "zh")}
    rows: dict[str, dict[str, Any]] = {}
    for lang, answer in said.items():
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        rows[lang] = next((row for row in answer.json()["findings"] if row["code"] == code), {})
        assert rows[lang], answer.text
        assert rows[lang].get("pointer", "") == pointer
    english, chinese = rows["en"], rows["zh"]
    for part in ("title", "text", "action"):
        assert HAN.search(chinese[part]), (part, chinese)
        assert not HAN.search(english[part]), (part, english)
    assert open_town.count("SELECT COUNT(*) FROM documents WHERE reference = 'DOOR-WRONG'") == 0


def test_all_that_is_wrong_is_told_at_once(open_town: Town) -> None:
    document = copy.deepcopy(copper("DOOR-ALL"))
    for change in (_country, _net_over_gross, _container, _usci):
        change(document)
    told = {(row["code"], row.get("pointer", "")) for row in post(open_town, document).json()["findings"]}
    wanted = [WRONG[name] for name in WRONG if WRONG[name][0] in (_country, _net_over_gross, _container, _usci)]
    assert {(code, pointer) for _, _, code, pointer in wanted} <= told


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 422), (b'{"direction": "import", "direction": "export"}', 400), (b"", 400)],
    ids=["broken JSON", "no object", "a member twice", "nothing"],
)
def test_bytes_that_are_no_document_are_refused_in_words(open_town: Town, body: bytes, status: int) -> None:
    answer = post(open_town, body)
    assert answer.status_code == status, answer.text
    assert all(row["code"] and row["text"] for row in answer.json()["findings"])


def test_without_a_key_there_is_no_entry(open_town: Town) -> None:
    assert post(open_town, copper("DOOR-KEY"), key="nobody").status_code == 401
    for path in ("/health", "/ready", "/v1/openapi.json"):
        assert requests.get(open_town.url + path, timeout=10).ok


# The pages.


@pytest.fixture(scope="module")
def desk(open_town: Town) -> requests.Session:
    """Somebody of the filer, whose account was made at the machine."""
    password = "four words nobody guesses"
    made = [sys.executable, "-m", "gateway.cli", "accounts", "add", "desk", "--role", "viewer", "--why", "the tests"]
    subprocess.run(
        [*made, "--tenant", "northern-frontier"],
        input=password.encode(),
        env={**os.environ, **open_town.environment},
        check=True,
        timeout=60,
    )
    session, door = requests.Session(), f"{open_town.url}/console/sign-in"
    token = re.search(r'name="form_token" value="(\w+)"', session.get(door, timeout=10).text)
    assert token is not None
    said = {"name": "desk", "password": password, "form_token": token[1]}
    answer = session.post(door, data=said, timeout=10, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return session


def test_the_pages_find_a_message_by_its_container_and_by_the_number_of_the_single_window(
    open_town: Town, desk: requests.Session
) -> None:
    document = copper("DOOR-PAGES")
    document["goods_shipment"]["consignment"]["transport_equipments"][0]["id"] = "SWGU7700017"
    answer = post(open_town, document)
    assert answer.status_code == 202, answer.text
    (message_id,) = answer.json()["message_ids"]
    delivered(open_town, message_id)
    query = "SELECT value FROM aliases WHERE message_id = ? AND scheme = 'cn-seq-no'"
    ((seq_no,),) = open_town.rows(query, message_id)
    for lang in ("en", "zh"):
        for number in ("SWGU7700017", seq_no):
            page = desk.get(f"{open_town.url}/console/", params={"q": number, "lang": lang}, timeout=10)
            assert page.ok, page.text
            assert re.findall(r"/console/messages/([0-9a-z]+)", page.text) == [message_id], number
        page = desk.get(f"{open_town.url}/console/messages/{message_id}", params={"lang": lang}, timeout=10)
        assert page.ok, page.text
        for shown in ("SWGU7700017", seq_no, "DOOR-PAGES", "DecMessage", "message:attempt:handed-over"):
            assert shown in page.text, shown
    empty = desk.get(f"{open_town.url}/console/", params={"q": "SWGU0000000"}, timeout=10)
    assert "/console/messages/" not in empty.text
