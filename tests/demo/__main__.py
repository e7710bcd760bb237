"""`make demo`: a fresh machine to a running system, with the main job happening before your eyes.

Everything runs on this machine and stays on it: the engines with their data under var/demo, the web server,
workers and beat, and stand-ins for Mailchimp, Stripe and the mail server that keep what they are sent.

`.venv/bin/python -m tests.demo COMMAND …` is `manage.py COMMAND …` on the demo's records, while it runs or not.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

from config.supervisor import die_with_parent
from tests.demo import guide, partner
from tests.demo.petition import SLUG

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "lodestar-demo"
LOGINS = (
    f"Log in as astrid (all rights), frida (fundraiser), carlo (campaigner), dorota (data manager) or viktor (viewer); "
    f"at /partners/ as {partner.LOGIN}, in another browser or a private window; the password of each is {PASSWORD}."
)
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    _forget_environment()
    if command := sys.argv[1:]:
        _start_engines()
        sys.exit(subprocess.run([sys.executable, "-W", "ignore", "manage.py", *command], cwd=ROOT).returncode)
    say("Starting PostgreSQL and Valkey …")
    from config import env

    wanted = env.number("PORT", 8000, least=1, most=65535)
    kept = _start_engines()

    mail = StandIn("tests.standins.mail", "--smtp-port", "0", "--web-port", "0")
    mailchimp = StandIn("tests.standins.mailchimp", "--port", "0", "--state", str(kept / "mailchimp.json"))
    processes = [mail.process, mailchimp.process]
    secret = "whsec_of_the_demo_0123456789"
    try:
        port = free_port(wanted)
        hook = f"http://127.0.0.1:{port}/webhooks/stripe/"
        stripe = StandIn("tests.standins.stripe", "--webhook-url", hook, "--webhook-secret", secret)
        processes.append(stripe.process)
        ours = f"http://localhost:{port}"
        about = ("--petition", SLUG, "--code", partner.CODE, "--name", "La Strada", "--language", "pl")
        partner_site = StandIn("tests.standins.partner_site", "--ours", ours, *about)
        processes.append(partner_site.process)
        os.environ.update(
            PORT=str(port),
            SITE_URL=ours,
            PARTNER_SITE=partner_site.facts["url"],
            EMAIL_URL=mail.facts["smtp_url"],
            BOUNCE_ADDRESS="bounces@realstars.example.org",
            MAILBOX_URL=mail.facts["mailbox_url"],
            DEFAULT_FROM_EMAIL="RealStars <hej@realstars.example.org>",
            ORGANISATION_NAME="RealStars",
            ORGANISATION_ADDRESS="Järntorget 7, 413 04 Göteborg, Sweden",
            MAILCHIMP_API_KEY="demo-us1",
            MAILCHIMP_API_URL=mailchimp.facts["url"],
            STRIPE_SECRET_KEY="sk_test_demo",
            STRIPE_WEBHOOK_SECRET=secret,
            STRIPE_API_URL=stripe.facts["url"],
            SWISH_NUMBER="1234679304",
            BANKGIRO="900-1223",
            BANK_IBAN="SE45 5000 0000 0583 9825 7466",
            BANK_BIC="ESSESESS",
            ORGANISATION_NUMBER="802440-0000",
            DONATE_URL=f"http://localhost:{port}/give/",
            PETITION_URL=f"http://localhost:{port}/p/{SLUG}/",
            GIVING_AMOUNTS="SEK 100 250 500 1000, EUR 10 25 50 100, PLN 50 100 200 500",
            LOG_LEVEL="WARNING",
        )
        say("Making the tables …")
        manage("migrate", "--verbosity", "0")
        say("Filling in people from all over the EU, through the same import that staff use …")
        fill = [sys.executable, "-W", "ignore", "-m", "tests.demo.fill", PASSWORD]
        subprocess.run(fill, cwd=ROOT, check=True)
        say("Starting web, workers and beat …")
        up = subprocess.Popen(
            [sys.executable, "-W", "ignore", "manage.py", "up"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        processes.append(up)
        wait_until_healthy(port, up)
        pages = (
            mail.facts["web_url"],
            mailchimp.facts["web_url"],
            f"{stripe.facts['url']}/",
            f"{partner_site.facts['url']}/",
        )
        greet(port, guide.Elsewhere(*pages))
        up.wait()
        sys.exit("The system ended by itself; the lines above say why.")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        say("\nStopping …")
        for process in reversed(processes):
            end(process)


def _start_engines() -> Path:
    """With their data in the folder that is returned; those that run already are left running."""
    from config import engines

    kept = ROOT / "var" / "demo"
    kept.mkdir(parents=True, exist_ok=True)
    engines.start_missing(kept)
    return kept


class StandIn:
    """A server of tests/standins in a process of its own, which says on its first line where it is."""

    def __init__(self, module: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{module} did not start.")
        self.facts = json.loads(line)


def manage(*arguments: str) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "manage.py", *arguments], cwd=ROOT, check=True)


def wait_until_healthy(port: int, up: subprocess.Popen) -> None:
    for _attempt in range(180):
        if up.poll() is not None:
            sys.exit("The system did not start; the lines above say why.")
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            pass
        time.sleep(0.5)
    sys.exit("The system did not come up within 90 seconds.")


def greet(port: int, elsewhere: guide.Elsewhere) -> None:
    site = f"http://localhost:{port}"
    page = guide.Guide(guide.parts(site, elsewhere), LOGINS)
    say(
        f"""
{BOLD}Lodestar is running.{PLAIN}

  Where to click   {BOLD}{page.url}{PLAIN}      all that there is to see, step by step
  Staff site       {BOLD}{site}/admin/{PLAIN}
  The petition     {site}/p/{SLUG}/
  Give             {site}/give/
  The inbox        {elsewhere.inbox}      every mail that was sent, as its reader sees it
  Mailchimp        {elsewhere.mailchimp}      a stand-in for it
  Stripe           {elsewhere.stripe}      a stand-in for it

  {LOGINS}

{DIM}Nothing leaves this machine. Ctrl-C ends all of it; `make demo` again goes on where it was.{PLAIN}
"""
    )


def free_port(first: int) -> int:
    for port in range(first, min(first + 100, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    sys.exit(f"No port from {first} on is free.")


def end(process: subprocess.Popen) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def say(text: str) -> None:
    print(text, flush=True)


def _forget_environment() -> None:
    """The demo is its own world: nothing set for a real installation may reach it."""
    for name in list(os.environ):
        if name.startswith(
            ("MAILCHIMP_", "STRIPE_", "BANK", "SWISH_", "GIVING_", "EMAIL_", "ANYMAIL_", "MAILBOX_")
        ) or name in {
            *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SITE_URL", "ALLOWED_HOSTS", "DEBUG", "STATIC_ROOT"),
        }:
            del os.environ[name]


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
