"""demo.py - the whole of it on one machine in some seconds

Builds a small Internet in private namespaces, shows it, and shows that it
works: two clients behind different NATs get addresses from a server, reach a
native IPv6 host through a relay and each other directly, and do not notice
that an engine is killed. Everything printed was measured in this run; the
exit code is 0 only if every line is true.
"""
import statistics
import sys
import time

import lab
lab.enter()

import capture      # noqa: E402
import matrix       # noqa: E402
import probe        # noqa: E402
from daemons import Ours, client, relay, server     # noqa: E402

SERVER, SECOND, RELAY = "192.0.2.1", "192.0.2.2", "198.51.100.9"
PICTURE = """
   alice {a:<11} --[port-restricted NAT]-----+              +-- server {s}
                                                 +-- Internet --+
   bob   {b:<11} --[address-restricted NAT]--+              +-- relay {r}
                                                                         |
                                                          web {w}
"""


class Demo:
    """Prints lines and remembers whether all of them were true."""

    def __init__(self):
        self.begun = time.monotonic()
        self.checks = self.false = 0

    def line(self, true, what, seen):
        self.checks += 1
        self.false += not true
        print(f" {what:<26}{seen}{'' if true else '     <-- WRONG'}",
              flush=True)

    def since(self):
        return time.monotonic() - self.begun


def build(demo, world):
    print(" building a small Internet (nothing leaves this machine) ...",
          end="", flush=True)
    daemons = [server(world, Ours, "server", SERVER, SECOND)]
    router, web = relay(world, Ours, "relay", RELAY)
    daemons.append(router)
    alice = client(world, Ours, "alice", "port", SERVER)
    bob = client(world, Ours, "bob", "address", SERVER)
    print(f" {demo.since():.1f} s")
    print(PICTURE.format(a=alice.host.ip4, b=bob.host.ip4, s=SERVER,
                         r=RELAY, w=web.ip6))
    for daemon in daemons:
        daemon.start().wait_up()
        place = f"{SERVER} and {SECOND}, UDP 3544" \
            if daemon.role == "server" else f"{RELAY}, UDP 3545"
        demo.line(daemon.alive(), f"{daemon.role} up", place)
    return router, web, alice, bob


def qualify(demo, name, daemon):
    start = time.monotonic()
    daemon.start()
    address = daemon.wait_up()
    took = time.monotonic() - start
    demo.line(address is not None, f"{name} qualified",
              f"{address}  in {took * 1000:.0f} ms")


def ping(demo, wire, what, source, target, endpoint, via):
    """31 pings; their paths are what the capture at the core saw."""
    stream = probe.Ping(source.host, target)
    wire.mark()
    probe.open_paths([stream], 10)
    helped = sum(p.dst == (SERVER, matrix.TEREDO_PORT)
                 for p in wire.packets())
    wire.mark()
    good = probe.run(stream, 30)
    ends = source.address(), lab.ipaddress.IPv6Address(str(target))
    paths = {p.dst for p in wire.packets()
             if p.joins(*ends) and p.icmp == capture.ECHO_REQUEST}
    path = " and ".join(f"{ip}:{port}" for ip, port in paths)
    demo.line(good == 30 and helped > 0 and paths == {endpoint}, what,
              f"{via} {path:<24}{good}/30\n{'':<27}"
              f"first {milliseconds(stream.first_reply())} with the server's "
              f"help, then {milliseconds(statistics.median(times(stream)))}")
    stream.close()


def times(stream):
    """Seconds for each answered ping but the first."""
    return [stream.answered[n] - stream.sent[n]
            for n in sorted(stream.answered)[1:]] or [0.0]


def milliseconds(seconds):
    return "never came" if seconds is None else f"{seconds * 1000:.2f} ms"


def kill(demo, alice, web):
    """The engine dies under 100 pings a second."""
    stream = probe.Ping(alice.host, web.ip6)
    before = alice.identity()
    probe.flow([stream], lambda: len(stream.sent) >= 50, 0.01)
    alice.kill_engine()
    probe.flow([stream], lambda: len(stream.sent) >= 200, 0.01)
    alice.wait_next_engine()
    probe.run(stream, 1)
    same = alice.identity() == before
    demo.line(stream.lost <= 5 and same, "alice's engine killed -9",
              f"{stream.lost} of {len(stream.sent)} packets lost; "
              f"{'same' if same else 'other'} address, port, interface")
    stream.close()


def end(demo, world):
    """All must end by themselves, with exit code 0, and leave nothing."""
    codes = {f"{d.host.name}": d.stop() for d in world.daemons}
    left = [d.host.name for d in world.daemons
            if d.ifname and d.host.has_interface(d.ifname)]
    demo.line(not any(codes.values()) and not left, "all ended",
              f"exit codes {sorted(set(codes.values()))}, "
              f"interfaces left: {len(left)}")


def main():
    demo, world = Demo(), lab.World()
    try:
        router, web, alice, bob = build(demo, world)
        wire = capture.Capture(world)
        qualify(demo, "alice", alice)
        qualify(demo, "bob", bob)
        print()
        ping(demo, wire, "alice -> web", alice, web.ip6,
             (RELAY, router.settings["BindPort"]), "via relay ")
        peer = matrix.Client(bob, "address", SERVER)
        ping(demo, wire, "alice -> bob", alice, bob.address(),
             peer.endpoint(), "via direct")
        kill(demo, alice, web)
        end(demo, world)
    except lab.LabError as error:
        demo.line(False, "failed", error)
    finally:
        world.close(keep_logs=demo.false > 0)
    if demo.false:
        print(f"\n {demo.false} of {demo.checks} checks failed; "
              f"logs: {world.logs}")
        return 1
    print(f"\n all {demo.checks} checks passed in {demo.since():.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
