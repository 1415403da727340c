"""daemons.py - the programs under test: Debian's Miredo and ours

Both are driven alike: write a configuration on the host, start the program
there as an operator would, wait for what shows from outside. Debian's can
only be asked through the kernel (its address, its routes, its port); ours is
also asked through miredoctl.
"""
import contextlib
import glob
import json
import os
import signal
import subprocess
import time

from lab import DEBIAN, OURS, PATIENCE, LabError, wait_for

TEREDO_PORT = 3544
ASKS = ("status", "peers", "metrics", "explain", "events")  # no more


class Daemon:
    """One running daemon; `role` is client, relay or server."""
    kind = tree = None

    def __init__(self, host, logs, role, **settings):
        self.host, self.role = host, role
        self.ifname = settings.get("InterfaceName")
        self.conf = f"/run/lab/{role}.conf"
        self.pidfile = f"/run/lab/{role}.pid"
        self.logname = os.path.join(logs, f"{host.name}-{role}.log")
        self.settings = settings
        self.process = None

    def command(self):
        raise NotImplementedError

    def configuration(self):
        return "".join(f"{name}\t{value}\n"
                       for name, value in self.settings.items())

    def start(self):
        """Starts it in the foreground; returns at once."""
        self.host.write(self.conf, self.configuration())
        with open(self.logname, "ab") as log:
            self.process = self.host.spawn(*self.command(), stdout=log,
                                           stderr=log)
        return self

    def log(self):
        with open(self.logname, encoding="utf-8", errors="replace") as f:
            return f.read()

    def logs(self, text):
        """Whether it has logged that; the parent writes what the engine says
        a moment after it is so."""
        with contextlib.suppress(LabError):
            wait_for(lambda: text in self.log(), "logged")
        return text in self.log()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=PATIENCE):
        """SIGTERM and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.host.name}: {self.kind} {self.role} did "
                           f"not end in {seconds:g} s") from None
        if self.ifname:
            wait_for(lambda: not self.host.has_interface(self.ifname),
                     f"{self.host.name}: {self.ifname} is removed")
        return code

    def kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait()

    def restart(self):
        self.stop()
        return self.start()

    # ---- waiting for what shows from outside ----

    def _until(self, condition, what, seconds):
        def check():
            if not self.alive():
                raise LabError(
                    f"{self.host.name}: {self.kind} {self.role} ended with "
                    f"{self.process.returncode}: {self.log()[-400:]}")
            return condition()
        return wait_for(check, f"{self.host.name}: {self.kind} {self.role} "
                        f"{what}", seconds)

    def wait_up(self, seconds=PATIENCE):
        """Until it does its work; a client's Teredo address, else None."""
        if self.role == "client":
            return self._until(self.address, "has an address", seconds)
        if self.role == "relay":
            self._until(lambda: self.host.has_route6("2001::/32",
                                                     self.ifname),
                        "routes 2001::/32", seconds)
            port = self.settings["BindPort"]
        else:
            port = TEREDO_PORT
        self._until(lambda: self.host.has_udp_port(port),
                    f"listens on {port}", seconds)
        return None

    def address(self):
        return self.host.teredo_address(self.ifname)

    def counts(self):
        """Packets both ways, by each who counts: here the interface."""
        return [sum(self.host.packets(self.ifname))]


class Debian(Daemon):
    """miredo and miredo-server 1.2.6 from the unpacked packages."""
    kind, tree = "Debian", DEBIAN

    def command(self):
        server = self.role == "server"
        user = "miredo-server" if server else "miredo"
        return (f"/usr/sbin/{user}", "-f", "-c", self.conf,
                "-p", self.pidfile, "-u", user)


def program(name):
    """Where our installation puts a program, as a host sees it."""
    for folder in ("sbin", "bin"):
        for path in glob.glob(f"{OURS}/usr/**/{folder}/{name}",
                              recursive=True):
            return path[len(OURS):]
    raise LabError(f"our installation has no {name}")


class Ours(Daemon):
    """The programs of this tree, as `make install` puts them."""
    kind, tree = "ours", OURS

    def __init__(self, host, logs, role, **settings):
        # DATAPATH=plain in the environment: every test with that data path
        if os.environ.get("DATAPATH"):
            settings.setdefault("DataPath", os.environ["DATAPATH"])
        super().__init__(host, logs, role, **settings)

    def command(self, foreground=True):
        name = "miredo-server" if self.role == "server" else "miredo"
        return (program(name), *(["-f"] if foreground else []),
                "-c", self.conf, "-p", self.pidfile, "-u", "miredo")

    @property
    def instance(self):
        return self.ifname or "server"

    def ctl_once(self, *words):
        return self.host.run(program("miredoctl"), "-i", self.instance,
                             *words, check=False)

    def ctl(self, *words):
        """miredoctl waits for two seconds; who only asks, asks again when the
        engine had no processor for so long."""
        end = time.monotonic() + PATIENCE / 4
        while True:
            done = self.ctl_once(*words)
            if (words[0] not in ASKS or "no answer in time" not in done.stderr
                    or not self.alive() or time.monotonic() > end):
                return done

    def status(self):
        """The status as a dict; None when nobody answers, not even again
        when the machine has had time to."""
        end = time.monotonic() + PATIENCE / 4
        while True:
            done = self.ctl("status", "--json")
            if done.returncode in (0, 5):
                return json.loads(done.stdout)
            if not self.alive() or time.monotonic() > end:
                return None

    def wait_up(self, seconds=PATIENCE):
        good = {"client": "qualified", "relay": "relaying",
                "server": "serving"}[self.role]
        self._until(lambda: (self.status() or {}).get("state") == good,
                    f"is {good}", seconds)
        if self.role != "client":
            return None
        # the parent sets it a moment after the engine is qualified
        return self._until(self.address, "has an address", seconds)

    def counts(self):
        traffic = self.status()["traffic"]
        return super().counts() + [t["rx_packets"] + t["tx_packets"]
                                   for t in (traffic["outer"],
                                             traffic["inner"])]

    def counter(self, name):
        status = self.status()
        return status["events"].get(name, status["drops"].get(name))

    def identity(self):
        """What must be the same before and after."""
        status = self.status()
        return {"address": str(self.address()),
                "interface index": self.host.ifindex(self.ifname),
                "UDP port": status["nat"]["local"],
                "mapping": status["nat"]["external"]}

    def kill_engine(self):
        status = self.status()
        self.generation = status["generation"]
        os.kill(status["pid"], signal.SIGKILL)

    def wait_next_engine(self):
        self._until(lambda: (self.status() or {}).get("generation", 0)
                    > self.generation, "has another engine", PATIENCE)


def client(world, kind, name, nat, server_name, **more):
    """A client of that make behind that NAT, not yet started."""
    host = world.client(name, kind.tree, nat)
    return world.daemon(kind, host, role="client", RelayType="client",
                        InterfaceName="teredo", ServerAddress=server_name,
                        **more)


def relay(world, kind, name, ip4, **more):
    """(daemon, native host): a relay and who it is there for."""
    host, native = world.relay(name, kind.tree, ip4)
    daemon = world.daemon(kind, host, role="relay", RelayType="relay",
                          InterfaceName="miredo0", BindAddress=ip4,
                          BindPort=3545, **more)
    return daemon, native


def server(world, kind, name, ip4, second):
    host = world.server(name, kind.tree, ip4, second)
    return world.daemon(kind, host, role="server", ServerBindAddress=ip4,
                        ServerBindAddress2=second)
