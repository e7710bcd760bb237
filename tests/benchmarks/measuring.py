"""How a measurement is taken and told."""

import json
import time
from collections.abc import Callable

ROWS = 20_000
PEER_ROWS = 2_000
"""The peer takes as long for these as we for many more; both are compared by rows a second."""


def line(name: str, ours: float, peer: float, peer_name: str, unit: str, *, more_is_better: bool = True) -> None:
    ratio = ours / peer if more_is_better else peer / ours
    facts = {"name": name, "ours": round(ours, 3), "peer": round(peer, 3), "peer_name": peer_name, "unit": unit}
    print(json.dumps({**facts, "ratio": round(ratio, 2)}), flush=True)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
