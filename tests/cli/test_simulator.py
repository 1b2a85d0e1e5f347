"""A new adapter's simulator at work: notices in one folder, answers in another."""

import threading
from pathlib import Path

from gateway import settings
from gateway.catalogue import Catalogue
from gateway.testing.partners import waiting_files, write_whole
from tests.cli.conftest import ADAPTER


def test_the_simulator_of_a_new_adapter_answers(made: Path, samples: Path, tmp_path: Path) -> None:
    environment = {"SWGATE_ADAPTERS": str(made / "adapters"), "SWGATE_SPECS": str(made / "specs")}
    entry = Catalogue.load(settings.load(environment)).entries[ADAPTER]
    module = entry.module("simulator")
    write_whole(tmp_path / "OutBox", "n1.xml", (samples / "notice.xml").read_bytes())
    write_whole(tmp_path / "OutBox", "n2.xml", b"garbage")
    with module.Simulator(entry.adapter, tmp_path, module.Mischief()):
        waiting = threading.Event()
        for _ in range(100):
            if len(waiting_files(tmp_path / "InBox")) == 3:
                break
            waiting.wait(0.05)
    answers = {
        path.name: entry.adapter.decode(path.read_bytes(), tolerant=False) for path in waiting_files(tmp_path / "InBox")
    }
    assert sorted(path.name for path in waiting_files(tmp_path / "SentBox")) == ["n1.xml", "n2.xml"]
    functions = {name: decoded.document["function"] for name, decoded in answers.items()}
    assert functions == {"n1-10.xml": "registered", "n1-20.xml": "accepted", "n2-30.xml": "rejected"}
