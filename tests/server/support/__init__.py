"""What the tests of `thaw serve` share: a server with a catalog and a runtime folder
of its own, clients of its protocols, and a runner of tests. It needs Python's
standard library only.

The tests do not judge how long anything takes, because machines are slow at times.
Whatever they wait for has DEADLINE seconds.
"""
import collections
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

DEADLINE = 60
SKIPPED = 77

# Lines of the log: a server writes nothing else, whatever its functions say.
TEXT_LINE = re.compile(
    r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (error|warn|info|debug) (.*)')

# The backtrace of a function that has faulted, which is part of that failure.
BACKTRACE = re.compile(r'^({.*"msg":")?#0 \S+ \(0')

FRAME = struct.Struct('<IBBHQ4HQQQ')
REQUEST, REPLY = 1, 2
OK, ERROR, FAULT, TIMEOUT = 0, 1, 2, 3
BAD_REQUEST, NOT_FOUND, TOO_LARGE, THROTTLED, NOT_READY, FAILED = range(16, 22)

# Exit codes of thaw.
USAGE, CATALOG, NO_FILE, ENVIRONMENT = 2, 3, 4, 7
UNFINISHED, TERMINATED = 125, 143

Response = collections.namedtuple('Response', 'status headers body')
Reply = collections.namedtuple(
    'Reply', 'id status content_type request_id error_type error_message data')


# Functions of many tests: one that replies its request, one that sleeps, and one
# whose replies are more than a socket takes at once.
ECHO = {'image': 'echo', 'concurrency': {'max': 8, 'queue': 1000,
                                          'queue_timeout': '30s'}}
SLEEP = {'image': 'edges', 'entry': 'sleep_ms',
         'concurrency': {'max': 4, 'queue': 1000, 'queue_timeout': '30s'}}
LARGE = {'image': 'edges', 'entry': 'reply', 'max_reply': '8MiB',
         'memory': '32MiB', 'concurrency': {'max': 4, 'queue_timeout': '30s'}}
LARGE_SIZE = 6000000


def wait_until(condition, what):
    """Waits until it holds; returns what it returned."""
    end = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'waited in vain until {what}')
        time.sleep(0.01)


def connect(address):
    """A stream to a path or a (host, port)."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    stream = socket.socket(family, socket.SOCK_STREAM)
    stream.settimeout(DEADLINE)
    try:
        stream.connect(address)
        if family == socket.AF_INET:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        stream.close()
        raise
    return stream


def reset(stream):
    """Closes a stream in such a way that its peer is sent a reset."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack('ii', 1, 0))
    stream.close()


class Stream:
    """Bytes in, messages out."""

    def __init__(self, address):
        self.socket = connect(address)
        self.buffer = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        reset(self.socket)

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        """More bytes, or EOFError."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise EOFError('the server has closed the connection')
        self.buffer += data

    def take(self, size):
        while len(self.buffer) < size:
            self.fill()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def is_ended(self):
        """Whether the server has ended it, and there is nothing before that."""
        try:
            return not self.buffer and self.socket.recv(1) == b''
        except ConnectionResetError:
            return True


class Http(Stream):
    """A connection of HTTP/1.1."""

    @staticmethod
    def request_bytes(method, path, body=b'', headers=()):
        lines = [f'{method} {path} HTTP/1.1', 'Host: localhost',
                 f'Content-Length: {len(body)}']
        lines += [f'{name}: {value}' for name, value in dict(headers).items()]
        return '\r\n'.join(lines + ['', '']).encode() + body

    def response(self):
        while b'\r\n\r\n' not in self.buffer:
            self.fill()
        head, _, self.buffer = self.buffer.partition(b'\r\n\r\n')
        line, *fields = head.decode('latin-1').split('\r\n')
        version, status = line.split(' ')[:2]
        assert version == 'HTTP/1.1', line
        headers = {}
        for field in fields:
            name, _, value = field.partition(':')
            assert name.lower() not in headers, head
            headers[name.lower()] = value.strip()
        if int(status) in (100, 204):
            return Response(int(status), headers, b'')
        return Response(int(status), headers,
                        self.take(int(headers['content-length'])))

    def request(self, method, path, body=b'', headers=()):
        self.send(self.request_bytes(method, path, body, headers))
        return self.response()

    def post(self, function, body=b'', headers=()):
        return self.request('POST', f'/function/{function}', body, headers)

    def invoke(self, function, body=b'', headers=()):
        """By AWS Lambda's API."""
        return self.request(
            'POST', f'/2015-03-31/functions/{function}/invocations', body,
            headers)


