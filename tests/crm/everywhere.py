"""Looking for a word wherever we keep anything: all tables, Redis, files."""

import io
import zipfile
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection

from supporters.models import ImportRun

_ENGINES = {"PG_VERSION", "postmaster.pid", "valkey.conf"}


def in_tables(word: str) -> set[tuple[str, str, str]]:
    """Table, column and row wherever it stands, in any type of column and any case."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
            JOIN information_schema.tables t USING (table_schema, table_name)
            WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
            """
        )
        for table, column, kind in cursor.fetchall():
            text = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            cursor.execute(f'SELECT t::text FROM "{table}" t WHERE {text} ILIKE %s', [f"%{word}%"])
            found |= {(table, column, row) for (row,) in cursor.fetchall()}
    for session in Session.objects.all():
        if word in str(session.get_decoded()).lower():
            found.add(("django_session", "session_data", session.session_key))
    for run in ImportRun.objects.all():
        whole = b"".join(bytes(chunk) for chunk in run.chunks.order_by("number").values_list("content", flat=True))
        if word in _unpacked(whole).decode("utf-8", "replace").lower():
            found.add(("supporters_importchunk", "content", str(run.pk)))
    return found


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


def in_redis(word: str, redis) -> list[str]:
    found = []
    for key in redis.scan_iter(count=1000):
        read = {
            b"string": lambda key: [redis.get(key)],
            b"hash": lambda key: [part for pair in redis.hgetall(key).items() for part in pair],
            b"list": lambda key: redis.lrange(key, 0, -1),
            b"set": lambda key: list(redis.smembers(key)),
            b"zset": lambda key: redis.zrange(key, 0, -1),
            b"stream": lambda key: [str(redis.xrange(key)).encode()],
        }[redis.type(key)]
        if any(word in bytes(part).decode("utf-8", "replace").lower() for part in (key, *read(key))):
            found.append(key.decode())
    return found


def in_files(word: str, *folders: Path) -> list[Path]:
    """In our files under var/, and in these folders. What PostgreSQL and Valkey keep for themselves is theirs."""
    found = []
    for folder in (settings.BASE_DIR / "var", Path(settings.MAIL_JOURNAL), *folders):
        found += [path for path in _files(folder) if word.encode() in path.read_bytes().lower()]
    return found


def _files(folder: Path):
    if not folder.is_dir() or any((folder / name).exists() for name in _ENGINES):
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file():
            yield path
