#!/usr/bin/python3
"""CPython's own tests, each module in a clean copy of one interpreter.

usage: python_suite.py BUILD-DIR [MODULE...]

The tests are those of Debian's package libpythonVERSION-testsuite, for the version that
/usr/bin/python3 has. python_suite_VERSION.txt has those that are known to fail, and why,
and those that are not run. A test that fails and is not in there fails this test, and so
does one that is in there and passes.
"""
import collections
import concurrent.futures
import fnmatch
import json
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "server"))

from support import Server  # noqa: E402

PYTHON = "/usr/bin/python3"
DRIVER = HERE / "python_suite_driver.py"
FUNCTION = {
    "name": "suite", "kind": "linux", "program": PYTHON,
    "argv": ["python3", str(DRIVER)], "files": [str(DRIVER)],
    "environment": {"HOME": "/tmp"}, "memory": "1GiB", "stack": "2MiB",
    "tmp": "64MiB", "max_reply": "16MiB", "timeout": "5m", "init_timeout": "5m",
    "concurrency": {"max": 2, "queue_timeout": "10m"}, "log_level": "error",
    # what ctypes makes of Python functions is code
    "writable_code": True,
}
GROUPS = {
    "language": """__future__ _opcode abc array ast augassign baseexception binop
        bool builtin call class code codeop compare compile contains context
        contextlib copy copyreg coroutines dataclasses decorators defaultdict deque
        descr descrtut dict dictcomps dictviews dis dynamicclassattribute enum
        enumerate eof except_star exception_group exception_hierarchy
        exception_variations exceptions extcall finalization flufl format frame
        fstring funcattrs functools future gc generator_stop generators genericalias
        genericclass genexps global grammar hash index inspect isinstance iter
        iterlen itertools keyword keywordonlyarg list listcomps longexp memoryview
        metaclass module named_expressions opcache operator ordered_dict patma
        peepholer pickle picklebuffer positional_only_arg print property raise range
        reprlib richcmp scope set setcomps slice sort structseq subclassinit super
        sys symtable syntax sys_setprofile sys_settrace traceback tuple
        type_annotations typechecks types typing unary unpack unpack_ex userdict
        userlist userstring weakref weakset with yield_from""",
    "numbers": """abstract_numbers bisect calendar cmath colorsys complex datetime
        decimal float fractions heapq int int_literal long math numeric_tower pow
        random strtod struct zoneinfo""",
    "text": """base64 binascii bytes codeccallbacks codecs csv configparser difflib
        email fnmatch gettext html htmlparser json locale multibytecodec pprint re
        shlex string string_literals stringprep strptime strftime textwrap tokenize
        ucn unicode unicode_identifiers unicodedata urlparse minidom pyexpat sax
        xml_etree optparse getopt quopri plistlib""",
    "files": """bz2 file filecmp fileinput fileio fileutils genericpath glob gzip
        hashlib hmac io ioctl largefile linecache lzma marshal memoryio mmap netrc
        pathlib posixpath shelve shutil tarfile tempfile unicode_file
        unicode_file_functions univnewlines wave zipapp zipimport zlib""",
    "system": """atexit ctypes errno fcntl getpass grp logging os platform poll
        posix pwd resource sched select selectors signal site support sysconfig
        syslog time timeit tracemalloc uuid uu""",
    "threads": """asyncio.test_futures asyncio.test_pep492 asyncio.test_protocols
        asyncio.test_selector_events asyncio.test_transports queue thread threading
        threading_local threadsignals""",
}
# In a build with a sanitizer, which is for what the system calls do.
SANITIZED = ("files", "system", "threads")


class Manifest:
    """The patterns of a file, each with its reason."""

    def __init__(self, path):
        self.fails, self.omitted = {}, {}
        chosen = reason = None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith("["):
                kind, _, reason = line.strip("[]").partition(": ")
                chosen = {"fails": self.fails, "not run": self.omitted}[kind]
            elif line and not line.startswith("#"):
                assert reason and line not in chosen, f"{path}:{number}: {line}"
                chosen[line] = reason
        self.used = set()

    def expects(self, name):
        """Whether the test is known to fail."""
        found = [p for p in self.fails if fnmatch.fnmatchcase(name, p)]
        self.used.update(found)
        return bool(found)