class Frames(Stream):
    """A connection of the unix socket protocol."""

    @staticmethod
    def request_bytes(number, function, data=b'', content_type=b'', ident=b''):
        strings = [function.encode(), content_type, ident, b'']
        body = b''.join(strings) + data
        return FRAME.pack(len(body), 1, REQUEST, 0, number,
                          *map(len, strings), 0, 0, 0) + body

    def request(self, number, function, data=b''):
        self.send(self.request_bytes(number, function, data))

    def reply(self):
        (size, version, kind, status, number, a, b, c, d, _, _,
         reserved) = FRAME.unpack(self.take(FRAME.size))
        assert (version, kind, reserved) == (1, REPLY, 0)
        strings = [self.take(part) for part in (a, b, c, d)]
        return Reply(number, status, *strings, self.take(size - a - b - c - d))

    def call(self, function, data=b'', number=1):
        self.request(number, function, data)
        reply = self.reply()
        assert reply.id == number, reply
        return reply


def is_running(server):
    return server.function('sleep')['vms']['busy'] > 0


def slow_reader(server, http, reply_size):
    """A client that asks `large` for so much and takes little of it."""
    stream = Http.__new__(Http)
    stream.buffer = b''
    family = socket.AF_INET if http else socket.AF_UNIX
    stream.socket = socket.socket(family, socket.SOCK_STREAM)
    stream.socket.settimeout(60)
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream.socket.connect(server.address if http else server.socket_path)
    size = b'%d' % reply_size
    stream.send(Http.request_bytes('POST', '/function/large', size) if http
                else Frames.request_bytes(1, 'large', size))
    stream.take(100)
    return stream


