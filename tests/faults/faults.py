"""faults.py - what every case of faults.md section 9 is made of

A case is one file f_ID with one class: it builds a small Internet with
tests/net's laboratory, does something bad to one role, and says what was
counted. The role under test is `self.maker`'s, ours or Debian's Miredo 1.2.6;
everything around it is ours, so both are measured with the same stick.

    class B1(faults.Case):
        target = "what the row demands"
        def measure(self):
            ...
            self.check(lost <= 0.01, f"{lost:.1%} lost")

check() adds a figure to the row. For us all of them must hold; for Debian's
they are only printed. FAULTS_FULL=1 asks for full sizes, FAULTS_MAKERS names
whom to measure ("ours", "ours Debian"), FAULTS_REPEAT how often each, by turns
(repeat.py). The row is left as JSON in net/faults/ID.json, from which `run`
makes the table.

  Flow      1,000 numbered packets a second there and back (flow.c)
  Flood     forged packets at a rate (flood.c)
  Sampler   memory, descriptors and CPU time of a host's daemons, 10 a second
"""
import collections
import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "net"))

import lab                      # noqa: E402
lab.enter()

import daemons                  # noqa: E402
import probe                    # noqa: E402
import repeat                   # noqa: E402
import tap                      # noqa: E402
from daemons import Debian, Ours                # noqa: E402
from session import Session                    # noqa: E402

FULL = bool(os.environ.get("FAULTS_FULL"))
REPEAT = int(os.environ.get("FAULTS_REPEAT", "1"))
PROGRAMS = os.path.join(lab.BUILD, "tests", "faults")
RESULTS = os.path.join(lab.BUILD, "net", "faults")
SERVER, SERVER2 = "192.0.2.20", "192.0.2.21"
RELAY = "198.51.100.20"
TICKS = os.sysconf("SC_CLK_TCK")
MAKERS = {maker.kind: maker for maker in (Ours, Debian)}


def mac(host, dev):
    """The link address of that interface of that host."""
    found = json.loads(host.run("ip", "-j", "link", "show", dev).stdout)
    return found[0]["address"]


def mapping(address):
    """(IPv4 address, port) in a Teredo address."""
    raw = address.packed
    return (".".join(str(octet ^ 0xff) for octet in raw[12:]),
            int.from_bytes(raw[10:12], "big") ^ 0xffff)


def udp(host):
    """The kernel's counts of UDP over IPv4 there: InDatagrams (taken by the
    daemon), RcvbufErrors, OutDatagrams ..."""
    with open(f"/proc/{host.pid}/net/snmp", encoding="ascii") as f:
        names, values = [line.split()[1:] for line in f
                         if line.startswith("Udp: ")]
    return dict(zip(names, map(int, values)))


def taken(host, ifname=None):
    """Packets that the daemon took from its socket, or from its tunnel."""
    if ifname:
        return host.packets(ifname)[1]
    return udp(host)["InDatagrams"]


def waited(daemon):
    """ns that its processes could run and had no processor, until now."""
    total = 0
    for pid, name in daemon.host.processes().items():
        if name.startswith("miredo"):
            with contextlib.suppress(OSError), open(
                    f"/proc/{pid}/schedstat", encoding="ascii") as f:
                total += int(f.read().split()[1])
    return total


def queued(host, ifname=None):
    """(packets that the daemon took, packets lost on the way to it): in the
    queue of its socket or of its tunnel, or by the kernel's soft interrupts.
    What is lost there is lost for want of a processor, not by the daemon."""
    lost = udp(host)["RcvbufErrors"]
    if ifname:
        path = f"/proc/{host.pid}/net/dev"
        with open(path, encoding="ascii") as f:
            figures = {name.strip(): line.split() for name, _, line in
                       (text.partition(":") for text in f)}
        lost += int(figures[ifname][11])
    with open("/proc/net/softnet_stat", encoding="ascii") as f:
        lost += sum(int(line.split()[1], 16) for line in f)
    return taken(host, ifname), lost


def handle_all(daemon):
    """Waits until the daemon has done with what came by its socket."""
    def empty():
        with open(f"/proc/{daemon.host.pid}/net/udp", encoding="ascii") as f:
            return all(line.split()[4].endswith(":00000000")
                       for line in list(f)[1:])

    lab.wait_for(empty, "its queue is empty")
    if daemon.kind == "ours":
        daemon.status()         # the answer comes after what it had begun


