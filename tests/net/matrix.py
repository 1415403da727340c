"""matrix.py - who reaches whom, opened cold and proven on the wire

A Row is one way to open one path: `first` sends, `second` knows nothing of it
yet. Rows are opened side by side (an impossible one needs its eight seconds),
then proven one after the other: some more pings, and the row counts only when

  * both ends counted them: their interfaces, and the engine where it is
    ours, inside and outside of the tunnel, and
  * the capture shows each of them between the two public endpoints that the
    row names, and nothing of it by any other way, from the first packet on,
  * the server that the row names carried the bubble or test that opened it.
"""
import ipaddress
import time

import capture
import nat
import probe
from lab import PATIENCE, LabError

SECONDS = PATIENCE  # an impossible row ends after 9 s
COUNT = 5           # pings of the proof
TEREDO_PORT = 3544
TITLES = {"none": "none", "cone": "cone", "address": "address-restr.",
          "port": "port-restr.", "symmetric": "symmetric"}


def miredo_reaches(first, second):
    """Whether Miredo 1.2.6 opens a path from NAT kind first to second."""
    return first != "symmetric" and (first, second) != ("port", "symmetric")


class Client:
    """A client daemon, the NAT it is behind and the server it uses."""

    def __init__(self, daemon, kind, server):
        self.daemon, self.kind, self.server = daemon, kind, server
        self.host, self.maker = daemon.host, daemon.kind

    def __str__(self):
        return f"{self.maker} ({self.kind})"

    @property
    def address(self):
        return self.daemon.address()

    def endpoint(self):
        """(public address, port); port None: another for each peer."""
        raw = self.address.packed
        if self.kind == "symmetric":
            return str(ipaddress.IPv4Address(
                int.from_bytes(raw[12:], "big") ^ 0xffffffff)), None
        return (str(ipaddress.IPv4Address(
            int.from_bytes(raw[12:], "big") ^ 0xffffffff)),
            int.from_bytes(raw[10:12], "big") ^ 0xffff)

    def counts(self):
        return self.daemon.counts()


class Web:
    """A native host, and the relay that stands for it outside."""
    kind = "native"

    def __init__(self, host, relay):
        self.host, self.relay = host, relay
        self.address = ipaddress.IPv6Address(host.ip6)
        self.maker = f"web ({relay.kind} relay)"

    def __str__(self):
        return self.maker

    def endpoint(self):
        return self.relay.host.ip4, self.relay.settings["BindPort"]

    def counts(self):
        return self.relay.counts()


def _is_at(outer, endpoint):
    return outer[0] == endpoint[0] and endpoint[1] in (None, outer[1])


def _number(packet):
    """Of one of a Ping's; of other data 0."""
    at = packet.frame.rfind(probe.TEXT)
    return int.from_bytes(packet.frame[at - 2:at], "big") if at > 0 else 0


