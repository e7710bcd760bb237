"""`python -m supporters.matching.engine ROOM MEMORY THREADS`: people.csv and apart.csv in, pairs.csv out, all in ROOM.

How far it is, and what stopped it, is a JSON object a line on standard output; no line says anything of a person. Ends
when standard input does, so that it never outlives whoever started it.
"""

import json
import os
import sys
import threading
import traceback
from pathlib import Path

from supporters.matching.engine.pipeline import run


def _watch() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(3)


def _tell(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main(room: Path, memory: str, threads: int) -> int:
    threading.Thread(target=_watch, daemon=True).start()
    os.nice(5)
    try:
        run(room, memory=memory, threads=threads, told=lambda percent: _tell(percent=percent))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        _tell(error=f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}")
        return 1
    return 0


if __name__ == "__main__":
    # At once: an orderly end would wait for the thread that watches standard input.
    os._exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
