"""mutants.py - rows F1 and S1: mutated packets at each role

The templates are good packets of every kind that the role takes, each from
whom it would take it; flood.c changes one to four things in each.

FAULTS_SANITIZED=1: the build under test has AddressSanitizer and friends, which
end a process at the first finding: fewer packets and slower, and its memory
says nothing.
"""
import os

import faults
import packets

SANITIZED = bool(os.environ.get("FAULTS_SANITIZED"))
COUNTS = {True: 1_000_000 if SANITIZED else 10_000_000, False: 50_000}
RATE = 20000 if SANITIZED else 120000


class Mutants(faults.Case):
    def floods(self):
        """{role: (daemon, templates)}"""
        alice = packets.ip6(self.alice.address())
        ip, port = self.mapping
        bob = packets.ip6(self.bob.address())
        bob_at = faults.mapping(self.bob.address())
        native = packets.ip6(self.web.ip6)
        stranger = packets.teredo(faults.SERVER, "198.18.0.9", 9)

        def to_server(body):
            return packets.udp4("198.18.0.9", faults.SERVER, body, 9)

        def to_relay(body):
            return packets.udp4(ip, faults.RELAY, body, port, 3545)

        def to_bob(body, source=(faults.RELAY, 3545)):
            return packets.udp4(source[0], bob_at[0], body, source[1],
                                bob_at[1])

        server = (faults.SERVER, 3544)
        return {
            "server": (self.gate_server, [
                to_server(packets.solicitation()),
                to_server(packets.solicitation()[packets.AUTH:]),
                to_server(packets.bubble(stranger, alice)),
                to_server(packets.echo(stranger, native)),
                to_server(packets.echo(stranger, packets.ALL_ROUTERS))]),
            "relay": (self.router, [
                to_relay(packets.bubble(alice, native)),
                to_relay(packets.data(alice, native)),
                to_relay(packets.echo(alice, native)),
                to_relay(packets.data(stranger, native))]),
            "client": (self.bob, [
                to_bob(packets.data(native, bob)),
                to_bob(packets.echo(native, bob)),
                to_bob(packets.advertisement(faults.SERVER, bob, b"12345678",
                                             bob_at), server),
                to_bob(packets.origin(ip, port) +
                       packets.bubble(alice, bob), server),
                to_bob(packets.bubble(alice, bob), (ip, port))])}

    def build(self):
        self.gate_server = self.server(self.maker)
        self.gate_server.wait_up()
        self.router, self.web = self.relay(self.maker)
        self.router.wait_up()
        self.alice = self.client(nat="none")
        self.mapping = faults.mapping(self.alice.wait_up())
        self.bob = self.client("bob", "none", self.maker)
        self.bob.wait_up()
        self.evil, self.gate = self.outsider()
        self.streams = {
            daemon: self.flow(host, self.web, self.web.ip6, 1000, port)
            for daemon, host, port in (("relay", self.alice.host, 4100),
                                       ("client", self.bob.host, 4101))}
        self.long = faults.Session(self.bob.host, self.web, self.web.ip6)
        self.closing.callback(self.long.close)

    def flood(self, templates, count, seed=1):
        return faults.Flood(self.evil, "eth0", self.gate, templates,
                            [f"m:{packets.PAYLOAD}"], RATE, count=count,
                            seed=seed).wait()
