"""judge.py -- does what a crash left hold?

By check.c, which opens the log as the broker does, and by verify-log.py, which
shares no code with us, before anything of ours has touched the files and after.
"""
import importlib.util
import os
import select
import shutil
import subprocess
from pathlib import Path

import disk

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("HT_BUILD", "build/release")
PATIENCE = 20  # seconds for one state; damaged pages can be a ring
SHM = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def load_verifier():
    spec = importlib.util.spec_from_file_location(
        "verify_log", f"{HERE}/../lib/verify-log.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_world(work):
    world = f"{work}/world"
    subprocess.run([f"{BUILD}/prog/make-log", world], check=True,
                   stdout=subprocess.DEVNULL)
    note = open(f"{world}/authority/root.note").read()
    vkey = next(line.split()[1] for line in note.splitlines()
                if line.startswith("log: "))
    with open(f"{world}/vkey", "w") as out:
        out.write(vkey)
    return world


def reboot(files):
    """The machine went down: what names the boot names another."""
    for path in files:
        if path.endswith("index/boot"):
            files[path] = b"another boot\n"
    return files


def files_of(root):
    """Path -> content, as disk.Disk.files() has them."""
    return {path + "/" if content is None else path: content
            for path, _, content in disk.snapshot(root)}


def promised(marks):
    """What had been given out: entries at least, and the last checkpoint."""
    least, size, root = 0, 0, "-"
    for mark in marks:
        word, *rest = mark.split()
        if word == "tree" and int(rest[0]) >= size:
            size, root = int(rest[0]), rest[1]
        elif word == "place":
            least = max(least, int(rest[0]) + 1)
    return least, size, root


def came_back(files, marks):
    """What was erased stands in no file, and in no page that is free."""
    for mark in marks:
        word, *rest = mark.split()
        if word != "gone":
            continue
        for path, content in files.items():
            if content and bytes.fromhex(rest[0]) in content:
                return f"I8 what was erased is in {path} again"
    return None


def trees(marks):
    words = [mark.split() for mark in marks]
    return sorted({(int(w[1]), w[2]) for w in words if w[0] == "tree"})


class Checker:
    """check.c (or restored.c), started again when a state was too much."""

    def __init__(self, err, *command):
        self.err, self.command, self.process = err, command, None

    def ask(self, line):
        if self.process is None:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=self.err, text=True, bufsize=1)
        try:
            self.process.stdin.write(line + "\n")
            ready = select.select([self.process.stdout], [], [], PATIENCE)[0]
            if not ready:
                self.process.kill()
            answer = self.process.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        if answer:
            return answer
        code = self.process.wait()
        self.process = None
        return f"bad I1 the checker died of it: {code}"


class Judge:
    log = "log"  # what the independent verifier looks at, in the state

    def __init__(self, work, world, *command):
        os.makedirs(work, exist_ok=True)
        self.state, self.world = f"{work}/state", world
        self.checker = Checker(open(f"{work}/err", "w"),
                               *(command or [f"{BUILD}/crash/check"]))
        self.verifier = load_verifier()
        self.vkey = open(f"{world}/vkey").read().strip()

    def judge(self, files, marks, twice):
        """None, or what does not hold."""
        shutil.rmtree(self.state, ignore_errors=True)
        os.makedirs(self.state)
        disk.write_files(files, self.state)
        wrong = came_back(files, marks)
        if wrong:
            return wrong
        least, size, root = promised(marks)
        twice = twice and size > 0
        # An erasure under way is finished by the start: judge it after that.
        if twice and "log/vault/erasure.pending" not in files:
            wrong = self.independent(trees(marks))
        if not wrong:
            answer = self.checker.ask(f"{self.state} {least} {size} {root}")
            wrong = None if answer.startswith("ok ") else answer[4:]
        if twice and not wrong:
            wrong = self.independent(trees(marks))
        return wrong

    def independent(self, given_out):
        """verify-log.py: on what the cut left, and on what the start made of it.

        In a process of its own: what a lying disk leaves may kill it.
        """
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(theirs, self.verify(given_out).encode()[:4000])
            os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as answer:
            wrong = answer.read()
        if os.waitpid(child, 0)[1] != 0:
            wrong = "it died of it"
        return f"I7 verify-log.py: {wrong}" if wrong else None

    def verify(self, given_out):
        try:
            self.verifier.verify(Path(self.state) / self.log, self.vkey,
                                 f"{self.world}/authority", given_out)
        except self.verifier.Bad as why:
            return str(why)
        except Exception as why:  # whatever it stumbles over
            return f"{type(why).__name__}: {why}"
        return ""


class BackupJudge(Judge):
    """Of a backup's folder: what restored.c makes of it; and that holds, too."""
    log = "first"

    def __init__(self, work, world, source):
        super().__init__(work, world, f"{BUILD}/crash/restored", source)

    def judge(self, files, marks, twice):
        shutil.rmtree(self.state, ignore_errors=True)
        os.makedirs(self.state)
        disk.write_files(files, self.state)
        ended = [i for i, m in enumerate(marks) if m.startswith("backed ")]
        least = int(marks[ended[-1]].split()[1]) if ended else 0
        # A backup that ended well has followed what was erased before it.
        wrong = came_back(files, marks[:ended[-1]]) if ended else None
        if wrong:
            return wrong
        answer = self.checker.ask(f"{self.state} {least}")
        self.refused += answer.startswith("refused ")
        if not answer.startswith(("ok ", "refused ")):
            return answer[4:]
        if twice and answer.startswith("ok "):
            return self.independent([])
        return None

    refused = 0
