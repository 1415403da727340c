"""probe.py - traffic through the tunnels, numbered and counted

A Ping is one stream of numbered echo requests from a host to an address, on
an ICMPv6 socket that is connected and wants errors: what the daemon answers
(ICMPv6 unreachable) arrives there too. Many run side by side in one loop.
"""
import selectors
import socket
import struct
import time

IPV6_RECVERR = 25
SO_RCVBUFFORCE = 33         # whatever net.core.rmem_max is
ECHO_REQUEST, ECHO_REPLY, UNREACHABLE = 128, 129, 1
TEXT = b"numbered ping"         # behind the number
SO_EE_ORIGIN_ICMP6 = 3
BURST = 100                     # numbered packets at once, at most


class Ping:
    """Numbered pings from `host` to `target`."""

    def __init__(self, host, target, source=None):
        self.target = str(target)
        with host.net():
            self.sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM,
                                      socket.IPPROTO_ICMPV6)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        if source:
            self.sock.bind((str(source), 0))
        self.refused = None         # time of the first ICMPv6 unreachable
        self.sent, self.answered, self.order = {}, {}, []

    def close(self):
        self.sock.close()

    def send(self, seq=None):
        seq = len(self.sent) + 1 if seq is None else seq
        now = time.monotonic()
        self.sent[seq] = now
        try:
            self.sock.sendto(struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, 0, seq)
                             + TEXT, (self.target, 0))
        except OSError:
            pass                    # counts as lost; recv() has the reason
        return now

    def receive(self):
        """Takes all that has come."""
        now = time.monotonic()
        while True:
            try:
                data, _ = self.sock.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                self._errors(now)
                continue
            seq = struct.unpack_from("!H", data, 6)[0]
            if data[0] == ECHO_REPLY and seq not in self.answered:
                self.answered[seq] = now
                self.order.append(seq)

    def _errors(self, now):
        while True:
            try:
                _, notes, _, _ = self.sock.recvmsg(2048, 512,
                                                   socket.MSG_ERRQUEUE)
            except BlockingIOError:
                return
            for level, kind, data in notes:
                if (level, kind) == (socket.IPPROTO_IPV6, IPV6_RECVERR):
                    origin, icmp_type = struct.unpack_from("=xxxxBB", data)
                    if (origin, icmp_type) == (SO_EE_ORIGIN_ICMP6,
                                               UNREACHABLE):
                        self.refused = self.refused or now

    @property
    def started(self):
        return min(self.sent.values())

    @property
    def lost(self):
        return len(self.sent) - len(self.answered)

    def last(self):
        return max(self.sent, default=0)

    def lost_after(self, seq):
        """Of what was sent after that one. An answer to one before it, which
        may still be on its way, is not counted against them."""
        return sum(n > seq and n not in self.answered for n in self.sent)

    def first_reply(self):
        """Seconds from the first request to the first reply, or None."""
        if not self.answered:
            return None
        return min(self.answered.values()) - self.started

    def first_refusal(self):
        return self.refused and self.refused - self.started


def _listen(pings, until, done=lambda: False):
    """Receives on all pings until that time, or until done()."""
    with selectors.DefaultSelector() as selector:
        for ping in pings:
            selector.register(ping.sock, selectors.EVENT_READ, ping)
        while not done():
            left = until - time.monotonic()
            # once more at the end: what came while we had no processor
            for key, _ in selector.select(max(left, 0)):
                key.data.receive()
            if left <= 0:
                return


def open_paths(pings, seconds, interval=0.25):
    """Pings along all until each is answered or refused, or time is up."""
    def settled():
        return all(p.answered or p.refused for p in pings)

    end = time.monotonic() + seconds
    while not settled() and time.monotonic() < end:
        for ping in pings:
            if not (ping.answered or ping.refused):
                ping.send()
        _listen(pings, min(end, time.monotonic() + interval), settled)


def run(ping, count, interval=0.005, linger=30.0):
    """Sends `count` pings; waits for the last for at most `linger`."""
    first = len(ping.sent) + 1
    for _ in range(count):
        _listen([ping], ping.send() + interval)
    wanted = range(first, first + count)
    _listen([ping], time.monotonic() + linger,
            lambda: all(seq in ping.answered for seq in wanted))
    return sum(seq in ping.answered for seq in wanted)


def flow(pings, until, interval=0.1):
    """A steady stream on all pings until until() is true; goes on counting
    where it was. A pause in between shows as packets not sent, never lost.
    The answers to the last ones are waited for."""
    due = time.monotonic()
    while not until():
        for ping in pings:
            ping.send()
        due = max(due + interval, time.monotonic())
        _listen(pings, due, until)
    _listen(pings, time.monotonic() + 0.2,
            lambda: all(max(p.sent, default=0) in p.answered
                        for p in pings))


def for_seconds(seconds):
    """A condition for flow(): that much time has gone by."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def holes(ping):
    """Lengths of the runs of numbers that were never answered, in order."""
    found, length = [], 0
    for seq in sorted(ping.sent):
        if seq in ping.answered:
            found += [length] if length else []
            length = 0
        else:
            length += 1
    return found + ([length] if length else [])


class Numbered:
    """Numbered UDP packets from one host to another."""

    def __init__(self, host, target_host, target, port=4000):
        self.inbox = target_host.udp("::", port)
        self.inbox.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        self.inbox.setblocking(False)
        self.outbox = host.udp("::")
        self.target = (str(target), port)
        self.sent, self.got = 0, []

    def send(self, size=32):
        number = struct.pack("!I", self.sent)
        self.sent += 1
        self.outbox.sendto(number.ljust(size, b"."), self.target)

    def receive(self):
        while True:
            try:
                data = self.inbox.recv(2048)
            except BlockingIOError:
                return self.got
            self.got.append(struct.unpack_from("!I", data)[0])

    def stream(self, until, rate):
        """Sends at `rate` per second until until() is true. What is very late,
        as we had no processor, is not sent: no queue would take it all."""
        due = time.monotonic()
        while not until():
            now = time.monotonic()
            due = max(due, now - BURST / rate)
            while due <= now:
                self.send()
                due += 1 / rate
            self.receive()
            time.sleep(0.5 / rate)

    def close(self):
        self.inbox.close()
        self.outbox.close()
