"""settings.py - hosts on which miredo-setup is run, and what it leaves there

The hosts have no systemd: /run is empty, and services are init scripts.
"""
import lab
from daemons import Ours, program


def place(world, host):
    """What the package would have installed."""
    for name in ("miredo", "miredo-server"):
        host.run("cp", f"{lab.BUILD}/conf/init/{name}", "/etc/init.d/")
    host.run("sh", "-c", "mkdir -p $(sed -n 's/^PIDFILE=\\(.*\\)\\/.*/\\1/p' "
             "/etc/init.d/miredo)")


def setup(host, *words, check=True):
    done = host.run(program("miredo-setup"), *words, check=False)
    if check and done.returncode != 0:
        raise lab.LabError(f"{host.name}: miredo-setup {words}: "
                           f"{done.returncode}: {done.stdout}{done.stderr}")
    return done


def state(host):
    """All that a setup could leave behind."""
    files = host.run("sh", "-c", "find /etc /usr/local/etc /usr/local/var "
                     "/run -xdev ! -name '*.depend.*' "
                     "! -path '/run/lab/*' 2>/dev/null | sort; "
                     "find /etc /usr/local/etc -xdev -type f "
                     "-newer /run/lab/mark ! -name '.depend*' | sort")
    return {
        "files": files.stdout,
        "rules": host.run("nft", "list", "ruleset").stdout,
        "forwarding": host.run("sh", "-c", "grep . /proc/sys/net/ipv6/conf/"
                               "*/forwarding").stdout,
        "processes": sorted(host.processes().values()),
        "links": host.run("ip", "-o", "link").stdout.count("\n"),
    }


def vps(world, name, *addresses):
    """A host with native IPv6 and an exit; nothing but that."""
    host = world.server(name, Ours.tree, *addresses)
    place(world, host)
    host.write("/run/lab/mark", "")
    return host


def forward(host, interface, value):
    host.run("sysctl", "-qw", f"net.ipv6.conf.{interface}.forwarding={value}")


def undone(t, host, before, what):
    said = setup(host, "--undo", "--yes").stdout
    lab.wait_for(lambda: state(host)["processes"] == before["processes"],
                 f"{what}: no process is left")
    after = state(host)
    for key, value in before.items():
        t.ok(after[key] == value, f"{what} undone: {key} as before",
             set(str(after[key]).split("\n")) ^ set(str(value).split("\n")))
    return said


def configuration(host):
    return host.run("sh", "-c", "ls /etc/miredo/miredo-server.conf "
                    "/usr/local/etc/miredo/miredo-server.conf 2>/dev/null",
                    check=False).stdout.strip()
