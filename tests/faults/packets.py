"""packets.py - the packets that floods are made of, octet by octet

Offsets in a UDP datagram as flood.c counts them (from the IPv4 header):
what a mutation or a random field has to hit.
"""
import ipaddress
import struct

SRC, DST, SPORT, DPORT, PAYLOAD = 12, 16, 20, 22, 28
IN_SRC, IN_DST = PAYLOAD + 8, PAYLOAD + 24      # of an inner packet at PAYLOAD
# the mapping in a Teredo address: behind prefix, server and flags
A_FLAGS, A_PORT, A_IP = 8, 10, 12
AUTH = 13                                       # octets of an empty one
UDP, ICMP6, NONE = 17, 58, 59
ALL_ROUTERS = "ff02::2"
LINK_LOCAL = "fe80::ffff:ffff:ffff"
TEREDO = bytes.fromhex("20010000")


def ip4(text):
    return ipaddress.IPv4Address(text).packed


def ip6(text):
    return text if isinstance(text, bytes) else \
        ipaddress.IPv6Address(str(text)).packed


def teredo(server, ip, port, flags=0):
    """The Teredo address of a client at that mapping."""
    inverted = bytes(octet ^ 0xff for octet in
                     struct.pack("!H", port) + ip4(ip))
    return TEREDO + ip4(server) + struct.pack("!H", flags) + inverted


def udp4(src, dst, payload, sport=3545, dport=3544):
    """An IPv4 datagram without UDP checksum; flood.c fills in the rest."""
    return (struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(payload), 0, 0, 64,
                        UDP, 0) + ip4(src) + ip4(dst) +
            struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload)


def inner(src, dst, next_header=NONE, payload=b"", hops=64):
    """An IPv6 packet."""
    return (struct.pack("!IHBB", 6 << 28, len(payload), next_header, hops) +
            ip6(src) + ip6(dst) + payload)


def bubble(src, dst):
    return inner(src, dst)


def checksum(src, dst, next_header, payload):
    pseudo = ip6(src) + ip6(dst) + struct.pack("!II", len(payload),
                                               next_header)
    data = pseudo + payload + b"\0" * (len(payload) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def icmp6(src, dst, kind, code=0, body=b"\0\0\0\0", hops=255):
    """body: all that comes after the checksum."""
    message = struct.pack("!BBH", kind, code, 0) + body
    message = (message[:2] +
               struct.pack("!H", checksum(src, dst, ICMP6, message)) +
               message[4:])
    return inner(src, dst, ICMP6, message, hops)


def echo(src, dst, number=1, text=b"a ping of some octets"):
    return icmp6(src, dst, 128, 0, struct.pack("!HH", 7, number) + text)


def data(src, dst, size=32, sport=4000, dport=4100):
    """UDP; its checksum is right."""
    datagram = struct.pack("!HHHH", sport, dport, 8 + size, 0) + bytes(size)
    value = checksum(src, dst, UDP, datagram) or 0xffff
    return inner(src, dst, UDP, datagram[:6] + struct.pack("!H", value) +
                 datagram[8:])


def auth(nonce=b"nonce of", confirmation=0):
    """An authentication element without identifier and value."""
    return b"\0\1\0\0" + nonce + bytes([confirmation])


def origin(ip, port):
    return b"\0\0" + bytes(octet ^ 0xff for octet in
                           struct.pack("!H", port) + ip4(ip))


def solicitation(nonce=b"nonce of", src=LINK_LOCAL):
    return auth(nonce) + icmp6(src, ALL_ROUTERS, 133)


def advertisement(server, client, nonce, at, prefix=None, mtu=1280):
    """A server's answer to `client` (inner destination) seen at `at`."""
    src = teredo(server, server, 3544, 0x8000)[8:]
    src = bytes.fromhex("fe80000000000000") + src
    prefix = prefix or TEREDO + ip4(server)
    body = (struct.pack("!BBHII", 0, 0, 0, 0, 0) +
            struct.pack("!BBBBIII", 3, 4, 64, 0x40, 0xffffffff, 0xffffffff,
                        0) + prefix + bytes(8) +
            struct.pack("!BBHI", 5, 1, 0, mtu))
    return auth(nonce) + origin(*at) + icmp6(src, client, 134, 0, body)
