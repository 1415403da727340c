"""meter.py - CPU time of a contestant's hosts, and of everybody else

Ticks are too coarse for runs of 1.5 s, so schedstat is read: nanoseconds on a
processor, per task. The laboratory has a PID namespace of its own, where
kernel threads cannot be seen; PROC is the whole machine's, opened before that
namespace was entered.
"""
import glob
import os
import resource
import time

PROC = os.environ.get("BENCH_PROC", "/proc")
TICK = os.sysconf("SC_CLK_TCK")


def keep_proc():
    """To be called before lab.enter()."""
    if "BENCH_PROC" not in os.environ:
        fd = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
        os.set_inheritable(fd, True)
        os.environ["BENCH_PROC"] = f"/proc/self/fd/{fd}"


def _spent(pattern):
    total = 0
    for path in glob.glob(pattern):
        try:
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / 1e9


def processes(host):
    """Seconds that the processes on this host have used."""
    return sum(_spent(f"/proc/{pid}/task/*/schedstat")
               for pid in host.processes())


def kernel_threads(*names):
    """Seconds of kernel threads whose names begin so."""
    total = 0
    for path in glob.glob(f"{PROC}/[0-9]*/comm"):
        try:
            with open(path, encoding="utf-8", errors="replace") as f:
                if f.read().startswith(names):
                    total += _spent(path[:-4] + "schedstat")
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def relay(place):
    """Seconds of the relay's host: daemon, and its links' threads."""
    return processes(place.r) + kernel_threads(
        f"napi/{place.dev('r1')}-", f"napi/{place.dev('r0')}-")


def resident(host):
    """KiB of the daemon's processes on this host, what they share counted
    once."""
    total = 0
    for pid, name in host.processes().items():
        if name.startswith("miredo"):
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                total += next(int(line.split()[1]) for line in f
                              if line.startswith("Pss:"))
    return total


def server(place):
    """Seconds of the server's host: daemon, and its links' threads."""
    return processes(place.g) + kernel_threads(
        f"napi/{place.dev('g0')}-", f"napi/{place.dev('g1')}-")


def _ours():
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (_spent("/proc/[0-9]*/task/*/schedstat")
            + children.ru_utime + children.ru_stime
            + kernel_threads("ksoftirqd/", "napi/"))


def _busy():
    with open(f"{PROC}/stat", encoding="ascii") as f:
        user, nice, system, _, _, irq, soft = map(
            int, f.readline().split()[1:8])
    return (user + nice + system + irq + soft) / TICK


class Outside:
    """Cores that others used while the block ran: `load`."""

    def __enter__(self):
        self.start = time.monotonic(), _busy(), _ours()
        return self

    def __exit__(self, *_):
        elapsed = time.monotonic() - self.start[0]
        others = (_busy() - self.start[1]) - (_ours() - self.start[2])
        self.load = max(0.0, others / elapsed)
