"""lab.py - a small Internet in private namespaces

A World is one IPv4 and IPv6 core router with hosts and NAT boxes around it.
Each of them is an *anchor*: a sleeping process that holds a network and a
mount namespace, named by its PID and by nothing on the disk.

lab.enter() puts the whole test into a PID, mount and network namespace of its
own before anything else happens. When the test ends, in whatever way, the
kernel ends everything in it: every daemon, namespace, mount and interface.
So two runs cannot meet, and nothing is ever looked for by name to be killed.

    192.0.2.0/24     servers             198.51.100.0/24  relays
    203.0.113.0/24   public clients, outsides of the NAT boxes
    10.N.0.0/24 and 192.168.N.0/24 by turns: insides of the NAT boxes
    2001:db8:N::/64  native networks, each behind one relay
    2001:db8:ffff::/48  native addresses of the servers

Waiting is always for a condition with a deadline (wait_for), read from the
kernel's own files (/proc/ANCHOR/net), never for a time.
"""
import contextlib
import ctypes
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import nat

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
DEBIAN = os.path.join(BUILD, "net", "debian")    # unpacked packages
OURS = os.path.join(BUILD, "net", "ours")        # `make install DESTDIR=`
CLONE_NEWNET = 0x40000000
GATEWAY4 = "192.0.2.254"
LIBC = ctypes.CDLL(None, use_errno=True)

# One host: its own /run (so no /dev/log either), /etc and programs. $1 is the
# tree that is laid over / : Debian's packages, our installation, or "".
ANCHOR = r"""
set -e
tree=$1
if [ -n "$tree" ]; then
    mount -t tmpfs -o mode=755 run /run
    [ -L /dev/log ] || [ ! -e /dev/log ] || mount --bind /dev/null /dev/log
    mkdir -p /run/lab
    for dir in etc usr; do
        mkdir -p "/run/lab/$dir/upper" "/run/lab/$dir/work"
        lower=/$dir
        [ ! -d "$tree/$dir" ] || lower=$tree/$dir:/$dir
        mount -t overlay $dir /$dir -o "lowerdir=$lower,$(
            )upperdir=/run/lab/$dir/upper,workdir=/run/lab/$dir/work"
    done
    for user in miredo miredo-server; do
        grep -q "^$user:" /etc/passwd && continue
        id=$((64000 + ${#user}))
        echo "$user:x:$id:$id::/nonexistent:/usr/sbin/nologin" >>/etc/passwd
        echo "$user:x:$id:" >>/etc/group
    done
fi
for knob in default/accept_dad all/accept_dad default/accept_ra; do
    echo 0 >"/proc/sys/net/ipv6/conf/$knob"
done
echo 0 0 >/proc/sys/net/ipv4/ping_group_range
# of IPv4, a namespace begins with what the machine has
for knob in ip_forward conf/all/rp_filter conf/default/rp_filter; do
    echo 0 >"/proc/sys/net/ipv4/$knob"
done
ip link set lo up
echo up
exec sleep infinity
"""


# How long a test waits for what must happen, s: enough for a machine that does
# ten other things. Where a time is the point, the test measures it.
PATIENCE = 60.0


class LabError(Exception):
    """The laboratory itself failed; nothing is said about the programs."""


def bail(why):
    print(f"Bail out! {why}", flush=True)
    sys.exit(1)


def enter():
    """Re-executes the running script inside the private namespaces."""
    os.umask(0o022)
    if os.environ.get("MIREDO_LAB") == "inside":
        os.environ["MIREDO_LAB"] = "nested"     # not for our children
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    if os.geteuid() != 0:
        bail("network namespaces and tun devices need root; run it as root")
    if os.environ.get("MIREDO_LAB") != "ready":
        if subprocess.run([f"{HERE}/prepare", BUILD]).returncode != 0:
            bail("tests/net/prepare failed, see above")
    os.environ["MIREDO_LAB"] = "inside"
    # The shell is PID 1 in there: it reaps what the daemons leave to it.
    os.execvp("unshare", [
        "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
        "--mount-proc", "--propagation", "private", "/bin/sh", "-c",
        '"$@"; exit $?', "sh", sys.executable, "-B", *sys.argv])


