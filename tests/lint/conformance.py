#!/usr/bin/python3
"""conformance.py - which test proves which requirement

Reads doc/requirements.csv (the rules of the RFCs, each with an ID), the tests
and doc/deviations.csv, and writes doc/conformance.md. An ID counts as proven
by the test that it stands beside: in a unit test, in the comment before the
function or in its body; in the simulation, in the `ids` of a story, or in the
referee, which watches every story; in a fuzz harness, anywhere; in a test with
namespaces, in a function that reports or in the comment before it. What stands
in the comment that opens a file is theory and proves nothing, and so is what
stands at a helper.

With --check writes nothing, and prints in TAP what is wrong.
"""
import collections
import csv
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
SECTIONS = {
    "A": "All roles", "C": "Client", "S": "Server", "R": "Relay",
    "G": "Tunnels in general", "SEC": "Security",
    "X": "RFC 6081 and the fallback", "T": "Extensions",
}
# Those of a later step of the road map.
LATER_SECTIONS = {"X", "T"}
OBLIGATORY = {"MUST", "MUST NOT", "SHALL", "SHALL NOT", "SHOULD",
              "SHOULD NOT"}
KINDS = ("deviation", "later", "documented-only")

ID = r"(?:SEC|[ACSRGXT])-[A-Z0-9]+-[0-9]{2}"
# A-V4G-01..09, A-V4G-01 to A-V4G-09
REFERENCE = re.compile(rf"\b({ID})(?:\.\.([0-9]{{2}})| to ({ID}))?\b")
C_FUNCTION = re.compile(r"^(?:\w[\w *]*\s\**)?(\w+)\((?!\().*$")
UNIT_TEST = re.compile(r"^static void\s+(\w+)\(\s*void \*\*\w+\)", re.M)
PYTHON_FUNCTION = re.compile(r"^(?:#[^\n]*\n)*def (\w+).*?"
                             r"(?=^(?:#[^\n]*\n)*def |\Z)", re.M | re.S)
STORY = re.compile(r'\bSTORY\((\w+),((?:\s*"[^"]*")+)')


def expand(match):
    """The IDs that a reference names."""
    first, last = match[1], match[2] or (match[3] or match[1])[-2:]
    if match[3] and match[3][:-2] != first[:-2]:
        return [first, match[3]]
    return [f"{first[:-2]}{n:02d}"
            for n in range(int(first[-2:]), int(last) + 1)]


def references(text):
    return [i for m in REFERENCE.finditer(text) for i in expand(m)]


def c_parts(text):
    """(function, its text with the comments before it) for each in C."""
    name, part = None, []
    for line in text.splitlines():
        part.append(line)
        if name is None and (m := C_FUNCTION.match(line)):
            if not line.rstrip().endswith(";"):
                name = m[1]
        if line.startswith("}"):
            yield name, "\n".join(part)
            name, part = None, []
    yield None, "\n".join(part)


def without_theory(text):
    return re.sub(r"\A\s*/\*.*?\*/", "", text, flags=re.S)


def unit_proofs(text):
    tests = set(UNIT_TEST.findall(text))
    for name, part in c_parts(without_theory(text)):
        if name in tests:
            yield name, references(part)


def story_proofs(text):
    for name, ids in STORY.findall(text):
        yield name, references(ids)


def referee_proofs(text):
    for name, part in c_parts(without_theory(text)):
        yield f"{name} (in every scenario)", references(part)


def fuzz_proofs(text):
    yield "the corpus", references(text)


def python_proofs(text):
    """By the function that reports; also in the comment before it."""
    for m in PYTHON_FUNCTION.finditer(text):
        if ".ok(" in m[0]:
            yield m[1], references(m[0])


def shell_proofs(text):
    """By the sentence that reports on what stands before it."""
    seen = []
    for line in without_theory(text).splitlines():
        seen += references(line)
        if (m := re.match(r'\s*report "(.*)"', line)):
            yield m[1], seen
            seen = []


def proofs_of(path):
    text = path.read_text(encoding="utf-8")
    if path.match("tests/unit/test_*.c"):
        return unit_proofs(text)
    if path.match("tests/sim/story_*.c"):
        return story_proofs(text)
    if path.match("tests/sim/referee.c"):
        return referee_proofs(text)
    if path.match("tests/fuzz/fuzz_*.c"):
        return fuzz_proofs(text)
    if path.match("tests/net/t_*") and text.startswith("#!/usr/bin/python3"):
        return python_proofs(text)
    if path.match("tests/net/t_*.sh"):
        return shell_proofs(text)
    return ()


