#!/usr/bin/env python3
"""A publisher that knows the wire contract and nothing else.

Written from the contract alone (CONTRIBUTING.md, "The wire contract"): no line is shared with the agent, its
libraries or the tests' own tools. It stands for the gateway that somebody else builds. Its means are those of a
stranger with a shell: Python's standard library and mosquitto_rr, which subscribes, publishes one message and waits
for one answer, on one connection.

    publisher.py --dir DIR --host HOST --port PORT --gateway ID --username NAME --password WORD [--lines 100] [--until N]

DIR/readings is a file of lines of line protocol (milliseconds), to which others append whole lines. DIR/batch.<seq>
are the batches that were cut, DIR/epochs the epochs drawn, DIR/mark what is acknowledged. Each start is a new
epoch, drawn when its first batch is cut, which is when everything of the epoch before is acknowledged. The program
ends when N readings (--until) are acknowledged, otherwise never.
"""
import argparse
import os
import re
import secrets
import subprocess
import sys
import time

MAX_BATCH_BYTES = 96 * 1024  # mosquitto_rr takes a message from the command line only, which holds 128 KiB
KEPT = 1000  # acknowledged batches that are kept for a collector that has to ask again
ANSWER_S = 5  # how long one connection waits for an ack; the contract's probe waits 30 s at most
ACK = re.compile(r"epoch=([0-9a-f]{16}) seq=([0-9]+)( again=1)?")


def write_durably(path, data):
    """The file is there whole after a power cut, or as it was."""
    with open(path + ".new", "wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    os.rename(path + ".new", path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


class Spool:
    """Readings in the order of their file; batches by number; the mark. A batch file's first line tells its epoch and
    where in the readings it ends, the rest are its lines, which never change."""

    def __init__(self, folder, batch_lines):
        self.folder = folder
        self.batch_lines = batch_lines
        self.epoch = None  # drawn when the first batch of this start is cut
        self.epochs = [tuple(line.split()) for line in self.read("epochs").decode().splitlines()]  # (epoch, prev)
        self.mark = int(self.read("mark") or b"0")
        held = [int(name[6:]) for name in os.listdir(folder) if re.fullmatch(r"batch\.[0-9]+", name)]
        self.first, self.last = (min(held), max(held)) if held else (1, 0)
        self.end = self.load(self.last)[1] if held else 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        try:
            with open(self.path(name), "rb") as f:
                return f.read()
        except FileNotFoundError:
            return b""

    def load(self, seq):
        head, lines = self.read(f"batch.{seq}").split(b"\n", 1)
        epoch, end = head.decode().split()
        return epoch, int(end), lines

    def cut(self):
        """One more batch from the readings, durable before anybody sees it. False: nothing to cut."""
        with open(self.path("readings"), "rb") as f:
            f.seek(self.end)
            text = f.read(MAX_BATCH_BYTES)
        lines = text[: text.rfind(b"\n") + 1].splitlines(keepends=True)[: self.batch_lines]
        if not lines:
            return False
        if self.epoch is None:
            prev = f"{self.epochs[-1][0]}:{self.last}" if self.epochs else "-"
            self.epoch = secrets.token_hex(8)
            self.epochs.append((self.epoch, prev))
            write_durably(self.path("epochs"), "".join(f"{e} {p}\n" for e, p in self.epochs).encode())
        body = b"".join(lines)
        self.end += len(body)
        self.last += 1
        write_durably(self.path(f"batch.{self.last}"), f"{self.epoch} {self.end}\n".encode() + body)
        return True

    def message(self, seq):
        epoch, _, lines = self.load(seq)
        prev = dict(self.epochs)[epoch]
        head = f"#park1 epoch={epoch} seq={seq} first={self.first}" + ("" if prev == "-" else f" prev={prev}")
        return head.encode() + b"\n" + lines

    def last_of(self, epoch):
        """The last seq of an epoch of this spool, None of a foreign one."""
        for i, (e, _) in enumerate(self.epochs):
            if e == epoch:
                return int(self.epochs[i + 1][1].split(":")[1]) if i + 1 < len(self.epochs) else self.last
        return None

    def acknowledge(self, epoch, seq, again):
        last = self.last_of(epoch)
        current = bool(self.epochs) and epoch == self.epochs[-1][0]
        if last is None or (current and seq > last):
            print(f"ack of epoch {epoch} seq {seq} is none of ours, ignored", file=sys.stderr)
            return
        seq = min(seq, last)
        if again or seq > self.mark:
            self.mark = max(seq, self.first - 1)
            write_durably(self.path("mark"), str(self.mark).encode())
        while self.mark - self.first >= KEPT:
            self.first += 1
            os.unlink(self.path(f"batch.{self.first - 1}"))


def exchange(args, message):
    """Publishes one batch and returns the text of the first ack that comes, "" if none does."""
    topic = f"park/v1/gw/{args.gateway}"
    done = subprocess.run(
        ["mosquitto_rr", "-V", "5", "-h", args.host, "-p", str(args.port), "-u", args.username, "-P", args.password,
         "-i", f"park-{args.gateway}", "-q", "1", "-R", "-W", str(ANSWER_S), "-t", f"{topic}/up", "-e", f"{topic}/ack",
         "-m", message], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip()


def main():
    parser = argparse.ArgumentParser()
    for name in ("dir", "host", "gateway", "username", "password"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--until", type=int, default=None)
    args = parser.parse_args()
    spool = Spool(args.dir, args.lines)
    went_back_s = 0.0
    while True:
        if spool.mark == spool.last and not spool.cut():
            done = spool.read("readings").count(b"\n")
            if args.until is not None and done >= args.until:
                print(f"{done} readings in {spool.last} batches and {len(spool.epochs)} epochs acknowledged")
                return
            time.sleep(0.2)
            continue
        answer = ACK.fullmatch(exchange(args, spool.message(spool.mark + 1)))
        if answer is None:
            time.sleep(0.2)  # no broker, no collector, or an answer that is none: the same batch again
            continue
        if answer[3]:  # a refusal is obeyed at most once a second
            time.sleep(max(0.0, went_back_s + 1 - time.monotonic()))
            went_back_s = time.monotonic()
            print(f"refusal: back to {answer[2]}", file=sys.stderr)
        spool.acknowledge(answer[1], int(answer[2]), answer[3] is not None)


if __name__ == "__main__":
    main()
