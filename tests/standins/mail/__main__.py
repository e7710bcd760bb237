"""The mail catcher as a process: its first line says where it is, in JSON. Ends with SIGTERM or Ctrl-C."""

import argparse
import json
import signal
import sys
import threading
from types import FrameType

from tests.standins.mail import MailCatcher
from tests.standins.mail.returning import Returning


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.standins.mail", description=__doc__)
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--web-port", type=int, default=0)
    parser.add_argument("--keep", type=int, default=20_000, help="so many of the newest mails")
    options = parser.parse_args()
    done = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        done.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    with (
        Returning() as returning,
        MailCatcher(options.smtp_port, options.web_port, keep=options.keep, heard=returning.hear) as mail,
    ):
        facts = {"smtp_url": mail.smtp_url, "web_url": mail.web_url, "mailbox_url": returning.url}
        print(json.dumps(facts), flush=True)
        done.wait()
    sys.exit(0)


if __name__ == "__main__":
    main()