class Server:
    """`thaw serve` with functions of the guests of @build.

    @functions: by name, what the catalog has to say about each; `image` is the
    name of a guest. @surprises: patterns of warnings and errors of the log that
    are none.
    """
    build = io = None

    def __init__(self, functions, *options, surprises=(), env=(), io=None,
                 files=None, prefix=(), preexec=None, pass_fds=(),
                 expects=0, listen=('127.0.0.1:0',), ready=True, **defaults):
        self.work = tempfile.mkdtemp(prefix='thaw-')
        self.run = os.path.join(self.work, 'run')
        self.catalog = os.path.join(self.work, 'functions.json')
        self.log_path = os.path.join(self.work, 'log')
        self.socket_path = os.path.join(self.run, 'thaw.sock')
        self.admin_path = os.path.join(self.run, 'admin.sock')
        self.defaults = {'memory': '16MiB', 'timeout': '10s', **defaults}
        # what others do on the machine is not the server's
        self.surprises = ['memory is short', *surprises]
        self.expects = expects
        self.json_log = 'json' in options
        self.told_to_end = False
        self.write_catalog(functions)
        command = [*prefix, os.path.join(self.build, 'thaw'), 'serve', '-c',
                   self.catalog, '--io', io or self.io, *options]
        if '--workers' not in options:
            command += ['--workers', '2']
        for address in listen:
            command += ['--listen', address]

        def before_exec():
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
            if preexec:
                preexec()

        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=log,
                preexec_fn=before_exec, pass_fds=pass_fds,
                env={'PATH': os.environ['PATH'], 'THAW_RUNTIME_DIR': self.run,
                     **{name: value for name, value in os.environ.items()
                        if name.endswith('SAN_OPTIONS')}, **dict(env)})
        if ready:
            self.wait_ready()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.end()
        except BaseException:
            self.show_log()
            raise
        finally:
            if kind is not None:
                self.show_log()
            self.kill()
            shutil.rmtree(self.work)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def show_log(self):
        print('# the server', 'runs' if self.process.poll() is None else
              f'has ended: {self.process.returncode}')
        lines = self.log().splitlines()
        # what a sanitizer has found may be far from the end
        found = next((i for i, line in enumerate(lines[:-60])
                      if re.search('(WARNING|ERROR): [A-Z][a-z]+Sanitizer|'
                                   'runtime error:', line)), None)
        report = [] if found is None else lines[found:found + 80]
        for line in report + lines[-60:]:
            print('# log:', line[:400])

    @classmethod
    def is_sanitized(cls):
        with open(os.path.join(cls.build, 'CMakeCache.txt'),
                  encoding='utf-8') as file:
            return re.search(r'^THAW_SANITIZE:\w+=.', file.read(), re.M)

    @classmethod
    def image(cls, name):
        folder = 'guest' if os.path.exists(
            os.path.join(cls.build, 'guest', f'{name}.elf')) else 'tests/guest'
        return os.path.join(cls.build, folder, f'{name}.elf')

    def catalog_bytes(self, functions):
        entries = [{'name': name, **about} for name, about in functions.items()]
        for entry in entries:
            if '/' not in entry.get('image', '/'):
                entry['image'] = self.image(entry['image'])
        return json.dumps({'version': 1, 'defaults': self.defaults,
                           'functions': entries}).encode()

    def write_catalog(self, functions, rename=False):
        self.functions = functions
        path = self.catalog + '.new' if rename else self.catalog
        with open(path, 'wb') as file:
            file.write(functions if isinstance(functions, bytes)
                       else self.catalog_bytes(functions))
        if rename:
            os.rename(path, self.catalog)

    def log(self):
        with open(self.log_path, 'rb') as file:
            return file.read().decode()

    def lines(self, pattern):
        return [line for line in self.log().splitlines()
                if re.search(pattern, line)]

    def wait_line(self, pattern, count=1):
        def found():
            code = self.process.poll()
            lines = self.lines(pattern)
            if len(lines) >= count:
                return lines
            assert code is None, (f'the server has ended: {code}, and its log '
                                  f'lacks {pattern}')
            return None

        return wait_until(found, f'the log has {pattern} {count} times')

    def is_up(self):
        code = self.process.poll()
        assert code is None, f'the server has ended: {code}\n{self.log()}'
        with contextlib.suppress(OSError, EOFError):
            response = self.admin('GET', '/readyz')
            return (response.status == 200 and
                    not json.loads(response.body)['functions']['pending'])
        return False

    def wait_ready(self):
        try:
            self.wait_line('listening.*(admin|kind":"admin)')
            wait_until(self.is_up, 'it is ready, and nothing is booted')
            self.wait_line('(info |")serving')
            self.find_port()
        except BaseException:
            self.show_log()
            self.kill()
            shutil.rmtree(self.work)
            raise

    def find_port(self):
        found = re.search(r'127\.0\.0\.1:(\d+)', self.log())
        self.address = ('127.0.0.1', int(found[1])) if found else None

    def http(self):
        return Http(self.address)

    def frames(self):
        return Frames(self.socket_path)

    def admin(self, method, path, body=b''):
        with Http(self.admin_path) as connection:
            return connection.request(method, path, body)

    def admin_json(self, path):
        response = self.admin('GET', path)
        assert response.status == 200, response
        return json.loads(response.body)

    def status(self):
        return self.admin_json('/v1/status')

    def function(self, name):
        return self.admin_json(f'/v1/functions/{name}')

    def metric(self, name):
        """The sum of a metric over its labels."""
        text = self.admin('GET', '/metrics').body.decode()
        rows = re.findall(rf'^{name}(?:{{[^\n]*}})? (\S+)$', text, re.M)
        assert rows, f'no metric {name}'
        return sum(map(float, rows))

    def reload(self):
        response = self.admin('POST', '/v1/reload')
        return response.status, json.loads(response.body)

    def rss_kib(self):
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as file:
            return int(re.search(r'VmRSS:\s+(\d+)', file.read())[1])

    def fds(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def signal(self, number):
        self.told_to_end |= number == signal.SIGTERM
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(DEADLINE)

    def check_works(self, function='echo'):
        """Both protocols answer."""
        with self.http() as http:
            response = http.post(function, b'works')
            assert (response.status, response.body) == (200, b'works'), response
        with self.frames() as frames:
            reply = frames.call(function, b'works', 7)
            assert (reply.status, reply.data) == (OK, b'works'), reply

    def wait_quiet(self):
        """No client is connected and nothing runs, but who asks for that."""
        def is_quiet():
            text = self.status()['connections']['open']
            rows = self.admin_json('/v1/functions')['functions']
            return text <= 1 and not any(
                row['vms']['busy'] + row['inflight'] + row['queued']
                for row in rows)
        wait_until(is_quiet, 'nothing is open or runs')

    def end(self):
        """Ends it if it still serves; its status and log are as they should."""
        if self.process.poll() is None and not self.told_to_end:
            self.signal(signal.SIGTERM)
        code = self.wait()
        assert code == self.expects, f'exit status {code}'
        self.check_log()
        if not code:
            assert not os.listdir(self.run), 'sockets are left behind'

    def check_log(self):
        for line in self.log().splitlines():
            if self.json_log:
                entry = json.loads(line)
                level, text = entry['level'], line
            else:
                match = TEXT_LINE.fullmatch(line)
                assert match, f'no line of a log: {line!r}'
                level, text = match.groups()
            if BACKTRACE.search(text):
                text = f'invocation failed: {text}'
            if level in ('error', 'warn'):
                assert any(re.search(p, text) for p in self.surprises), line


def edges(entry, **about):
    return {'image': 'edges', 'entry': entry, **about}


def sleep(most, queue, timeout='30s'):
    return edges('sleep_ms', concurrency={'max': most, 'queue': queue,
                                          'queue_timeout': timeout})


def lasts(server, busy, queued):
    """Waits until so many run and so many wait."""
    def is_so():
        row = server.function('slow')
        return row['vms']['busy'] == busy and row['queued'] == queued
    wait_until(is_so, f'{busy} run and {queued} wait')


def refuses(server, code, *texts):
    """It has ended at once, with a message that has all of @texts."""
    assert server.wait() == code, server.process.returncode
    *_, last, end = server.log().splitlines()
    assert 'cannot serve' in last and 'ended' in end, server.log()
    for text in texts:
        assert text in last, last
    server.expects = code
    server.surprises.append('cannot serve')


class Threads:
    """Functions that run until the block ends; their failures are its."""

    def __init__(self):
        self.stopping = threading.Event()
        self.threads = []
        self.failures = []
        self.counts = collections.Counter()

    def __enter__(self):
        return self

    def start(self, function, *arguments):
        """Calls it again and again; it may return False to end by itself."""
        def run():
            try:
                while not self.stopping.is_set():
                    if function(*arguments) is False:
                        break
                    self.counts[function.__name__] += 1
            except BaseException:  # whatever it is, the block has failed
                self.failures.append(traceback.format_exc())
        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()

    def wait_count(self, name, count):
        wait_until(lambda: self.failures or self.counts[name] >= count,
                   f'{name} has run {count} times')
        assert not self.failures, self.failures[0]

    def join(self):
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), 'a client hangs'
        assert not self.failures, self.failures[0]

    def __exit__(self, kind, *_):
        self.stopping.set()
        if kind is None:
            self.join()
        elif self.failures:
            print('#', self.failures[0].replace('\n', '\n# '))


TESTS = []


def test(text):
    """Registers a test that takes nothing; @text is the sentence it proves."""
    def register(function):
        TESTS.append((text, function))
        return function
    return register


class Skip(Exception):
    """A test cannot run here."""


def main():
    """main.py BUILD-DIR io_uring|epoll [PATTERN]: runs the tests."""
    Server.build, Server.io = os.path.abspath(sys.argv[1]), sys.argv[2]
    pattern = sys.argv[3] if len(sys.argv) > 3 else ''
    failed = 0
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('skipped: no access to /dev/kvm')
        sys.exit(SKIPPED)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for text, function in TESTS:
        if not re.search(pattern, text):
            continue
        start = time.monotonic()
        try:
            function()
            result = 'ok'
        except Skip as skip:
            result, text = 'ok', f'{text} # skip: {skip}'
        except BaseException:
            print('#', traceback.format_exc().replace('\n', '\n# '))
            result = 'not ok'
            failed += 1
        print(f'{result} - {text} ({time.monotonic() - start:.1f} s)',
              flush=True)
    sys.exit(failed > 0)
