"""control.py - the control socket of our daemon, as anyone may use it"""
import os
import struct

import faults

# magic, version, verb (the status), value, address; src/ctl.h
REQUEST = struct.pack("=IIII16s", 0x6d726463, 3, 1, 0, bytes(16))


def socket_of(daemon):
    """Its path, as it is seen from outside of the host."""
    for folder in ("/run/miredo", "/var/run/miredo", "/run"):
        path = daemon.host.path(f"{folder}/{daemon.instance}.sock")
        if os.path.exists(path):
            return path
    raise faults.lab.LabError("no control socket")
