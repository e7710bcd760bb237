import socket
import sys
import time
import urllib.error
import urllib.request

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import engines
from config.celery import app as celery
from config.supervisor import Child, Supervisor

# Who runs this as root has chosen to; Celery need not say it again at every start.
CELERY = [sys.executable, "-W", "ignore:You're running the worker", "-m", "celery"]


class Command(BaseCommand):
    help = "Run everything on this machine: engines, migrations, web, workers and beat. Ctrl-C stops it all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1", help="the address that the web server listens on")
        parser.add_argument("--web-workers", type=int, default=2, help="web server processes")
        parser.add_argument("--mail-workers", type=int, default=2, help="processes that send appeals")
        parser.add_argument("--other-workers", type=int, default=2, help="processes for syncs, imports and the rest")

    def handle(self, *args: object, **options: object) -> None:
        bind = f"{options['bind']}:{settings.PORT}"
        self._check_free(str(options["bind"]), settings.PORT)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        supervisor = Supervisor(
            [
                Child("web", web_server(bind, int(options["web_workers"]))),
                Child("mail worker", _worker("mail", int(options["mail_workers"]))),
                Child("worker", _worker("sync,default", int(options["other_workers"]))),
                Child("beat", [sys.executable, "-m", "celery", "-A", "config.celery", "beat", "-l", "WARNING"]),
            ],
            every_second=engines.revive,
        )
        supervisor.run(when_started=lambda: self._greet(supervisor))

    def _check_free(self, host: str, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise CommandError(f"Port {port} can't be used ({error.strerror}). Set PORT to another.") from None

    def _greet(self, supervisor: Supervisor) -> None:
        # The beat's first tick is a minute away; what is owed need not wait for it.
        celery.send_task("crm.tasks.tick")
        for _second in range(120):
            if supervisor.stopping():
                return
            if healthy():
                break
            time.sleep(0.5)
        else:
            self.stderr.write("Not everything is up after a minute; see the lines above.")
        self.stdout.write(f"Lodestar is up: {settings.SITE_URL}/admin/")
        if not get_user_model().objects.filter(is_staff=True).exists():
            self.stdout.write(
                "Nobody can log in yet. In another terminal: .venv/bin/python manage.py createsuperuser"
            )
        self.stdout.flush()


def healthy() -> bool:
    """Whether database, broker, a worker and the beat are all alive, as /healthz sees it."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.PORT}/healthz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def web_server(bind: str, workers: int = 2, application: str = "config.wsgi") -> list[str]:
    """The command that serves our pages, or another application in the same way."""
    return [
        *(sys.executable, "-m", "gunicorn", application),
        *("--bind", bind, "--workers", str(workers), "--threads", "4", "--timeout", "60"),
        *("--log-level", "warning", "--worker-tmp-dir", "/dev/shm"),  # noqa: S108
    ]


def _worker(queues: str, processes: int) -> list[str]:
    return [
        *(*CELERY, "-q", "-A", "config.celery", "worker"),
        *("-Q", queues, "-c", str(processes), "-n", f"{queues.split(',')[0]}@%h", "-l", "WARNING"),
        *("--without-gossip", "--without-mingle"),
    ]
