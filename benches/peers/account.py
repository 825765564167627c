"""An account of ZONES zones with RECORDS records each, each answer DELAY seconds late. Counts what it is asked. With RATE, all
answers together come over a line of so many bytes in a second.

Only what a capture of DNS records asks for is there. Prints its port, then serves until it is killed; GET /count gives the
number of requests since the last GET /count.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

ACCOUNT = "a" * 32
PART = 64 << 10
TIME = "2026-01-01T00:00:00Z"


def zone(n):
    return {
        "id": f"{n:032x}", "name": f"zone-{n}.example", "status": "active", "paused": False, "type": "full",
        "account": {"id": ACCOUNT, "name": "Bench"}, "name_servers": ["ada.ns.example", "bob.ns.example"],
        "owner": {"id": None, "type": "user", "email": None}, "permissions": [], "meta": {}, "plan": {"id": "free", "name": "Free"},
        "created_on": TIME, "modified_on": TIME, "activated_on": TIME, "development_mode": 0,
        "original_name_servers": [], "original_registrar": None, "original_dnshost": None,
    }


def record(z, n):
    return {
        "id": f"{z:016x}{n:016x}", "name": f"host-{n}.zone-{z}.example", "type": "A", "content": f"192.0.2.{n % 250 + 1}",
        "proxiable": True, "proxied": n % 2 == 0, "ttl": 1 if n % 2 == 0 else 3600, "settings": {}, "meta": {}, "comment": None, "tags": [],
        "created_on": TIME, "modified_on": TIME,
    }


def page(items, query):
    per_page = int(query.get("per_page", ["20"])[0])
    number = int(query.get("page", ["1"])[0])
    pages = -(-len(items) // per_page)
    shown = items[(number - 1) * per_page:number * per_page]
    info = {"page": number, "per_page": per_page, "count": len(shown), "total_count": len(items), "total_pages": pages}
    return {"success": True, "errors": [], "messages": [], "result": shown, "result_info": info}


def single(result):
    return {"success": True, "errors": [], "messages": [], "result": result}


class Account:
    def __init__(self, zones, records, delay, rate):
        self.zones = [zone(n) for n in range(zones)]
        self.records = {z["id"]: [record(n, at) for at in range(records)] for n, z in enumerate(self.zones)}
        self.delay = delay
        self.rate = rate
        self.free_at = 0.0
        self.count = 0
        self.made = {}

    def answer(self, target):
        if target not in self.made:
            self.made[target] = json.dumps(self.look_up(target)).encode()
        return self.made[target]

    def look_up(self, target):
        url = urlsplit(target)
        path = url.path.removeprefix("/client/v4")
        query = parse_qs(url.query)
        match path.strip("/").split("/"):
            case ["user", "tokens", "verify"]:
                return single({"id": "b" * 32, "status": "active", "not_before": None, "expires_on": None})
            case ["accounts"]:
                return page([{"id": ACCOUNT, "name": "Bench", "type": "standard"}], query)
            case ["accounts", _]:
                return single({"id": ACCOUNT, "name": "Bench", "type": "standard"})
            case ["zones"]:
                named = query.get("name")
                return page([z for z in self.zones if not named or z["name"] in named], query)
            case ["zones", id, "dns_records"]:
                return page(self.records[id], query)
            case ["zones", _, "pagerules"] | ["zones", _, "rulesets"]:
                return single([])
        return {"success": False, "errors": [{"code": 7003, "message": f"no such path {path}"}], "messages": [], "result": None}

    def parts(self, body):
        size = PART if self.rate else len(body)
        return (body[at:at + size] for at in range(0, len(body), size))

    async def line(self, length):
        """Waits until the line has room: those who send share it part by part."""
        if self.rate:
            loop = asyncio.get_running_loop()
            self.free_at = max(self.free_at, loop.time()) + length / self.rate
            await asyncio.sleep(self.free_at - loop.time())

    async def serve(self, reader, writer):
        try:
            while line := await reader.readline():
                target = line.split()[1].decode()
                while (await reader.readline()).strip():
                    pass
                if target == "/count":
                    body, self.count = str(self.count).encode(), 0
                else:
                    self.count += 1
                    body = self.answer(target)
                    await asyncio.sleep(self.delay)
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode())
                for part in self.parts(body):
                    await self.line(len(part))
                    writer.write(part)
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def main():
    zones, records, delay = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    account = Account(zones, records, delay, float(sys.argv[4]) if len(sys.argv) > 4 else None)
    server = await asyncio.start_server(account.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
