"""addrwatch.py - what happens to the addresses of a host, as rtnetlink tells

A netlink socket that has joined the group listens from that moment on; there
is nothing to wait for and nothing that a poll could miss.
"""
import ipaddress
import socket
import struct

RTMGRP_IPV6_IFADDR = 0x100
RTM_NEWADDR, RTM_DELADDR = 20, 21


class AddressWatch:
    """Collects (event, address) from the moment that it is made."""

    def __init__(self, host):
        with host.net():
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                      socket.NETLINK_ROUTE)
        self.sock.bind((0, RTMGRP_IPV6_IFADDR))
        self.sock.setblocking(False)
        self.events = []

    def _read(self):
        while True:
            try:
                data = self.sock.recv(65536)
            except BlockingIOError:
                return
            while len(data) >= 16:
                length, kind = struct.unpack_from("=IH", data)
                if kind in (RTM_NEWADDR, RTM_DELADDR):
                    # nlmsghdr 16, ifaddrmsg 8, then IFA_ADDRESS comes first
                    raw = data[28:44]
                    self.events.append((kind, ipaddress.IPv6Address(raw)))
                data = data[(length + 3) & ~3:]

    def removed(self):
        self._read()
        return [str(a) for kind, a in self.events if kind == RTM_DELADDR]

    def added(self):
        self._read()
        return [str(a) for kind, a in self.events if kind == RTM_NEWADDR]
