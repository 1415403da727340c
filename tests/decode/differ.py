#!/usr/bin/python3
"""differ.py - do other decoders read what libteredo reads?

usage: differ.py [-s SEED] [-n PACKETS] [--no-tshark] DECODER

Makes packets of every format, whole and spoilt, and compares what libteredo
reads in them (DECODER is tests/decode/decode) with the project's own second
reading (reference.py), in all they say, and with tshark's dissectors, as far as
they go. A disagreement with tshark counts only as one when it is not in the
list DISAGREEMENTS below, each of which has its reason. Prints TAP.
"""
import argparse
import collections
import ipaddress
import os
import random
import struct
import subprocess
import sys
import tempfile

import reference

# Where tshark 4.0 reads otherwise, and why that is no fault of ours: name,
# reason, condition on what it is about, our words, tshark's fields, and the
# reference's chain of extension headers.
DISAGREEMENTS = (
    ("long-chain",
     "we stop after 8 extension headers and treat what more hide as hostile",
     lambda what, ours, theirs, chain:
     what in ("chain", "rh0") and len(chain) == 8),
    ("first-fragment",
     "of a first fragment tshark reads up to an AH or fragment header in it",
     lambda what, ours, theirs, chain:
     what in ("chain", "rh0") and 44 in chain),
    ("jumbogram",
     "tshark takes a payload length of 0 as one, hop-by-hop header or not",
     lambda what, ours, theirs, chain:
     what == "accept" and ours["is"] == "malformed" and
     first(theirs["ipv6.plen"]) == "0" and first(theirs["ipv6.nxt"]) == "0"),
    ("icmpv6-body",
     "tshark looks into every ICMPv6 message, we into RS, RA and echo only",
     lambda what, ours, theirs, chain:
     what == "malformed" and ours["upper"] == "58" and
     "rs" not in ours and "prefix" not in ours),
    ("payload",
     "what else a packet carries is its receiver's business",
     lambda what, ours, theirs, chain:
     what == "malformed" and int(ours["upper"]) not in (58, *EXTENSIONS)),
    ("options-body",
     "we step over destination and hop-by-hop options without reading them",
     lambda what, ours, theirs, chain:
     what == "malformed" and bool(malformed_in(theirs) & OPTION_HEADERS) and
     bool(set(chain) & {0, 60})),
    ("routing-body",
     "of a routing header we read type and segments left, not its addresses",
     lambda what, ours, theirs, chain:
     what == "malformed" and malformed_in(theirs) <= {"IPv6 Routing"} and
     43 in chain),
    ("cut-header",
     "behind a header that is cut short there is nothing for us to read",
     lambda what, ours, theirs, chain:
     what == "malformed" and int(ours["upper"]) in EXTENSIONS),
)

OPTION_HEADERS = {"IPv6 Hop-by-Hop", "IPv6 Destination"}

FIELDS = (
    "frame.number", "teredo.auth.id", "teredo.auth.idlen", "teredo.auth.value",
    "teredo.auth.aulen", "teredo.auth.nonce", "teredo.auth.conf",
    "teredo.orig.port", "teredo.orig.addr", "ipv6.version", "ipv6.plen",
    "ipv6.nxt", "ipv6.hlim", "ipv6.src", "ipv6.dst",
    "ipv6.plen_exceeds_framing", "icmpv6.type", "icmpv6.checksum.status",
    "icmpv6.opt.prefix", "icmpv6.opt.mtu", "ipv6.routing.type",
    "ipv6.routing.segleft", "_ws.malformed", "frame.protocols",
)

