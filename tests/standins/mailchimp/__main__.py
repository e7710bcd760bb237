"""The stand-in as a process: its first line says where it is, in JSON. Ends with SIGTERM or Ctrl-C."""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from tests.standins.mailchimp import MailchimpStandIn, keeping


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.standins.mailchimp", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--api-key", help="the only key it takes; any, if this is left out")
    parser.add_argument("--state", type=Path, help="a file to go on from and to keep the state in")
    options = parser.parse_args()
    done = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        done.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    account = keeping.load(options.state) if options.state else None
    with MailchimpStandIn(options.port, options.api_key, keep_bodies=False, account=account) as mailchimp:
        facts = {"url": mailchimp.url, "web_url": mailchimp.web_url, "list_id": mailchimp.list_id}
        print(json.dumps(facts), flush=True)
        if options.state:
            keeping.keep(mailchimp, options.state, done)
        done.wait()
    sys.exit(0)


if __name__ == "__main__":
    main()