class Run:
    """One run of modules."""

    def __init__(self, server, manifest):
        self.server, self.manifest = server, manifest
        self.counts = collections.defaultdict(collections.Counter)
        self.wrong = []

    def ask(self, module):
        request = {"module": f"test_{module}",
                   "omit": list(self.manifest.omitted)}
        with self.server.http() as http:
            http.socket.settimeout(1000)
            response = http.post("suite", json.dumps(request).encode())
        answer = json.loads(response.body)
        if response.status == 200 and "result" in answer:
            return answer["result"]
        return {"passed": [], "skipped": {},
                "failed": {f"test_{module}": answer.get("detail", str(answer))}}

    def unexpected(self, result):
        failed = {name: text for name, text in result["failed"].items()
                  if not self.manifest.expects(name)}
        passed = {name: "passes, and the manifest says that it does not"
                  for name in result["passed"] if self.manifest.expects(name)}
        return {**failed, **passed}

    def module(self, group, module):
        begun = time.monotonic()
        result = self.ask(module)
        wrong = self.unexpected(result)
        if wrong:
            # some judge the time that things take: as CPython's own runner does
            result = self.ask(module)
            again = self.unexpected(result)
            self.wrong += [f"{name}: {again[name]}"
                           for name in wrong if name in again]
        counts = {kind: len(result[kind])
                  for kind in ("passed", "failed", "skipped")}
        self.counts[group].update(counts)
        print(f"{module}: {counts}, {time.monotonic() - begun:.1f} s", flush=True)

    def check_used(self):
        """Each pattern is of a test that there is."""
        unused = self.manifest.fails.keys() - self.manifest.used
        self.wrong += [f"{pattern}: no test of this name fails"
                       for pattern in sorted(unused)]


def skip(text):
    print(f"skip: {text}")
    sys.exit(77)


def find_manifest():
    """The manifest of the version that is installed, if its tests are, too."""
    if not pathlib.Path(PYTHON).exists():
        skip(f"there is no {PYTHON}")
    text = ("import sys, os, test; print('%d.%d' % sys.version_info[:2], "
            "os.path.exists(os.path.dirname(test.__file__) + '/test_os.py'))")
    version, has_tests = subprocess.run(
        [PYTHON, "-c", text], capture_output=True, check=True, cwd="/",
        text=True).stdout.split()
    if has_tests != "True":
        skip(f"libpython{version}-testsuite is not installed")
    path = HERE / f"python_suite_{version}.txt"
    if not path.exists():
        skip(f"what fails of Python {version}'s tests is not known")
    return Manifest(path)


def main():
    Server.build, names = sys.argv[1], sys.argv[2:]
    doctor = subprocess.run([f"{Server.build}/thaw", "doctor"], check=False,
                            capture_output=True, text=True)
    if doctor.returncode:
        skip(f"this machine cannot run functions: {doctor.stdout}")
    manifest = find_manifest()
    modules = [(group, module) for group, text in GROUPS.items()
               for module in text.split() if not names or module in names]
    sanitized = Server.is_sanitized()
    if sanitized and not names:
        modules = [row for row in modules if row[0] in SANITIZED]
        print(f"skip: a sanitizer's build runs {', '.join(SANITIZED)} alone")
    catalog = json.dumps({"version": 1, "functions": [FUNCTION]}).encode()
    with Server(catalog, "--send-timeout", "5m", io="auto",
                surprises=["invocation failed"]) as server:
        run = Run(server, manifest)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda row: run.module(*row), modules))
    if not names and not sanitized:
        run.check_used()
    for group, counts in run.counts.items():
        print(f"{group}: {dict(counts)}")
    print("\n".join(run.wrong))
    sys.exit(bool(run.wrong))


if __name__ == "__main__":
    main()
