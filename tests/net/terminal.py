"""terminal.py - a small terminal: what somebody sees who runs a command at it

A Terminal runs a command on a host with stdin, stdout and stderr at one pseudo
terminal, and keeps the screen as the few control sequences that our programs
use would make it. What is written past the right edge goes on in the next
line, and a newline in the last line scrolls, as everywhere.
"""
import fcntl
import os
import re
import select
import signal
import struct
import termios
import time

import lab

SEQUENCE = re.compile(r"\033\[([0-9;]*)([A-Za-z])|(\033\[?[0-9;]*$)|(.)",
                      re.DOTALL)


class Terminal:
    """A command at a terminal of that size; `env` beside the usual one."""

    def __init__(self, host, *command, columns=80, rows=24, env=()):
        self.text, self.rest, self.scrolled = "", "", 0
        self.master, slave = os.openpty()
        self.size(columns, rows)
        self.process = host.spawn("env", "-u", "NO_COLOR", "TERM=xterm", *env,
                                  *command, stdin=slave, stdout=slave,
                                  stderr=slave)
        os.close(slave)

    def size(self, columns, rows):
        """Of the window; what was on it is gone."""
        self.columns, self.rows = columns, rows
        self.lines = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    # ---- what is written ----

    def read(self, seconds=0.1):
        """Takes what was written; False: the command has ended."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:         # nobody has the other end any more
            return False
        self.write(data.decode("ascii"))
        return bool(data)

    def write(self, data):
        self.text += data
        data, self.rest = self.rest + data, ""
        for match in SEQUENCE.finditer(data):
            numbers, letter, cut, char = match.groups()
            if cut:
                self.rest = cut
            elif letter:
                self.control(letter, numbers)
            else:
                self.put(char)

    def control(self, letter, numbers):
        blank = [" "] * self.columns
        if letter == "H":
            self.row = self.column = 0
        elif letter == "K":
            line = self.lines[self.row]
            line[self.column:] = blank[self.column:]
        elif letter == "J":
            whole = numbers == "2"
            if not whole:
                self.control("K", "")
            for row in range(0 if whole else self.row + 1, self.rows):
                self.lines[row] = list(blank)
        elif letter != "m":
            raise lab.LabError(f"what is ESC [ {numbers} {letter}?")

    def put(self, char):
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.row += 1
        else:
            if self.column == self.columns:     # it wraps
                self.column = 0
                self.row += 1
            self.scroll()
            self.lines[self.row][self.column] = char
            self.column += 1
        self.scroll()

    def scroll(self):
        while self.row >= self.rows:
            self.lines.append([" "] * self.columns)
            self.lines.pop(0)
            self.row -= 1
            self.scrolled += 1

    # ---- what is seen ----

    def screen(self):
        """The lines, without blanks at their ends, and without empty ones
        below."""
        return "\n".join("".join(line).rstrip()
                         for line in self.lines).rstrip("\n").split("\n")

    def until(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            if not self.read() and not condition():
                raise lab.LabError(f"it ended before {what}: {self.text}")
            if time.monotonic() > end:
                raise lab.LabError(f"never {what}: {self.screen()}")

    def shows(self, text, seconds=60):
        self.until(lambda: any(text in line for line in self.screen()),
                   f"shows \"{text}\"", seconds)

    def end(self, signo=None, seconds=60):
        """To its end, after a signal: (exit code, all that was written)."""
        if signo:
            self.process.send_signal(signo)
        end = time.monotonic() + seconds
        while self.read() and time.monotonic() < end:
            pass
        os.close(self.master)
        return self.process.wait(lab.PATIENCE), self.text
