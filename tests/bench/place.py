"""place.py - where one contestant carries packets

Each contestant has its own copy of the same line of four hosts, so nothing is
switched between two measurements, and what is idle costs nothing:

    N ---- R ---- G ---- C        N native IPv6 host, R relay, G IPv4 router
     1280   1500   1500           and Teredo server, C client

Plain forwarding has native IPv6 all the way and no daemon. Link models:

    wire  no segmentation offload on any link, GRO on: every link carries
          frames of MTU size, as physical ones do
    full  veth as it is: super-packets cross the links whole
    thr   wire, and each host's receiving in kernel threads of its own, so
          that its CPU time can be told from that of the others
"""
import os
import subprocess

import lab
from daemons import Debian, Ours

NATIVE, SERVERS = "2001:db8:1::2", ("192.0.2.1", "192.0.2.2")
RELAY4, CLIENT4, CLIENT6 = "198.51.100.10", "203.0.113.10", "2001:db8:3::2"
PEERS = "198.18.0.0/16"
TRAFFIC = os.path.join(lab.BUILD, "tests", "bench", "traffic")
PORT = 7            # of the echo server on N
OFFLOADS = ("tso", "tx-udp-segmentation", "tx-udp_tnl-segmentation",
            "tx-udp_tnl-csum-segmentation")
# /sys is another namespace's; and where there is no NAPI, 0 is refused
THREADED = ('mount -t sysfs sysfs /sys; read -r now <"$1"; '
            '[ "$now" = "$2" ] || echo "$2" >"$1"')
FORWARD = {"ipv4__ip_forward": 1, "ipv6__conf__all__forwarding": 1}


class Place:
    """One contestant: its hosts, its daemons, how to talk through it."""

    def __init__(self, world, name, maker=None, **conf):
        self.name, self.maker, self.conf = name, maker, conf
        self.world = world
        tree = maker.tree if maker else ""
        self.n = world.host(f"{name}-N")
        self.r, self.g, self.c = (world.host(f"{name}-{h}", tree)
                                  for h in "RGC")
        mark = "abcdefgh"[world.places]     # kernel threads bear device names
        world.places += 1
        self.devices = {d: (getattr(self, d[0]), d + mark)
                        for d in ("n0", "r1", "r0", "g0", "g1", "c0")}
        self._wire("n0", "r1", 1280)
        self._wire("r0", "g0", 1500)
        self._wire("g1", "c0", 1500)
        self._number()
        self.address = CLIENT6
        self.daemons = {}
        if maker:
            self._start()
        self._echo()

    def dev(self, name):
        return self.devices[name][1]

    def _wire(self, one, other, mtu):
        (host, dev), (peer, peer_dev) = self.devices[one], self.devices[other]
        host.ip(f"link add {dev} mtu {mtu} type veth peer name {peer_dev} "
                f"mtu {mtu} netns {peer.pid}", f"link set {dev} up")
        peer.ip(f"link set {peer_dev} up")

    def _number(self):
        dev = self.dev
        self.r.sysctl(**FORWARD)
        self.g.sysctl(**FORWARD)
        self.n.ip(f"addr add {NATIVE}/64 dev {dev('n0')}",
                  "route add default via 2001:db8:1::1")
        self.r.ip(f"addr add 2001:db8:1::1/64 dev {dev('r1')}",
                  f"addr add 2001:db8:2::1/64 dev {dev('r0')}",
                  f"addr add {RELAY4}/24 dev {dev('r0')}",
                  "route add default via 198.51.100.1",
                  "route add 2001:db8::/32 via 2001:db8:2::2")
        self.g.ip(f"addr add 198.51.100.1/24 dev {dev('g0')}",
                  f"addr add 203.0.113.1/24 dev {dev('g1')}",
                  *(f"addr add {a}/32 dev lo" for a in SERVERS),
                  f"addr add 2001:db8:2::2/64 dev {dev('g0')}",
                  f"addr add 2001:db8:3::1/64 dev {dev('g1')}",
                  "route add 2001:db8:1::/64 via 2001:db8:2::1",
                  f"route add default via {CLIENT4}",
                  "route add 2001::/32 via 2001:db8:2::1")
        self.c.ip(f"addr add {CLIENT4}/24 dev {dev('c0')}",
                  "route add default via 203.0.113.1",
                  f"route add local {PEERS} dev lo")
        if not self.maker:
            self.c.ip(f"addr add {CLIENT6}/64 dev {dev('c0')}",
                      "route add default via 2001:db8:3::1")

    def _daemon(self, host, role, **settings):
        daemon = self.world.daemon(self.maker, host, role=role, **settings)
        self.daemons[role] = daemon.start()
        return daemon

    def _start(self):
        self._daemon(self.g, "server", ServerBindAddress=SERVERS[0],
                     ServerBindAddress2=SERVERS[1]).wait_up()
        self._daemon(self.r, "relay", RelayType="relay", BindPort=3545,
                     BindAddress=RELAY4, InterfaceName="miredo0",
                     **self.conf).wait_up()
        client = self._daemon(self.c, "client", RelayType="client",
                              ServerAddress=SERVERS[0],
                              InterfaceName="teredo", BindPort=4096,
                              **self.conf)
        self.address = str(client.wait_up())

    def _echo(self):
        self.serve(self.n, "echo", str(PORT))
        self.warm()

    def warm(self):
        """Until packets pass: the path is open."""
        lab.wait_for(lambda: self.c.run(
            TRAFFIC, "ping", NATIVE, str(PORT), "5",
            check=False).returncode == 0, f"{self.name}: packets pass", 30)

    # ---- programs on its hosts ----

    def serve(self, host, *words):
        """Starts tests/bench/traffic there; ready when this returns."""
        process = host.spawn(TRAFFIC, *words,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)
        if process.stdout.readline() != "ready\n":
            raise lab.LabError(f"{self.name}: traffic {words} is not ready")
        return process

    def traffic(self, host, *words, cpu=None):
        """Runs it to its end; the numbers that it printed."""
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        done = host.run(*pin, TRAFFIC, *words)
        return [float(word) for word in done.stdout.split()]

    # ---- the links ----

    def model(self, name):
        whole = name == "full"
        for host, dev in self.devices.values():
            host.run("ethtool", "-K", dev, *(
                word for feature in OFFLOADS
                for word in (feature, "on" if whole else "off")),
                "gso", "on", "tx", "on", "gro", "off" if whole else "on")
            host.run("unshare", "--mount", "sh", "-ec", THREADED, "sh",
                     f"/sys/class/net/{dev}/threaded",
                     str(int(name == "thr")))
            host.run("tc", "qdisc", "replace", "dev", dev, "root",
                     *(("pfifo", "limit", "3000") if name == "thr"
                       else ("noqueue",)))

    def checksums(self, offloaded):
        """Whether the kernel leaves checksums to links that have none to
        fill them in (as veth does), or writes them."""
        for host, dev in self.devices.values():
            host.run("ethtool", "-K", dev, "tx", "on" if offloaded else "off")


def contestants(world):
    """{name: Place}, in the order of the table."""
    world.places = 0
    return {"plain": Place(world, "plain"),
            "miredo": Place(world, "miredo", Debian),
            "ours": Place(world, "ours", Ours),
            "single": Place(world, "single", Ours, DataPath="plain")}
