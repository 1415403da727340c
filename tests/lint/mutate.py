#!/usr/bin/env python3
"""mutate.py - would the tests notice?

tests/mutations/*.mut say how to break one rule each, and which tests must fail
then. Each is compiled by itself and linked with what the build has already, so
that one takes seconds and nothing in the build changes. An entry:

    = name
    rule  R-DEC-02: what it breaks
    by    sim a_story_that_fails
    by    search 3 20
    by    unit test_that_fails
    invariant  one-for-one
    in    libteredo/relay.c
    - text that stands there once
    + what stands there instead

White space counts as one blank, so that indenting does no harm; what does not
stand there exactly once is an error, and so is a mutant that does not build or
that one of its tests lets pass. Stories run with the fixed seed, `search 3 20`
is the first 20 random worlds of base 3. `invariant`: what fails is this
invariant of the referee, and no other check. Each that tests/sim/referee.c
names has a mutation.

usage: mutate.py [-b BUILD] [-j N] [-f | -l] [PATTERN...]
  -b  where libteredo, tests/unit and tests/sim are built; default: here
  -f  finds out instead which stories and tests fail
  -l  only looks whether the entries are complete and fit the sources
"""
import argparse
import concurrent.futures as futures
import fnmatch
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

SRC = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
SIM = 'tests/sim/sim'
SEARCH = 'tests/sim/search'
LIMIT = 60    # s; a test that hangs is no proof


class Trouble(Exception):
    pass


class Mutant:
    def __init__(self, name):
        self.name = name
        self.rule = self.file = ''
        self.by, self.invariants, self.old, self.new = [], [], [], []

    def __call__(self):
        """The text of the file with the change in it."""
        with open(os.path.join(SRC, self.file)) as f:
            text = f.read()
        words = ' '.join(self.old).split()
        found = list(re.finditer(r'\s+'.join(map(re.escape, words)), text))
        if len(found) != 1:
            raise Trouble(f'its text stands {len(found)} times in {self.file}')
        at = found[0]
        return text[:at.start()] + '\n'.join(self.new) + text[at.end():]


def read_mutants(path):
    mutants = []
    with open(path) as f:
        for number, line in enumerate(f, 1):
            key, _, value = line.rstrip('\n').partition(' ')
            value = value.strip()
            if key == '=':
                mutants.append(Mutant(value))
                continue
            if not key or key == '#':
                continue
            m = mutants[-1]
            if key == 'rule':
                m.rule = value
            elif key == 'in':
                m.file = value
            elif key == 'by':
                m.by.append(tuple(value.split()))
            elif key == 'invariant':
                m.invariants.append(value)
            elif key == '-':
                m.old.append(value)
            elif key == '+':
                m.new.append(value)
            else:
                sys.exit(f'{path}:{number}: {key}?')
    for m in mutants:
        if not (m.rule and m.file and m.by and m.old):
            sys.exit(f'{path}: {m.name} is not complete')
    return mutants


def read_invariants():
    """The names with which the referee fails, as it lists them."""
    with open(os.path.join(SRC, 'tests/sim/referee.c')) as f:
        theory = f.read().split('*/')[0]
    return set(re.findall(r'^ \*   ([a-z-]+) ', theory, re.M))


class Build:
    def __init__(self, top):
        self.top = os.path.realpath(top)
        self.members = {os.path.basename(lib):
                        self.call(['ar', 't', lib]).stdout.split()
                        for lib in glob.glob(os.path.join(self.top, '*.a'))}
        self.command = {}

    def call(self, command, **more):
        return subprocess.run(command, cwd=self.top, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, **more)

    def link_command(self, program):
        """What make would do, asked once."""
        if program not in self.command:
            out = self.call(['make', '-n', 'V=1',
                             *(x for lib in self.members
                               for x in ('-W', lib)), program]).stdout
            for line in out.splitlines():
                if f' -o {program} ' in line:
                    self.command[program] = line
        if program not in self.command:
            raise Trouble(f'make does not link {program}')
        return self.command[program]

    def compile(self, mutant, where):
        """Copies of the archives that it is in, with the mutant instead."""
        source = os.path.join(where, os.path.basename(mutant.file))
        stem = os.path.splitext(os.path.basename(mutant.file))[0]
        os.mkdir(os.path.join(where, 'new'))
        with open(source, 'w') as f:
            f.write(mutant())
        home = os.path.join(SRC, os.path.dirname(mutant.file))
        flags = ['-std=gnu11', '-g', '-O1', '-w', '-fPIE', '-DHAVE_CONFIG_H',
                 '-iquote', home, '-I', self.top, '-I', SRC]
        done = self.call([os.environ.get('CC', 'cc'), *flags, '-c', source,
                          '-o', os.path.join(where, stem + '.o')])
        if done.returncode:
            raise Trouble('it does not compile:\n' + done.stdout)
        libs = []
        for lib, members in self.members.items():
            for member in members:
                if not re.fullmatch(rf'(\w+-)?{stem}\.o', member):
                    continue
                copy = os.path.join(where, lib)
                shutil.copy(os.path.join(self.top, lib), copy)
                shutil.copy(os.path.join(where, stem + '.o'),
                            os.path.join(where, 'new', member))
                self.call(['ar', 'r', copy, os.path.join(where, 'new', member)])
                libs.append(lib)
        if not libs:
            raise Trouble(f'{stem}.o is in no library')
        return libs

    def link(self, program, where, libs):
        command = self.link_command(program)
        out = os.path.join(where, os.path.basename(program))
        command = command.replace(f' -o {program} ', f' -o {out} ')
        for lib in libs:
            command = re.sub(rf'(?<=\s){lib}\b', os.path.join(where, lib),
                             command)
        done = self.call(command, shell=True)
        if done.returncode:
            raise Trouble(f'{program} does not link:\n{done.stdout}')
        return out


