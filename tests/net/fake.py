"""fake.py - an engine that answers as a test wants

It listens where miredoctl asks, takes requests and gives what `script` says:
a function of (request, ask) that returns the messages of the answer, or None
to say nothing at all. ask(request) is what the real engine, if there is one,
answers first; so what is sent is genuine but for what the test forges. After
an answer the connection is closed, but for SILENT ones.
"""
import contextlib
import errno
import os
import socket
import struct
import threading

HEAD = struct.Struct("=IIIiQ")      # struct ctl_head: magic, version, verb,
MAGIC = 0x6d726463                  # error, now
SIZE = 1 << 17


def head(request, error=0, version=None):
    """The head of an answer to that request."""
    magic, ours, verb = struct.unpack_from("=III", request)
    return HEAD.pack(magic, ours if version is None else version, verb,
                     -error, 1)


def nothing(_request, _ask):
    """Takes the request, and says nothing."""
    return None


def hangs_up(_request, _ask):
    return []


def babbles(_request, _ask):
    return [b"I am a teapot, and no engine at all"]


def of_tomorrow(request, _ask):
    return [head(request, errno.EPROTONOSUPPORT, 99)]


def refuses(request, _ask):
    return [head(request, errno.EIO)]


class FakeEngine:
    """with FakeEngine(path, script): ...; real: the path of a real one's."""

    def __init__(self, path, script, real=None):
        self.path, self.script, self.real = path, script, real
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.open, self.served = [], 0
        self.thread = threading.Thread(target=self._serve)

    def _ask(self, request):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(10)
            s.connect(self.real)
            s.send(request)
            return s.recv(SIZE)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                request = connection.recv(SIZE)
                answer = (self.script(request, self._ask) if request
                          else [])
                if answer is None:
                    self.open.append(connection)
                    continue
                with connection, contextlib.suppress(OSError):
                    for message in answer:
                        connection.send(message)
                self.served += 1

    def __enter__(self):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.listener.bind(self.path)
        self.listener.listen(4)
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.unlink(self.path)
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        for connection in self.open:
            connection.close()
