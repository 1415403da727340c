"""control.py - the control socket of our daemon, as anyone may use it"""
import os

import faults

REQUEST = b"crdm\1\0\0\0\1\0\0\0\0\0\0\0"        # for the status


def socket_of(daemon):
    """Its path, as it is seen from outside of the host."""
    for folder in ("/run/miredo", "/var/run/miredo", "/run"):
        path = daemon.host.path(f"{folder}/{daemon.instance}.sock")
        if os.path.exists(path):
            return path
    raise faults.lab.LabError("no control socket")