def program_of(test):
    return {'sim': SIM, 'search': SEARCH}.get(test[0],
                                              'tests/unit/' + test[1])


def arguments_of(test):
    if test[0] == 'search':
        return ['-j', '1', '-b', test[1], test[2]]
    return ['-s', '1', *test[1:]] if test[0] == 'sim' else []


def run(build, program, arguments):
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT='TAP', top_srcdir=SRC)
    try:
        return build.call([program, *arguments], env=env, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise Trouble(f'{os.path.basename(program)} hangs')


def fouls(output):
    """The invariants that the simulation says to have failed."""
    return sorted(set(re.findall(r'^# (?:seed \d+: )?\[([a-z-]+)\] ', output,
                                 re.M)))


def check(build, mutant):
    with tempfile.TemporaryDirectory() as where:
        libs = build.compile(mutant, where)
        linked = {}
        for test in mutant.by:
            program = program_of(test)
            if program not in linked:
                linked[program] = build.link(program, where, libs)
            done = run(build, linked[program], arguments_of(test))
            if done.returncode == 0:
                raise Trouble(f'it survives {" ".join(test)}')
            if done.returncode == 64:
                raise Trouble(f'there is no {" ".join(test)}')
            for name in mutant.invariants:
                if test[0] != 'unit' and name not in fouls(done.stdout):
                    raise Trouble(f'[{name}] does not notice, but others do')


def find(build, mutant):
    """The stories and the tests of its module that fail."""
    caught = []
    with tempfile.TemporaryDirectory() as where:
        libs = build.compile(mutant, where)
        for program in candidates(mutant):
            try:
                done = run(build, build.link(program, where, libs),
                           ['-s', '1'] if program == SIM else [])
            except Trouble as trouble:
                caught.append(str(trouble))
                continue
            names = re.findall(r'^not ok \d+ - (\S+)', done.stdout, re.M)
            names += [f'[{name}]' for name in fouls(done.stdout)]
            if done.returncode:
                caught.append(f'{program} {" ".join(names)}')
    return caught


def candidates(mutant):
    word = os.path.basename(mutant.file).split('.')[0].split('_')[0]
    tests = glob.glob(os.path.join(SRC, 'tests/unit', f'test_{word}*.c'))
    return [SIM, SEARCH, *sorted(os.path.relpath(t, SRC)[:-2] for t in tests)]


def judge(build, mutant, finding):
    """One line, and whether all is well."""
    try:
        if finding:
            return '\n  '.join([mutant.name, *find(build, mutant)]), True
        check(build, mutant)
    except Trouble as trouble:
        return f'NOT caught {mutant.name} ({mutant.rule}): {trouble}', False
    by = ', '.join(' '.join(test) for test in mutant.by)
    return f'caught {mutant.name} by {by}', True


def sound(build, test):
    """A test that fails anyway proves nothing."""
    program = program_of(test)
    if run(build, os.path.join(build.top, program),
           arguments_of(test)).returncode == 0:
        return True
    print(f'{" ".join(test)} fails without a mutation')
    return False


def fits(mutant):
    """Whether there is such a text; the change itself is for the compiler."""
    try:
        mutant()
    except Trouble as trouble:
        print(f'{mutant.name}: {trouble}')
        return False
    return True


def look(mutants):
    """Whether the entries fit the sources, and none is missing."""
    named = {name for m in mutants for name in m.invariants}
    missing = read_invariants() ^ named
    for name in sorted(missing):
        print(f'[{name}]: no mutation, or not in the list of referee.c')
    return all([fits(m) for m in mutants]) and not missing


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-b', default='.')
    p.add_argument('-j', type=int, default=os.cpu_count())
    p.add_argument('-f', action='store_true')
    p.add_argument('-l', action='store_true')
    p.add_argument('pattern', nargs='*', default=['*'])
    o = p.parse_args()
    mutants = [m for path in sorted(glob.glob(SRC + '/tests/mutations/*.mut'))
               for m in read_mutants(path)]
    if not look(mutants):
        return 1
    if o.l:
        return 0
    build = Build(o.b)
    mutants = [m for m in mutants
               if any(fnmatch.fnmatch(m.name, x) for x in o.pattern or ['*'])]
    tests = sorted({test for m in mutants for test in m.by})
    caught = 0
    with futures.ThreadPoolExecutor(o.j) as pool:
        if not o.f and not all(pool.map(lambda t: sound(build, t), tests)):
            return 1
        for line, ok in pool.map(lambda m: judge(build, m, o.f), mutants):
            print(line, flush=True)
            caught += ok
    print(f'{caught} of {len(mutants)} mutations caught')
    return 0 if mutants and caught == len(mutants) else 1


sys.exit(main())
