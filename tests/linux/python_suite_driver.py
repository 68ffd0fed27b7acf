"""python_suite_driver.py - runs modules of CPython's own tests, as a Linux program that
answers calls. A call is {"module": NAME, "omit": [PATTERN, ...]}: tests whose identifiers
match are not run. The result has the identifiers by outcome.
"""
import fnmatch
import importlib
import json
import os
import sys
import traceback
import unittest

# Tests write to the working directory, and import what they have written.
os.mkdir("/tmp/suite")
os.chdir("/tmp/suite")
sys.path[0] = "/tmp/suite"

from test import support  # noqa: E402
from test.support import (import_helper, os_helper,  # noqa: E402,F401
                          script_helper, threading_helper, warnings_helper)

# Nothing that wants a network, a display, much time or large files.
support.use_resources = []
TEXT_MAX = 4000


def name_of(test):
    return test.id().removeprefix("test.")


class Result(unittest.TestResult):
    """Notes what became of each test."""

    def __init__(self):
        super().__init__()
        self.ran = set()
        self.left_out = {}
        self.failed = {}

    def startTest(self, test):
        super().startTest(test)
        self.ran.add(name_of(test))

    def note(self, test, text):
        self.failed.setdefault(name_of(test), text[-TEXT_MAX:])

    def addFailure(self, test, err):
        self.note(test, "".join(traceback.format_exception(*err)))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err:
            self.addFailure(test, err)

    def addUnexpectedSuccess(self, test):
        self.note(test, "unexpected success")

    def addSkip(self, test, reason):
        self.left_out[name_of(test)] = reason


def tests_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def run_tests(suite, omit, result):
    chosen = unittest.TestSuite(
        test for test in tests_of(suite)
        if not any(fnmatch.fnmatchcase(name_of(test), p) for p in omit))
    chosen.run(result)


def run(name, omit):
    module = importlib.import_module("test." + name)
    loader, result = unittest.TestLoader(), Result()
    if hasattr(module, "test_main"):
        # of an older kind, which sets itself up before it runs its classes
        module.run_doctest = lambda *_, **__: None
        module.run_unittest = support.run_unittest = lambda *classes: run_tests(
            unittest.TestSuite(map(loader.loadTestsFromTestCase, classes)),
            omit, result)
        module.test_main()
    else:
        run_tests(loader.loadTestsFromModule(module), omit, result)
    for text in loader.errors:
        result.failed[name] = text[-TEXT_MAX:]
    return {"failed": result.failed, "skipped": result.left_out,
            "passed": sorted(result.ran - result.failed.keys()
                             - result.left_out.keys())}


def answer(line):
    call = json.loads(line)
    try:
        return {"result": run(call["module"], call["omit"])}
    except unittest.SkipTest as skip:
        return {"result": {"failed": {}, "passed": [],
                           "skipped": {call["module"]: str(skip)}}}
    except BaseException as error:
        return {"error": {"type": type(error).__name__,
                          "message": traceback.format_exc()[-1000:]}}


requests, replies = open("/dev/thaw"), open("/dev/thaw", "w")
for line in requests:
    print(json.dumps(answer(line)), file=replies, flush=True)
