"""Updates of every kind, rollbacks, scaling and killed model servers under steady load: promise T3, with numbers.

No request may fail but those that were inside an instance when it was killed.
"""

import pathlib

import pytest

from harness.server import ROOT, Server
from harness.soak import ARGUMENTS, CONFIG, ENVIRONMENT, Soak

PLACE = pathlib.Path(ROOT) / "target" / "soak"
# Requests a second that the whole run has to reach on average, on two cores beside its own load generator.
RATE_MIN = 500
# Of the server at the end, whatever has gone through it: it keeps metrics, and some hundred configs.
MEMORY_MAX_MIB = 128


def soaked(seconds):
    server = Server(config=CONFIG, arguments=ARGUMENTS, environment=ENVIRONMENT)
    try:
        soak = Soak(server.start(), seconds).run()
        table = soak.table()
        print(f"\n{table}")
        PLACE.mkdir(parents=True, exist_ok=True)
        (PLACE / f"{seconds}s.txt").write_text(table + "\n")
        wrong = list(soak.wrong())
        assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong[:40], table])
        soak.comes_to_rest()
        assert soak.memory.end < MEMORY_MAX_MIB, table
        return soak
    finally:
        server.close()


@pytest.mark.alone
def test_nothing_is_lost_in_a_minute():
    assert soaked(60).requests > 0


@pytest.mark.alone
@pytest.mark.deep
@pytest.mark.timeout(1200)
def test_nothing_is_lost_in_ten_minutes():
    soak = soaked(600)
    assert soak.rate >= RATE_MIN, soak.table()
