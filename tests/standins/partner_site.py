"""The site of a partner, which shows our form for signing by the one tag that it is given, or frames it without a script.

As a process it says on its first line where it is, in JSON. It ends with SIGTERM or Ctrl-C.
"""

import argparse
import html
import json
import signal
import sys
import threading
from typing import Self

from tests.standins.loopback import LoopbackHandler, LoopbackServer

PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>body {{ margin: 0; font: 17px/1.6 Georgia, serif; color: #22313f; background: #eef3f5 }}
header {{ background: #14506e; color: #fff; padding: 20px 5vw; font-size: 1.3rem }}
main {{ max-width: 760px; margin: 24px auto; padding: 0 16px }} footer {{ padding: 24px 5vw; background: #dce6ea }}</style></head>
<body><header>{name}</header><main><h1>Sign with us</h1>
<p>We stand behind this demand together with organisations in every member state.</p>
{form}
<p>Thank you for standing with us.</p></main><footer>{name}</footer></body></html>"""


class PartnerSite:
    """`tag` is what the staff site says to copy. `/` has it; `/framed/` has a plain frame of the address given."""

    def __init__(
        self, tag: str = "", frame: str = "", *, name: str = "Aurora", language: str = "en", port: int = 0
    ) -> None:
        self.tag, self.frame, self.name, self.language = tag, frame, name, language
        self._server = LoopbackServer(port, self, _Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def page(self, path: str) -> str | None:
        forms = {
            "/": self.tag,
            "/framed/": f'<iframe src="{html.escape(self.frame)}" title="Petition" width="100%" height="1400"></iframe>',
        }
        if path not in forms:
            return None
        return PAGE.format(name=html.escape(self.name), language=self.language, form=forms[path])

    def start(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_how: object) -> None:
        self.stop()


class _Handler(LoopbackHandler):
    def do_GET(self) -> None:
        page = self.server.standin.page(self.path.partition("?")[0])
        octets = (page or "Nothing here.").encode()
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.standins.partner_site", description=__doc__)
    parser.add_argument("--ours", required=True, help="where the form is, such as http://localhost:8000")
    parser.add_argument("--petition", required=True)
    parser.add_argument("--code", required=True)
    parser.add_argument("--name", default="Aurora")
    parser.add_argument("--language", default="en")
    options = parser.parse_args()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: done.set())
    tag = f'<script src="{options.ours}/embed.js" data-petition="{options.petition}" data-via="{options.code}" async></script>'
    frame = f"{options.ours}/p/{options.petition}/embed/?via={options.code}"
    with PartnerSite(tag, frame, name=options.name, language=options.language) as site:
        print(json.dumps({"url": site.url}), flush=True)
        done.wait()
    sys.exit(0)


if __name__ == "__main__":
    main()