class Flow:
    """Numbered packets between two hosts, until it is closed."""

    def __init__(self, host, far, target, rate=1000, port=4100):
        program = os.path.join(PROGRAMS, "flow")
        self.echo = far.spawn(program, "echo", str(port))
        lab.wait_for(lambda: self._listens(far, port), "the echo listens")
        self.process = host.spawn(program, "send", str(target), str(port),
                                  str(rate), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)

    @staticmethod
    def _listens(host, port):
        with open(f"/proc/{host.pid}/net/udp6", encoding="ascii") as f:
            return any(f":{port:04X} " in line for line in f)

    def report(self):
        """What happened since the last report: sent, lost, twice, reordered,
        gap_ms, p50_ms, p99_ms."""
        self.process.stdin.write("report\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise lab.LabError("the flow ended")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.echo.kill()
        self.echo.wait()


class Flood:
    """flood.c on `host`, out of `dev`, to the neighbour's link address.
    templates are packets from the IP header on; ops as in flood.c."""

    def __init__(self, host, dev, to, templates, ops=(), rate=0, count=None,
                 seconds=None, seed=1):
        words = [os.path.join(PROGRAMS, "flood"), "-i", dev, "-m", to,
                 "-r", str(rate), "-S", str(seed)]
        for packet in templates:
            words += ["-t", packet.hex()]
        for op in ops:
            words += ["-o", op]
        if count:
            words += ["-n", str(count)]
        if seconds:
            words += ["-s", str(seconds)]
        self.process = host.spawn(*words, stdout=subprocess.PIPE, text=True)

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds=3600):
        """To its end: what was sent, in how long, at what rate."""
        out, _ = self.process.communicate(timeout=seconds)
        if self.process.returncode != 0:
            raise lab.LabError(f"flood: exit {self.process.returncode}")
        return json.loads(out)

    def stop(self):
        """nsenter became the program itself: the signal reaches it."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()


def resident(pid):
    """KiB. VmRSS is only nearly right, by some hundred KiB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith("Rss:"))


class Sampler:
    """Looks at all processes of a daemon ten times a second."""

    def __init__(self, daemon):
        self.daemon, self.samples = daemon, []
        self.done = threading.Event()
        self.sample()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.done.wait(0.1):
            self.sample()

    def sample(self):
        rss = fds = ticks = 0
        for pid, name in self.daemon.host.processes().items():
            if not name.startswith("miredo") or name == "miredoctl":
                continue
            with contextlib.suppress(OSError, KeyError):
                rss += resident(pid)
                with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                    stat = f.read().rpartition(")")[2].split()
                ticks += int(stat[11]) + int(stat[12])
                fds += len(os.listdir(f"/proc/{pid}/fd"))
        self.samples.append((time.monotonic(), rss, fds, ticks))
        return self.samples[-1]

    def stop(self):
        self.done.set()
        self.thread.join()
        self.sample()
        return self

    @property
    def growth(self):
        """KiB of memory above the first sample, at most."""
        return max(s[1] for s in self.samples) - self.samples[0][1]

    @property
    def left(self):
        """KiB above the first sample, at the end."""
        return self.samples[-1][1] - self.samples[0][1]

    @property
    def fds(self):
        """Descriptors above the first sample, at most."""
        return max(s[2] for s in self.samples) - self.samples[0][2]

    @property
    def cpu(self):
        """Share of one core, over all the time."""
        first, last = self.samples[0], self.samples[-1]
        return (last[3] - first[3]) / TICKS / max(last[0] - first[0], 1e-9)


