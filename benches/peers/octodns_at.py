"""`octodns-dump` with its Cloudflare provider pointed at another address: `octodns_at.py BASE_URL ARGS…`."""

import sys

import requests

base = sys.argv.pop(1)
send = requests.Session.send


def redirected(self, request, **rest):
    request.url = request.url.replace("https://api.cloudflare.com/client/v4", base)
    return send(self, request, **rest)


requests.Session.send = redirected

from octodns.cmds.dump import main  # noqa: E402: it must come after the patch

main()
