"""session.py - TCP through the tunnel

A Transfer sends as fast as it can, with a sum at each end; a Session is long,
and says something 50 times a second.
"""
import contextlib
import hashlib
import random
import socket
import threading
import time

import lab


def elapsed(condition, what, seconds):
    """Seconds until condition() is true; None when it never was."""
    began = time.monotonic()
    with contextlib.suppress(lab.LabError):
        lab.wait_for(condition, what, seconds)
        return time.monotonic() - began
    return None


class Connection:
    """`near`, on `host`, with those socket options, is connected to `far`, on
    the other one; each job runs in a thread of its own, and the first that
    fails says in `error` why."""

    def __init__(self, host, far, target, port, patience, options=()):
        with far.net():
            door = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("::", port))
        door.listen(1)
        with host.net():
            self.near = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        for option in options:
            self.near.setsockopt(*option)
        self.near.settimeout(patience)
        self.near.connect((str(target), port))
        self.far, _ = door.accept()
        door.close()
        self.error, self.ending = None, threading.Event()
        self.threads = []

    def start(self, *jobs):
        self.threads = [threading.Thread(target=self._guard, args=(job,),
                                         daemon=True) for job in jobs]
        for thread in self.threads:
            thread.start()

    def _guard(self, job):
        try:
            job()
        except OSError as error:
            self.error = self.error or error
            self.ending.set()


class Transfer(Connection):
    """Goes on until finish()."""

    def __init__(self, host, far, target, port=5000, options=()):
        super().__init__(host, far, target, port, 20, options)
        self.far.settimeout(20)
        self.out, self.into = hashlib.sha256(), hashlib.sha256()
        self.received = 0
        self.start(self._send, self._take)

    def _send(self):
        dice = random.Random(1)
        while not self.ending.is_set():
            block = dice.randbytes(1 << 16)
            self.out.update(block)
            self.near.sendall(block)
        self.near.shutdown(socket.SHUT_WR)

    def _take(self):
        while block := self.far.recv(1 << 16):
            self.into.update(block)
            self.received += len(block)

    def finish(self):
        """Ends it; True when everything sent was received, unchanged."""
        self.ending.set()
        for thread in self.threads:
            thread.join()
        self.near.close()
        self.far.close()
        return (self.error is None and self.received > 0 and
                self.out.digest() == self.into.digest())


class Session(Connection):
    """50 times a second a block goes there and comes back, until close()."""

    def __init__(self, host, far, target, port=5100):
        super().__init__(host, far, target, port, 30)
        self.blocks, self.going = 0, threading.Event()
        self.resting = threading.Event()
        self.going.set()
        self.start(self._echo, self._run)

    def _echo(self):
        while data := self.far.recv(4096):
            self.far.sendall(data)

    def _run(self):
        while not self.ending.wait(0.02):
            if not self.going.is_set():
                self.resting.set()
                self.going.wait()
                self.resting.clear()
            block = self.blocks.to_bytes(8, "big") * 32
            self.near.sendall(block)
            back = b""
            while len(back) < len(block):
                back += self.near.recv(len(block) - len(back)) or b"?" * 9
            if back != block:
                raise OSError("not what was sent")
            self.blocks += 1

    def hold(self):
        """It stays open and silent, until survived()."""
        self.going.clear()
        lab.wait_for(lambda: self.resting.is_set() or self.error,
                     "what is under way is there")
        time.sleep(0.2)             # and acknowledged

    def survived(self, patience=60):
        """Whether it still moves on."""
        self.going.set()
        mark = self.blocks
        elapsed(lambda: self.error or self.blocks > mark + 1, "TCP", patience)
        return self.error is None and self.blocks > mark + 1

    def close(self):
        self.ending.set()
        self.going.set()
        for sock in (self.near, self.far):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
