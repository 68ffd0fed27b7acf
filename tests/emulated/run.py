#!/usr/bin/env python3
"""Runs the test programs inside emulated machines that have a KVM of their own.

For each machine of machines.py: Debian's kernel (kernel.sh), an initramfs with
init.c, the source tree, and all executables of the build at their own paths;
booted by QEMU, which emulates every instruction. Inside, init runs the programs
that ctest knows, `thaw doctor`, each sample function, and `thaw serve` with a
client, and says on the console what became of them. If the machine hangs or crashes, it
is booted again for those that are left; and for the one that ran, too, if QEMU itself died,
once.

Prints a line for each program, as test.sh counts them:

    pass: MACHINE: PROGRAM
    FAIL: MACHINE: PROGRAM: WHY
    skip: MACHINE: PROGRAM[: PART]: WHY

build/emulated/MACHINE.tsv gets the same for table.py, MACHINE.log the console.
CK_* and TEST_* of the environment are handed to the programs, and TEST_EMULATED, for
tests of what is a matter of luck there.
"""

import argparse
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from initramfs import HERE, OUT, TOP, is_elf, make_initramfs
from machines import LEFT_OUT, MACHINES, SAMPLES, SHORT, SHORT_ENVIRONMENT, SHORT_OF_ARCH, SHORT_POLLED

PROGRAM_LIMIT = {True: 300, False: 900}  # seconds, by whether the run is short
MACHINE_LIMIT = {True: 900, False: 5400}
BOOT_LIMIT = 180
GRACE = 60  # for what init itself does
BOOTS = 3
OUTPUT = threading.Lock()  # machines run side by side
EMULATORS = set()  # processes that run
SKIPPED = 77
FAILED = 3  # the status if any program has


@dataclass
class Program:
    name: str
    argv: list
    directory: str = TOP
    environment: dict = field(default_factory=dict)
    expected: str = ""  # a line of its output matches


class Report:
    """Verdicts, to standard output and to the machine's .tsv file."""

    def __init__(self, machine, arch, path):
        self.machine, self.left_out, self.failed = machine, LEFT_OUT[arch], False
        self.file = open(path, "w", encoding="utf-8")

    def machine_is(self, text):
        self.file.write(f"machine\t{text}\n")

    def add(self, verdict, program, part="", why="", seconds=""):
        why = " ".join(why.replace(TOP + "/", "").split())
        self.file.write("\t".join((verdict, program, part, seconds, why)) + "\n")
        self.file.flush()
        self.failed |= verdict == "FAIL"
        words = [verdict, self.machine, program, part, why]
        self.say(": ".join(w for w in words if w) + (f" ({seconds} s)" if seconds else ""))

    def say(self, text):
        with OUTPUT:
            print(text, flush=True)

    def judge(self, program, how, seconds, output):
        """@how: "exit N", "signal N", or what else stopped it."""
        skips = {}
        for line in output:
            m = re.match(r"skip: (?:([^:]+): )?(.+)", line)
            if m:
                skips.setdefault(m[1] or "", m[2])
        if how == f"exit {SKIPPED}":
            self.add("skip", program.name, "", list(skips.values())[-1] if skips else "it does not say why")
            return
        why = "" if how == "exit 0" else how
        if not why and program.expected and not any(re.search(program.expected, x) for x in output):
            why = f"nothing in its output matches {program.expected}"
        if why:
            self.say("\n".join("    " + x for x in output[-100:]))
            told = [x for x in output if re.search(r":[FE]:", x)]
            self.add("FAIL", program.name, "", f"{why}; {told[0]}" if told else why, seconds)
            return
        self.add("pass", program.name, seconds=seconds)
        for part, text in skips.items():
            if part in self.left_out:
                text = "emulator: " + self.left_out[part]
            self.add("skip", program.name, part, text)


# What to run.


def ctest_programs(build):
    """Returns the test programs of a build, and its tests that are scripts."""
    told = subprocess.run(
        ["ctest", "--test-dir", build, "--show-only=json-v1"], stdout=subprocess.PIPE, check=True
    ).stdout
    programs, scripts = [], []
    for test in json.loads(told)["tests"]:
        argv = test.get("command", [])
        if argv and "qemu" in os.path.basename(argv[0]):
            argv = argv[1:]
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        environment = dict(x.split("=", 1) for x in properties.get("ENVIRONMENT", []))
        program = Program(test["name"], argv, properties.get("WORKING_DIRECTORY", TOP), environment)
        built = argv and argv[0].startswith(build + "/") and is_elf(argv[0])
        (programs if built else scripts).append(program)
    return programs, scripts