def wait_for(condition, what, seconds=PATIENCE):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise LabError(f"not within {seconds:g} s: {what}")
        time.sleep(0.005)


def process_facts(pid):
    """/proc/PID/status as a dict of texts."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return {name: value.strip() for name, _, value
                in (line.partition(":") for line in f)}


class Host:
    """A machine: a network namespace and, with a tree, its own files."""

    def __init__(self, name, tree=""):
        self.name, self.tree = name, tree
        self.ip4 = self.ip6 = self.nat = self.gateway4 = None
        self.switch_ports = 0       # of a NAT box: hosts beside the first
        self.anchor = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", ANCHOR, name, tree],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)

    @property
    def pid(self):
        return self.anchor.pid

    def ready(self):
        if self.anchor.stdout.readline() != b"up\n":
            raise LabError(f"host {self.name} did not come up")

    def inside(self, *command):
        """The command line that runs `command` on this host (-r: its root,
        also when we run in a chroot)."""
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-r", *command]

    def spawn(self, *command, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.inside(*command), **kwargs)

    def run(self, *command, stdin="", check=True):
        """Runs to the end; returns the CompletedProcess with its texts."""
        done = subprocess.run(self.inside(*command), input=stdin, text=True,
                              capture_output=True, timeout=4 * PATIENCE)
        if check and done.returncode != 0:
            raise LabError(f"{self.name}: {' '.join(command)}: exit "
                           f"{done.returncode}: {done.stderr.strip()}")
        return done

    def ip(self, *lines):
        self.run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")

    def sysctl(self, **knobs):
        """Names with __ for each slash: ipv4__ip_forward=1."""
        script = "".join(f"echo {value} >/proc/sys/net/"
                         f"{name.replace('__', '/')}\n"
                         for name, value in knobs.items())
        self.run("sh", "-e", stdin=script)

    def path(self, inner):
        """A path of this host as seen from the test."""
        return f"/proc/{self.pid}/root{inner}"

    def write(self, inner, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(inner)), exist_ok=True)
        if os.path.islink(self.path(inner)):    # it may lead to our own files
            os.unlink(self.path(inner))
        with open(self.path(inner), "w", encoding="utf-8", newline="") as f:
            f.write(text)
        os.chmod(self.path(inner), mode)

    @contextlib.contextmanager
    def net(self):
        """Sockets made in this context belong to this host."""
        with open("/proc/self/ns/net", "rb") as home, \
             open(f"/proc/{self.pid}/ns/net", "rb") as away:
            if LIBC.setns(away.fileno(), CLONE_NEWNET) != 0:
                raise LabError(f"setns to {self.name} failed")
            try:
                yield self
            finally:
                if LIBC.setns(home.fileno(), CLONE_NEWNET) != 0:
                    os.abort()      # we would act in a wrong namespace

    def udp(self, address, port=0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.net():
            s = socket.socket(family, socket.SOCK_DGRAM)
        s.bind((address, port))
        return s

    def service_uid(self):
        with open(self.path("/etc/passwd"), encoding="ascii") as f:
            return next(int(line.split(":")[2]) for line in f
                        if line.startswith("miredo:"))

    # ---- what the kernel says of this host ----

    def processes(self):
        """{PID: name} of what runs on this host, the anchor left out."""
        found = {}
        here = os.stat(f"/proc/{self.pid}/ns/net").st_ino
        for pid in filter(str.isdigit, os.listdir("/proc")):
            # gone meanwhile; of ns/net the kernel says EACCES then, to root
            with contextlib.suppress(FileNotFoundError, ProcessLookupError,
                                     PermissionError):
                if os.stat(f"/proc/{pid}/ns/net").st_ino == here:
                    found[int(pid)] = process_facts(pid)["Name"]
        found.pop(self.pid, None)
        return found

    def _proc(self, name):
        try:
            with open(f"/proc/{self.pid}/net/{name}", encoding="ascii") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            raise LabError(f"host {self.name} is gone") from None

    def addresses6(self, ifname=None):
        """[(address, prefix length, interface)]"""
        found = []
        for line in self._proc("if_inet6"):
            raw, _, plen, _, _, name = line.split()
            if ifname in (None, name):
                found.append((ipaddress.IPv6Address(bytes.fromhex(raw)),
                              int(plen, 16), name))
        return found

    def teredo_address(self, ifname):
        """The one global address on the interface, or None."""
        all_of_it = [a for a, _, _ in self.addresses6(ifname)
                     if not a.is_link_local]
        if len(all_of_it) > 1:
            raise LabError(f"{self.name}: several addresses: {all_of_it}")
        return all_of_it[0] if all_of_it else None

    def packets(self, ifname):
        """(received, sent) as the interface counts them: rx is what the
        daemon wrote, tx what it was given to read."""
        for line in self._proc("dev"):
            name, _, figures = line.partition(":")
            if name.strip() == ifname:
                f = figures.split()
                return int(f[1]), int(f[9])
        return None

    def ifindex(self, ifname):
        with self.net():
            return socket.if_nametoindex(ifname)

    def has_interface(self, ifname):
        return self.packets(ifname) is not None

    def has_udp_port(self, port, address=None):
        for line in self._proc("udp")[1:]:
            ip, _, number = line.split()[1].partition(":")
            if int(number, 16) == port and address in (
                    None, socket.inet_ntoa(bytes.fromhex(ip)[::-1])):
                return True
        return False

    def has_route6(self, prefix, ifname):
        net = ipaddress.IPv6Network(prefix)
        want = (net.network_address.packed.hex(), f"{net.prefixlen:02x}")
        return any((f[0], f[1], f[9]) == (*want, ifname)
                   for f in map(str.split, self._proc("ipv6_route")))


class World:
    """The core router and all that hangs on it."""

    def __init__(self):
        self.hosts, self.daemons = [], []
        self.legs = self.lans = self.natives = self.stubs = 0
        self.public4 = 9
        base = os.path.join(BUILD, "net")
        os.makedirs(base, exist_ok=True)
        self.logs = tempfile.mkdtemp(prefix="log.", dir=base)
        self.core = self.host("core")
        self.core.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
        self.core.ip(f"addr add {GATEWAY4}/32 dev lo")

    def close(self, keep_logs=False):
        for daemon in self.daemons:
            daemon.kill()
        for host in self.hosts:
            host.anchor.kill()
            host.anchor.wait()
        self.hosts, self.daemons = [], []
        if not keep_logs:
            shutil.rmtree(self.logs)

    def host(self, name, tree=""):
        host = Host(name, tree)
        self.hosts.append(host)
        host.ready()
        return host

    def link(self, host, dev):
        """A link from the core to host; the name of the core's end."""
        self.legs += 1
        leg = f"leg{self.legs}"
        self.core.ip(f"link add {leg} type veth peer name {dev} "
                     f"netns {host.pid}", f"link set {leg} up")
        host.ip(f"link set {dev} up")
        return leg

    def number4(self, host, leg, dev, *addresses):
        self.core.ip(*(f"route add {a}/32 dev {leg}" for a in addresses))
        host.ip(*(f"addr add {a}/32 dev {dev}" for a in addresses),
                f"route add {GATEWAY4}/32 dev {dev}",
                f"route add default via {GATEWAY4} src {addresses[0]}")
        host.ip4 = addresses[0]

    def number6(self, host, leg, dev):
        """Native IPv6 for host, good at once: without accept_dad, too, an
        address is tentative until the kernel's worker has seen it."""
        self.stubs += 1
        net = f"2001:db8:ffff:{self.stubs:x}::"
        self.core.ip(f"addr add {net}1/64 dev {leg} nodad")
        host.ip(f"addr add {net}2/64 dev {dev} nodad",
                f"route add default via {net}1")
        host.ip6 = f"{net}2"

    def public(self, host, *addresses):
        """Puts host on the public Internet."""
        if not addresses:
            self.public4 += 1
            addresses = (f"203.0.113.{self.public4}",)
        leg = self.link(host, "eth0")
        self.number4(host, leg, "eth0", *addresses)
        return leg

    def behind(self, host, kind, address=None):
        """Puts host behind a NAT box of that kind, with a private address."""
        box = self.host(f"{host.name}-nat")
        self.public4 += 1
        self.number4(box, self.link(box, "wan"), "wan",
                     f"203.0.113.{self.public4}")
        self.lans += 1
        if not address:
            address = (f"10.{self.lans}.0.2" if self.lans % 2
                       else f"192.168.{self.lans}.2")
        gateway = address.rpartition(".")[0] + ".1"
        box.ip(f"link add lan type veth peer name eth0 netns {host.pid}",
               "link set lan up", f"addr add {gateway}/24 dev lan")
        host.ip("link set eth0 up", f"addr add {address}/24 dev eth0",
                f"route add default via {gateway}")
        host.ip4, host.nat, host.gateway4 = address, box, gateway
        box.sysctl(ipv4__ip_forward=1)
        box.run("nft", "-f", "-", stdin=nat.rules(kind, address))

    def beside(self, host, first):
        """Puts host on the link of `first`, behind the same NAT box, which
        does not hairpin."""
        box, gateway = first.nat, first.gateway4
        if not box.switch_ports:
            box.ip("link add br0 type bridge", "link set br0 up",
                   f"addr del {gateway}/24 dev lan",
                   f"addr add {gateway}/24 dev br0",
                   "link set lan master br0")
        box.switch_ports += 1
        port = f"lan{box.switch_ports}"
        address = gateway[:-1] + str(2 + box.switch_ports)
        box.ip(f"link add {port} type veth peer name eth0 netns {host.pid}",
               f"link set {port} master br0", f"link set {port} up")
        host.ip("link set eth0 up", f"addr add {address}/24 dev eth0",
                f"route add default via {gateway}")
        host.ip4, host.nat, host.gateway4 = address, box, gateway

    def renumber(self, host, leg, dev, old, new):
        """Another IPv4 address on the link to the core."""
        self.core.ip(f"route add {new}/32 dev {leg}")
        host.ip(f"addr del {old}/32 dev {dev}", f"addr add {new}/32 dev {dev}",
                f"route replace {GATEWAY4}/32 dev {dev} src {new}",
                f"route replace default via {GATEWAY4} src {new}")
        host.ip4 = new

    def reboot_nat(self, host, number):
        """The NAT box forgets everything and has another address."""
        box = host.nat
        leg = next(line.split()[2] for line in self.core.run(
            "ip", "route", "show", f"{box.ip4}").stdout.splitlines())
        self.renumber(box, leg, "wan", box.ip4, f"203.0.113.{number}")
        nat.forget(box)

    def server(self, name, tree, *addresses):
        host = self.host(name, tree)
        self.number6(host, self.public(host, *addresses), "eth0")
        return host

    def relay(self, name, tree, ip4, private=False, second=()):
        """A relay's host and the native host behind it. private: it sits
        behind a NAT box that forwards to it, at the private address ip4."""
        relay, native = self.host(name, tree), self.host(f"{name}-web")
        if private:
            self.behind(relay, "cone", ip4)
        else:
            self.public(relay, ip4, *second)
        self.number6(relay, self.link(relay, "up6"), "up6")
        self.natives += 1
        net = f"2001:db8:{self.natives:x}::"
        relay.sysctl(ipv6__conf__all__forwarding=1)
        relay.ip(f"link add eth1 type veth peer name eth0 netns {native.pid}",
                 "link set eth1 up", f"addr add {net}1/64 dev eth1 nodad")
        native.ip("link set eth0 up", f"addr add {net}2/64 dev eth0 nodad",
                  f"route add default via {net}1")
        self.core.ip(f"route add {net}/64 via {relay.ip6}")
        native.ip6 = f"{net}2"
        return relay, native

    def client(self, name, tree, kind):
        """A client's host behind a NAT box of that kind ("none": public)."""
        host = self.host(name, tree)
        if kind == "none":
            self.public(host)
        else:
            self.behind(host, kind)
        return host

    def daemon(self, kind, host, **conf):
        daemon = kind(host, self.logs, **conf)
        self.daemons.append(daemon)
        return daemon
