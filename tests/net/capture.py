"""capture.py - the outer packets, as they pass the core router

One packet socket in the core's namespace sees every IPv4 datagram of every
link once, on its way in, with the kernel's time stamp. It listens from the
moment it exists, and nothing is lost unnoticed: the kernel counts what did
not fit. Datagrams that travel together between two network cards of the
kernel's (UDP_SEGMENT) are cut apart as a wire would show them, and what they
carry as RFC 4380 section 5.1.1 says.
"""
import ipaddress
import socket
import struct

ETH_P_IP = 0x0800
SOL_PACKET, PACKET_STATISTICS, PACKET_VNET_HDR = 263, 6, 15
VNET_HDR = struct.Struct("=BBHHHH")     # struct virtio_net_hdr
GSO_UDP_L4 = 5
SO_TIMESTAMPNS = getattr(socket, "SO_TIMESTAMPNS", 35)
SO_RCVBUFFORCE = 33
ICMPV6, NO_NEXT_HEADER = 58, 59
ECHO_REQUEST, ECHO_REPLY, RS, RA = 128, 129, 133, 134


class Packet:
    """A Teredo datagram. src, dst: outer (address, port); inner_src,
    inner_dst: IPv6; icmp: type of the inner ICMPv6 message or None."""

    def __init__(self, frame, when):
        self.frame, self.when = frame, when
        ip = frame[14:]
        header = (ip[0] & 15) * 4
        sport, dport, length = struct.unpack_from("!HHH", ip, header)
        self.src = (socket.inet_ntoa(ip[12:16]), sport)
        self.dst = (socket.inet_ntoa(ip[16:20]), dport)
        self.inner_src = self.inner_dst = self.next = self.icmp = None
        self.origin = None
        self._inner(ip[header + 8:header + length])

    def _inner(self, data):
        if data[:2] == b"\0\1" and len(data) >= 4:      # authentication
            data = data[13 + data[2] + data[3]:]
        if data[:2] == b"\0\0" and len(data) >= 8:      # origin indication
            port, ip = struct.unpack_from("!HI", data, 2)
            self.origin = (str(ipaddress.IPv4Address(ip ^ 0xffffffff)),
                           port ^ 0xffff)
            data = data[8:]
        if len(data) < 40 or data[0] >> 4 != 6:
            return
        self.next = data[6]
        self.inner_src = ipaddress.IPv6Address(data[8:24])
        self.inner_dst = ipaddress.IPv6Address(data[24:40])
        if self.next == ICMPV6 and len(data) > 40:
            self.icmp = data[40]

    @property
    def is_bubble(self):
        return self.next == NO_NEXT_HEADER

    def joins(self, a, b):
        """Whether the inner packet goes from a to b or back."""
        return {self.inner_src, self.inner_dst} == {a, b}

    def __str__(self):
        kind = ("bubble" if self.is_bubble
                else f"icmp6 type {self.icmp}" if self.icmp is not None
                else f"next header {self.next}")
        return (f"{self.src[0]}:{self.src[1]} > {self.dst[0]}:{self.dst[1]}"
                f" [{self.inner_src} > {self.inner_dst} {kind}]")


def datagrams(raw):
    """The frames of what a packet socket with PACKET_VNET_HDR gave."""
    _, gso, _, size, _, _ = VNET_HDR.unpack_from(raw)
    frame = raw[VNET_HDR.size:]
    head = 14 + (frame[14] & 15) * 4 + 8
    if gso != GSO_UDP_L4:
        return [frame]
    end = len(frame)
    return [frame[:16] + struct.pack("!H", min(size, end - at) + head - 14) +
            frame[18:head - 4] + struct.pack("!H", min(size, end - at) + 8) +
            frame[head - 2:head] + frame[at:at + size]
            for at in range(head, end, size)]


class Capture:
    """What passed the core since the last mark()."""

    def __init__(self, world, host=None, dev=None):
        """host: what comes in there, instead of at the core; dev: by that
        interface only."""
        self.dev = dev
        with (host or world.core).net():
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                      socket.htons(ETH_P_IP))
        self.sock.setblocking(False)
        self.sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.seen = []

    def mark(self):
        """Forgets what came before."""
        self.packets()
        self.seen = []

    def packets(self):
        """All UDP datagrams since mark(), in order."""
        while True:
            try:
                frame, notes, _, where = self.sock.recvmsg(65600, 64)
            except BlockingIOError:
                break
            if (where[2] == socket.PACKET_OUTGOING or
                    self.dev not in (None, where[0]) or
                    frame[VNET_HDR.size + 23] != 17):
                continue
            when = 0.0
            for _, kind, data in notes:
                if kind == SO_TIMESTAMPNS:
                    seconds, nanos = struct.unpack_from("qq", data)
                    when = seconds + nanos * 1e-9
            self.seen += [Packet(one, when) for one in datagrams(frame)]
        return self.seen

    def lost(self):
        """Packets that the kernel could not keep for us since last asked."""
        raw = self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        return struct.unpack("II", raw)[1]

    def save(self, path):
        """Writes what was seen since mark() for tcpdump or Wireshark."""
        with open(path, "wb") as f:
            f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65536, 1))
            for p in self.packets():
                f.write(struct.pack("=IIII", int(p.when),
                                    int(p.when % 1 * 1e6), len(p.frame),
                                    len(p.frame)) + p.frame)
