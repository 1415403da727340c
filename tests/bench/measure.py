"""measure.py - one figure of one contestant

Each function does one thing at one place and gives a dict of figures. Nothing
is compared here (table.py), nothing is repeated (rounds.py).
"""
import hashlib
import json
import os
import re
import socket
import subprocess
import threading
import time

import lab
import meter
import packets
from place import NATIVE, PEERS, PORT, SERVERS

SINK, PEER_PORT = "9", "3544"
RS_COUNT = 30000    # ours answers 64 at once of each of 512 networks
RS_RATE = 200000    # a second, as in faults B1: more than one core takes


def tcp(place, seconds, streams=1, down=False):
    """iperf3 between C and N, each on a processor of its own."""
    server = place.n.spawn("taskset", "-c", "0", "iperf3", "-s", "-1",
                           stdout=subprocess.DEVNULL)
    lab.wait_for(lambda: listens(place.n, 5201), "iperf3 listens")
    before = meter.relay(place)
    done = place.c.run("taskset", "-c", "1", "iperf3", "-J", "-c", NATIVE,
                       "-t", str(seconds), "-P", str(streams),
                       *(["-R"] if down else []))
    cpu = meter.relay(place) - before
    server.wait(10)
    end = json.loads(done.stdout)["end"]
    size = end["sum_received"]["bytes"] / 1e9
    if size == 0:
        raise lab.LabError(f"{place.name}: iperf3 carried nothing")
    return {"gbps": end["sum_received"]["bits_per_second"] / 1e9,
            "retransmits": end["sum_sent"]["retransmits"] / size,
            "cpu": cpu / size}


def listens(host, port):
    with open(f"/proc/{host.pid}/net/tcp6", encoding="ascii") as f:
        return any(f":{port:04X} " in line and " 0A " in line for line in f)


def udp(place, seconds, size, rate=0, gso=1):
    """N to C: thousands per second that arrived, and the relay's CPU time in
    microseconds for each."""
    words = ["sink", SINK] + (["gro"] if gso > 1 else [])
    sink = place.serve(place.c, *words)
    before = meter.relay(place)
    _, took = place.traffic(place.n, "flood", place.address, SINK, str(size),
                            str(seconds), str(rate), str(gso), cpu=0)
    cpu = meter.relay(place) - before
    arrived = int(sink.communicate(timeout=20)[0])
    if arrived == 0:
        raise lab.LabError(f"{place.name}: no datagram arrived")
    return {"kpps": arrived / took / 1e3, "us": cpu / arrived * 1e6}


def peers(place, seconds, count=256):
    """N to many peers in turns, one datagram each. All are made to answer
    first; then G throws away what comes for them, and is what counts."""
    responder = place.serve(place.c, "peers", PEER_PORT)
    place.traffic(place.n, "spread", str(count), PEER_PORT, "1", "4000")
    responder.kill()
    responder.communicate()
    place.g.ip(f"route add blackhole {PEERS}")
    sent = place.g.packets(place.dev("g0"))[0]
    before = meter.relay(place)
    _, took = place.traffic(place.n, "spread", str(count), PEER_PORT,
                            str(seconds), "0", cpu=0)
    cpu = meter.relay(place) - before
    sent = place.g.packets(place.dev("g0"))[0] - sent
    place.g.ip(f"route del blackhole {PEERS}")
    if sent < 1000:
        raise lab.LabError(f"{place.name}: {sent} packets for {count} peers")
    return {"kpps": sent / took / 1e3, "us": cpu / sent * 1e6}


def memory(place):
    """MiB that the relay's processes have more with so many peers, of which
    each has answered. Ours asks for 2,000 new ones a second at most, 50
    for each network."""
    found, done, before = {}, 0, meter.resident(place.r)
    responder = place.serve(place.c, "peers", PEER_PORT)
    for count in (1000, 100000):
        while done < count:
            some = min(done + 20000, count)
            place.traffic(place.n, "meet", str(done), str(some), PEER_PORT,
                          "1500")
            done = some
        found[f"mib_{count}"] = (meter.resident(place.r) - before) / 1024
    answered, _ = responder.communicate()
    if int(answered) < 0.99 * count:
        raise lab.LabError(f"{place.name}: {answered} of {count} peers")
    return found


def ping(place, rounds):
    p50, p99, _ = place.traffic(place.c, "ping", NATIVE, str(PORT),
                                str(rounds))
    return {"us": p50, "p99": p99}