# ---- making packets ----


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def octets(self, n):
        return self.r.randbytes(n)

    def length(self, limit):
        """Short ones, mostly."""
        return min(int(self.r.expovariate(4 / limit)), limit)

    def authentication(self):
        kind = self.r.randrange(4)
        name = self.octets((0, 5, self.length(64), self.length(255))[kind])
        value = self.octets((0, 20, 32, self.length(255))[self.r.randrange(4)])
        return (b"\0\1" + bytes((len(name), len(value))) + name + value +
                self.octets(8) + bytes((self.r.choice((0, 0, 1, 255)),)))

    def origin(self):
        return b"\0\0" + self.octets(6)

    def address(self):
        return self.r.choice((
            b"\x20\x01\0\0" + self.octets(12),
            b"\xfe\x80" + bytes(6) + self.octets(8),
            b"\xff\2" + bytes(13) + b"\2",
            b"\x20\x01\x0d\xb8" + self.octets(12),
            bytes(16), self.octets(16)))

    def extension_headers(self):
        """[(kind, octets but for the first)]"""
        found = []
        for _ in range(self.r.choice((0, 0, 0, 1, 1, 2, 3, 7, 8, 9, 10))):
            kind = self.r.choice((0, 43, 43, 44, 51, 60, 60))
            units = self.r.choice((0, 0, 0, 1, 2))
            if kind == 44:
                offset = self.r.choice((0, 1, 7, 8, 1401))
                body = bytes(1) + struct.pack(">H", offset) + self.octets(4)
            elif kind == 51:
                body = bytes((units + 1,)) + self.octets(4 * units + 10)
            elif kind == 43:
                body = bytes((units * 2, self.r.choice((0, 0, 2, 3, 4)),
                              self.r.choice((0, 1, 3)))) + \
                    self.octets(4 + 16 * units)
            else:	# PadN over all of it
                body = bytes((units, 1, 4 + 8 * units)) + bytes(4 + 8 * units)
            found.append((kind, body))
        return found

    def options(self):
        out = b""
        for _ in range(self.r.choice((0, 1, 2, 2, 3))):
            kind = self.r.choice((1, 3, 3, 3, 5, 5, 253))
            if kind == 3:
                out += b"\3\4" + bytes((self.r.choice((64, 64, 64, 48)),)) + \
                    self.octets(13) + self.address()
            elif kind == 5:
                out += b"\5\1\0\0" + struct.pack(
                    ">I", self.r.choice((1280, 1500, 65507, 100, 1 << 31)))
            else:
                units = self.r.choice((1, 2, 4))
                out += bytes((kind, units)) + self.octets(8 * units - 2)
        return out

    def icmp6(self):
        kind = self.r.choice((133, 133, 134, 134, 134, 128, 129, 1, 135))
        code = self.r.choice((0, 0, 0, 0, 0, 1))
        rest = {133: lambda: bytes(4) + self.options(),
                134: lambda: self.octets(12) + self.options(),
                }.get(kind, lambda: self.octets(4 + self.length(60)))()
        return bytes((kind, code, 0, 0)) + rest

    def trailers(self):
        out = b""
        for _ in range(self.r.choice((0, 0, 0, 1, 1, 2, 4))):
            kind = self.r.choice((1, 2, 3, 4, 5, 6, 0x40, 0x7f, 0x80, 0xc1,
                                  self.r.randrange(256)))
            body = self.octets(self.r.choice((0, 2, 4, 4, 8, self.length(90))))
            out += bytes((kind, len(body))) + body
        return out + self.octets(self.r.choice((0, 0, 0, 0, 1, 2, 3)))

    def ip6(self):
        src, dst = self.address(), self.address()
        kind = self.r.randrange(4)
        if kind == 0:
            last, payload = 59, b""
        elif kind == 1:
            last, payload = 253, self.octets(self.length(200))
        else:
            last, payload = 58, self.icmp6()
            if self.r.randrange(8):
                payload = sealed(src, dst, payload)
        headers = self.extension_headers() if self.r.randrange(3) == 0 else []
        for kind, body in reversed(headers):
            payload = bytes((last,)) + body + payload
            last = kind
        return (b"\x60" + self.octets(3) + struct.pack(">H", len(payload)) +
                bytes((last, self.r.choice((0, 64, 255, 255)))) + src + dst +
                payload)

    def packet(self):
        """In the right order or any other, whole or spoilt."""
        parts = [self.ip6()]
        if self.r.randrange(2):
            parts.insert(0, self.origin())
        if self.r.randrange(2):
            parts.insert(0, self.authentication())
        if self.r.randrange(2):
            parts.append(self.trailers())
        if self.r.randrange(20) == 0:
            self.r.shuffle(parts)
        if self.r.randrange(40) == 0:
            parts.insert(0, self.r.choice(parts))
        return self.spoil(b"".join(parts))

    def spoil(self, packet):
        how = self.r.randrange(12)
        at = self.r.randrange(len(packet))
        if how == 0:
            return packet[:at]
        if how == 1:
            return packet[at:]
        if how == 2:
            return packet[:at] + self.octets(1) + packet[at + 1:]
        if how == 3:
            return packet[:at] + self.octets(self.length(20)) + packet[at:]
        if how == 4:	# in the first octets, where the lengths are
            at = self.r.randrange(min(60, len(packet)))
            return packet[:at] + bytes((packet[at] ^ 1 << self.r.randrange(8),
                                        )) + packet[at + 1:]
        return packet


