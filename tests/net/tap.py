"""tap.py - results in the Test Anything Protocol

    with tap.Tests(world_or_None) as t:
        t.ok(condition, "a sentence", "what was seen instead")

A LabError or another exception fails the file instead of hiding the rest;
logs of the daemons are kept and named when anything failed.
"""
import sys
import traceback


class Tests:
    """Counts and prints; exits non-zero when something failed."""

    def __init__(self):
        self.count = self.failed = 0
        self.world = self.capture = None

    def ok(self, passed, name, *seen):
        """One result. `seen` is shown when it failed."""
        self.count += 1
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}",
              flush=True)
        if not passed:
            self.failed += 1
            for thing in seen:
                self.note(thing)
        return bool(passed)

    def note(self, text):
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)

    def uses(self, world):
        """Closes world at the end; keeps its logs if something failed."""
        self.world = world
        return world

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind not in (None, SystemExit, KeyboardInterrupt):
            self.ok(False, f"the test ran to its end ({kind.__name__})",
                    error, "".join(traceback.format_tb(trace)))
        if self.world:
            if self.failed:
                if self.capture:
                    self.capture.save(f"{self.world.logs}/core.pcap")
                self.note(f"logs: {self.world.logs}")
            self.world.close(keep_logs=self.failed > 0)
        if kind in (SystemExit, KeyboardInterrupt):
            return False
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)
