"""exchange.py -- a real broker and real nodes, told what to do.

The broker runs under recorder.so, on the small world of tests/lib/world.h;
nodes are tests/prog/peer.  What a node was told is journalled here, in another
process than the broker: whatever happens to it, that was promised.
"""
import os
import select
import socket
import subprocess
import time

import disk

BUILD = os.environ.get("HT_BUILD", "build/release")
ASKER = "tax.demo/state", "main"
ASKED = "scjg.demo/registry", "main"


def recorder_env(root, trace=None, fault=None, **more):
    env = {**os.environ, "LD_PRELOAD": f"{BUILD}/crash/recorder.so",
           "HT_CRASH_ROOT": root, **more}
    if trace:
        env["HT_CRASH_TRACE"] = trace
    if fault:
        env["HT_CRASH_FAULT"] = fault
    return env


class Gone(Exception):
    """The broker has ended, or a node waits in vain."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Peer:
    def __init__(self, exchange, member, node):
        self.exchange, self.rest = exchange, b""
        self.process = subprocess.Popen(
            [f"{BUILD}/prog/peer", exchange.address, member, node],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.say("open")

    def say(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def line(self):
        """The next; what it says was promised is journalled."""
        until = time.monotonic() + 20
        while b"\n" not in self.rest:
            if not select.select([self.process.stdout], [], [], .1)[0]:
                if time.monotonic() > until or not self.exchange.alive():
                    raise Gone
                continue
            some = os.read(self.process.stdout.fileno(), 65536)
            if not some:
                raise Gone
            self.rest += some
        line, self.rest = self.rest.split(b"\n", 1)
        words = line.decode().split()
        self._journal(words)
        return words

    def _journal(self, words):
        if words[0] == "newest" and len(words) == 3:
            self.exchange.mark(f"tree {words[1]} {words[2]}")
        elif words[0] == "ack" and int(words[2]) > 0:
            self.exchange.mark(f"place {words[2]}")
        elif words[0] == "deliver":
            last = int(words[2]) + int(words[1]) - 1
            self.exchange.mark(f"place {last}")

    def until(self, *first):
        while True:
            words = self.line()
            if words[0] in first or words[0] in ("nothing", "error"):
                return words

    def hello(self, *more):
        self.say("hello " + " ".join(more))
        if self.until("welcome")[0] != "welcome":
            raise Gone

    def acked(self, n, command):
        self.say(command)
        words = None
        for _ in range(n):
            words = self.until("ack")
            if words[0] != "ack":
                raise Gone
        self.say("newest")
        self.until("newest")
        return words

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Exchange:
    def __init__(self, folder):
        self.folder, self.marks = folder, []
        self.trace, self.trace_path = None, None
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.disk = f"{folder}/disk"  # with the log, and nothing else
        os.makedirs(self.disk)
        subprocess.run([f"{BUILD}/prog/world", folder, self.address],
                       check=True)
        self.conf = f"{folder}/broker.yaml"
        with open(self.conf, "w") as out:
            out.write(f"authority: authority\nlisten: {self.address}\n"
                      "transport-key: keys/broker.key\n"
                      "log: {dir: disk/log, key: keys/log.key, reserve: 1MiB}\n"
                      "control: ctl.sock\nfreshen-every: 200ms\n")
        self.broker, self.peers = None, []

    def mark(self, text):
        """Said to a node: into the journal, and the trace if there is one."""
        self.marks.append(text)
        if self.trace is not None:
            data = text.encode()
            os.write(self.trace, disk.HEAD.pack(
                disk.MARK, 0, 0, 0, 0, 0, 0, len(data), 0) + data)

    def record_to(self, path):
        self.trace_path = path
        self.trace = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def start(self, fault=None, **more):
        """True when it serves; False when it has ended instead."""
        env = recorder_env(self.disk, self.trace_path, fault, **more)
        with open(f"{self.folder}/broker.log", "a") as err:
            self.broker = subprocess.Popen(
                [f"{BUILD}/hutong-broker", "--config", self.conf],
                stderr=err, env=env)
        until = time.monotonic() + 20
        while self.alive() and time.monotonic() < until:
            if self._ready():
                return True
            time.sleep(.02)
        return False

    def _ready(self):
        found = subprocess.run(
            [f"{BUILD}/hutong-broker", "ctl", "--config", self.conf, "--json",
             "status"], capture_output=True, check=False)
        return b'"ready":true' in found.stdout

    def alive(self):
        return self.broker.poll() is None

    def peer(self, member, node):
        self.peers.append(Peer(self, member, node))
        return self.peers[-1]

    def nodes(self):
        asker, asked = self.peer(*ASKER), self.peer(*ASKED)
        asker.hello()
        asked.hello("serves")
        return asker, asked

    def end(self, sign=None, patience=20):
        """The broker's exit code; None: it had to be killed."""
        for peer in self.peers:
            peer.close()
        self.peers = []
        if sign is not None and self.alive():
            self.broker.send_signal(sign)
        try:
            return self.broker.wait(patience)
        except subprocess.TimeoutExpired:
            self.broker.kill()
            self.broker.wait()
            return None


def exchanges(asker, asked, rng, rounds):
    """Asked, handed on, answered, handed back; now and then refused."""
    for _ in range(rounds):
        if rng.random() < .15:
            asker.acked(1, "ask 1 purpose=curiosity")
        n = rng.randint(1, 6)
        asker.acked(n, f"ask {n}")
        asked.say("next")
        if asked.until("deliver")[0] != "deliver":
            raise Gone
        asked.say("got")
        asked.acked(n, "answer")
        asker.say("next")
        if asker.until("deliver")[0] != "deliver":
            raise Gone
        asker.say("got")
