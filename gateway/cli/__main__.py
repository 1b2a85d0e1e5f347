"""``python -m gateway.cli`` is ``swgate``."""

import sys

from gateway.cli import main

sys.exit(main())
