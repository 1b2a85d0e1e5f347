"""swgate itself: start-up, usage, settings, and the commands on a database of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import ids, settings
from gateway.cli import COMMANDS, group
from gateway.cli.adapters import COMMANDS as ADAPTER_COMMANDS
from gateway.cli.keys import COMMANDS as KEY_COMMANDS
from gateway.cli.messages import COMMANDS as MESSAGE_COMMANDS
from gateway.events import EventType
from gateway.lifecycle import Status
from gateway.ports import Alias, DocumentRow, Event, MessageRow, Writing
from gateway.storage import open_store
from gateway.testing.directory import PartnersFile
from gateway.testing.partners import HttpAnswer, HttpPartner
from tests.cli.conftest import ADAPTER, Swgate

HEAVY = {
    "flask",
    "connexion",
    "lxml",
    "sqlalchemy",
    "cryptography",
    "rich",
    "requests",
    "uvicorn",
    "marshmallow",
    "xmlschema",
}


def test_starting_imports_nothing_heavy() -> None:
    code = "import sys, gateway.cli; gateway.cli.main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())


@pytest.mark.parametrize(
    "name",
    [
        *COMMANDS,
        *(f"adapters {name}" for name in ADAPTER_COMMANDS),
        *(f"keys {name}" for name in KEY_COMMANDS),
        *(f"messages {name}" for name in MESSAGE_COMMANDS),
    ],
)
def test_every_command_is_there_and_says_what_it_does(name: str) -> None:
    import click

    command: click.Command | None = group
    context = click.Context(group)
    for word in name.split():
        assert isinstance(command, click.Group)
        command = command.get_command(context, word)
    assert command is not None
    assert command.help


@pytest.mark.parametrize("words", [(), ("fly",), ("--lang", "mn", "serve"), ("submit",)], ids=str)
def test_a_wrong_call_ends_with_3(swgate: Swgate, words: tuple[str, ...]) -> None:
    assert swgate(*words).code == 3


@pytest.mark.parametrize("port", ["many", "+8080", "8_080", "８０８０", "٨٠٨٠", "0", "-1", " 1", "1" * 30])
def test_wrong_settings_are_told_in_words(swgate: Swgate, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("SWGATE_PORT", port)
    outcome = swgate("adapters", "list")
    assert outcome.code == 1
    assert f"SWGATE_PORT={port}" in outcome.err


def test_submit_wants_a_declaration_for_an_amendment(swgate: Swgate, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    outcome = swgate("submit", tmp_path / "a.json", "--kind", "declaration_amendment")
    assert outcome.code == 3
    assert "--of" in outcome.err


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("env:SUBMIT_KEY_ABSENT", "export SUBMIT_KEY_ABSENT="),
        ("file:absent.key", "cannot read absent.key"),
        ("s3cret", "env:NAME or file:PATH"),
        ("env:SUBMIT_KEY_ODD", "is no key"),
    ],
)
def test_submit_says_what_is_wrong_with_the_place_of_the_key(
    swgate: Swgate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, expected: str
) -> None:
    (tmp_path / "a.json").write_text("{}")
    monkeypatch.setenv("SUBMIT_KEY_ODD", "s3cret\nX-Other: 1")
    outcome = swgate("submit", tmp_path / "a.json", "--url", "http://127.0.0.1:9", "--key", place)
    assert outcome.code == 3
    assert expected in outcome.err
    assert "s3cret" not in outcome.err


def test_submit_to_a_gateway_that_is_not_there_fails_without_the_key(
    swgate: Swgate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_text("{}")
    monkeypatch.setenv("SUBMIT_KEY", "s3cret")
    outcome = swgate("submit", tmp_path / "a.json", "--url", "http://127.0.0.1:9", "--key", "env:SUBMIT_KEY")
    assert outcome.code == 1
    assert "s3cret" not in outcome.err
    assert "not known whether" in outcome.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--idempotency-key", "order-1"), "the same --idempotency-key order-1"),
        ((), "without an --idempotency-key"),
        (("--dry-run",), "nothing was filed"),
    ],
    ids=["with a key", "without", "a trial"],
)
def test_submit_says_what_silence_means(
    swgate: Swgate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / "a.json").write_text("{}")
    monkeypatch.setenv("SUBMIT_KEY", "s3cret")
    there = ("--url", "http://127.0.0.1:9", "--key", "env:SUBMIT_KEY")
    assert told in swgate("submit", tmp_path / "a.json", *there, *words).err


REFUSAL = {
    "title": "Refused",
    "status": 422,
    "detail": "the document is refused",
    "findings": [{"code": "document.schema.required", "pointer": "/direction", "severity": "error"}],
}


def test_submit_to_a_gateway_elsewhere_shows_what_it_answers(swgate: Swgate, samples: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, str, str]] = []

    def answer(method: str, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        seen.append((method, path, headers["x-api-key"]))
        if "dry_run" in path:
            return HttpAnswer(422, json.dumps(REFUSAL).encode())
        return HttpAnswer(202, b'{"id": "d1"}')

    with HttpPartner(answer) as server:
        (tmp_path / "key").write_text("s3cret\n")
        there = ("--url", server.url, "--key", f"file:{tmp_path / 'key'}")
        accepted = swgate("submit", samples / "notice.json", *there)
        refused = swgate("submit", samples / "notice.json", "--dry-run", *there)
    assert (accepted.code, json.loads(accepted.out)) == (0, {"id": "d1"})
    assert refused.code == 1
    assert "/direction" in refused.err
    assert seen == [("POST", "/v1/declarations", "s3cret"), ("POST", "/v1/declarations?dry_run=true", "s3cret")]


@pytest.fixture
def parked(swgate: Swgate, tmp_path: Path) -> str:
    """The id of a parked message in the database of the settings."""
    store = open_store(settings.load(os.environ))
    now = ids.now_us()
    document_id, message_id = ids.new_id(), ids.new_id()

    def unit(writing: Writing) -> None:
        filed = writing.put_payload(b'{"direction": "import"}', "application/json")
        sent = writing.put_payload(b"<Notice/>", "application/xml")
        writing.add_document(
            DocumentRow(document_id, document_id, "declaration", "acme", 1, "single", filed, now, "REF-1")
        )
        writing.add_message(
            MessageRow(
                id=message_id, document_id=document_id, root_id=document_id, tenant="acme", agreement="with-xx",
                adapter=ADAPTER, partner="xx", standard=ADAPTER, version="1.0", message="notice", name="n.xml",
                media_type="application/xml", status=Status.PARKED, attempts=1, encoded_digest=sent, frozen_digest=sent,
                waiting_for="", reason="the partner refused it", receipt_due_us=None, created_us=now, updated_us=now,
            )
        )  # fmt: skip
        writing.add_aliases(document_id, message_id, "with-xx", "acme", [Alias("plate", "蒙L12345")])
        writing.append_event(
            Event(
                ids.new_id(),
                EventType.MESSAGE_PARKED,
                now,
                document_id,
                "acme",
                document_id,
                message_id,
                data={"why": "x"},
            )
        )

    store.write(unit)
    store.close()
    return message_id


def test_messages_are_listed_and_found_by_what_people_hold(swgate: Swgate, parked: str) -> None:
    for words in (("--status", "parked"), ("蒙L12345",), (parked,)):
        rows = json.loads(swgate("messages", "list", *words, "--json").out)
        assert [row["id"] for row in rows] == [parked]
    assert json.loads(swgate("messages", "list", "--status", "sent", "--json").out) == []
    assert "REF-1" in swgate("messages", "list").out


def test_a_request_is_listed_under_the_reference_of_its_declaration(swgate: Swgate, parked: str) -> None:
    store = open_store(settings.load(os.environ))
    asked, message_id = ids.new_id(), ids.new_id()

    def unit(writing: Writing) -> None:
        message = writing.message(parked)
        assert message is not None
        digest = message.encoded_digest
        writing.add_document(
            DocumentRow(asked, message.root_id, "declaration_amendment", "acme", 1, "amendment", digest, 1, "")
        )
        writing.add_message(replace(message, id=message_id, document_id=asked, name="a.xml"))

    store.write(unit)
    store.close()
    listed = {row["id"]: row["reference"] for row in json.loads(swgate("messages", "list", "--json").out)}
    assert listed == {parked: "REF-1", message_id: "REF-1"}
    assert json.loads(swgate("messages", "show", message_id, "--json").out)["reference"] == "REF-1"


def test_a_message_is_shown_with_its_reason_by_any_id(swgate: Swgate, parked: str) -> None:
    shown = json.loads(swgate("messages", "show", "蒙L12345", "--json").out)
    assert (shown["id"], shown["reason"], shown["status"]) == (parked, "the partner refused it", "parked")


def test_the_timeline_speaks_the_language_of_the_reader(swgate: Swgate, parked: str) -> None:
    assert "Waiting for a person" in swgate("messages", "timeline", parked).out
    assert "等待人工处理" in swgate("--lang", "zh", "messages", "timeline", parked).out


def test_without_a_database_it_is_said_what_to_do_and_none_is_made(swgate: Swgate, tmp_path: Path) -> None:
    for words in (("list",), ("timeline", "X1"), ("show", "X1"), ("content", "X1"), ("deliveries",)):
        outcome = swgate("messages", *words)
        assert outcome.code == 1
        assert "SWGATE_HOME" in outcome.err
        assert "swgate migrate" in outcome.err
    assert not (tmp_path / "var").exists()
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "gateway.db").touch()
    assert "storage.database.empty" in swgate("messages", "list").err


def test_a_search_that_finds_nothing_says_where_it_looked(swgate: Swgate, parked: str) -> None:
    outcome = swgate("messages", "list", "--status", "sent")
    assert (outcome.code, outcome.out) == (0, "")
    assert "gateway.db" in outcome.err


def test_content_is_written_byte_for_byte(swgate: Swgate, parked: str) -> None:
    assert swgate("messages", "content", parked).out == "<Notice/>"
    assert swgate("messages", "content", parked, "--canonical").out == '{"direction": "import"}'


def test_a_message_that_is_not_there_ends_with_1(swgate: Swgate, parked: str) -> None:
    outcome = swgate("messages", "show", "nobody")
    assert outcome.code == 1
    assert "message.unknown" in outcome.err


@pytest.mark.parametrize(
    ("words", "known"),
    [(("--state", "foo"), "returned"), (("--status", "foo"), "parked"), (("--kind", "foo"), "declaration_amendment")],
    ids=["state", "status", "kind"],
)
def test_what_nothing_can_match_is_refused_with_what_there_is(
    swgate: Swgate, parked: str, words: tuple[str, ...], known: str
) -> None:
    outcome = swgate("messages", "list", *words)
    assert (outcome.code, outcome.out) == (1, "")
    assert "foo" in outcome.err
    assert known in outcome.err


@pytest.mark.parametrize("command", ["migrate", "work"])
def test_a_home_that_cannot_be_one_is_told_as_a_setting(
    swgate: Swgate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SWGATE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("SWGATE_PARTNERS", str(PartnersFile().write(tmp_path / "partners.yaml")))
    outcome = swgate(command)
    assert outcome.code == 1
    assert "settings.home: The home folder cannot be used\n" in outcome.err
    assert f"SWGATE_HOME={tmp_path / 'file'}" in outcome.err


def test_a_database_in_a_folder_that_cannot_be_made_is_no_crash(
    swgate: Swgate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SWGATE_DATABASE", f"sqlite:///{tmp_path}/file/gateway.db")
    outcome = swgate("migrate")
    assert outcome.code == 1
    assert "SQLITE_CANTOPEN" in outcome.err


def test_a_server_that_is_not_there_is_named_without_the_password(
    swgate: Swgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWGATE_DATABASE", "postgresql://clerk:s3cret@127.0.0.1:9/customs")
    outcome = swgate("migrate")
    assert outcome.code == 1
    for told in ("Could not connect", "127.0.0.1:9/customs", "nobody listens there", "SWGATE_DATABASE"):
        assert told in outcome.err
    assert "s3cret" not in outcome.err


def test_errors_and_wrong_calls_are_told_in_chinese(swgate: Swgate, monkeypatch: pytest.MonkeyPatch) -> None:
    called = swgate("--lang", "zh", "messages", "list", "--limit", "many")
    assert called.code == 3
    assert "应为 1 至 1000 的整数" in called.err
    assert "缺少" in swgate("--lang", "zh", "submit").err
    assert "没有选项 --fly" in swgate("--lang", "zh", "migrate", "--fly").err
    assert swgate("--lang", "zh", "messages", "list", "--state", "foo").err.startswith("api.state.unknown: 未知状态\n")


def test_sim_says_how_it_is_called(swgate: Swgate) -> None:
    outcome = swgate("sim", "--help")
    assert outcome.code == 0
    assert "ADAPTER" in outcome.out


def test_migrate_says_from_where_to_where(swgate: Swgate) -> None:
    first, second = swgate("migrate"), swgate("migrate")
    assert (first.code, second.code) == (0, 0)
    assert first.err.startswith("- -> ")
