#!/usr/bin/env python3
"""A large account: DNS records of 500 zones with 1,000 records each, 30 ms an answer, beside the bare transfer: on loopback, and
over a line of 200 Mbit/s. Both ask for no more than the API lets an address ask for: 200 times a second.

    cargo build --release && python3 benches/peers/large.py

The bare transfer asks for the same pages, as many at a time, and throws away what comes. Capture and live diff run as whole
processes, in turns with it; of ROUNDS rounds the middle one is told, with the most memory that the process had. Goals: each
below 300 MB, and at most 1.5 times the bare transfer. The exit code is 1 where a goal is missed.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target"))
ZONES, RECORDS, DELAY, IN_FLIGHT, ROUNDS = 500, 1000, 0.03, 64, 3
# What the API lets one address ask for in a second.
A_SECOND = 200
LINES = {"loopback": None, "200 Mbit/s": 25e6}


async def page(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split()[0])
    left = length
    while left:
        left -= len(await reader.read(left))
    writer.close()
    return length


async def bare(port):
    slots = asyncio.Semaphore(IN_FLIGHT)
    began = time.monotonic()

    async def one(zone):
        async with slots:
            await asyncio.sleep(began + zone // A_SECOND - time.monotonic())
            return await page(port, f"/client/v4/zones/{zone:032x}/dns_records?page=1&per_page=5000")

    return sum(await asyncio.gather(*(one(zone) for zone in range(ZONES))))


def timed(command, environment):
    """Seconds, and the most memory in MB."""
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command} failed:\n{said}")
    return time.monotonic() - began, usage.ru_maxrss / 1000


def main():
    quell = TARGET / "release" / "quell"
    if not quell.exists():
        sys.exit("build it first: cargo build --release")
    goals = []
    for line, rate in LINES.items():
        command = [sys.executable, HERE / "account.py", str(ZONES), str(RECORDS), str(DELAY), *([str(rate)] if rate else [])]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            port = int(server.stdout.readline())
            with tempfile.TemporaryDirectory() as scratch:
                goals += measure(line, Path(scratch), quell, port)
        finally:
            server.kill()
    for is_met, goal in goals:
        print("met   " if is_met else "MISSED", goal)
    sys.exit(0 if all(is_met for is_met, _ in goals) else 1)


def measure(line, scratch, quell, port):
    """What came of each goal."""
    environment = {
        **os.environ, "CLOUDFLARE_BASE_URL": f"http://127.0.0.1:{port}/client/v4", "CLOUDFLARE_API_TOKEN": "b" * 40,
        "CLOUDFLARE_ACCOUNT_ID": "a" * 32,
    }
    environment.pop("CLOUDFLARE_API_KEY", None)
    # The server makes each answer once and keeps it: that is no transfer.
    size = asyncio.run(bare(port))
    transfers, runs = [], {"baseline capture": [], "baseline diff": []}
    for round in range(ROUNDS):
        began = time.monotonic()
        asyncio.run(bare(port))
        transfers.append(time.monotonic() - began)
        dir = str(scratch / str(round))
        for name, took in runs.items():
            # What a baseline has is what is compared with it.
            only = ["--only", "dns_records"] if name == "baseline capture" else []
            # What the one before has spent of 1,200 requests in five minutes is not what is measured.
            environment["QUELL_STATE_DIR"] = str(scratch / f"{name} {round}")
            took.append(timed([quell, "-q", *name.split(), dir, *only], environment))
    transfer = statistics.median(transfers)
    print(f"{line}: bare transfer of {size / 1e6:.0f} MB {transfer:6.2f} s")
    goals = []
    for name, took in runs.items():
        seconds, memory = statistics.median(it[0] for it in took), max(it[1] for it in took)
        print(f"{name:23} {seconds:6.2f} s   {seconds / transfer:5.1f}×   peak {memory:4.0f} MB")
        goals += [
            (memory < 300, f"{line}: {name} below 300 MB"),
            (seconds <= 1.5 * transfer, f"{line}: {name} at most 1.5 times the transfer"),
        ]
    return goals


if __name__ == "__main__":
    main()
