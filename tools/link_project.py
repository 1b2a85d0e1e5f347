"""Makes the project importable in its own virtual environment and puts ``swgate`` on its path; builds and fetches nothing.

An editable install would ask a registry for a build backend; a path file and a four-line script do the same here.
"""

import stat
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = f"""#!{sys.executable}
import sys
from gateway.cli import main

# Serving processes import this file again; only the first of them is the command.
if __name__ == "__main__":
    sys.exit(main())
"""


def link() -> None:
    """Write <site-packages>/single_window_gateway.pth and <bin>/swgate."""
    Path(sysconfig.get_path("purelib"), "single_window_gateway.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    script = Path(sysconfig.get_path("scripts"), "swgate")
    script.write_text(SCRIPT, encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    link()
