"""Makes the initramfs of an emulated machine: see run.py."""

import os
import re
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(HERE + "/../..")
OUT = TOP + "/build/emulated"

SLOWER = "6"  # check's time limits are multiplied by it


def is_elf(path):
    try:
        with open(path, "rb") as f:
            return f.read(4) == b"\x7fELF"
    except OSError:
        return False


class Archive:
    """Files for an initramfs: a cpio archive of the "newc" kind, not compressed."""

    def __init__(self):
        self.files = {}

    def put(self, path, data, mode=0o100644):
        parent = os.path.dirname(path)
        if parent != "/" and parent not in self.files:
            self.put(parent, b"", 0o040755)
        self.files[path] = (data, mode)

    def put_file(self, path, source=None):
        source = source or path
        with open(source, "rb") as f:
            self.put(path, f.read(), 0o100755 if os.access(source, os.X_OK) else 0o100644)

    def write(self, path):
        with open(path, "wb") as out:
            number = 0
            for name, (data, mode) in sorted(self.files.items()) + [("/TRAILER!!!", (b"", 0))]:
                number += 1
                name = name[1:].encode() + b"\0"
                fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
                head = b"070701" + b"".join(b"%08X" % x for x in fields) + name
                for part in (head, data):
                    out.write(part + b"\0" * (-len(part) % 4))


def walk(directory, without):
    for where, directories, files in os.walk(directory):
        directories[:] = [d for d in directories if d not in without]
        for name in files:
            yield where + "/" + name


def libraries(program):
    told = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return re.findall(r"(/\S+) \(0x", told.stdout) if told.returncode == 0 else []


def compile_c(compiler, name, *options):
    output = f"{OUT}/{name}"
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(compiler + flags + [*options, "-o", output], check=True)
    return output


def put_init(archive, arch, kernel):
    """init, with what it loads: the modules, and the shim its programs want."""
    compiler = ["gcc"]
    if arch == "arm64":
        compiler = ["aarch64-linux-gnu-gcc", f"--sysroot={TOP}/build/third_party/sysroot-arm64"]
    archive.put_file("/init", compile_c(compiler, "init-" + arch, "-static", HERE + "/init.c"))
    if arch == "amd64":
        shim = compile_c(compiler, "svm_shim.so", "-shared", "-fPIC", HERE + "/svm_shim.c")
        archive.put_file("/lib/svm_shim.so", shim)
    modules = sorted(x for x in os.listdir(kernel) if x.endswith(".ko"))
    for name in modules:
        archive.put_file("/lib/modules/" + name, f"{kernel}/{name}")
    archive.put("/modules", "".join(f"/lib/modules/{x}\n" for x in modules).encode())


def put_build(archive, machine, build):
    """The source tree; programs and guests of the build; the libraries of those not static."""
    for file in walk(TOP, ("build", ".git")):
        if os.path.isfile(file):
            archive.put_file(file)
    for file in walk(build, ("CMakeFiles",)):
        is_guest = file.endswith(".elf")
        if not is_elf(file) or not (is_guest or os.access(file, os.X_OK)):
            continue
        archive.put_file(file)
        if machine.arch == "amd64" and not is_guest:
            for library in libraries(file):
                archive.put_file(library)
    if machine.preset != "release":
        # where config/functions.json looks
        archive.put(TOP + "/build/release", machine.preset.encode(), 0o120777)


def programs_file(programs, limit):
    """The lines of /programs, as init.c wants them."""
    for p in programs:
        environment = {"PATH": "/bin", "HOME": "/", "CK_TIMEOUT_MULTIPLIER": SLOWER, **p.environment}
        variables = [f"{k}={v}" for k, v in environment.items()]
        yield "\t".join([p.name, str(limit), p.directory] + variables + p.argv) + "\n"


def make_initramfs(machine, build, programs, kernel, limit, path):
    archive = Archive()
    put_init(archive, machine.arch, kernel)
    put_build(archive, machine, build)
    archive.put("/programs", "".join(programs_file(programs, limit)).encode())
    archive.write(path)
