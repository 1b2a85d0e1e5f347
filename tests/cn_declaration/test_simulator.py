"""The simulated partner over real folders: names, lives of declarations, doubles, crashes, speed."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from adapters.cn_declaration import CnDeclaration
from adapters.cn_declaration.scenarios import MARKS, Seen, marks_of, plan
from adapters.cn_declaration.simulator import FOLDERS, JOURNAL, Simulator, main
from tests.cn_declaration.conftest import FOLDER, ROOT

FAST = 200.0
SUCCESSED = re.compile(r"Successed_(?P<stem>.+)_\d{23}\.xml")
RECEIPT = re.compile(r"Receipt_DECCUS004_(?P<seq_no>[IE]\d{17})_\d{18}_\d{23}\.xml")


def message(number: str, remarks: str = "", **replaced: str) -> bytes:
    """The copper import under another client number, with these remarks."""
    text = (FOLDER / "samples" / "import-copper-ganqimaodu-road.xml").read_text(encoding="utf-8")
    text = text.replace("SW2611180000000001", number)
    text = re.sub(r"<NoteS>.*?</NoteS>", f"<NoteS>{remarks}</NoteS>", text)
    for element, value in replaced.items():
        text = re.sub(rf"<{element}>.*?</{element}>|(?=<IEFlag>)", f"<{element}>{value}</{element}>", text, count=1)
    return text.encode()


def drop(root: Path, name: str, data: bytes) -> None:
    (root / "OutBox").mkdir(parents=True, exist_ok=True)
    part = root / "OutBox" / f".{name}.tmp"
    part.write_bytes(data)
    part.rename(root / "OutBox" / name)


@pytest.fixture
def simulator() -> Iterator[Callable[..., Simulator]]:
    """Makes simulators that run a good deal faster than life, and closes them."""
    made: list[Simulator] = []

    def make(root: Path, ledger: Path | None = None) -> Simulator:
        made.append(Simulator(root, specs=ROOT / "specs", speed=FAST, ledger=ledger))
        return made[-1]

    yield make
    for one in made:
        one.close()


def turn_until(partner: Simulator, done: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "the simulated partner did not get there in time"
        if not partner.turn():
            time.sleep(0.005)


def settled(partner: Simulator) -> Callable[[], bool]:
    return lambda: not partner._waiting and not list((partner.root / "OutBox").glob("*.xml"))


def inbox(root: Path) -> list[Path]:
    return sorted(path for path in (root / "InBox").iterdir() if not path.name.startswith("."))


def channels(root: Path) -> list[str]:
    """The channels of the receipts in order of their time and number in the plan."""
    found = []
    for path in inbox(root):
        channel = re.search(rb"<CHANNEL>(.*?)</CHANNEL>", path.read_bytes())
        if channel:
            found.append((path.name.rsplit("_", 1)[-1], path.name, channel[1].decode()))
    return [channel for _, _, channel in sorted(found)]


def test_a_declaration_is_stashed_declared_and_released_under_the_real_file_names(
    tmp_path: Path, simulator: Callable[..., Simulator], adapter: CnDeclaration
) -> None:
    drop(tmp_path, "SW1.xml", message("SW1"))
    partner = simulator(tmp_path)
    turn_until(partner, settled(partner))
    assert [path.name for path in (tmp_path / "SentBox").iterdir()] == ["SW1.xml"]
    names = [path.name for path in inbox(tmp_path)]
    assert sum(SUCCESSED.fullmatch(name) is not None for name in names) == 1
    assert sum(RECEIPT.fullmatch(name) is not None for name in names) == len(names) - 1
    assert channels(tmp_path) == ["7", "L", "J", "R", "P"]
    for path in inbox(tmp_path):
        found = adapter.decode(path.read_bytes(), tolerant=False)
        (reply,) = adapter.replies(found.documents[0], received_us=0, sent=None)
        assert reply.function in ("received", "submitted", "registered", "accepted", "released", "closed")


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("RETURN", ["7", "L", "Z"]),
        ("REJECT", ["7", "E"]),
        ("CANCEL", ["7", "L", "J", "A"]),
        ("MANIFEST", ["S", "7", "L", "J", "R", "P"]),
        ("CONDITIONAL", ["7", "L", "J", "P", "R", "P"]),
        ("DUTY", ["7", "L", "J", "T", "R", "P"]),
        ("INSPECT", ["7", "L", "J", "C", "R", "P"]),
        ("GUARANTEE", ["7", "L", "J", "K", "R", "P"]),
        ("DRAFT", []),
        ("HANG", []),
        ("LOSE", ["7", "L", "J", "R", "P"]),
    ],
)
def test_a_mark_in_the_remarks_chooses_the_life(
    tmp_path: Path, simulator: Callable[..., Simulator], mark: str, expected: list[str]
) -> None:
    drop(tmp_path, "SW1.xml", message("SW1", f"SIM:{mark}"))
    partner = simulator(tmp_path)
    turn_until(partner, settled(partner))
    assert channels(tmp_path) == expected
    answered = [path for path in inbox(tmp_path) if path.name.startswith("Successed_")]
    assert bool(answered) is (mark not in ("HANG", "LOSE"))


def test_the_manifest_knows_how_the_client_names_its_answer_to_a_file(
    tmp_path: Path, simulator: Callable[..., Simulator]
) -> None:
    for number, remarks in (("SW1", ""), ("SW2", "SIM:FAIL")):
        drop(tmp_path, f"{number}.xml", message(number, remarks))
    partner = simulator(tmp_path)
    turn_until(partner, settled(partner))
    said = yaml.safe_load((FOLDER / "manifest.yaml").read_text(encoding="utf-8"))["transport_settings"]["folder"]
    for stem in ("SW1", "SW2"):
        named = [path for path in inbox(tmp_path) if fnmatch(path.name, said["answer_names"][0].format(stem=stem))]
        assert [path.name.split("_")[1] for path in named] == [stem]


def test_a_refused_import_and_a_broken_file_go_to_the_fail_box(
    tmp_path: Path, simulator: Callable[..., Simulator], adapter: CnDeclaration
) -> None:
    drop(tmp_path, "SW1.xml", message("SW1", "SIM:FAIL"))
    drop(tmp_path, "SW2.xml", b"<DecMessage><Odd/></DecMessage>")
    drop(tmp_path, "SW3.xml", b"no xml")
    partner = simulator(tmp_path)
    turn_until(partner, settled(partner))
    assert {path.name for path in (tmp_path / "FailBox").iterdir()} == {"SW1.xml", "SW2.xml", "SW3.xml"}
    for path in inbox(tmp_path):
        assert path.name.startswith("Failed_SW")
        (reply,) = adapter.replies(
            adapter.decode(path.read_bytes(), tolerant=False).documents[0], received_us=0, sent=None
        )
        assert reply.receipt is False


def test_a_doubled_file_has_one_effect_and_is_reported(tmp_path: Path, simulator: Callable[..., Simulator]) -> None:
    ledger = tmp_path / "ledger.json"
    partner = simulator(tmp_path, ledger=ledger)
    for _ in range(3):
        drop(tmp_path, "SW1.xml", message("SW1"))
        turn_until(partner, settled(partner))
    partner.close()
    told = json.loads(ledger.read_text(encoding="utf-8"))
    assert (told["doubled"], told["declarations"]["SW1"]["effects"], told["declarations"]["SW1"]["files"]) == (2, 1, 3)
    assert channels(tmp_path) == ["7", "L", "J", "R", "P"]


def test_a_corrected_declaration_keeps_its_number_and_is_not_returned_again(
    tmp_path: Path, simulator: Callable[..., Simulator]
) -> None:
    partner = simulator(tmp_path)
    drop(tmp_path, "SW1.xml", message("SW1", "SIM:RETURN"))
    turn_until(partner, settled(partner))
    number = partner.effects["SW1"]["seq_no"]
    drop(tmp_path, "SW2.xml", message("SW2", "SIM:RETURN", SeqNo=number))
    turn_until(partner, settled(partner))
    assert (partner.effects["SW2"]["seq_no"], partner.effects["SW2"]["round"]) == (number, 2)
    assert channels(tmp_path)[3:] == ["7", "L", "J", "R", "P"]


def test_requests_are_received_and_decided(
    tmp_path: Path, simulator: Callable[..., Simulator], adapter: CnDeclaration
) -> None:
    data = (FOLDER / "samples" / "amendment-settled-price.xml").read_bytes()
    drop(tmp_path, "SW9.xml", data)
    partner = simulator(tmp_path)
    turn_until(partner, settled(partner))
    replies = [
        adapter.replies(adapter.decode(path.read_bytes(), tolerant=False).documents[0], received_us=0, sent=None)[0]
        for path in inbox(tmp_path)
    ]
    assert {reply.function for reply in replies} == {"received", "amended"}


def test_the_same_seed_throws_the_same_dice() -> None:
    script = {mark.lower(): 0.3 for mark in MARKS}
    seen = [Seen(f"SW{number}", "", "G", "0", "B", 1) for number in range(50)]
    first = [marks_of(one, script, 7) for one in seen]
    assert first == [marks_of(one, script, 7) for one in reversed(seen)][::-1]
    assert first != [marks_of(one, script, 8) for one in seen]


def test_doubled_and_reordered_answers_keep_their_time_of_issue() -> None:
    seen = Seen("SW1", "", "C", "0", "B", 1)
    plain = {(step.code, step.after_s) for step in plan(seen, set())}
    for marks in ({"REORDER"}, {"DOUBLE"}, {"REORDER", "DOUBLE"}):
        steps = plan(seen, marks)
        issued = {(step.code, step.after_s if step.issued_s is None else step.issued_s) for step in steps}
        assert issued == plain
    codes = [step.code for step in plan(seen, {"REORDER"})]
    assert (codes[:4], set(codes[4:])) == (["0", "P", "R", "J"], {"L", "7"})


@pytest.mark.parametrize("seed", range(30))
def test_any_marks_together_make_a_plan_in_order_of_time(seed: int) -> None:
    dice = random.Random(seed)
    marks = {mark for mark in MARKS if dice.random() < 0.4}
    steps = plan(Seen("SW1", "", dice.choice("GC"), dice.choice("056"), "B", dice.choice([1, 2])), marks)
    assert [step.after_s for step in steps] == sorted(step.after_s for step in steps)


def test_a_torn_journal_line_never_happened(tmp_path: Path, simulator: Callable[..., Simulator]) -> None:
    partner = simulator(tmp_path)
    drop(tmp_path, "SW1.xml", message("SW1"))
    turn_until(partner, settled(partner))
    partner.close()
    with (tmp_path / JOURNAL).open("ab") as journal:
        journal.write(b'{"effect": {"client": "SW2"')
    again = simulator(tmp_path)
    assert set(again.effects) == {"SW1"}
    drop(tmp_path, "SW2.xml", message("SW2"))
    turn_until(again, settled(again))
    again.close()
    assert set(simulator(tmp_path).effects) == {"SW1", "SW2"}


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts the simulator as a process; what still runs at the end is stopped."""
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "adapters.cn_declaration.simulator", "--root", str(tmp_path), "--speed", "100"]
        running.append(
            subprocess.Popen([*command, "--ledger", str(tmp_path / "ledger.json")], cwd=ROOT, stdout=subprocess.PIPE)
        )
        return running[-1]

    yield start
    for one in running:
        if one.poll() is None:
            one.kill()
        one.communicate()


