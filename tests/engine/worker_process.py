"""A worker process of the tests: the small house on the folder given, with short leases, until it is told to stop or killed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from gateway import worker
from gateway.engine.lanes import Engine, Pace
from tests.pipeline.small_house import House

if __name__ == "__main__":
    house = House(Path(sys.argv[1]), lease_s=2)
    engine = Engine(
        house.store,
        house.directory.agreements,
        house.dispatcher,
        house.receiver,
        house.sweeper,
        house.transports,
        pace=Pace(batch=16, lease_s=2, sweep_s=0.2, longest_pause_s=0.1),
    )
    code = worker.run(engine, grace_s=10)
    house.close()
    sys.exit(code)