def solicit(place, rate=RS_RATE):
    """RS at the server from as many forged clients, as fast for one server as
    for another: answers per second of CPU time, of the server's host (daemon,
    and receiving in threads, as everywhere in `thr`) and of the daemon. At
    RS_RATE both have all that they can do. Miredo's queue of 208 KiB overflows,
    and what its host receives in vain costs, too; ours has not been seen to.
    What is lost on the link before (some thousands, of either) never came to
    the server's host and costs it nothing. Miredo has no limit of its own and
    would answer all."""
    packet = packets.udp4("198.18.0.1", SERVERS[0], packets.solicitation())
    gate = json.loads(place.g.run("ip", "-j", "link", "show",
                                  place.dev("g1")).stdout)[0]["address"]
    sent = place.g.packets(place.dev("g1"))[1]
    before = meter.server(place), meter.processes(place.g)
    place.c.run(f"{lab.BUILD}/tests/faults/flood", "-i", place.dev("c0"),
                "-m", gate, "-r", str(rate), "-n", str(RS_COUNT), "-t",
                packet.hex(), "-o", "b:13:1", "-o", "r:14:2", "-o", "r:32:8")
    lab.wait_for(lambda: quiet(place), "the server is done")
    cpu = meter.server(place) - before[0]
    daemon = meter.processes(place.g) - before[1]
    answered = place.g.packets(place.dev("g1"))[1] - sent
    time.sleep(1.5)     # until the limits of each network are full again
    if answered < RS_COUNT / 20:
        raise lab.LabError(f"{place.name}: {answered} solicitations answered")
    return {"per_cpu": answered / cpu, "per_daemon": answered / daemon,
            "answered": answered}


def quiet(place):
    before = meter.server(place)
    time.sleep(0.05)
    return meter.server(place) - before < 0.0002


# ---- the gate ----

class Transfer(threading.Thread):
    """Octets through a TCP connection; `digest` of both ends."""

    def __init__(self, listener, sender, data, offset):
        super().__init__(daemon=True)
        self.listener, self.sender = listener, sender
        self.data, self.offset = data, offset
        self.digest = [None, None]

    def run(self):
        push = threading.Thread(target=self._push, daemon=True)
        push.start()
        conn, _ = self.listener.accept()
        got = hashlib.sha256()
        while block := conn.recv(1 << 18):
            got.update(block)
        self.digest[1] = got.hexdigest()
        push.join()

    def _push(self):
        view = memoryview(self.data)
        sent = hashlib.sha256()
        for part in (view[self.offset:], view[:self.offset]):
            for at in range(0, len(part), 1 << 18):
                self.sender.sendall(part[at:at + (1 << 18)])
                sent.update(part[at:at + (1 << 18)])
        self.digest[0] = sent.hexdigest()
        self.sender.close()


def pair(place, down, port):
    """(listening socket, connected socket)"""
    near, far = ((place.n, NATIVE), (place.c, place.address))
    (source, _), (target, address) = (near, far) if down else (far, near)
    with target.net():
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(1)
    with source.net():
        sender = socket.create_connection((address, port), timeout=30)
        sender.settimeout(None)
    return listener, sender


def checksum_errors(host):
    """As nstat shows them: *InCsumErrors."""
    total = 0
    with open(f"/proc/{host.pid}/net/snmp", encoding="ascii") as f:
        lines = [line.split() for line in f]
    for names, values in zip(lines[::2], lines[1::2]):
        total += sum(int(v) for n, v in zip(names, values)
                     if n == "InCsumErrors")
    with open(f"/proc/{host.pid}/net/snmp6", encoding="ascii") as f:
        for name, value in map(str.split, f):
            if name.endswith("InCsumErrors"):
                total += int(value)
    return total


def thinned():
    """Of all that passes, to the end, one in 64: by the low bits of the IPv4
    identification."""
    return "and", "ip[5] & 0x3f = 0"


def gate(place, size):
    """Three transfers each way at the same time arrive as they were sent, and
    no checksum is wrong, neither to the kernels nor to tcpdump. Links leave no
    checksum open meanwhile. A list of what is wrong."""
    place.checksums(False)
    hosts = (place.n, place.r, place.g, place.c)
    errors = sum(map(checksum_errors, hosts))
    dump = place.g.spawn("tcpdump", "-Z", "root", "-i", place.dev("g0"),
                         "-nn", "-vv", "udp", *thinned(),
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True)
    text = []
    reader = threading.Thread(target=lambda: text.append(dump.stdout.read()))
    reader.start()
    data = os.urandom(size)
    transfers = [Transfer(*pair(place, down, 6000 + i), data, i * 1000)
                 for i, down in enumerate((False, True) * 3)]
    for t in transfers:
        t.start()
    for t in transfers:
        t.join(180)
    dump.terminate()
    dump.wait()
    reader.join()
    place.checksums(True)
    wrong = [f"transfer {i}: {t.digest}" for i, t in enumerate(transfers)
             if t.digest[0] is None or t.digest[0] != t.digest[1]]
    errors = sum(map(checksum_errors, hosts)) - errors
    if errors:
        wrong.append(f"{errors} checksum errors in the kernels' counts")
    seen = re.findall(r"\[(udp sum ok|bad udp cksum)", text[0])
    bad = seen.count("bad udp cksum")
    if bad or seen.count("udp sum ok") < 100:
        wrong.append(f"tcpdump: {bad} bad of {len(seen)} UDP checksums")
    return wrong, len(seen)
