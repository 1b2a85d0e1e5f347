"""A hundred adapters cost no start-up."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from gateway import settings
from gateway.catalogue import Catalogue

LOAD = "import sys; from gateway import settings; from gateway.catalogue import Catalogue; c = Catalogue.load(settings.load());"


def test_a_hundred_adapters_are_found_in_milliseconds_and_none_is_imported(fresh: Path) -> None:
    source = fresh / "adapters/xx_notice"
    for number in range(100):
        shutil.copytree(source, fresh / f"adapters/xx_copy{number}")
    environment = {"SWGATE_ADAPTERS": str(fresh / "adapters"), "SWGATE_SPECS": str(fresh / "specs")}
    chosen = settings.load(environment)
    started = time.thread_time()
    catalogue = Catalogue.load(chosen)
    assert time.thread_time() - started < 0.5
    assert len(catalogue.adapters) == 101
    code = f"{LOAD} assert len(c.adapters) == 101; assert not [m for m in sys.modules if m.startswith('adapters.')]"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
