import argparse
import json
import signal

from tests.standins.mail import MailCatcher

parser = argparse.ArgumentParser()
parser.add_argument("--smtp-port", type=int, default=0)
parser.add_argument("--web-port", type=int, default=0)
arguments = parser.parse_args()
with MailCatcher(arguments.smtp_port, arguments.web_port) as mail:
    print(json.dumps({"smtp_url": mail.smtp_url, "web_url": mail.web_url}), flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
