"""scan.py - rows B4 and B5: a relay whose native side is scanned

Packets to random Teredo addresses, from one /64 or from random sources. A
client has a flow through the relay, another path is idle, and clients that
the relay does not know (farm.py) are to be reached from another /64.
"""
import time

import faults
import farm
import packets
import probe

EVIL_NET = "2001:db8:bad::"
# in the IPv6 packet: server and mapping of the destination are in 198.18/15
RANDOM = ["b:29:1", "r:30:2", "r:32:4", "b:37:1", "r:38:2"]
RATE = 150000


class Scan(faults.Case):
    ops = RANDOM
    fresh_within, fresh_share = 1.0, 0.99

    def build(self):
        self.server().wait_up()
        self.router, self.web = self.relay(self.maker)
        self.router.wait_up()
        self.outsider("sink")           # where what goes to 198.18/15 ends
        self.evil = self.world.host("scanner")
        relay = self.router.host
        relay.ip(f"link add eth2 type veth peer name eth0 "
                 f"netns {self.evil.pid}", "link set eth2 up",
                 f"addr add {EVIL_NET}1/64 dev eth2")
        self.evil.ip("link set eth0 up", f"addr add {EVIL_NET}2/64 dev eth0")
        host = self.world.host("farm")
        self.world.public(host, "203.0.113.200", "192.0.2.200")
        self.farm = farm.Farm(host, "203.0.113.200", "192.0.2.200", 200)
        self.closing.callback(self.farm.close)

    def start(self, rate, seconds=None):
        packet = packets.data(EVIL_NET + "2",
                              packets.teredo("198.18.0.1", "198.18.0.1", 1))
        return faults.Flood(self.evil, "eth0",
                            faults.mac(self.router.host, "eth2"), [packet],
                            self.ops, rate, seconds=seconds)

    def bubbles(self):
        """What the relay sent, but for what the client with the flow got."""
        return (faults.udp(self.router.host)["OutDatagrams"] -
                faults.udp(self.alice.host)["InDatagrams"])

    def under(self, rate, seconds, clients):
        """One flood at that rate: what is sent, and how the others fare."""
        self.stream.report()
        out, since = self.bubbles(), time.monotonic()
        flood = self.start(rate, seconds)
        time.sleep(2)
        took = self.farm.reach(self.web, 0.25, self.fresh_within, clients)
        sent = flood.wait()
        out = self.bubbles() - out
        since = time.monotonic() - since
        seen = self.stream.report()
        lost = seen["lost"] / seen["sent"]
        return lost, f"at {sent['rate'] / 1000:.0f} k/s {lost:.2%} lost", {
                "out": out / since, "seconds": since,
                "reached": len(took) / len(clients)}

    def measure(self):
        seconds = 30 if self.full else 7
        self.build()
        alice, idle = self.client(), self.client("idle")
        self.alice = alice
        alice.wait_up()
        idle.wait_up()
        still = self.ping(self.web, idle.address())
        probe.open_paths([still], 60)
        self.stream = self.traffic(self.web, alice.host, alice.address())
        sampler = self.sampler(self.router)
        drain = self.drain(self.start, self.router, "miredo0")
        fresh = iter(range(0, 1000, 40))

        def once(rate):
            first = next(fresh)
            return self.under(rate, seconds,
                              self.farm.addresses[first:first + 40])

        seen = self.calm(once, drain / 2, self.router, "miredo0")[2]
        if seen["reached"] < self.fresh_share:
            # a second without a processor is enough for that
            self.say(f"(a try: {self.reached(seen)})")
            seen = once(drain / 4)[2]
        self.judge(seen)
        _, text, hard = self.under(RATE, seconds, self.farm.addresses[160:])
        self.say(text)
        self.known(hard["reached"] >= self.fresh_share, self.reached(hard),
                   "at the rate itself half of the probes are left to who "
                   "asks twice; judged at half of what it drains")
        self.bounded(hard)
        self.tcp()
        lost = 20 - probe.run(still, 20)
        self.check(lost == 0, f"idle path afterwards: {lost} of 20 lost")
        sampler.stop()
        self.check(sampler.growth <= 32768,
                   f"memory +{sampler.growth} KiB")
        if self.full:
            time.sleep(60)
            left = sampler.sample()[1] - sampler.samples[0][1]
            self.check(left <= 1024 or not self.ours,
                       f"60 s later +{left} KiB")

    def reached(self, seen):
        return (f"{seen['reached']:.0%} of new peers within "
                f"{self.fresh_within:g} s")

    def judge(self, seen):
        self.check(seen["reached"] >= self.fresh_share, self.reached(seen))
        self.bounded(seen)

    def bounded(self, seen):
        self.check(seen["out"] <= 2000 * (1 + 2 / seen["seconds"]),
                   f"{seen['out']:.0f}/s out")
