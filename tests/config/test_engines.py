import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

import psutil
import psycopg
import pytest
import redis

from config import engines
from tests.processes import ROOT, wait_for

HOLD = """
import os, sys
from pathlib import Path
from config import engines
engines.start_missing(Path(sys.argv[1]))
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
sys.stdin.readline()
"""
FORK = """
import os, sys
from pathlib import Path
from config import engines
engines.start_missing(Path(sys.argv[1]))
if os.fork() == 0:
    sys.exit()  # runs the exit handlers, as a forked worker may
os.wait()
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
sys.stdin.readline()
"""


class Holder:
    """A process that relies on embedded engines until it is let go."""

    def __init__(self, root: Path, code: str = HOLD) -> None:
        env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(root)],
            cwd=ROOT,
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.database_url, self.redis_url = self.process.stdout.readline().split()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)


def answers(database_url: str, redis_url: str) -> tuple[bool, bool]:
    try:
        psycopg.connect(database_url).close()
        database = True
    except psycopg.OperationalError:
        database = False
    try:
        with redis.Redis.from_url(unquote(redis_url)) as client:
            return database, client.ping()
    except redis.RedisError:
        return database, False


@pytest.fixture
def root():
    # Not pytest's own folder for tests: it is closed to others, and the server's user has to get in.
    with tempfile.TemporaryDirectory(prefix="a folder with spaces ") as name:
        Path(name).chmod(0o755)
        folder = Path(name, "var")
        folder.mkdir()
        yield folder
        engines.stop_all(folder)


def test_engines_live_as_long_as_their_last_user(root):
    first, second = Holder(root), Holder(root)
    assert (first.database_url, first.redis_url) == (second.database_url, second.redis_url)
    first.leave()
    assert answers(second.database_url, second.redis_url) == (True, True)
    second.leave()
    assert answers(second.database_url, second.redis_url) == (False, False)


def test_engines_survive_the_exit_of_a_forked_child_and_keep_their_data(root):
    holder = Holder(root, FORK)
    assert answers(holder.database_url, holder.redis_url) == (True, True)
    with psycopg.connect(holder.database_url) as connection:
        connection.execute("CREATE TABLE kept (name text)")
    holder.leave()
    again = Holder(root)
    with psycopg.connect(again.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    again.leave()


def test_engines_of_a_killed_owner_are_taken_over(root):
    killed = Holder(root)
    killed.process.kill()
    killed.process.communicate()
    heir = Holder(root)
    assert answers(heir.database_url, heir.redis_url) == (True, True)
    heir.leave()
    assert answers(heir.database_url, heir.redis_url) == (False, False)


def test_engines_that_died_start_again(root):
    database_url, redis_url = engines.start_postgres(root), engines.start_valkey(root)
    victim = psutil.Process(engines._valkey_pid(root))
    victim.send_signal(signal.SIGKILL)
    wait_for(lambda: answers(database_url, redis_url) == (True, False), "Valkey to die")
    assert engines.start_valkey(root) == redis_url
    assert answers(database_url, redis_url) == (True, True)


def test_engines_refuse_a_socket_folder_of_somebody_else(root, tmp_path):
    folder = engines.socket_folder(root)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    try:
        with pytest.raises(engines.EngineError, match="somebody else"):
            engines.socket_folder(root)
    finally:
        folder.unlink()


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_data_stay_where_they_are_when_permissions_change(root):
    (root / "postgres").mkdir()
    (root / "postgres/PG_VERSION").touch()
    root.chmod(0o700)
    assert engines._home(root) == root