class Case:
    """One row. self.world is new for each maker."""
    target = ""

    def __init__(self, maker, world, note):
        self.maker, self.world, self.note = maker, world, note
        self.full = FULL
        self.met, self.texts = True, []
        self.long = None
        self.closing = contextlib.ExitStack()

    @property
    def ours(self):
        return self.maker is Ours

    def check(self, passed, text):
        """A figure of the row, and whether it is as demanded."""
        self.met = self.met and bool(passed)
        self.texts.append(text if passed else f"{text} [missed]")
        return passed

    def known(self, passed, text, why):
        """A figure that is not as demanded, for a reason: the row says so,
        and does not fail for it."""
        self.texts.append(text if passed else f"{text} [missed: {why}]")

    def say(self, text):
        """A figure that is shown and not judged."""
        self.texts.append(text)

    def measure(self):
        raise NotImplementedError

    # ---- what cases are built of ----

    def server(self, maker=Ours, **more):
        host = self.world.server("server", maker.tree, SERVER, SERVER2)
        return self.world.daemon(maker, host, role="server",
                                 ServerBindAddress=SERVER,
                                 ServerBindAddress2=SERVER2,
                                 **more).start()

    def relay(self, maker=Ours, **more):
        """(relay, native host behind it)"""
        router, web = daemons.relay(self.world, maker, "relay", RELAY, **more)
        return router.start(), web

    def client(self, name="alice", nat="port", maker=Ours, **more):
        return daemons.client(self.world, maker, name, nat, SERVER,
                              **more).start()

    def outsider(self, name="evil", *addresses):
        """(host, the core's link address): someone on the Internet whose
        packets nobody checks for their source. What is sent to forged ones,
        198.18.0.0/15, ends at the core."""
        host = self.world.host(name)
        leg = self.world.public(host, *addresses)
        self.world.core.run("ip", "route", "replace", "blackhole",
                            "198.18.0.0/15")
        for knob in ("all", leg):
            self.world.core.sysctl(**{f"ipv4__conf__{knob}__rp_filter": 0})
        return host, mac(self.world.core, leg)

    def behind(self, nat="none", **more):
        """A relay of the maker under test, and a client of ours that has a
        path through it: (relay, native host, client), and an outsider:
        self.evil. alice's mapping is self.mapping."""
        self.server().wait_up()
        router, web = self.relay(self.maker, **more)
        router.wait_up()
        alice = self.client(nat=nat)
        self.mapping = mapping(alice.wait_up())
        self.evil, self.gate = self.outsider()
        ping = self.ping(alice.host, web.ip6)
        probe.open_paths([ping], 60)
        if not ping.answered:
            raise lab.LabError("no path through the relay")
        self.long = Session(alice.host, web, web.ip6)
        self.closing.callback(self.long.close)
        return router, web, alice

    def outside(self, *packets):
        """Functions that send one of these packets each, from outside."""
        return [functools.partial(self._one, self.evil, self.gate, p)
                for p in packets]

    def native(self, web, router, *packets):
        """The same from a native host, by its relay."""
        gate = mac(router.host, "eth1")
        return [functools.partial(self._one, web, gate, p) for p in packets]

    @staticmethod
    def _one(host, gate, packet):
        Flood(host, "eth0", gate, [packet], count=1).wait()

    def flow(self, host, far, target, rate=1000, port=4100):
        """Opens the path, then a Flow along it."""
        ping = probe.Ping(host, target)
        probe.open_paths([ping], 60)
        if not ping.answered:
            raise lab.LabError(f"no path from {host.name} to {target}")
        ping.close()
        flow = Flow(host, far, target, rate, port)
        self.closing.callback(flow.close)
        return flow

    def drain(self, start, daemon, ifname=None):
        """Packets a second that the daemon can take, while the flood that
        start(rate) begins comes as fast as it can."""
        flood = start(0)
        time.sleep(0.5)
        before, since = taken(daemon.host, ifname), time.monotonic()
        time.sleep(5 if self.full else 1.5)
        rate = ((taken(daemon.host, ifname) - before) /
                (time.monotonic() - since))
        sent = flood.stop()
        self.say(f"drains {rate / 1000:.0f} k/s of "
                 f"{sent['rate'] / 1000:.0f} k/s")
        return rate

    def calm(self, attempt, rate, daemon, ifname=None):
        """attempt(rate) floods at that rate and says (share of the good
        packets lost, text, whatever else). At most 0.1 % may be lost. When
        more is, and the daemon's queue overflowed meanwhile, something else
        had the processor: it is tried again at half the rate, twice, and
        each try is shown. At last the good flow may lose as much as the
        queue did, thrice, but no more."""
        for turn in range(3):
            before = queued(daemon.host, ifname)
            seen = attempt(rate / 2 ** turn)
            after = queued(daemon.host, ifname)
            lost = after[1] - before[1]
            share = lost / max(1, lost + after[0] - before[0])
            if seen[0] <= 0.001 or lost == 0:
                break
            if turn < 2:
                self.say(f"(a try: {seen[1]}, and {share:.2%} of all in the "
                         "queue)")
        text = seen[1] if lost == 0 else f"{seen[1]}, {share:.2%} of all"
        self.check(seen[0] <= max(0.001, 3 * share), text)
        return seen

    def loops(self, hosts, injections, seconds=None, daemons=()):
        """Each injection is a function that sends one packet. What `hosts`
        send then, over IPv4 by UDP or into their tunnels and loopbacks, is
        counted: at most 3 for each, and none after a second but for a
        client's refresh. Says what ours among `daemons` dropped meanwhile:
        {reason: packets}."""
        def count():
            total = 0
            for host in hosts:
                total += udp(host)["OutDatagrams"]
                for dev in ("lo", "miredo0", "teredo"):
                    total += (host.packets(dev) or (0, 0))[0]
            return total

        def asked():
            return sum(d.counter("rs_sent") or 0 for d in daemons
                       if d.kind == "ours")

        def dropped():
            return sum((collections.Counter(d.status()["drops"])
                        for d in daemons if d.kind == "ours"),
                       collections.Counter())

        if self.long:
            self.long.hold()
        worst, were = 0, dropped()
        for inject in injections:
            before = count()
            inject()
            time.sleep(0.05)
            worst = max(worst, count() - before)
        time.sleep(1)
        refresh, settled = asked(), count()
        time.sleep(seconds or (5 if self.full else 2))
        late = count() - settled
        late -= min(late, asked() - refresh)
        self.check(worst <= 3, f"{worst} packets at most for each of "
                   f"{len(injections)}")
        self.check(late == 0, f"{late} after 1 s")
        were = dropped() - were
        del were["link_local"]      # the kernel's own, into the tunnel
        if self.long:
            self.tcp()
        return dict(were)

    def counted(self, drops, wanted, of):
        """Whether ours dropped exactly those: {reason: packets} and no others
        of the `of` injections."""
        if self.ours:
            text = ", ".join(f"{count} as {reason}" for reason, count in
                             sorted(drops.items())) or "none"
            self.check(drops == wanted, f"dropped of {of}: {text}")

    def traffic(self, host, far, target):
        """What goes through the tunnel while something is done to it: a
        Flow of 1,000 packets a second and one long TCP session."""
        flow = self.flow(host, far, target)
        self.long = Session(host, far, target)
        self.closing.callback(self.long.close)
        return flow

    def tcp(self):
        """Whether the session of traffic() still goes on."""
        return self.check(self.long.survived(), "TCP goes on")

    def unharmed(self, flow, what):
        """The flow goes on now: nothing lost of what is sent in a second. Harm
        lasts: a loss is shown, and that second is had once more."""
        for turn in range(2):
            flow.report()
            time.sleep(1)
            seen = flow.report()
            if seen["lost"] == 0:
                break
            if turn == 0:
                self.say(f"(a try: {seen['lost']} of {seen['sent']} lost)")
        return self.check(seen["lost"] == 0,
                          f"{what}: {seen['lost']} of {seen['sent']} lost")

    def ping(self, host, target):
        ping = probe.Ping(host, target)
        self.closing.callback(ping.close)
        return ping

    def sampler(self, daemon):
        sampler = Sampler(daemon)
        self.closing.callback(sampler.done.set)
        return sampler


