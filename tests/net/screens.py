"""screens.py - what `miredoctl status` shows of a state, looked at closely

A state is reached when the JSON's first reason that is no information has the
code; then the screen has to say the same, in 80x24, with its facts and one next
step, the JSON has to keep to its schema, and both exit with the code of the
table.
"""
import json

import lab
import metrics
import schema


def codes(status, information=False):
    """The codes of a status, without those that are only information."""
    return [h["code"] for h in status["health"]
            if information or h["severity"] != "info"]


def code_of(daemon):
    """The first code, by the JSON; "ok" where all is well."""
    status = daemon.status()
    if status is None:
        return None
    return (codes(status) or ["ok"])[0]


def becomes(daemon, code, seconds=lab.PATIENCE):
    lab.wait_for(lambda: code_of(daemon) == code,
                 f"{daemon.host.name}'s health is {code}, not "
                 f"{code_of(daemon)}", seconds)


def look(t, done, machine, code, what, *facts):
    """At a screen and a JSON that were taken. The screen."""
    text = done.stdout
    rest = text.partition("Health: ")[2].splitlines()
    first = "ok" if rest[0] == "ok" else rest[1].split()[0]
    t.ok(first == code, f"{what}: the screen's first reason is {code}", text)
    t.ok(code == "ok" or text.count("Try: ") == 1,
         f"{what}: there is one next step", text)
    words = " ".join(text.split())
    t.ok(all(fact in text or fact in words for fact in facts),
         f"{what}: its facts are shown",
         [fact for fact in facts if fact not in words], text)
    t.ok(len(text.splitlines()) <= 24 and
         all(len(line) < 80 for line in text.splitlines()) and
         text.isascii() and "\033" not in text,
         f"{what}: 80x24, no colours in a pipe", text)
    found = schema.errors(machine.stdout)
    t.ok(not found, f"{what}: the JSON keeps to its schema", *found)
    seen = codes(json.loads(machine.stdout)) or ["ok"]
    t.ok(seen[0] == code, f"{what}: the JSON's first code is {code}", seen)
    wanted = 0 if code == "ok" else 5
    t.ok(done.returncode == machine.returncode == wanted,
         f"{what}: the exit code is {wanted}", done.returncode,
         machine.returncode)
    return text


def screen(t, daemon, code, what, *facts, seconds=lab.PATIENCE):
    """Waits for the code and looks at the screen and the JSON; the screen."""
    becomes(daemon, code, seconds)
    done, machine = daemon.ctl("status"), daemon.ctl("status", "--json")
    _, samples = metrics.parse(daemon.ctl("metrics").stdout)
    active = {labels.split('"')[1] for (name, labels), value in samples.items()
              if name == "miredo_health" and value == 1}
    t.ok(samples[("miredo_healthy", "")] == (code == "ok") and
         active == set(codes(json.loads(machine.stdout), True)),
         f"{what}: the metrics have the same codes", active)
    return look(t, done, machine, code, what, *facts)
