"""routing.py - two relays, two routers, and BIRD between them

     web1 -- r1 ------ r2 -- web2         native IPv6, routed by BIRD
             |         |
          relay1    relay2                each announces 2001::/32
             |         |
             +-- IPv4 -+-- alice (behind a NAT), server

The relays' BIRD reads the files of conf/examples, in which only names are
changed. What is judged: 2001::/32 is withdrawn when relay1 cannot serve, what
web1 sends goes on by relay2, and by relay1 again when that is back; then the
client holds what comes by another relay than before until a connectivity test
was answered there (C-RX-07), and nothing is lost. Times are read from the
kernel's notices (`ip -ts monitor`) and BIRD's log, and printed: from the fault
until BIRD on the relay withdrew the route it should take WITHDRAWN at most.
What is judged is three times that, and while a busy machine lets somebody wait
for a processor (/proc/pressure) that clock stands still. When a router changes
its route is its own BIRD's business.

What web1 sends while it is mended comes BACK_RATE apart. A client believes the
relay before at once, for 30 s; another is tested, every 2 s at most, and eight
packets wait for that. On a busy machine the test can take longer than eight
packets that follow each other closely.
"""
import datetime
import glob
import os
import re
import signal
import time

import capture
import lab
import probe
from daemons import Ours, client, server

BIRD = f"{lab.BUILD}/net/bird/usr/sbin"
EXAMPLES = os.path.join(lab.HERE, "..", "..", "conf", "examples")
SERVER = "192.0.2.20"
PREFIX = "2001::/32"
PORT = 3545
WITHDRAWN = 1.0         # s
RATE = 0.01             # s between two packets
SETTLED = 2.5           # s; a client tests one peer every 2 s at most
BACK_RATE = 0.3         # eight packets are held for a peer: for 2.4 s
GRAIN = 0.1             # clocks lag: by whole ms, and turns of a loop


class Bird:
    """One BIRD on one host, with files of its own; the service is not used."""

    def __init__(self, world, host, text):
        self.host = host
        host.write("/run/lab/bird.conf", text +
                   'log "/run/lab/bird.log" all;\n'
                   "timeformat log iso long ms;\n")
        self.log = open(f"{world.logs}/{host.name}-bird.log", "ab")
        self.process = host.spawn(
            f"{BIRD}/bird", "-f", "-c", "/run/lab/bird.conf", "-s",
            "/run/lab/bird.ctl", "-P", "/run/lab/bird.pid",
            stdout=self.log, stderr=self.log)

    def ask(self, *words):
        return self.host.run(f"{BIRD}/birdc", "-s", "/run/lab/bird.ctl",
                             *words, check=False).stdout

    def said(self):
        with open(self.host.path("/run/lab/bird.log"), encoding="utf-8") as f:
            return f.read().splitlines()

    def withdrew(self, since, before):
        """Seconds from `since` (of the clock) until the static route went;
        before: the lines that had been said by then. BIRD's clock stands
        still during a turn of its loop, and has whole milliseconds."""
        for line in self.said()[before:]:
            if re.search(WENT, line):
                at = datetime.datetime.fromisoformat(line[:23]).timestamp()
                return max(at - since, 0.0)
        return None


def waited():
    """Seconds in which something wanted to run and could not, ever: for want
    of a processor, or because the machine's host had none for it."""
    with open("/proc/stat", encoding="ascii") as f:
        stolen = int(f.readline().split()[8]) / os.sysconf("SC_CLK_TCK")
    try:
        with open("/proc/pressure/cpu", encoding="ascii") as f:
            return stolen + int(f.readline().rpartition("=")[2]) / 1e6
    except OSError:         # a kernel that does not count it
        return stolen


def example(name, changes):
    """A file of conf/examples; each name to change must stand in it."""
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as f:
        text = f.read()
    for old, new in changes.items():
        if old not in text:
            raise lab.LabError(f"{name} has no '{old}'")
        text = text.replace(old, new)
    return text


class Monitor:
    """The kernel's notices on a host, with the time of each."""

    def __init__(self, world, host, *objects):
        self.path = f"{world.logs}/{host.name}-{objects[-1]}.log"
        with open(self.path, "wb") as f:
            self.process = host.spawn("ip", "-ts", *objects[:-1], "monitor",
                                      objects[-1], stdout=f)

    def when(self, wanted, since):
        """Seconds from `since` (of the clock) to the first such line."""
        with open(self.path, encoding="utf-8") as f:
            for line in f:
                stamp = re.match(r"\[(\S+)\] (.*)", line)
                if stamp and re.search(wanted, stamp[2]):
                    at = datetime.datetime.fromisoformat(stamp[1])
                    if at.timestamp() >= since - GRAIN:
                        return max(at.timestamp() - since, 0.0)
        return None