def choose(machine, build, options, report):
    """The programs to run; those that cannot be are reported."""
    thaw = build + "/thaw"
    programs = [Program("doctor", [thaw, "doctor"])]
    for name, (arguments, expected) in SAMPLES.items():
        programs.append(Program("sample_" + name, [thaw, "invoke", name] + arguments, expected=expected))
    # starts `thaw serve`, and says that it skips what is not served
    served = [thaw, "bench", "--only", "socket.rtt", "--only", "http.rtt", "--duration", "2s"]
    programs.append(Program("served", served, expected=r"http\.rtt/"))
    tests, scripts = ctest_programs(build)
    programs += tests
    for program in programs:
        program.environment.update({k: v for k, v in os.environ.items() if re.match("(CK|TEST)_", k)})
        program.environment.update(machine.environment)
        if machine.qemu:
            program.environment["TEST_EMULATED"] = "1"
        if LEFT_OUT[machine.arch]:
            program.environment["TEST_LEAVE_OUT"] = ",".join(LEFT_OUT[machine.arch])
        if options.short and program.name not in SHORT_POLLED:
            program.environment.update(SHORT_ENVIRONMENT)
    if options.short:
        known = {p.name: p for p in programs}
        names = [x for x in SHORT if machine.arch == "arm64" or x not in SHORT_OF_ARCH]
        for name in names:
            if name not in known:
                report.add("FAIL", name, why="the build has no such program")
        programs = [known[name] for name in names if name in known]
    elif not machine.qemu:
        programs += scripts
    elif not options.only:
        for script in scripts:
            report.add("skip", script.name, why="a script, and the machine has no shell")
    return [p for p in programs if re.search(options.only, p.name)]


# The machines.


def end_of(process):
    """The status with which QEMU ends, which has closed its output; negative: a signal."""
    try:
        return process.wait(GRACE)
    except subprocess.TimeoutExpired:
        return None