def sealed(src, dst, message):
    pseudo = src + dst + struct.pack(">I", len(message)) + b"\0\0\0\x3a"
    checksum = 0xffff - reference.ones_sum(pseudo + message)
    return message[:2] + struct.pack(">H", checksum) + message[4:]


# ---- asking the decoders ----


def ask_libteredo(decoder, packets):
    said = subprocess.run(
        [decoder], check=True, stdout=subprocess.PIPE,
        input=b"".join(struct.pack(">H", len(p)) + p for p in packets))
    for line in said.stdout.decode().splitlines():
        first, *rest = line.split()
        words = {"is": first}
        trailers = []
        for name, value in (word.split("=") for word in rest):
            if name[0] == "t" and name[1:].isdigit():
                trailers.append((int(name[1:]), value))
            else:
                words[name] = value
        if first != "malformed":
            words["t"] = trailers
        yield words


def write_pcap(path, packets):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for packet in packets:
            udp = struct.pack(">HHHH", 40000, 3544, len(packet) + 8, 0)
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, len(packet) + 28, 0, 0,
                             64, 17, 0, bytes((192, 0, 2, 1)),
                             bytes((198, 51, 100, 1)))
            whole = ip + udp + packet
            out.write(struct.pack("<IIII", 0, 0, len(whole), len(whole)))
            out.write(whole)


def ask_tshark(packets):
    with tempfile.NamedTemporaryFile(suffix=".pcap") as pcap:
        write_pcap(pcap.name, packets)
        command = ["tshark", "-n", "-r", pcap.name, "-T", "fields",
                   "-d", "udp.port==3544,teredo", "-E", "separator=/t",
                   "-E", "occurrence=a", "-E", "aggregator=;",
                   "-o", "ipv6.defragment:FALSE", "-o", "ip.defragment:FALSE"]
        for field in FIELDS:
            command += ["-e", field]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL,
                              env={**os.environ, "LC_ALL": "C"})
    for line in said.stdout.decode().splitlines():
        values = [v.split(";") if v else [] for v in line.split("\t")]
        yield dict(zip(FIELDS, values))


# ---- comparing ----


def first(values):
    return values[0] if values else None


def tshark_accepts(t):
    return first(t["ipv6.version"]) == "6" and bool(t["ipv6.dst"]) and \
        not t["ipv6.plen_exceeds_framing"]


def malformed_in(t):
    """The dissectors that gave up."""
    return {m[len("[Malformed Packet: "):-1].split(":")[0]
            for m in t["_ws.malformed"] if m.startswith("[")}


def packed(text):
    return ipaddress.ip_address(text).packed.hex()


def tshark_words(t):
    """What both can say of an accepted packet."""
    words = {"plen": first(t["ipv6.plen"]), "nh": first(t["ipv6.nxt"]),
             "hl": first(t["ipv6.hlim"]), "src": packed(t["ipv6.src"][0]),
             "dst": packed(t["ipv6.dst"][0])}
    if t["teredo.auth.nonce"]:
        words["id"] = (first(t["teredo.auth.id"]) or "").replace(":", "")
        words["value"] = (first(t["teredo.auth.value"]) or
                          "").replace(":", "")
        words["nonce"] = t["teredo.auth.nonce"][0].replace(":", "")
        words["conf"] = str(int(t["teredo.auth.conf"][0], 16))
    if t["teredo.orig.addr"]:
        words["oport"] = "%04x" % int(t["teredo.orig.port"][0])
        words["oip"] = packed(t["teredo.orig.addr"][0])
    return words


EXTENSIONS = {0: "ipv6.hopopts", 43: "ipv6.routing", 44: "ipv6.fraghdr",
              51: "ah", 60: "ipv6.dstopts"}


