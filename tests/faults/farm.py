"""farm.py - many clients in one process, and what they want from others

Solicitor: clients that qualify at a server, one IPv4 address each.
Farm: clients that a relay has to find. Each has a port of its own on one
address, all name the farm's second address as their server, and answer the
bubbles that come by it. What a relay sends to new clients, and when, is seen
without a daemon for each.
"""
import random
import selectors
import socket
import struct
import threading
import time

import packets


class Solicitor:
    """Solicitations by turns from all addresses of `host`."""

    def __init__(self, host, addresses, server):
        self.server = (server, 3544)
        self.socks = [host.udp(a) for a in addresses]
        self.selector = selectors.DefaultSelector()
        for sock in self.socks:
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)
        self.turn = 0

    def _receive(self, sent, rtt, until, all_of_it=False):
        while ((left := until - time.monotonic()) > 0 and
               not (all_of_it and len(rtt) == len(sent))):
            for key, _ in self.selector.select(left):
                answer = key.fileobj.recv(2048)
                nonce = answer[4:12]
                if answer[:2] == b"\0\1" and nonce in sent:
                    rtt.setdefault(nonce, time.monotonic() - sent[nonce])

    def ask(self, until, rate):
        """Until until() is true: {"sent", "lost", "p99_ms"}."""
        sent, rtt, due = {}, {}, time.monotonic()
        while not until():
            sock = self.socks[self.turn % len(self.socks)]
            self.turn += 1
            nonce = random.randbytes(8)
            sent[nonce] = time.monotonic()
            sock.sendto(packets.solicitation(nonce), self.server)
            due = max(due + 1 / rate, time.monotonic())
            self._receive(sent, rtt, due)
        self._receive(sent, rtt, time.monotonic() + 3, True)
        slow = sorted(rtt.values())
        return {"sent": len(sent), "lost": len(sent) - len(rtt),
                "p99_ms": slow[len(slow) * 99 // 100] * 1e3 if slow else -1}

    def close(self):
        self.selector.close()
        for sock in self.socks:
            sock.close()


class Farm:
    """`count` clients at `address`, with the server address `server`; both
    are the host's. first_data: {Teredo address: when data came}."""

    def __init__(self, host, address, server, count, port=20000):
        self.by_address, self.first_data, self.bubbles = {}, {}, 0
        self.selector = selectors.DefaultSelector()
        gate = host.udp(server, 3544)
        self.selector.register(gate, selectors.EVENT_READ, None)
        self.socks = [gate]
        self.addresses = []
        for number in range(port, port + count):
            sock = host.udp(address, number)
            own = packets.teredo(server, address, number, 0x1234)
            self.by_address[own] = sock
            self.addresses.append(own)
            self.selector.register(sock, selectors.EVENT_READ, own)
            self.socks.append(sock)
        self.done = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.done:
            for key, _ in self.selector.select(0.1):
                data, source = key.fileobj.recvfrom(2048)
                if len(data) >= 40 and data[0] >> 4 == 6:
                    self._take(data, source)

    def _take(self, data, source):
        sock = self.by_address.get(data[24:40])
        if sock is None:
            return
        if data[6] == packets.NONE:
            self.bubbles += 1
            sock.sendto(packets.bubble(data[24:40], data[8:24]), source)
        else:
            self.first_data.setdefault(data[24:40], time.monotonic())

    def reach(self, host, interval, limit, addresses=None):
        """`host` sends to each client, again every `interval`, until `limit`
        seconds are over. The seconds it took, for those that were reached."""
        addresses = addresses or self.addresses
        with host.net():
            sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        start, due = {}, []
        now = time.monotonic()
        step = 1 / 40               # forty new ones a second
        for n, address in enumerate(addresses):
            due.append((now + n * step, address))
        while due:
            due.sort()
            when, address = due.pop(0)
            time.sleep(max(0, when - time.monotonic()))
            start.setdefault(address, time.monotonic())
            sock.sendto(b"hello", (text(address), 4000))
            again = when + interval
            if (address not in self.first_data and
                    again < start[address] + limit):
                due.append((again, address))
        time.sleep(0.2)
        sock.close()
        took = [self.first_data[a] - start[a] for a in addresses
                if a in self.first_data]
        return [t for t in took if t <= limit]

    def close(self):
        self.done = True
        self.thread.join()
        for sock in self.socks:
            sock.close()


def text(address):
    return ":".join(f"{word:x}" for word in struct.unpack("!8H", address))
