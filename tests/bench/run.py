#!/usr/bin/python3
"""run.py [--quick] [--noisy] [--json FILE] [--svg FILE] [--only WORD]

Plain forwarding, Debian's Miredo 1.2.6 and this tree side by side; see
tools/bench, which builds and calls it. In each round every contestant is
measured once, in random order; the figures are medians of the ratios of
rounds. A round while others used more than 0.3 of a core is discarded and
repeated; --noisy keeps it. --only runs what has WORD in its name. The exit
status is 1 when something arrives changed or, without --quick, when a figure
is not what is demanded at least.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(HERE, "..", d) for d in ("net", "faults")]
import meter    # noqa: E402
meter.keep_proc()
import lab      # noqa: E402
lab.enter()

import chart        # noqa: E402
import measure      # noqa: E402
import place        # noqa: E402
import table        # noqa: E402

ALL = ("plain", "miredo", "ours")
MIREDO = ("miredo", "ours")
SINGLE = ("ours", "single")


def plan(seconds):
    """[(link model, name, contestants, how)]"""
    def tcp(streams, down):
        return lambda p: measure.tcp(p, seconds, streams, down)
    both = [("up", False), ("down", True)]
    large = (lambda p: measure.udp(p, seconds, 1200, 0, 40))
    return (
        [("wire", f"tcp{n} {way}", ALL, tcp(n, down))
         for n in (1, 4) for way, down in both]
        + [("wire", "udp 64", ("plain", "miredo", "ours", "single"),
            lambda p: measure.udp(p, seconds, 64)),
           ("wire", "udp 1200", ("plain", "ours", "single"), large),
           ("wire", "peers 256", ("miredo",) + SINGLE,
            lambda p: measure.peers(p, seconds)),
           ("wire", "ping", ALL, lambda p: measure.ping(p, 2000))]
        + [("full", f"tcp1 {way}", ALL, tcp(1, down)) for way, down in both]
        + [("full", "udp 1200", ("plain", "ours", "single"), large)]
        + [("thr", f"tcp1 {way}", ALL, tcp(1, down)) for way, down in both]
        + [("thr", "udp 50k", ALL,
            lambda p: measure.udp(p, seconds, 64, 50000)),
           ("thr", "solicit", MIREDO, measure.solicit),
           ("thr", "solicit 50k", MIREDO,
            lambda p: measure.solicit(p, 50000))])


def one_round(how, contestants, places):
    order = list(contestants)
    random.shuffle(order)
    found = {}
    for name in order:
        places[name].warm()
        found[name] = how(places[name])
    return found


def rounds(how, contestants, places, count, noisy):
    """([the rounds], [their loads outside]); after as many discarded ones,
    what is there has to do."""
    kept, loads, tries = [], [], 0
    while len(kept) < count:
        tries += 1
        with meter.Outside() as outside:
            one = one_round(how, contestants, places)
        if noisy or outside.load <= table.LOAD or tries > 3 * count:
            kept.append(one)
            loads.append(outside.load)
    return kept, loads


def micro():
    """What tests/bench/peers_scale prints, by name."""
    done = subprocess.run([f"{lab.BUILD}/tests/bench/peers_scale"],
                          capture_output=True, text=True, check=True)
    return {name: float(value) for name, value in
            map(str.split, done.stdout.splitlines())}


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--noisy", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--json")
    parser.add_argument("--svg")
    return parser.parse_args()


def memory(o, places, result):
    """Once: the second time the relay knows its peers."""
    key = "relay memory"
    if o.quick or o.only not in key:
        return
    one = {name: measure.memory(places[name]) for name in MIREDO}
    result["rounds"][key], result["load"][key] = [one], 0
    print(table.line(key, [one], 0), flush=True)


def collect(o, places, result):
    count, seconds = (1, 1) if o.quick else (7, 2)
    model = None
    for where, name, contestants, how in plan(seconds):
        if o.only not in f"{where} {name}":
            continue
        if where != model:
            model = where
            for p in places.values():
                p.model(where)
                p.warm()
        kept, loads = rounds(how, [c for c in contestants if c in places],
                             places, count, o.noisy or o.quick)
        result["rounds"][f"{where} {name}"] = kept
        result["load"][f"{where} {name}"] = max(loads)
        print(table.line(f"{where} {name}", kept, max(loads)), flush=True)
    memory(o, places, result)
    if o.only in "gate":
        places["ours"].model("wire")
        result["gate"], result["checksums"] = measure.gate(
            places["ours"], (20 if o.quick else 300) * 1000000)


def main():
    o = options()
    start = time.monotonic()
    result = {"rounds": {}, "load": {}, "gate": None, "micro": micro()}
    world = lab.World()
    failed = True
    try:
        collect(o, place.contestants(world), result)
        failed = False
    finally:
        world.close(keep_logs=failed)
    print(table.frame(result) + table.whole(result))
    print(f"\n{time.monotonic() - start:.0f} s")
    if o.json:
        with open(o.json, "w", encoding="ascii") as f:
            json.dump(result, f, indent=1)
    if o.svg:
        with open(o.svg, "w", encoding="utf-8") as f:
            f.write(chart.draw(result))
    missed = table.missed(result)
    for what in missed:
        print(f"not met: {what}")
    return 1 if result["gate"] or missed and not o.quick else 0


sys.exit(main())
