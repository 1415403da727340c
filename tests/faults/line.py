"""line.py - a bad line between a server and everybody else

In the core, what is UDP from or to the server's port goes by way of a tunnel
interface whose other end is this program: it drops, doubles and delays each
packet by chance, by itself, and gives the others back. So it is the same for
whoever is behind which NAT. It also sees what was sent before any of it was
lost: `asked`.
"""
import collections
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import threading
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000
TABLE, PORT = 77, 3544
TICK = 0.05                     # s; when it ends at the latest


class Line:
    """loss, twice, late: the share of the packets that is lost, comes twice,
    is late by up to `delay` seconds. All may be changed at any time."""

    def __init__(self, world, seed, *servers):
        self.loss = self.twice = self.late = self.delay = 0
        self.dice, self.servers = random.Random(seed), servers
        self.waiting, self.count = [], 0
        # {(from, to): when}, of solicitations
        self.asked = collections.defaultdict(list)
        core = world.core
        with core.net():
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack(
                "16sH22x", b"bad", IFF_TUN | IFF_NO_PI))
        core.ip("link set bad up", f"route add default dev bad table {TABLE}",
                "rule add dev bad lookup main priority 10",
                *(f"rule add {way} {ip} ipproto 17 {port} {PORT} "
                  f"lookup {TABLE} priority 20" for ip in servers
                  for way, port in (("from", "sport"), ("to", "dport"))))
        core.sysctl(ipv4__conf__all__rp_filter=0,
                    ipv4__conf__bad__rp_filter=0)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ending.is_set():
            now = time.monotonic()
            while self.waiting and self.waiting[0][0] <= now:
                self._give(heapq.heappop(self.waiting)[2])
            left = self.waiting[0][0] - now if self.waiting else TICK
            if select.select([self.fd], [], [], min(left, TICK))[0]:
                self._take(os.read(self.fd, 65536), time.monotonic())

    def _take(self, packet, now):
        source, target = map(socket.inet_ntoa, (packet[12:16], packet[16:20]))
        # an authentication element comes first in a solicitation only
        if target in self.servers and packet[28:30] == b"\0\1":
            self.asked[source, target].append(now)
        for _ in range(1 + (self.dice.random() < self.twice)):
            if self.dice.random() < self.loss:
                continue
            when = now
            if self.dice.random() < self.late:
                when += self.dice.random() * self.delay
            self.count += 1
            heapq.heappush(self.waiting, (when, self.count, packet))

    def _give(self, packet):
        try:
            os.write(self.fd, packet)
        except BlockingIOError:
            pass                # one more that is lost

    def close(self):
        self.ending.set()
        self.thread.join()
        os.close(self.fd)
