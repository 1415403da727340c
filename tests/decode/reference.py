"""reference.py - a datagram read a second time, from the text of the RFCs

RFC 4380 5.1.1 (authentication, origin, IPv6), RFC 6081 4.1 and 5.1.2
(trailers), RFC 8200 4 (extension headers), RFC 2675 2 (jumbograms), RFC 4443
2.3 and RFC 4861 4.2 (ICMPv6). Slow and plain on purpose, and written without a
look at wire.c. It gives the same words as decode.c: a dictionary, of which the
value of "t" is the list of trailers.
"""

IPV6_HEADER = 40


class Malformed(Exception):
    """The datagram is no Teredo packet."""


class Octets:
    """What is left of a datagram; who asks for more ends the reading."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def left(self):
        return len(self.data) - self.at

    def take(self, n):
        if n > self.left():
            raise Malformed()
        piece = self.data[self.at:self.at + n]
        self.at += n
        return piece

    def looking_at(self, indicator):
        return self.data[self.at:self.at + 2] == indicator


def read_authentication(o, words):
    _, _, id_len, value_len = o.take(4)
    words["id"] = o.take(id_len).hex()
    words["value"] = o.take(value_len).hex()
    words["nonce"] = o.take(8).hex()
    words["conf"] = str(o.take(1)[0])


def read_origin(o, words):
    o.take(2)
    words["oport"] = bytes(b ^ 0xff for b in o.take(2)).hex()
    words["oip"] = bytes(b ^ 0xff for b in o.take(4)).hex()


def ones_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(int.from_bytes(data[i:i + 2], "big")
                for i in range(0, len(data), 2))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total


def icmp6_is_right(header, message):
    pseudo = header[8:40] + len(message).to_bytes(4, "big") + b"\0\0\0\x3a"
    return len(message) >= 8 and ones_sum(pseudo + message) == 0xffff


def options(octets):
    """Neighbour discovery options, or None when they do not fill the octets."""
    found = []
    while octets:
        if len(octets) < 2 or octets[1] == 0 or len(octets) < 8 * octets[1]:
            return None
        found.append(octets[:8 * octets[1]])
        octets = octets[8 * octets[1]:]
    return found


def read_icmp6(header, message, words):
    if header[6] != 58 or not icmp6_is_right(header, message):
        return
    words["icmp"] = str(message[0])
    if header[7] != 255 or message[1] != 0:
        return
    if message[0] == 133:
        found = options(message[8:])
        nobody = header[8:24] == bytes(16)
        if found is not None and not (
                nobody and any(f[0] == 1 for f in found)):
            words["rs"] = "1"
    if message[0] == 134 and len(message) >= 16 and \
            header[8] == 0xfe and header[9] & 0xc0 == 0x80:
        read_advertisement(options(message[16:]), words)


def read_advertisement(found, words):
    if found is None:
        return
    prefixes = [f for f in found if f[0] == 3]
    if len(prefixes) != 1 or len(prefixes[0]) != 32 or prefixes[0][2] != 64:
        return
    words["prefix"] = (prefixes[0][16:24] + bytes(8)).hex()
    mtu = 0
    for option in found:
        if option[0] == 5 and len(option) == 8:
            mtu = int.from_bytes(option[4:8], "big")
    words["mtu"] = str(mtu if 1280 <= mtu <= 65507 else 0)


def header_length(kind, octets):
    """Of an extension header, or None: it is none, or is cut short."""
    if len(octets) < 8:
        return None
    if kind in (0, 43, 60):
        length = 8 * (octets[1] + 1)
    elif kind == 51:
        length = 4 * (octets[1] + 2)
    elif kind == 44 and (octets[2] << 8 | octets[3]) >> 3 == 0:
        length = 8
    else:
        return None
    return length if length <= len(octets) else None


def read_extension_headers(kind, octets, words):
    """Eight at most: nobody honest needs more."""
    chain = []
    routing = False
    for _ in range(8):
        length = header_length(kind, octets)
        if length is None:
            break
        chain.append(kind)
        if kind == 43 and octets[2] == 0 and octets[3] > 0:
            routing = True
        kind, octets = octets[0], octets[length:]
    hidden = len(chain) == 8 and header_length(kind, octets) is not None
    words["upper"] = str(kind)
    words["upperlen"] = str(len(octets))
    words["rh0"] = str(int(routing or hidden))
    return chain


def read_trailers(octets):
    """(type, value) until one is malformed; whether they refuse."""
    found = []
    while len(octets) >= 2 and len(octets) >= 2 + octets[1]:
        found.append((octets[0], octets[2:2 + octets[1]].hex()))
        octets = octets[2 + octets[1]:]
    return found, any(kind >> 6 == 1 for kind, _ in found)


def decode(data):
    """The words of a datagram, and the chain of its extension headers."""
    words = {}
    o = Octets(data)
    try:
        if o.looking_at(b"\0\1"):
            read_authentication(o, words)
        if o.looking_at(b"\0\0"):
            read_origin(o, words)
        words["off"] = str(o.at)
        header = o.take(IPV6_HEADER)
        if header[0] >> 4 != 6:
            raise Malformed()
        if header[4:7] == bytes(3):
            raise Malformed()   # a jumbogram: no datagram is that long
        payload = o.take(header[4] << 8 | header[5])
    except Malformed:
        return {"is": "malformed"}, []
    words["plen"] = str(len(payload))
    words["nh"] = str(header[6])
    words["hl"] = str(header[7])
    words["src"] = header[8:24].hex()
    words["dst"] = header[24:40].hex()
    words["bubble"] = str(int(header[6] == 59 and not payload))
    chain = read_extension_headers(header[6], payload, words)
    read_icmp6(header, payload, words)
    words["t"], refused = read_trailers(data[o.at:])
    words["is"] = "refused" if refused else "ok"
    return words, chain
