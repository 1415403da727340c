"""daemons.py - the programs under test: Debian's Miredo and ours

Both are driven alike: write a configuration on the host, start the program
there as an operator would, wait for what shows from outside. Debian's can
only be asked through the kernel (its address, its routes, its port); ours is
also asked through miredoctl.
"""
import os
import signal
import subprocess

from lab import DEBIAN, LabError, wait_for

TEREDO_PORT = 3544


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

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=10):
        """SIGTERM and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.host.name}: {self.kind} {self.role} did "
                           f"not end in {seconds} s") from None
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

    def wait_up(self, seconds=10.0):
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

    def packets(self):
        """What passed its tunnel interface, both ways together."""
        return sum(self.host.packets(self.ifname))


class Debian(Daemon):
    """miredo and miredo-server 1.2.6 from the unpacked packages."""
    kind, tree = "Debian", DEBIAN

    def command(self):
        server = self.role == "server"
        user = "miredo-server" if server else "miredo"
        return (f"/usr/sbin/{user}", "-f", "-c", self.conf,
                "-p", self.pidfile, "-u", user)


def client(world, kind, name, nat, server, **more):
    """A client of that make behind that NAT, not yet started."""
    host = world.client(name, nat, kind.tree)
    return world.daemon(kind, host, role="client", RelayType="client",
                        InterfaceName="teredo", ServerAddress=server, **more)


def relay(world, kind, name, ip4, **more):
    """(daemon, native host): a relay and who it is there for."""
    host, native = world.relay(name, ip4, kind.tree)
    daemon = world.daemon(kind, host, role="relay", RelayType="relay",
                          InterfaceName="miredo0", BindAddress=ip4,
                          BindPort=3545, **more)
    return daemon, native


def server(world, kind, name, ip4, second):
    host = world.server(name, ip4, kind.tree, second)
    return world.daemon(kind, host, role="server", ServerBindAddress=ip4,
                        ServerBindAddress2=second)