class Life:
    """A machine from its boot to its end; reports on programs as they end."""

    def __init__(self, command, log, deadline, limit, report, again):
        self.command, self.log, self.deadline, self.limit = command, log, deadline, limit
        self.report, self.version = report, ""
        self.again = again  # programs during which an emulator has died
        self.ready = self.done = False
        self.running, self.output = None, []
        self.last = []  # lines of the kernel and of QEMU
        self.why = ""  # it ended, if not as it should
        self.emulator_died = False  # by a signal: no fault of what ran in the machine

    def lines(self):
        """Yields what the console says, until it ends or is silent for too long."""
        # nice: emulating takes all a CPU has
        process = subprocess.Popen(
            ["nice", "-n", "19"] + self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        EMULATORS.add(process)
        said = queue.Queue()

        def listen():
            for raw in process.stdout:
                said.put(raw)
            said.put(None)

        threading.Thread(target=listen, daemon=True).start()
        self.patience = time.monotonic() + BOOT_LIMIT
        try:
            while True:
                left = min(self.patience, self.deadline) - time.monotonic()
                raw = said.get(timeout=max(left, 0.01))
                if raw is None:
                    if not self.done:
                        status = end_of(process)
                        self.why = f"the machine crashed, QEMU's status is {status}"
                        self.emulator_died = status is not None and status < 0
                    break
                self.log.write(raw)
                yield re.sub(r"\x1b\[[0-9;?=]*[a-zA-Z]|\x1bc", "", raw.decode("utf-8", "replace")).rstrip()
        except queue.Empty:
            late = time.monotonic() >= self.deadline
            self.why = "the machine's time was up" if late else "the machine hung"
        finally:
            process.kill()
            process.wait()
            EMULATORS.discard(process)
            self.log.flush()

    def run(self, programs):
        """Returns how many of the programs, in their order, have been dealt with."""
        dealt_with = 0
        for line in self.lines():
            word, _, rest = line.partition(" ")
            if word == "|":
                self.output.append(rest)
            elif word == "@ready":
                self.version, kvm = rest.split()
                self.ready = kvm == "kvm"
                self.patience = time.monotonic() + GRACE
                if not self.ready:
                    self.why = "the machine has no KVM"
                    break
            elif word == "@start":
                self.running, self.output, self.last = programs[dealt_with], [], []
                self.patience = time.monotonic() + self.limit + GRACE
            elif word == "@end":
                _, how, *number, seconds = rest.split()
                how = " ".join([how] + number) if number else f"not done within {self.limit} s"
                self.report.judge(self.running, how, seconds, self.output + self.last)
                self.running = None
                dealt_with += 1
                self.patience = time.monotonic() + GRACE
            elif word == "@done":
                self.done = True
            elif line:
                self.last = (self.last + [line])[-30:]
        if self.running and self.emulator_died and self.running not in self.again:
            self.again.append(self.running)
            self.report.add("skip", self.running.name, "the first time", self.explain())
        elif self.running:
            self.report.judge(self.running, self.explain(), "", self.output + self.last)
            dealt_with += 1
        return dealt_with

    def explain(self):
        """Why it ended, and its last words that mean something."""
        bad = [x for x in self.last if re.search("Kernel panic|Oops:|BUG:", x)]
        return ": ".join([self.why] + (bad[:1] or self.last[-1:]))


def qemu_command(machine, kernel, initramfs, pass_over):
    return machine.qemu + [
        *("-accel", "tcg,thread=multi", "-m", "2048"),
        *("-nographic", "-nodefaults", "-no-reboot", "-serial", "stdio"),
        *("-kernel", kernel + "/vmlinuz", "-initrd", initramfs, "-append"),
        f"console={machine.console} quiet loglevel=1 panic=-1 -- {pass_over}",
    ]


def run_emulated(machine, build, programs, options, report, path):
    fetched = subprocess.run(
        [HERE + "/kernel.sh", machine.kernel], stderr=subprocess.PIPE, text=True, check=False
    )
    if fetched.returncode:
        report.add("skip", "all programs", why=fetched.stderr.strip().split("\n")[-1])
        return
    if not shutil.which(machine.qemu[0]):
        report.add("skip", "all programs", why=f"{machine.qemu[0]} is not installed")
        return
    kernel = f"{TOP}/build/third_party/kernel-{machine.kernel}"
    limit = PROGRAM_LIMIT[options.short]
    deadline = time.monotonic() + MACHINE_LIMIT[options.short]
    initramfs = path + ".cpio"
    make_initramfs(machine, build, programs, kernel, limit, initramfs)
    done, why, again = 0, "", []
    with open(path + ".log", "wb") as log:
        for boot in range(BOOTS):
            command = qemu_command(machine, kernel, initramfs, done)
            life = Life(command, log, deadline, limit, report, again)
            done += life.run(programs[done:])
            if boot == 0:
                report.machine_is(f"Linux {life.version}")
            why = life.explain()
            if not life.ready or done == len(programs) or time.monotonic() >= deadline:
                break
    for program in programs[done:]:
        report.add("FAIL", program.name, why=f"not run: {why}")
    os.unlink(initramfs)


def run_native(programs, options, report):
    kvm = [x for x in os.listdir("/sys/module") if x.startswith("kvm_")]
    report.machine_is(f"Linux {os.uname().release}, {' '.join(kvm) or 'kvm'}")
    limit = PROGRAM_LIMIT[options.short]
    for p in programs:
        start = time.monotonic()
        process = subprocess.Popen(
            p.argv,
            cwd=p.directory,
            env={**os.environ, **p.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=limit)
            code = process.returncode
            how = f"exit {code}" if code >= 0 else f"signal {-code}"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            how = f"not done within {limit} s"
        lines = output.decode("utf-8", "replace").split("\n")
        report.judge(p, how, f"{time.monotonic() - start:.1f}", lines)


def stop(*_):
    """Ends at once, and leaves no QEMU behind."""
    for process in list(EMULATORS):
        process.kill()
    os._exit(1)


def plan_machine(name, options):
    """
    Returns the machine's report, and what is to be run for it, a call each. The short list
    is run by two emulators, one after the other or at once: so both CPUs are busy to the end.
    """
    machine = MACHINES[name]
    build = f"{TOP}/build/{machine.preset}"
    path = f"{OUT}/{name}" + (".short" if options.short else ".only" if options.only else "")
    report = Report(name, machine.arch, path + ".tsv")
    if not os.path.exists(build + "/CTestTestfile.cmake"):
        report.add("FAIL", "all programs", why=f"no build in build/{machine.preset}")
        return report, []
    programs = choose(machine, build, options, report)
    if not machine.qemu:
        return report, [lambda: run_native(programs, options, report)]
    parts = 2 if options.short else 1
    return report, [
        partial(run_emulated, machine, build, programs[i::parts], options, report, f"{path}.{i}" if i else path)
        for i in range(parts)
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--short", action="store_true", help="the short list alone")
    parser.add_argument("--only", default="", metavar="REGEX", help="the programs that match")
    parser.add_argument("machine", nargs="+", choices=MACHINES)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    os.makedirs(OUT, exist_ok=True)
    # two emulate most of the time on one CPU each; nothing runs beside this machine itself
    at_once = 1 if "native" in options.machine else min(2, os.cpu_count() or 1)
    plans = [plan_machine(name, options) for name in options.machine]
    with ThreadPoolExecutor(at_once) as pool:
        for _ in pool.map(lambda run: run(), [run for _, runs in plans for run in runs]):
            pass
    return FAILED if any(report.failed for report, _ in plans) else 0


if __name__ == "__main__":
    sys.exit(main())