def compare_tshark(ours, t, chain):
    """Names of what is different."""
    accepted = ours["is"] != "malformed"
    if accepted != tshark_accepts(t):
        yield "accept"
        return
    if not accepted:
        return
    theirs = tshark_words(t)
    for name in ("id", "value", "nonce", "conf", "oport", "oip", "plen", "nh",
                 "hl", "src", "dst"):
        if ours.get(name) != theirs.get(name):
            yield name
    if t["_ws.malformed"]:
        yield "malformed"
    else:
        yield from compare_inside(ours, t, chain)


def compare_inside(ours, t, chain):
    protocols = t["frame.protocols"][0].split(":")
    after = protocols[protocols.index("ipv6") + 1:]
    found = [p for p in after if p in EXTENSIONS.values()]
    if found[:len(chain)] != [EXTENSIONS[kind] for kind in chain]:
        yield "chain"
    routed = any(kind == "0" and left != "0" for kind, left in
                 zip(t["ipv6.routing.type"], t["ipv6.routing.segleft"]))
    if routed != (ours["rh0"] == "1"):
        yield "rh0"
    if ours["nh"] == "58" and t["icmpv6.type"]:
        right = first(t["icmpv6.checksum.status"]) == "1"
        if right != ("icmp" in ours) or \
                (right and ours["icmp"] != first(t["icmpv6.type"])):
            yield "icmp"
    if "prefix" in ours:
        if packed(t["icmpv6.opt.prefix"][0])[:16] != ours["prefix"][:16]:
            yield "prefix"
        mtus = [m for m in t["icmpv6.opt.mtu"] if 1280 <= int(m) <= 65507]
        if ours["mtu"] != "0" and ours["mtu"] not in mtus:
            yield "mtu"


class Tap:
    def __init__(self):
        self.n = 0
        self.failed = False

    def result(self, good, name):
        self.n += 1
        self.failed |= not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.n, name))


def judge_reference(tap, packets, ours, references):
    bad = [(p, o, r) for p, o, (r, _) in zip(packets, ours, references)
           if o != r]
    for packet, our, other in bad[:5]:
        print("# packet    ", packet.hex())
        print("# libteredo ", our)
        print("# reference ", other)
    kinds = collections.Counter(o["is"] for o in ours)
    print("#", ", ".join("%d %s" % (n, k) for k, n in sorted(kinds.items())))
    tap.result(min(kinds.get(k, 0) for k in ("ok", "refused", "malformed")) >
               len(packets) // 100, "packets are good, bad and refused")
    tap.result(not bad, "the reference decoder agrees on %d packets" %
               len(packets))


def judge_tshark(tap, packets, ours, references):
    listed = collections.Counter()
    bad = []
    theirs = list(ask_tshark(packets))
    tap.result(len(theirs) == len(packets), "tshark reads every packet")
    for packet, our, their, (_, chain) in zip(packets, ours, theirs,
                                              references):
        for what in compare_tshark(our, their, chain):
            why = [name for name, _, holds in DISAGREEMENTS
                   if holds(what, our, their, chain)]
            if why:
                listed[why[0]] += 1
            else:
                bad.append((what, packet, our, their))
    for name, reason, _ in DISAGREEMENTS:
        print("# %d listed disagreements: %s: %s" % (listed[name], name,
                                                     reason))
    for what, packet, our, their in bad[:5]:
        print("# disagreement about %s" % what)
        print("# packet    ", packet.hex())
        print("# libteredo ", our)
        print("# tshark    ", {k: v for k, v in their.items() if v})
    tap.result(not bad, "tshark agrees on %d packets" % len(packets))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", type=int, default=4380)
    parser.add_argument("-n", type=int, default=100000)
    parser.add_argument("--no-tshark", action="store_true")
    parser.add_argument("decoder")
    args = parser.parse_args()
    maker = Maker(args.s)
    packets = [maker.packet() for _ in range(args.n)]
    ours = list(ask_libteredo(args.decoder, packets))
    references = [reference.decode(p) for p in packets]
    tap = Tap()
    print("# seed %d" % args.s)
    tap.result(len(ours) == len(packets), "libteredo reads every packet")
    judge_reference(tap, packets, ours, references)
    if not args.no_tshark:
        judge_tshark(tap, packets, ours, references)
    print("1..%d" % tap.n)
    return tap.failed


if __name__ == "__main__":
    sys.exit(main())
