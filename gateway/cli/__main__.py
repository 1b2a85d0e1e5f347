"""``python -m gateway.cli`` is ``swgate``."""

import sys

from gateway.cli import main

# Serving processes import this file again; only the first of them is the command.
if __name__ == "__main__":
    sys.exit(main())