def test_a_killed_process_goes_on_without_a_second_effect(
    tmp_path: Path, process: Callable[[], subprocess.Popen[bytes]]
) -> None:
    for number in range(120):
        drop(tmp_path, f"SW{number:03d}.xml", message(f"SW{number:03d}"))
    dice = random.Random(3)
    for _ in range(3):
        running = process()
        assert running.stdout is not None
        running.stdout.readline()
        time.sleep(dice.uniform(0.02, 0.25))
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    process()
    ledger = tmp_path / "ledger.json"

    def told() -> dict[str, object]:
        found: dict[str, object] = json.loads(ledger.read_text(encoding="utf-8")) if ledger.exists() else {}
        return found

    end = time.monotonic() + 20
    while told().get("waiting_answers") != 0 or list((tmp_path / "OutBox").glob("*.xml")):
        assert time.monotonic() < end
        time.sleep(0.05)
    declarations = told()["declarations"]
    assert isinstance(declarations, dict)
    assert len(declarations) == 120
    assert told()["doubled"] == 0
    assert len({entry["seq_no"] for entry in declarations.values()}) == 120
    assert len(list((tmp_path / "SentBox").iterdir())) == 120
    assert sorted(channels(tmp_path)) == sorted(["7", "L", "J", "R", "P"] * 120)


def test_thousands_of_files_a_minute_are_no_trouble(tmp_path: Path, simulator: Callable[..., Simulator]) -> None:
    for number in range(200):
        drop(tmp_path, f"SW{number:03d}.xml", message(f"SW{number:03d}"))
    partner = simulator(tmp_path)
    started = time.monotonic()
    turn_until(partner, lambda: not list((tmp_path / "OutBox").glob("*.xml")))
    assert 200 / (time.monotonic() - started) > 50  # a second


def test_an_unknown_share_in_the_script_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"retrun": 0.1}', encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["--root", str(tmp_path), "--script", str(script)])
    assert "retrun" in capsys.readouterr().err
    assert all(not (tmp_path / folder).exists() for folder in FOLDERS)
