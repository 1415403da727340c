"""names.py - a name server with one answer to all questions, that can be dark"""
import ipaddress
import struct
import threading


class Names:
    """Answers every question with `ips` while `lit`; else says nothing."""

    def __init__(self, host, *ips, lit=False):
        self.ips, self.lit, self.asked = ips, lit, 0
        self.sock = host.udp(host.ip4, 53)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, whom = self.sock.recvfrom(512)
            except OSError:
                return
            self.asked += 1
            if not self.lit:
                continue
            end = question.index(0, 12) + 5
            kind, = struct.unpack_from("!H", question, end - 4)
            ips = self.ips if kind == 1 else ()
            reply = (question[:2] +
                     struct.pack("!5H", 0x8180, 1, len(ips), 0, 0) +
                     question[12:end])
            for ip in ips:
                reply += struct.pack("!HHHIH4s", 0xc00c, 1, 1, 5, 4,
                                     ipaddress.IPv4Address(ip).packed)
            self.sock.sendto(reply, whom)

    def close(self):
        self.sock.close()
