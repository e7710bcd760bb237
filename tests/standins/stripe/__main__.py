"""The stand-in as a process: its first line says where it is, in JSON. Ends with SIGTERM or Ctrl-C."""

import argparse
import json
import signal
import sys
import threading

from tests.standins.stripe import StripeStandIn


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.standins.stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--webhook-url", default="", help="where events go; nowhere, if this is left out")
    parser.add_argument("--webhook-secret", default="whsec_0123456789abcdef")
    options = parser.parse_args()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: done.set())
    with StripeStandIn(
        options.port, webhook_url=options.webhook_url, webhook_secret=options.webhook_secret
    ) as stripe:
        print(json.dumps({"url": stripe.url}), flush=True)
        done.wait()
    sys.exit(0)


if __name__ == "__main__":
    main()
