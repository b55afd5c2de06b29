#!/usr/bin/env python3
"""manual-verbs.py PAGE PROGRAM -- what a manual tells of each verb of a
program is what VERB --help tells.  A verb's options stand in its synopsis, in
its own paragraph, or in a section (.Ss) that either names as an argument."""
import re
import subprocess
import sys

page, program = sys.argv[1:]
SHORT = {"f": "-follow", "n": "-lines", "o": "-out"}


def help_of(*verb):
    return subprocess.run([program, *verb, "--help"], check=True, text=True,
                          capture_output=True).stdout


def options(lines):
    """Long names of all that stands behind .Fl."""
    names = re.findall(r"(?<![\w.])\.?Fl (-?[a-z][a-z-]*)", "\n".join(lines))
    names += [n for line in lines if re.match(r"\.(It |Op )?Fl ", line)
              for n in re.findall(r" , (-[a-z][a-z-]*)", line)]
    return {SHORT.get(n, n)[1:] for n in names}


def sections():
    """("verb", its name) or ("group", its name), and the lines below."""
    where, lines, found = None, [], []
    synopsis = False
    for line in open(page, encoding="utf-8"):
        line = line.rstrip("\n")
        new = None
        if line.startswith(".Sh"):
            synopsis, new = line == ".Sh SYNOPSIS", ("other", "")
        elif line.startswith(".Ss "):
            new = ("group", line[4:].lower())
        elif (m := re.match(r"\.It Cm ([a-z]+)", line)) or synopsis and (
                m := re.match(r"\.Cm ([a-z]+)", line)):
            new = ("verb", m[1])
        elif synopsis and line == ".Nm":
            new = ("other", "")
        if new and not (where and where[0] == "group" and new[0] == "verb"):
            found.append((where, lines))
            where, lines = new, []
        lines.append(line)
    return found + [(where, lines)]


told, named, groups = {}, {}, {}
for at, below in sections():
    if at and at[0] == "group":
        groups[at[1]] = options(below)
    elif at and at[0] == "verb":
        told.setdefault(at[1], []).append(options(below))
        words = set(re.findall(r"Ar ([a-z]+)", "\n".join(below)))
        named[at[1]] = named.get(at[1], set()) | words

usage = help_of().split("\n\n")[0]
verbs = re.findall(r"(?:usage:|      ) \S+ +([a-z][a-z-]*)", usage)
bad = []
for verb in verbs:
    takes = set(re.findall(r"--([a-z][a-z-]*)", help_of(verb)))
    takes |= {"out"} if "-o FILE" in help_of(verb) else set()
    if verb not in told:
        bad.append(f"{verb}: not in the manual")
        continue
    known = set().union(*told[verb])
    for group in named[verb]:
        known |= groups.get(group, set())
    bad += [f"{verb} --{o}: not in the manual" for o in sorted(takes - known)]
    # The first is the synopsis, where nothing else may stand.
    bad += [f"{verb} --{o}: in the synopsis, and not taken"
            for o in sorted(told[verb][0] - takes)]
bad += [f"{verb}: in the manual alone" for verb in sorted(set(told) - set(verbs))]
print("\n".join(bad) or f"{len(verbs)} verbs")
sys.exit(1 if bad or len(verbs) < 10 else 0)
