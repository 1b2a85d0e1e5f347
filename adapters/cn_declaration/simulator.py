"""The partner, simulated over the folder set of the import client: client, card holder and customs in one process.

    python -m adapters.cn_declaration.simulator --root DIR [--speed X] [--seed N] [--script FILE] [--ledger FILE]

Rule 1: one client number has one effect, however often its file comes; every file is counted.
Rule 2: what a file sets off is one line of a journal, written before the file is moved: a killed process goes on where it was, and
        a torn last line never happened.
Rule 3: answers have fixed names, so one that is delivered again after a crash is the same file again.
Marks in the remarks (NoteS) choose what happens, scenarios.py lists them; --script gives them shares, {"return": 0.1}.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import heapq
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from adapters.cn_declaration.scenarios import GARBAGE, MARKS, UNANSWERED, Seen, Step, decision, marks_of, plan
from gateway.errors import NotWellFormed, SchemaBroken
from gateway.syntax.registry import SchemaRegistry
from gateway.syntax.schema import MessageSchema
from gateway.syntax.white_space import trimmed
from gateway.syntax.xml import parse

CHINA = dt.timezone(dt.timedelta(hours=8))
FOLDERS = ("OutBox", "InBox", "SentBox", "FailBox")
JOURNAL = ".simulator-journal.jsonl"
MOST_AT_ONCE = 500
LEDGER_EVERY_S = 0.3
MESSAGES = {
    "DecMessage": ("decmessage", "4.8"),
    "ImportMessage": ("importmessage", "1.0"),
    "DecModMessage": ("decmod", "1"),
}
DEC = "http://www.chinaport.gov.cn/dec"


class Simulator:
    """One folder set. turn() does what there is to do now; state is rebuilt from the journal when it is made."""

    def __init__(
        self,
        root: Path,
        *,
        specs: Path,
        speed: float = 1.0,
        seed: int = 1,
        script: Mapping[str, float] | None = None,
        ledger: Path | None = None,
    ) -> None:
        self.root = root
        self.speed = speed
        self.seed = seed
        self.script = dict(script or {})
        self.ledger = ledger
        self._schemas = SchemaRegistry(specs)
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        self.effects: dict[str, dict[str, Any]] = {}  # client number -> what it set off
        self._by_number: dict[str, dict[str, Any]] = {}  # unified number -> the declaration's latest effect
        self._waiting: list[tuple[float, str, bytes]] = []  # due, file name, bytes
        self._written_at = 0.0
        self._changed = True
        self._recall()
        self._journal = (root / JOURNAL).open("ab", buffering=0)

    # One turn.

    def turn(self) -> bool:
        """Take files, deliver what is due, write the ledger; whether anything was done."""
        taken = 0
        for path in self._files():
            self._take(path)
            taken += 1
        delivered = self._deliver(time.time())
        self._changed = self._changed or bool(taken or delivered)
        self._write_ledger()
        return bool(taken or delivered)

    def run(self, stop: threading.Event, pause_s: float = 0.02) -> None:
        while not stop.is_set():
            if not self.turn():
                stop.wait(pause_s)
        self.close()

    def close(self) -> None:
        self._changed, self._written_at = True, 0.0
        self._write_ledger()
        self._journal.close()

    def _files(self) -> Iterator[Path]:
        with os.scandir(self.root / "OutBox") as entries:
            names = sorted(
                entry.name for entry in entries if entry.name.lower().endswith(".xml") and entry.name[0] != "."
            )
        yield from (self.root / "OutBox" / name for name in names[:MOST_AT_ONCE])

    # Taking one file.

    def _take(self, path: Path) -> None:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return
        digest = hashlib.sha256(data).hexdigest()
        try:
            root, schema = self._read(data)
        except (NotWellFormed, SchemaBroken) as refused:
            self._refuse(path, data, digest, "；".join(_places(refused)))
            return
        if etree.QName(root).localname == "DecModMessage":
            client = path.stem
        else:
            client = _text(root, schema, "DecSign/ClientSeqNo") or path.stem
        known = self.effects.get(client)
        if known is None:
            self._effect(path, root, schema, client, digest)
        elif known["name"] == path.name and known["digest"] == digest and not known["moved"]:
            pass  # it was taken before the process died; only the move is missing
        else:
            self._doubled(path, client, known)
        moved = self._move(path, "SentBox" if not self.effects[client]["refused"] else "FailBox")
        if moved and not self.effects[client]["moved"]:
            self.effects[client]["moved"] = True
            self._note({"moved": client})

    def _read(self, data: bytes) -> tuple[etree._Element, MessageSchema]:
        root = parse(data)
        name = etree.QName(root).localname
        if name not in MESSAGES:
            raise SchemaBroken(f"{name} is no message of the import client")
        message, version = MESSAGES[name]
        schema = self._schemas.schema("cn_declaration", version, message)
        findings = schema.check(root)
        errors = [finding for finding in findings if finding.severity.value == "error"]
        if errors:
            raise SchemaBroken("the message breaks its table", errors)
        return root, schema

    def _effect(self, path: Path, root: etree._Element, schema: MessageSchema, client: str, digest: str) -> None:
        now = time.time()
        number = len(self.effects) + 1
        if etree.QName(root).localname == "DecModMessage":
            seq_no = trimmed(root.findtext("{*}DecSeqNo") or "")
            cancels = root.find("{*}Items/{*}Item") is None
            known = self._by_number.get(seq_no, {})
            effect = {
                "seq_no": seq_no,
                "entry_id": trimmed(root.findtext("{*}EntryId") or ""),
                "round": known.get("round", 1),
            }
            steps = decision(cancels, root.findtext("{*}DecModNote") or "")
        else:
            effect, steps = self._declared(root, schema, client, number, now)
        effect |= {"client": client, "name": path.name, "digest": digest, "files": 1, "moved": False, "number": number}
        effect["refused"] = any(step.kind == "answer" and step.code != "0" for step in steps)
        answers = [self._answer(effect, index, step, now) for index, step in enumerate(steps)]
        self._note({"effect": effect, "answers": answers})
        self._remember(effect, answers)

    def _declared(
        self, root: etree._Element, schema: MessageSchema, client: str, number: int, now: float
    ) -> tuple[dict[str, Any], list[Step]]:
        direction = _text(root, schema, "DecHead/IEFlag") or "I"
        office = (_text(root, schema, "DecHead/CustomMaster") or "0000").rjust(4, "0")[:4]
        year = dt.datetime.fromtimestamp(now, CHINA).year
        told = _text(root, schema, "DecHead/SeqNo")
        before = self._by_number.get(told) if told else None
        type_text = _text(root, schema, "DecHead/Type", strip=False)
        seen = Seen(
            client_number=client,
            remarks=_text(root, schema, "DecHead/NoteS"),
            operation=_text(root, schema, "DecSign/OperType"),
            type_step=type_text[2:3],
            bill=_text(root, schema, "DecHead/BillNo"),
            round=before["round"] + 1 if before else 1,
        )
        entry = f"{office}{year}{1 if direction == 'I' else 0}{number % 10**9:09d}"
        effect = {
            "seq_no": before["seq_no"] if before else told or f"{direction}{year}{7_000_000_000 + number:013d}",
            "entry_id": before["entry_id"] if before else entry,
            "round": seen.round,
            "office": office,
        }
        marks = marks_of(seen, self.script, self.seed)
        effect["marks"] = sorted(marks)
        return effect, plan(seen, marks)

    def _refuse(self, path: Path, data: bytes, digest: str, why: str) -> None:
        """A file that cannot be read sets nothing off; it is answered by its name."""
        client = path.stem
        effect = {"client": "", "name": path.name, "seq_no": "", "entry_id": "", "number": 0}
        step = Step("answer", 0.1, "1", f"报文校验失败：{why[:500]}")
        answer = self._answer(effect | {"client": client if len(client) <= 32 else ""}, 0, step, time.time())
        answer["name"] = f"Failed_{path.stem}_{digest[:20]}.xml"
        self._note({"answers": [answer]})
        self._push(answer)
        self._move(path, "FailBox")

    def _doubled(self, path: Path, client: str, known: dict[str, Any]) -> None:
        known["files"] += 1
        self._note({"doubled": client})
        if not known["refused"] and UNANSWERED.isdisjoint(known.get("marks", ())):
            step = Step("answer", 0.1, "0", "重复报文，已按首次处理")
            answer = self._answer(known, 1000 + known["files"], step, time.time())
            self._note({"answers": [answer]})
            self._push(answer)

    def _move(self, path: Path, folder: str) -> bool:
        target = self.root / folder / path.name
        count = 1
        while target.exists():
            target = self.root / folder / f"{path.stem}.{count}{path.suffix}"
            count += 1
        try:
            path.rename(target)
        except FileNotFoundError:
            return False
        return True

    # Answers.

    def _answer(self, effect: Mapping[str, Any], index: int, step: Step, now: float) -> dict[str, Any]:
        """An answer with name and bytes, due at its time. Its stamp is the time and its place in the plan."""
        due = now + step.after_s / self.speed
        moment = dt.datetime.fromtimestamp(due, CHINA)
        stamp = f"{moment:%Y%m%d%H%M%S}{effect['number'] % 10**5:05d}{index % 10**4:04d}"
        stem = Path(effect["name"]).stem
        if step.kind == "garbage":
            name, data = f"Receipt_{stem}_{stamp}.xml", GARBAGE
        elif step.kind == "answer":
            ok = step.code == "0"
            name = f"{'Successed' if ok else 'Failed'}_{stem}_{stamp}.xml"
            data = _import_answer(step, effect["client"], effect["seq_no"] if ok else "")
        else:
            issued = now + (step.after_s if step.issued_s is None else step.issued_s) / self.speed
            moment = dt.datetime.fromtimestamp(issued, CHINA)
            name = f"Receipt_DECCUS004_{effect['seq_no']}_{effect['number']:014d}{index:04d}_{stamp}.xml"
            data = _receipt(step, effect, moment)
        return {"due": due, "name": name, "text": data.decode("latin-1")}

    def _deliver(self, now: float) -> int:
        count = 0
        while self._waiting and self._waiting[0][0] <= now and count < MOST_AT_ONCE:
            _, name, data = heapq.heappop(self._waiting)
            part = self.root / "InBox" / f".{name}.part"
            part.write_bytes(data)
            part.rename(self.root / "InBox" / name)
            self._note({"delivered": name})
            count += 1
        return count

    def _push(self, answer: Mapping[str, Any]) -> None:
        heapq.heappush(self._waiting, (answer["due"], answer["name"], answer["text"].encode("latin-1")))

    # The journal.

    def _note(self, line: Mapping[str, Any]) -> None:
        self._journal.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def _remember(self, effect: dict[str, Any], answers: Sequence[Mapping[str, Any]]) -> None:
        self.effects[effect["client"]] = effect
        if effect["seq_no"]:
            self._by_number[effect["seq_no"]] = effect
        for answer in answers:
            self._push(answer)

    def _recall(self) -> None:
        """State as the journal tells it; a last line that was cut off is taken away."""
        path = self.root / JOURNAL
        if not path.exists():
            return
        whole = path.read_bytes()
        kept = whole[: whole.rfind(b"\n") + 1]
        if kept != whole:
            path.write_bytes(kept)
        delivered = set()
        for line in (json.loads(text) for text in kept.splitlines()):
            if "effect" in line:
                self._remember(line["effect"], line["answers"])
            elif "answers" in line:
                for answer in line["answers"]:
                    self._push(answer)
            elif "delivered" in line:
                delivered.add(line["delivered"])
            elif "doubled" in line:
                self.effects[line["doubled"]]["files"] += 1
            elif "moved" in line:
                self.effects[line["moved"]]["moved"] = True
        self._waiting = [entry for entry in self._waiting if entry[1] not in delivered]
        heapq.heapify(self._waiting)

    def _write_ledger(self) -> None:
        if self.ledger is None or not self._changed or time.monotonic() - self._written_at < LEDGER_EVERY_S:
            return
        self._changed, self._written_at = False, time.monotonic()
        shown = ("name", "seq_no", "entry_id", "round", "files", "marks")
        content = {
            "declarations": {
                client: {"effects": 1, **{key: effect[key] for key in shown if key in effect}}
                for client, effect in self.effects.items()
            },
            "doubled": sum(effect["files"] - 1 for effect in self.effects.values()),
            "waiting_answers": len(self._waiting),
        }
        part = self.ledger.with_name(f".{self.ledger.name}.part")
        part.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        part.rename(self.ledger)


def _import_answer(step: Step, client: str, seq_no: str) -> bytes:
    number = f"\n  <SeqNo>{escape(seq_no)}</SeqNo>" if seq_no else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<DecImportResponse xmlns="{DEC}">\n'
        f"  <ResponseCode>{step.code}</ResponseCode>\n  <ErrorMessage>{escape(step.text)}</ErrorMessage>\n"
        f"  <ClientSeqNo>{escape(client)}</ClientSeqNo>{number}\n</DecImportResponse>\n"
    ).encode()


def _receipt(step: Step, effect: Mapping[str, Any], moment: dt.datetime) -> bytes:
    entry = effect["entry_id"] if step.stored else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<DEC_RESULT>\n  <CUS_CIQ_NO>{escape(effect["seq_no"])}</CUS_CIQ_NO>\n'
        f"  <ENTRY_ID>{escape(entry)}</ENTRY_ID>\n  <NOTICE_DATE>{moment:%Y-%m-%dT%H:%M:%S}</NOTICE_DATE>\n"
        f"  <CHANNEL>{step.code}</CHANNEL>\n  <NOTE>{escape(step.text)}</NOTE>\n"
        f"  <CUSTOM_MASTER>{escape(effect.get('office', ''))}</CUSTOM_MASTER>\n  <I_E_DATE/>\n  <D_DATE/>\n</DEC_RESULT>\n"
    ).encode()


def _text(root: etree._Element, schema: MessageSchema, path: str, *, strip: bool = True) -> str:
    """The text at a path below DecMessage, wherever that stands and in whatever namespace."""
    below = path if schema.table.root.name == "DecMessage" else f"SWImpData/DecMessage/{path}"
    found = root.findtext("/".join(f"{{*}}{name}" for name in below.split("/"))) or ""
    return trimmed(found) if strip else found


def _places(refused: NotWellFormed | SchemaBroken) -> list[str]:
    return [f"{finding.partner_place or '/'} {finding.code}" for finding in refused.findings[:10]]


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    listed = "\n".join(f"  SIM:{mark:<12} {what}" for mark, what in MARKS.items())
    parser = argparse.ArgumentParser(
        prog="adapters.cn_declaration.simulator",
        description="The China Single Window import client, card holder and customs, simulated.",
        epilog=f"marks in the remarks (NoteS), and, in lower case, shares in the script:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--root", type=Path, required=True, help="folder that holds OutBox, InBox, SentBox, FailBox")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than life, e.g. 20")
    parser.add_argument("--seed", type=int, default=1, help="of the dice")
    parser.add_argument("--script", type=Path, help='JSON file of shares, {"return": 0.1}')
    parser.add_argument("--ledger", type=Path, help="JSON file that lists every effect")
    parser.add_argument(
        "--specs", type=Path, default=Path(__file__).resolve().parents[2] / "specs", help=argparse.SUPPRESS
    )
    given = parser.parse_args(argv)
    script = json.loads(given.script.read_text(encoding="utf-8")) if given.script else {}
    unknown = [name for name in script if name.upper() not in MARKS]
    if unknown or given.speed <= 0:
        parser.error(f"unknown in the script: {', '.join(unknown)}" if unknown else "--speed must be above 0")
    simulator = Simulator(
        given.root, specs=given.specs, speed=given.speed, seed=given.seed, script=script, ledger=given.ledger
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print(f"simulating the import client in {given.root}", flush=True)
    simulator.run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