class Row:
    """One path, opened by `first`."""

    def __init__(self, first, second):
        self.first, self.second = first, second
        self.ping = self.error = None

    def __str__(self):
        return f"{self.first} opens to {self.second}"

    @property
    def possible(self):
        kinds = self.first.kind, self.second.kind
        return "native" in kinds or miredo_reaches(*kinds)

    @property
    def opened(self):
        return bool(self.ping.answered)

    @property
    def good(self):
        """As good as Miredo; better is good too."""
        if self.opened:
            return self.error is None
        return not self.possible and self.ping.refused is not None

    def cell(self):
        if self.opened:
            return "ok" if self.error is None else "BAD"
        return "unreachable" if self.ping.refused else "no answer"

    def seen(self):
        reply, refusal = self.ping.first_reply(), self.ping.first_refusal()
        if reply is not None:
            return (f"first reply after {reply * 1000:.1f} ms, "
                    f"{self.error or 'as named'}")
        if refusal is not None:
            return f"unreachable after {refusal:.1f} s"
        return f"neither reply nor error in {SECONDS:g} s"

    # ---- the proof ----

    def _data(self, packets):
        ends = self.first.address, self.second.address
        return [p for p in packets if p.joins(*ends) and
                p.icmp in (capture.ECHO_REQUEST, capture.ECHO_REPLY)]

    def _stray(self, packets):
        """A data packet that did not go between the two endpoints. (To and
        from the own server, a test of a native host looks like data.)"""
        mine, theirs = self.first.endpoint(), self.second.endpoint()
        native = isinstance(self.first, Web) or isinstance(self.second, Web)
        for p in self._data(packets):
            if (_is_at(p.src, mine) and _is_at(p.dst, theirs) or
                    _is_at(p.src, theirs) and _is_at(p.dst, mine)):
                continue
            if native and TEREDO_PORT in (p.src[1], p.dst[1]):
                continue
            return p
        return None

    def _opening(self, packets):
        """The packet by which the named server took part, or None."""
        if isinstance(self.second, Web):    # the client's test of it
            server, target = self.first.server, self.second.address
        else:                               # a bubble towards the client
            server, target = self.second.server, self.second.address
        source = self.first.endpoint()[0]
        for p in packets:
            if (p.src[0] == source and p.dst == (server, TEREDO_PORT)
                    and p.inner_dst == target):
                if p.icmp == capture.ECHO_REQUEST or p.is_bubble:
                    return p
        return None

    def check_opening(self, packets):
        stray = self._stray(packets)
        if stray:
            self.error = f"another way: {stray}"
        elif not self._opening(packets):
            self.error = "its server had no part in it"

    def prove(self, wire):
        """Sends COUNT pings over the open path and compares all counts."""
        ends = self.first, self.second
        # A path that is not used may be tested again after 30 s, and the
        # rows before this one may have taken that long.
        if not any(probe.run(self.ping, 1) for _ in range(3)):
            self.error = "no answer any more"
            return
        before = [n for end in ends for n in end.counts()]
        first = self.ping.last()
        wire.mark()
        answers = probe.run(self.ping, COUNT)
        after = [n for end in ends for n in end.counts()]
        packets = wire.packets()
        moved = [b - a for a, b in zip(before, after)]
        # what was held until the path was open may come late
        crossed = sum(_number(p) > first for p in self._data(packets))
        if answers != COUNT:
            self.error = f"{answers} of {COUNT} pings answered afterwards"
        elif min(moved) < 2 * COUNT:
            self.error = f"the ends counted {moved}, not {2 * COUNT}"
        elif crossed != 2 * COUNT:
            self.error = f"the capture has {crossed}, not {2 * COUNT}"
        elif self._stray(packets):
            self.error = f"another way: {self._stray(packets)}"


def open_rows(rows, wire):
    """Opens all rows cold, side by side, then proves the open ones."""
    for row in rows:
        row.ping = probe.Ping(row.first.host, row.second.address)
    wire.mark()
    probe.open_paths([row.ping for row in rows], SECONDS)
    packets = list(wire.packets())
    for row in rows:
        if row.opened:
            row.check_opening(packets)
    for row in rows:
        if row.opened and row.error is None:
            row.prove(wire)
    for row in rows:
        row.ping.close()
    if wire.lost():
        raise LabError("the capture lost packets")


def start(clients):
    """Starts all of them; returns when each has its address."""
    for client in clients:
        client.daemon.start()
    for client in clients:
        client.daemon.wait_up()


def start_cold(clients):
    """Restarts all; neither they nor their NATs know anybody."""
    for client in clients:
        if client.daemon.alive():
            client.daemon.stop()
    for client in clients:
        if client.host.nat:
            nat.forget(client.host.nat)
    start(clients)


def pairs(left, right):
    return [(a, b) for a in left for b in right]


def table(corner, left, right, forth, back):
    """The grid as Markdown; a cell is "left opens / right opens"."""
    lines = [f"| {corner} | " + " | ".join(TITLES[b.kind] for b in right)
             + " |", "|---" * (len(right) + 1) + "|"]
    for a in left:
        cells = []
        for b in right:
            x, y = forth[a, b].cell(), back[b, a].cell()
            cells.append(f"{x} / {y}")
        lines.append(f"| **{TITLES[a.kind]}** | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def report(tests, rows):
    """One TAP line for each row."""
    for row in rows:
        if row.opened or row.possible:
            tests.ok(row.good, str(row), row.seen())
        else:
            tests.ok(row.good, f"{row}: refused in finite time", row.seen())


def elapsed(since):
    return f"{time.monotonic() - since:.1f} s"