class Network:
    """All of it, with the relays and one client up. bird(name, n) is the
    configuration of router (r1, r2) or relay (relay1, relay2) n."""

    def __init__(self, world, bird):
        self.world = world
        self.routers, self.webs, self.relays = [], [], []
        self.birds = {}
        for n in (1, 2):
            self.router(n)
        r1, r2 = self.routers
        r1.ip(f"link add across type veth peer name across netns {r2.pid}",
              "link set across up",
              "addr add 2001:db8:c::1/64 dev across nodad")
        r2.ip("link set across up",
              "addr add 2001:db8:c::2/64 dev across nodad")
        server(world, Ours, "server", SERVER,
               "192.0.2.21").start().wait_up()
        for n in (1, 2):
            self.relay(n)
        for n in (1, 2):
            for host in (self.routers[n - 1], self.relays[n - 1].host):
                self.birds[host.name] = Bird(world, host, bird(host.name, n))
        for relay in self.relays:
            relay.start()
        self.alice = client(world, Ours, "alice", "port", SERVER)
        self.wire = capture.Capture(world)
        self.alice.start().wait_up()

    def router(self, n):
        """r1 leads to the rest of the IPv6 world, r2 only to r1."""
        world = self.world
        host, web = world.host(f"r{n}", Ours.tree), world.host(f"web{n}")
        host.sysctl(ipv6__conf__all__forwarding=1)
        net = f"2001:db8:{n}::"
        host.ip(f"link add web type veth peer name eth0 netns {web.pid}",
                "link set web up", f"addr add {net}1/64 dev web nodad")
        web.ip("link set eth0 up", f"addr add {net}2/64 dev eth0 nodad",
               f"route add default via {net}1")
        web.ip6 = f"{net}2"
        world.number6(host, world.link(host, "up6"), "up6")
        world.core.ip(f"route add {net}/64 via {host.ip6}")
        self.routers.append(host)
        self.webs.append(web)

    def relay(self, n):
        """eth1 leads to the router, eth0 to the IPv4 Internet."""
        world, router = self.world, self.routers[n - 1]
        host = world.host(f"relay{n}", Ours.tree)
        host.sysctl(ipv6__conf__all__forwarding=1)
        ip4 = f"198.51.100.{20 + n}"
        world.public(host, ip4)
        net = f"2001:db8:{'ab'[n - 1]}::"
        router.ip("link add relay type veth peer name eth1 netns "
                  f"{host.pid}", "link set relay up",
                  f"addr add {net}1/64 dev relay nodad")
        host.ip("link set eth1 up", f"addr add {net}2/64 dev eth1 nodad",
                f"route add default via {net}1")
        self.relays.append(world.daemon(
            Ours, host, role="relay", RelayType="relay",
            InterfaceName="miredo0", BindAddress=ip4, BindPort=PORT))

    # ---- what is seen ----

    def way(self, n=1):
        """The interface by which router n sends to Teredo addresses."""
        done = self.routers[n - 1].run("ip", "-6", "route", "show", PREFIX)
        found = re.search(r" dev (\S+)", done.stdout)
        return found[1] if found else None

    def carriers(self, web):
        """Which relays sent the client what `web` sent, since mark()."""
        ends = {f"198.51.100.{20 + n}": n for n in (1, 2)}
        return {ends.get(p.src[0]) for p in self.wire.packets()
                if p.icmp == capture.ECHO_REQUEST and
                str(p.inner_src) == web.ip6 and p.src[0] in ends}

    def goes(self, dev):
        """A condition for flow(): r1 sends by dev, or never will. What stops
        an engine may stop the service, if it takes longer than eight seconds;
        then it is started again, as a service manager does it."""
        end, relay = time.monotonic() + lab.PATIENCE, self.relays[0]

        def there():
            if relay.process.poll() == 70:
                relay.start()
            return self.way() == dev or time.monotonic() > end
        return there

    def settle(self, n, dev):
        lab.wait_for(lambda: self.way(n) == dev,
                     f"r{n} sends {PREFIX} by {dev}", 60)


def nearer(t, net):
    """Each native host is served by the relay at its own router."""
    for n, web in enumerate(net.webs, 1):
        stream = probe.Ping(web, net.alice.address())
        probe.open_paths([stream], 60)
        net.wire.mark()
        good = probe.run(stream, 50)
        used = net.carriers(web)
        t.ok(good == 50 and used == {n},
             f"web{n} and a client: all through the nearer relay{n}",
             good, used)
        stream.close()


