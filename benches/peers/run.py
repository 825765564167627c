#!/usr/bin/env python3
"""quell beside its peers: all DNS records of 50 zones with 100 records each, 30 ms an answer, on loopback.

    cargo build --release && python3 benches/peers/run.py

Installs the peers from PyPI into a virtual environment under `target/peers`. Each tool runs as a whole process, in turns with
the others; of ROUNDS rounds the middle one is told, with the number of requests and what quell is faster by. Goals: a request
for each zone, two for their list and three for credential, its owner and the account; at most 0.35 s; 20 times as fast as
octodns-dump and 5 times as fast as the SDK with 16 threads. The exit code is 1 where one is missed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PEERS = ["octodns==1.22.0", "octodns-cloudflare==1.2.0", "cloudflare==5.9.0"]
ZONES, RECORDS, DELAY, ROUNDS = 50, 100, 0.03, 5


def peers():
    venv = TARGET / "peers"
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def octodns_config(at):
    zones = "\n".join(f"  zone-{n}.example.: {{sources: [cf], targets: [out]}}" for n in range(ZONES))
    at.write_text(
        "manager: {max_workers: 16}\nproviders:\n"
        "  cf: {class: octodns_cloudflare.CloudflareProvider, token: bench, records_per_page: 5000, zones_per_page: 50, pagerules: false}\n"
        f"  out: {{class: octodns.provider.yaml.YamlProvider, directory: {at.parent}, enforce_order: false}}\n"
        f"zones:\n{zones}\n"
    )


def main():
    quell = TARGET / "release" / "quell"
    if not quell.exists():
        sys.exit("build it first: cargo build --release")
    python = peers()
    server = subprocess.Popen(
        [sys.executable, HERE / "account.py", str(ZONES), str(RECORDS), str(DELAY)], stdout=subprocess.PIPE, text=True
    )
    port = server.stdout.readline().strip()
    base = f"http://127.0.0.1:{port}/client/v4"
    count = lambda: int(urllib.request.urlopen(f"http://127.0.0.1:{port}/count").read())
    try:
        with tempfile.TemporaryDirectory() as scratch:
            measure(Path(scratch), quell, python, base, count)
    finally:
        server.kill()


def measure(scratch, quell, python, base, count):
    config = scratch / "octodns.yaml"
    octodns_config(config)
    environment = {
        **os.environ, "CLOUDFLARE_BASE_URL": base, "CLOUDFLARE_API_TOKEN": "b" * 40, "CLOUDFLARE_ACCOUNT_ID": "a" * 32,
        "QUELL_STATE_DIR": str(scratch / "state"),
    }
    environment.pop("CLOUDFLARE_API_KEY", None)
    fresh = lambda name, round: str(scratch / f"{name}-{round}")
    tools = {
        "quell baseline capture": lambda n: [quell, "-q", "baseline", "capture", fresh("quell", n), "--only", "dns_records"],
        "cloudflare SDK, 16 threads": lambda n: [python, HERE / "sdk.py", base, "16", fresh("sdk", n)],
        "cloudflare SDK, its loop": lambda n: [python, HERE / "sdk.py", base, "1", fresh("loop", n)],
        "octodns-dump, 16 workers": lambda n: [
            python, HERE / "octodns_at.py", base, "--config-file", config, "--output-dir", fresh("octodns", n), "--lenient", "*", "cf"
        ],
    }
    times = {name: [] for name in tools}
    requests = {}
    for round in range(ROUNDS):
        for name, command in tools.items():
            count()
            began = time.monotonic()
            done = subprocess.run(command(round), env=environment, capture_output=True, text=True)
            times[name].append(time.monotonic() - began)
            if done.returncode != 0:
                sys.exit(f"{name} failed:\n{done.stdout}\n{done.stderr}")
            requests[name] = count()
    held = sum(1 for _ in open(Path(fresh("quell", 0)) / "dns_records.jsonl"))
    assert held == ZONES * RECORDS, f"quell holds {held} records"
    own = statistics.median(times["quell baseline capture"])
    print(f"{'':28} {'s':>6} {'min–max':>12} {'requests':>9} {'to quell':>9}")
    for name, took in times.items():
        middle = statistics.median(took)
        print(f"{name:28} {middle:6.2f} {min(took):5.2f}–{max(took):5.2f} {requests[name]:9} {middle / own:8.1f}×")
    of = lambda name: statistics.median(times[name]) / own
    goals = [
        # The second of the list of zones makes sure that nothing follows a page that is full.
        (requests["quell baseline capture"] <= ZONES + 5, f"at most {ZONES + 5} requests"),
        (own <= 0.35, "at most 0.35 s"),
        (of("octodns-dump, 16 workers") >= 20, "20 times as fast as octodns-dump"),
        (of("cloudflare SDK, 16 threads") >= 5, "5 times as fast as the SDK with 16 threads"),
    ]
    for is_met, goal in goals:
        print("met   " if is_met else "MISSED", goal)
    sys.exit(0 if all(is_met for is_met, _ in goals) else 1)


if __name__ == "__main__":
    main()
