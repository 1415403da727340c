"""session.py - one long TCP session through the tunnel"""
import contextlib
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


class Session:
    """A TCP session: 50 times a second a block goes there and comes back."""

    def __init__(self, host, far, target, port=5100):
        with far.net():
            door = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("::", port))
        door.listen(1)
        with host.net():
            self.near = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self.near.settimeout(30)
        self.near.connect((str(target), port))
        self.far, _ = door.accept()
        door.close()
        self.blocks, self.error = 0, None
        self.ending, self.going = threading.Event(), threading.Event()
        self.going.set()
        self.threads = [threading.Thread(target=job, daemon=True)
                        for job in (self._echo, self._run)]
        for thread in self.threads:
            thread.start()

    def _echo(self):
        with contextlib.suppress(OSError):
            while data := self.far.recv(4096):
                self.far.sendall(data)

    def _run(self):
        try:
            while not self.ending.wait(0.02):
                self.going.wait()
                block = self.blocks.to_bytes(8, "big") * 32
                self.near.sendall(block)
                back = b""
                while len(back) < len(block):
                    back += self.near.recv(len(block) - len(back)) or b"?" * 9
                if back != block:
                    raise OSError("not what was sent")
                self.blocks += 1
        except OSError as error:
            self.error = error

    def hold(self):
        """It stays open and silent, until survived()."""
        self.going.clear()
        mark = None
        while mark != self.blocks:
            mark = self.blocks
            time.sleep(0.1)

    def survived(self, patience=30):
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
