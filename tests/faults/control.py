"""control.py - the control socket of our daemon, as anyone may use it"""
import os
import struct

import faults

STATUS, PEERS, EVENTS, CAPTURE = 1, 2, 4, 5


def request(verb, value=0):
    """magic, version, verb, value, address; src/ctl.h"""
    return struct.pack("=IIII16s", 0x6d726463, 3, verb, value, bytes(16))


REQUEST = request(STATUS)


def socket_of(daemon):
    """Its path, as it is seen from outside of the host."""
    for folder in ("/run/miredo", "/var/run/miredo", "/run"):
        path = daemon.host.path(f"{folder}/{daemon.instance}.sock")
        if os.path.exists(path):
            return path
    raise faults.lab.LabError("no control socket")
