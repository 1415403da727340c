"""recovery.py - what the cases of rows R, E and K have in common

A client under test (or a relay), a server and a relay around it, a flow of
numbered packets and one long TCP session through the tunnel while something is
done to the daemon or to the network. What an outage cost is the flow's count;
a duration is only compared where a protocol timer decides, and is taken from
the cause to the condition, which is polled every 5 ms. Full size is for a quiet
machine: there it is judged as it is. Else 2 s are forgiven, and the time in
which somebody waited for a processor.
"""
import contextlib
import os
import signal
import time

import faults            # it finds the others
import lab
import session
from routing import waited
from session import Session


class Took(float):
    """Seconds, and in how many of them somebody waited for a processor."""
    waited = 0.0

    def in_time(self, limit):
        return self <= limit + (0 if faults.FULL else 2 + self.waited)


class Clock:
    """Runs from when it is made."""

    def __init__(self):
        self.began, self.waited = time.monotonic(), waited()

    def took(self):
        took = Took(time.monotonic() - self.began)
        took.waited = waited() - self.waited
        return took


def elapsed(condition, what, patience):
    """Took until condition() is true; None when it never was."""
    clock = Clock()
    found = session.elapsed(condition, what, patience)
    return None if found is None else clock.took()


def in_time(took, limit):
    return took is not None and took.in_time(limit)


def seconds(value):
    return "never" if value is None else f"{value:.2f} s"


class Recovery(faults.Case):
    """A case with a client, a server, a relay and a native host."""

    def internet(self, nat="port", **more):
        """Everything runs, and the client under test is qualified."""
        self.gate = self.server()
        self.router, self.web = self.relay()
        self.alice = self.client(nat=nat, maker=self.maker, **more)
        for daemon in (self.gate, self.router):
            daemon.wait_up()
        self.alice.wait_up()
        return self.alice

    def public_client(self, **more):
        """(client under test without a NAT, the core's end of its link)"""
        host = self.world.host("alice", self.maker.tree)
        leg = self.world.public(host)
        settings = {"ServerAddress": faults.SERVER, **more}
        daemon = self.world.daemon(self.maker, host, role="client",
                                   RelayType="client",
                                   InterfaceName="teredo", **settings)
        return daemon, leg

    def to_web(self, rate=1000):
        return self.flow(self.alice.host, self.web, self.web.ip6, rate)

    def session(self):
        session = Session(self.alice.host, self.web, self.web.ip6)
        self.closing.callback(session.close)
        return session

    # ---- what one does to a daemon ----

    def facts(self, daemon):
        """What must be the same before and after."""
        host = daemon.host
        found = {"address": str(daemon.address()),
                 "interface": host.ifindex(daemon.ifname)}
        if daemon.kind == "ours":
            found.update(daemon.identity())
        return found

    def others(self, daemon, before):
        """The facts that are not as before, each with both values."""
        after = self.facts(daemon)
        return [f"{name} ({before[name]}, then {after.get(name)})"
                for name in before if after.get(name) != before[name]]

    def same(self, daemon, before):
        """Checks that the facts are; says which are not."""
        other = self.others(daemon, before)
        return self.check(not other, "all as before" if not other
                          else f"another {', '.join(other)}")

    @staticmethod
    def engine(daemon):
        """The PID of the process that handles packets."""
        for pid, name in daemon.host.processes().items():
            # it may end while it is looked at
            with contextlib.suppress(OSError, KeyError):
                uid = lab.process_facts(pid)["Uid"].split()[0]
                if name == "miredo-engine" or (
                        name == "miredo" and uid != "0" and
                        daemon.kind == "Debian"):
                    return pid
        return None

    def engine_ready(self, daemon):
        """The engine's PID once it serves, else None."""
        if daemon.kind == "Debian":
            return self.engine(daemon) if daemon.address() else None
        status = daemon.status()
        return status["pid"] if status else None

    def next_engine(self, daemon, old, patience=60):
        """Waits until another engine serves."""
        lab.wait_for(lambda: self.engine_ready(daemon) not in (None, old),
                     f"another {daemon.kind} engine serves", patience)

    def kill_engine(self, daemon, patience=60):
        old = self.engine(daemon)
        os.kill(old, signal.SIGKILL)
        if daemon.kind == "Debian":
            time.sleep(0.5)         # it takes that long to lose the address
            lab.wait_for(daemon.address, "it has an address again", 120)
        else:
            self.next_engine(daemon, old, patience)

    @staticmethod
    def kill_all(daemon):
        """kill -9 of all its processes at once."""
        pids = [pid for pid, name in daemon.host.processes().items()
                if name.startswith("miredo")]
        for pid in {*pids, daemon.process.pid}:     # may still be nsenter
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        daemon.process.wait()

    @staticmethod
    def signal_all(daemon, number):
        for pid, name in daemon.host.processes().items():
            if name.startswith("miredo"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    @staticmethod
    def leftovers(daemon):
        """Processes, interface, addresses, routes and rules that remain."""
        host = daemon.host
        left = [f"process {name}" for name in host.processes().values()
                if name.startswith("miredo")]
        if host.has_interface(daemon.ifname):
            left.append(f"interface {daemon.ifname}")
        if any(word in host.run("ip", "-6", *what, "show").stdout
               for what in (("addr",), ("route",), ("rule",))
               for word in (daemon.ifname, "2001:0:", "2001::/32")):
            left.append("an address, route or rule")
        return left

    def cpu(self, daemon, seconds_long=1.0):
        """Share of one core that its processes use in that time."""
        sampler = self.sampler(daemon)
        time.sleep(seconds_long)
        return sampler.stop().cpu

    # ---- and to the network ----

    def renumber(self, host, leg, dev, old, new):
        self.world.renumber(host, leg, dev, old, new)

    def reboot_nat(self, host, number):
        self.world.reboot_nat(host, number)


def mapped_to(daemon, ip):
    """Whether its Teredo address says that it is mapped to that address."""
    address = daemon.address()
    return address is not None and str(address.teredo[1]) == ip
