"""readme.py - the screens in the documents are those that the programs print

A screen stands in a fenced block behind a line <!-- screen NAME -->, in
README.md or in doc/troubleshooting.md. What differs from run to run and from machine to machine, figures, ages, drops, the
data path, counts for nothing here, nor do line breaks. README_WRITE=1 in the
environment puts the screens of this run into the file.
"""
import os
import re

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PATHS = [os.path.join(TOP, "README.md"),
         os.path.join(TOP, "doc", "troubleshooting.md")]
BLOCK = r"(<!-- screen {} -->\n```\n)(.*?)(```\n)"


def masked(text):
    for pattern, instead in (
            (r"2001:0:[0-9a-f:]+", "ADDRESS"),
            (r" \(engine \d+\)", ""),
            (r"(Dropped(?:/s)?|Data path) .*", r"\1"),
            (r"Next\s+try\s+(at\s+once|in\s+\d+\s+s)", "Next try"),
            (r"solicitations\b", "solicitation"),
            (r" (-|[\d.]+ ms)(?= )", " TIME"),
            (r"(\d+ [dhms] )?\d+ [dhms]\b", "TIME"),
            (r"[0-9.]+ ([KMGT]i)?B\b", "SIZE"),
            (r"<?\d[0-9.,]*( [kM])?", "N"),
            (r"\s+", " ")):
        text = re.sub(pattern, instead, text)
    return text.strip()


def differs(name, command, screen):
    """What is wrong with the screen of that name; None: nothing."""
    pattern = re.compile(BLOCK.format(name), re.S)
    for path in PATHS:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        found = pattern.search(text)
        if found:
            break
    else:
        return f"there is no screen {name}"
    shown = f"$ {command}\n{screen}"
    if os.environ.get("README_WRITE"):
        with open(path, "w", encoding="utf-8") as f:
            f.write(pattern.sub(lambda m: m[1] + shown + m[3], text))
        return None
    if masked(found[2]) == masked(shown):
        return None
    return (f"{os.path.basename(path)}:\n{found[2]}\nhere:\n{shown}\n"
            f"{masked(shown)}")


def check(t, name, command, screen):
    """The same as a test."""
    wrong = differs(name, command, screen)
    t.ok(wrong is None, f"the documents show the screen \"{name}\" as it is",
         wrong)