class Case:
    """relay1 fails in one way and is mended. fail() tells when that was."""

    def __init__(self, net, what, fail, mend):
        self.net, self.what, self.fail, self.mend = net, what, fail, mend

    def run(self, t):
        net = self.net
        stream = probe.Ping(net.webs[0], net.alice.address())
        probe.open_paths([stream], 60)
        routes = Monitor(net.world, net.routers[0], "-6", "route")
        links = Monitor(net.world, net.relays[0].host, "link")
        probe.flow([stream], probe.for_seconds(SETTLED), RATE)
        before = stream.lost
        announcer = net.birds["relay1"]
        announcer.ask("debug", "teredo", "{ routes }")
        said, stolen = len(announcer.said()), waited()
        since = self.fail()
        end = time.monotonic() + lab.PATIENCE
        # r1 may miss relay1 before BIRD there had a processor
        probe.flow([stream], lambda: net.way() == "across" and
                   announcer.withdrew(since, said) is not None or
                   time.monotonic() > end, RATE)
        gone, stolen = announcer.withdrew(since, said), waited() - stolen
        t.ok(gone is not None and gone <= 3 * WITHDRAWN + stolen,
             f"{self.what}: 2001::/32 is withdrawn", gone, stolen)
        t.ok(net.way() == "across", f"{self.what}: r1 has the other relay")
        self.through_the_other(t, stream)
        gap = stream.lost - before
        t.note(f"{self.what}: the interface told it after "
               f"{shown(links.when(DEAD, since))}, BIRD withdrew the route "
               f"after {shown(gone)} (wanted: {shown(WITHDRAWN)}), r1 changed "
               f"its own after {shown(routes.when(ACROSS, since))}; {gap} "
               f"packets lost, {RATE * 1000:.0f} ms apart, until the other "
               "relay carried them")
        self.back(t, stream)
        for monitor in (routes, links):
            monitor.process.kill()
            monitor.process.wait()
        stream.close()

    def through_the_other(self, t, stream):
        """What is sent once the route has changed: all of it arrives."""
        net = self.net
        first = max(stream.sent)
        probe.flow([stream], lambda: max(stream.answered) > first or
                   len(stream.sent) > first + 1500, RATE)
        net.wire.mark()
        good = probe.run(stream, 100, RATE)
        used = net.carriers(net.webs[0])
        t.ok(good == 100 and used == {2},
             f"{self.what}: 100 of 100 go through relay2", good, used)

    def back(self, t, stream):
        """It is mended under traffic."""
        net = self.net
        probe.flow([stream], probe.for_seconds(SETTLED), BACK_RATE)
        last = stream.last()
        self.mend()
        probe.flow([stream], net.goes("relay"), BACK_RATE)
        probe.run(stream, 12, BACK_RATE)
        net.wire.mark()
        good = probe.run(stream, 50, RATE)
        used, lost = net.carriers(net.webs[0]), stream.lost_after(last)
        t.note(f"{self.what}: mended, {lost} packets lost, "
               f"{BACK_RATE * 1000:.0f} ms apart")
        t.ok(good == 50 and used == {1} and lost == 0,
             f"{self.what}: it is back, without loss",
             f"{good} of 50 by {used}, lost {lost}")


DEAD = r"miredo0:.*(NO-CARRIER|state DOWN)|Deleted .*miredo0"
WENT = r"<TRACE> teredo\.ipv6 > removed .* 2001::/32 "
ACROSS = r"^2001::/32 .*dev across"


def shown(seconds):
    return "?" if seconds is None else f"{seconds * 1000:.0f} ms"


# ---- the faults ----

def engine_cannot_return(net):
    """Killed, and what would start it again finds no program."""
    relay = net.relays[0]
    path, = glob.glob(f"{lab.OURS}/usr/**/miredo-engine", recursive=True)
    inner = path[len(lab.OURS):]

    def fail():
        pid = relay.status()["pid"]
        relay.host.run("chmod", "0", inner)
        since = time.time()
        os.kill(pid, signal.SIGKILL)
        return since

    def mend():
        relay.host.run("chmod", "755", inner)

    return Case(net, "its engine cannot return", fail, mend)


def port_taken(t, net):
    """It ends, and another program has its port when it is started."""
    relay, thief = net.relays[0], []

    def fail():
        since = time.time()
        relay.stop()
        thief.append(relay.host.udp(relay.settings["BindAddress"], PORT))
        relay.start()
        t.ok(relay.process.wait(lab.PATIENCE) == 75, "the port is taken: it "
             "ends with 75", relay.process.returncode)
        return since

    def mend():
        thief.pop().close()
        relay.start()

    return Case(net, "its UDP port is taken", fail, mend)


def killed(net):
    relay = net.relays[0]

    def fail():
        since = time.time()
        relay.process.kill()        # nsenter became the program itself
        relay.process.wait(lab.PATIENCE)
        return since

    return Case(net, "its process is killed", fail, relay.start)


def held(net):
    relay = net.relays[0]

    def fail():
        since = time.time()
        relay.ctl("announce", "hold")
        return since

    return Case(net, "held by the administrator", fail,
                lambda: relay.ctl("announce", "release"))


def faults(t, net):
    for case in (engine_cannot_return(net), port_taken(t, net),
                 killed(net), held(net)):
        case.run(t)
