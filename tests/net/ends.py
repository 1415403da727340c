"""ends.py - a client and a relay with a host behind it, and traffic between

The traffic is what a data path may get wrong: TCP both ways at once, datagrams
of odd sizes in bursts and as super-packets, pings. All of it must come,
unchanged, in order, and with no checksum wrong.
"""
import random
import socket

import lab
import probe
from session import Transfer
from daemons import Ours, client, relay, server

SERVER = "192.0.2.20"
ALL = ["tun-tso", "tun-uso", "udp-segment", "udp-gro", "batch"]
IPPROTO_UDP, UDP_SEGMENT = 17, 103
BURST = 50


def checksum_errors(host):
    """Of TCP, UDP and ICMPv6, as nstat would show them."""
    found = 0
    lines = [line.split() for line in host._proc("snmp")]
    for names, values in zip(lines[::2], lines[1::2]):
        if names[0] in ("Tcp:", "Udp:"):
            found += int(dict(zip(names, values))["InCsumErrors"])
    return found + sum(int(line.split()[1]) for line in host._proc("snmp6")
                       if "InCsumErrors" in line)


class Datagrams:
    """What is sent from one host to another; all of it must come, in order
    and unchanged."""

    def __init__(self, host, target_host, target):
        self.inbox = target_host.udp("::")
        self.inbox.setsockopt(socket.SOL_SOCKET, probe.SO_RCVBUFFORCE,
                              4 << 20)
        self.inbox.settimeout(lab.PATIENCE)
        self.outbox = host.udp("::")
        self.outbox.connect((str(target), self.inbox.getsockname()[1]))
        self.dice = random.Random(2)
        self.sent, self.got = [], []

    def take(self):
        try:
            while len(self.got) < len(self.sent):
                self.got.append(self.inbox.recv(65536))
        except socket.timeout:
            return False
        return self.got == self.sent

    def burst(self, sizes):
        for size in sizes:
            self.sent.append(self.dice.randbytes(size))
            self.outbox.send(self.sent[-1])
        return self.take()

    def super_packet(self, size, length):
        """One send that the kernel cuts; the stack may do it, or the tun."""
        block = self.dice.randbytes(length)
        self.sent += [block[i:i + size] for i in range(0, length, size)]
        self.outbox.setsockopt(IPPROTO_UDP, UDP_SEGMENT, size)
        self.outbox.send(block)
        self.outbox.setsockopt(IPPROTO_UDP, UDP_SEGMENT, 0)
        return self.take()

    def close(self):
        self.inbox.close()
        self.outbox.close()


def datagrams(host, target_host, target):
    stream = Datagrams(host, target_host, target)
    good = all([
        stream.burst([0, 1, 2, 3, 7, 1231, 1232, 1, 1232, 0, 5]),
        stream.burst([1000] * BURST),
        stream.burst([1232] * BURST + [17]),
        stream.burst(stream.dice.choices(range(1233), k=BURST)),
        stream.super_packet(1200, 48001),
        stream.super_packet(64, 64 * 40 - 1)])
    stream.close()
    return good


def tcp(ends, octets):
    """Transfers both ways at once, two each way."""
    flows = [Transfer(a, b, target, 5000 + i)
             for i, (a, b, target) in enumerate(ends * 2)]
    lab.wait_for(lambda: all(f.received >= octets or f.error for f in flows),
                 "the transfers get on", 60)
    return all([f.finish() for f in flows])


class Ends:
    """alice, a client behind a NAT; router, a relay; web, a host behind it."""

    def __init__(self, t, world, kind, **conf):
        self.t, self.world = t, world
        server(world, Ours, "server", SERVER, "192.0.2.21").start().wait_up()
        self.router, self.web = relay(world, kind, "relay", "198.51.100.20",
                                      **conf)
        self.alice = client(world, kind, "alice", "port", SERVER, **conf)

    def start(self):
        self.router.start().wait_up()
        self.alice.start().wait_up()

    def ways(self):
        here, web = self.alice.host, self.web
        return [(here, web, web.ip6), (web, here, self.alice.address())]

    def open(self):
        ping = probe.Ping(self.alice.host, self.web.ip6)
        probe.open_paths([ping], lab.PATIENCE)
        ping.close()

    def uses(self, daemon, want, how):
        got = daemon.status()["datapath"]
        self.t.ok(got == want, f"{how}: the {daemon.role} uses "
                  + (", ".join(want) or "none"), got)

    def traffic(self, how, octets):
        t = self.t
        hosts = (self.alice.host, self.web, self.router.host)
        before = [checksum_errors(host) for host in hosts]
        for size, (a, b, target) in enumerate(self.ways()):
            ping = probe.Ping(a, target)
            t.ok(probe.run(ping, 40) == 40, f"{how}: every ping is answered",
                 ping.lost)
            ping.close()
            t.ok(datagrams(a, b, target), f"{how}: datagrams of all sizes "
                 + ("come in" if size else "go out"))
        t.ok(tcp(self.ways(), octets), f"{how}: four transfers at once are "
             "whole")
        after = [checksum_errors(host) for host in hosts]
        t.ok(after == before, f"{how}: no checksum is wrong", before, after)
        logs = self.alice.log() + self.router.log()
        t.ok("the engine ended" not in logs, f"{how}: no engine died", logs)