def measure_with(case_class, maker, note):
    """(met, texts) of one maker; the world is gone afterwards."""
    world = lab.World()
    case = case_class(maker, world, note)
    failed = True
    try:
        with case.closing:
            case.measure()
        failed = maker is Ours and not case.met
    except (lab.LabError, OSError, subprocess.SubprocessError,
            AttributeError, TypeError, LookupError) as error:
        if maker is Ours:
            raise
        case.say(f"no figure: {str(error).splitlines()[0][:120]}")
    finally:
        world.close(keep_logs=failed)
        if failed:
            note(f"logs: {world.logs}")
    return case.met, case.texts


def main(case_class):
    """Runs the case with each maker and prints its row."""
    row = {"id": case_class.__name__, "target": case_class.target,
           "full": FULL, "when": time.strftime("%Y-%m-%d"),
           "load": round(os.getloadavg()[0], 1), "runs": REPEAT}
    makers = os.environ.get("FAULTS_MAKERS", "ours").split()
    runs = {name: [] for name in makers}
    began, spent = time.monotonic(), collections.Counter()
    with tap.Tests() as t:
        for name in makers * REPEAT:
            runs[name].append(measure_with(case_class, MAKERS[name], t.note))
            spent[name] += time.monotonic() - began
            began = time.monotonic()
        for name in makers:
            met = all(met for met, _ in runs[name])
            text = repeat.told([texts for _, texts in runs[name]])
            row[name] = {"met": met, "text": text,
                         "seconds": round(spent[name])}
            if MAKERS[name] is Ours:
                t.ok(met, f"{row['id']}: {row['target']}", text)
        os.makedirs(RESULTS, exist_ok=True)
        with open(os.path.join(RESULTS, row["id"] + ".json"), "w",
                  encoding="utf-8") as f:
            json.dump(row, f)
        t.note(" | ".join([row["id"], row["target"]] + [
            row[name]["text"] if name in row else "-" for name in MAKERS]))
