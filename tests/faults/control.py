"""control.py - the control socket of our daemon, as anyone may use it"""
import contextlib
import os
import re
import socket
import struct
import time

import faults

STATUS, PEERS, EVENTS, CAPTURE = 1, 2, 4, 5
MAGIC = 0x6d726463
HEAD, PAGE, PEER = 24, 32, 80  # octets; src/ctl_records.h


def version():
    """Of the protocol, as this tree's daemons speak it: another one would
    be refused whatever is asked, and nothing measured."""
    tree = os.path.dirname(os.path.dirname(faults.HERE))
    with open(os.path.join(tree, "src", "ctl.h"), encoding="ascii") as f:
        return int(re.search(r"#define CTL_VERSION\s+(\d+)u", f.read())[1])


VERSION = version()


def request(verb, value=0):
    """magic, version, verb, value, address; src/ctl.h"""
    return struct.pack("=IIII16s", MAGIC, VERSION, verb, value, bytes(16))


REQUEST = request(STATUS)


def is_answer(data, verb):
    """Whether that is a good answer to `verb`, and no refusal."""
    return len(data) >= HEAD and struct.unpack_from("=IIIi", data) == (
        MAGIC, VERSION, verb, 0)


def is_page(data):
    """A good page of peers, as long as the peers in it."""
    return (is_answer(data, PEERS) and len(data) >= PAGE and
            len(data) == PAGE + PEER *
            struct.unpack_from("=I", data, HEAD)[0])


def lost(data):
    """How many records the reader of a stream has lost before these."""
    return struct.unpack_from("=I", data, HEAD + 4)[0]


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(2)
    try:
        s.connect(path)
    except OSError:
        s.close()
        raise
    return s


def socket_of(daemon):
    """Its path, as it is seen from outside of the host."""
    for folder in ("/run/miredo", "/var/run/miredo", "/run"):
        path = daemon.host.path(f"{folder}/{daemon.instance}.sock")
        if os.path.exists(path):
            return path
    raise faults.lab.LabError("no control socket")


def waited(*whom):
    """ms that these threads could run and had no processor, until now."""
    total = 0
    for who in whom:
        with contextlib.suppress(OSError), open(
                f"/proc/{who}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[1])
    return total / 1e6


def status_takes(daemon, engine):
    """(ms that an answer took, what is left of them without the time in which
    the engine or who asked could have run and had no processor)"""
    path, whom = socket_of(daemon), (engine, "thread-self")
    before, began = waited(*whom), time.monotonic()
    with connect(path) as s:
        s.settimeout(10)
        s.send(REQUEST)
        answer = s.recv(8192)
    took = (time.monotonic() - began) * 1000
    if not is_answer(answer, STATUS):
        raise faults.lab.LabError("the status is refused")
    return took, max(0, took - (waited(*whom) - before))