class Matrix:
    """What is asked, what is proven, and what is deliberately otherwise."""

    def __init__(self):
        self.rows = self.table("requirements.csv")
        self.reasons = self.table("deviations.csv")
        self.proofs = collections.defaultdict(list)
        self.unknown = []
        for path in self.files():
            self.read(path)

    @staticmethod
    def table(name):
        with open(TOP / "doc" / name, encoding="utf-8", newline="") as f:
            return {row["id"]: row for row in csv.DictReader(f)}

    @staticmethod
    def files():
        for folder in ("unit", "sim", "fuzz", "net"):
            for path in sorted((TOP / "tests" / folder).iterdir()):
                if (path.suffix in (".c", ".h", ".py", ".sh")
                        or path.name.startswith("t_")):
                    yield path

    def read(self, path):
        name = path.relative_to(TOP)
        text = path.read_text(encoding="utf-8")
        for i in sorted(set(references(text))):
            if i not in self.rows:
                self.unknown.append(f"{name}: {i}")
        for test, ids in proofs_of(path):
            for i in ids:
                if (name, test) not in self.proofs[i]:
                    self.proofs[i].append((name, test))

    def in_scope(self):
        return [i for i in self.rows if section(i) not in LATER_SECTIONS]

    def state(self, i):
        if i in self.reasons:
            return self.reasons[i]["kind"]
        if self.proofs.get(i):
            return "proven"
        return "later" if section(i) in LATER_SECTIONS else "open"

    def obligatory(self, i):
        return self.rows[i]["level"].upper() in OBLIGATORY


def section(i):
    return i.split("-")[0]


def proof_text(tests):
    by_file = collections.defaultdict(list)
    for name, test in tests:
        by_file[str(name)].append(f"`{test}`")
    return "; ".join(f"{name.removeprefix('tests/')}: {', '.join(found)}"
                     for name, found in by_file.items())


def last_column(matrix, i):
    tests = proof_text(matrix.proofs.get(i, ()))
    if i in matrix.reasons:
        reason = matrix.reasons[i]
        text = f"**{reason['kind']}**: {reason['reason']}"
        return f"{text} ({tests})" if tests else text
    if tests:
        return tests
    if matrix.state(i) == "later":
        return "**later**: a later step of the road map"
    return "no test names it"


def totals(matrix):
    states = ("proven", *KINDS, "open")
    yield "| section | rows | " + " | ".join(states) + " |"
    yield "| --- " * (len(states) + 2) + "|"
    for title, rows in (
            *((f"{s}: {title}", [i for i in matrix.rows if section(i) == s])
              for s, title in SECTIONS.items()),
            ("in scope", matrix.in_scope()),
            ("of these MUST and SHOULD",
             [i for i in matrix.in_scope() if matrix.obligatory(i)])):
        count = collections.Counter(map(matrix.state, rows))
        yield (f"| {title} | {len(rows)} | "
               + " | ".join(str(count[s]) for s in states) + " |")


def document(matrix):
    yield "# Conformance"
    yield ""
    yield ("Written by `tests/lint/conformance.py` from `requirements.csv`,\n"
           "`deviations.csv` and the IDs that tests name; do not edit.\n"
           "`make check` runs the tests of `unit` and `sim`, `make check-net`\n"
           "those of `net`. In scope are all sections but X and T, which\n"
           "belong to later steps of the road map. *Open* rows have no test\n"
           "yet; none of them is a MUST or a SHOULD.")
    yield ""
    yield from totals(matrix)
    for s, title in SECTIONS.items():
        rows = [i for i in matrix.rows if section(i) == s]
        if not rows:
            continue
        yield f"\n## {s}: {title}\n"
        yield "| ID | RFC | level | requirement | proof, or reason |"
        yield "| --- | --- | --- | --- | --- |"
        for i in rows:
            row = matrix.rows[i]
            cells = (i, f"{row['rfc']} {row['section']}", row["level"],
                     row["requirement"], last_column(matrix, i))
            yield ("| " + " | ".join(c.replace("|", "\\|") for c in cells)
                   + " |")


def reason_problems(matrix):
    for i, reason in matrix.reasons.items():
        if i not in matrix.rows:
            yield f"doc/deviations.csv: {i} is unknown"
        if reason["kind"] not in KINDS or not reason["reason"]:
            yield f"doc/deviations.csv: {i} has no kind or no reason"
        if reason["kind"] == "later" and matrix.proofs.get(i):
            yield f"{i}: later, and yet tested: {matrix.proofs[i][0][1]}"


def check(matrix, text):
    present = TOP / "doc" / "conformance.md"
    old = present.read_text(encoding="utf-8") if present.exists() else ""
    results = (
        ("every MUST and SHOULD has a test or a reason",
         [f"{i}: {matrix.rows[i]['requirement']}" for i in matrix.in_scope()
          if matrix.obligatory(i) and matrix.state(i) == "open"]),
        ("tests name requirements that exist", matrix.unknown),
        ("reasons are for requirements that exist and are not met yet",
         list(reason_problems(matrix))),
        ("doc/conformance.md is up to date",
         [] if old == text else ["run tests/lint/conformance.py"]),
    )
    print(f"1..{len(results)}")
    for n, (name, problems) in enumerate(results, 1):
        print(f"{'not ok' if problems else 'ok'} {n} - {name}")
        for problem in problems:
            print(f"# {problem}")
    return any(problems for _, problems in results)


def main():
    matrix = Matrix()
    text = "\n".join(document(matrix)) + "\n"
    if sys.argv[1:] == ["--check"]:
        return check(matrix, text)
    if sys.argv[1:]:
        sys.exit("usage: tests/lint/conformance.py [--check]")
    (TOP / "doc" / "conformance.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
