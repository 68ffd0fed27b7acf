#!/usr/bin/env python3
"""stand_in_server.py serve [--socket PATH] [--listen unix:PATH|HOST:PORT]...

Stands in for `thaw serve` in tests of its clients. It speaks frames at the socket; at
every other address it serves functions, Lambda's API and administration
(docs/protocol.md). It prints its ports when it listens, and ignores other options.
Its answers are made up; the counts of invocations grow with each look at the
functions as if a second had passed. POST /v1/drain ends it half a second later. While
there is a file called bad, a reload finds a bad catalog; while there is one called
busy, the server is already reloading.

The name of the function decides what it does with a request:

    ECHOES    echo
    closes    echo, and close the connection
    mixed     throttle every second request, and echo the others
    stall     the third request stops the server for 300 ms
    slow      echo after 50 ms
    flood     refuse the request before it has been read (HTTP)
    hangup    close the connection instead of a reply
    silent    never reply
    garbage   reply bytes that are no reply
    ERRORS    reply that error
    any other reply that there is no such function
"""
import argparse
import asyncio
import base64
import json
import os
import struct
import time

# The header of a frame (docs/protocol.md), and two of its kinds.
FRAME = struct.Struct('<IBBHQ4HQQQ')
REQUEST, REPLY = 1, 2

ECHOES = ('echo', 'hello', 'closes', 'mixed', 'stall', 'slow', '_echo', '_bench')
# Statuses of HTTP and of frames, type, message.
ERRORS = {
    'fails': (500, 1, 'Hello.InvalidRequest', 'byte 1: no \x1b[2J JSON'),
    'faults': (500, 2, 'Runtime.Fault', 'page fault at 0x0'),
    'overruns': (504, 3, 'Sandbox.Timedout', 'not done within its timeout'),
    'cooks': (418, 16, '', 'no coffee'),
    'large': (413, 18, '', 'larger than max_request'),
    'full': (429, 19, '', 'all vms are busy'),
    'drains': (503, 20, '', 'the server is draining'),
    'throws': (500, 21, '', 'thaw has failed'),
}
BOUNDS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000,
          100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000]
start = time.monotonic()
counts = {}
looks = 0


class End(Exception):
    """The connection ends, with these bytes."""


async def outcome(name):
    """The name of what becomes of a request: of an echo, or of an error."""
    counts[name] = count = counts.get(name, 0) + 1
    if name == 'stall' and count == 3:
        time.sleep(0.3)
    elif name == 'slow':
        await asyncio.sleep(0.05)
    elif name == 'silent':
        await asyncio.sleep(3600)
    elif name == 'hangup':
        raise End(b'')
    elif name == 'garbage':
        raise End(b'nothing that is a reply\r\n\r\n' * 4)
    elif name == 'mixed' and count % 2 == 0:
        return 'full'
    return name


def error_of(name):
    return ERRORS.get(name, (404, 17, '', f'no function {name}'))


def histogram(bucket, count):
    buckets = [0] * (len(BOUNDS) + 1)
    buckets[bucket] = count
    return {'buckets': buckets, 'sum_us': 0}


def function(name, rate, bucket, errors, state='active', reason=None):
    ok = rate * looks
    return {
        'name': name, 'description': 'An \x1b[31mexample', 'state': state,
        'reason': reason, 'image': f'/images/{name}.elf',
        'image_sha256': '0' * 64, 'image_bytes': 1000,
        'deployed_at': '2026-01-31T12:00:00Z', 'boot_us': 4000,
        'catalog': {
            'name': name, 'description': 'An \x1b[31mexample',
            'image': f'/images/{name}.elf', 'memory': '16MiB',
            'stack': '256KiB', 'max_request': '1MiB', 'max_reply': '1MiB',
            'timeout': '1s', 'init_timeout': '30s', 'inline_budget': '500us',
            'log_level': 'info', 'dispatch': 'exit', 'isolation': 'strict',
            'untrusted': False, 'critical': True,
            'concurrency': {'max': 16, 'warm': 2, 'queue': 64,
                            'queue_timeout': '1s'},
            'labels': {'team': 'none'}},
        'memory_bytes': 16 << 20, 'timeout_ms': 1000,
        'max_request_bytes': 1 << 20, 'max_reply_bytes': 1 << 20,
        'entry': name, 'kind': 'native', 'dispatch': 'exit',
        'isolation': 'strict', 'gate': 'none', 'polled': False, 'no_gate': '',
        'labels': {'team': 'none'},
        'concurrency': {'max': 16, 'warm': 2, 'queue': 64,
                        'queue_timeout_ms': 1000},
        'vms': {'idle': 3, 'busy': 1}, 'queued': 2, 'inflight': 1,
        'invocations': {'ok': ok, 'function_error': errors * looks,
                        'timeout': 0, 'crash': 0, 'oom': 0, 'too_large': 0,
                        'throttled': 0, 'refused': 0, 'failed': 0},
        'duration': histogram(bucket, ok),
        'phases': {'queue': histogram(0, ok), 'run': histogram(bucket, ok),
                   'restore': histogram(1, ok)},
        'snapshot': {'bytes': 2 << 20, 'boots': 1, 'boot_failures': 0,
                     'loaded': True, 'stored': True, 'not_stored': ''},
        'restores': ok, 'copied_bytes': 4096 * ok,
        'restores_offloaded': 0, 'queue_turns': ok, 'thread_waits': 0,
        'log': {'lines': 5, 'dropped': 0},
        'events': {'pending': 0, 'accepted': 0, 'done': 0, 'retried': 0,
                   'dropped': 0},
        'dispatched': {'polled': 0, 'exit': ok, 'no_core': 0},
    }


def functions():
    return [function('hello', 1000, 4, 0), function('echo', 10, 7, 5),
            function('broken', 0, 0, 0, 'failed', 'the image is missing')]


def status():
    return {
        'version': '0.1.0', 'pid': os.getpid(), 'state': 'serving',
        'start_time': '2026-01-31T12:00:00Z',
        'uptime_ms': int((time.monotonic() - start) * 1000) + 3723000,
        'io': 'io_uring', 'workers': 2, 'offload_threads': 4,
        'offload_busy': 0,
        'catalog': {'path': '/etc/thaw/functions.json', 'sha256': 'ab' * 32,
                    'generation': 1, 'last_reload_error': None, 'reloads': 0,
                    'reload_failures': 0},
        'connections': {'open': 1, 'max': 10000, 'total': 5, 'refused': 0},
        'requests': {'total': 9, 'bad': 0},
        'buffered': {'bytes': 0, 'max': 1 << 29},
        'events': {'queued': 0, 'max': 1000, 'oldest_ms': 0},
        'log': {'dropped': 0},
        'functions': {'total': 3, 'active': 2, 'pending': 0, 'failed': 1},
    }


def response(code, body, kind='application/json', headers=()):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f'HTTP/1.1 {code} Status', f'Content-Type: {kind}',
             f'Content-Length: {len(data)}', *headers]
    return '\r\n'.join([*lines, '', '']).encode() + data


def problem(code, detail, kind=''):
    body = {'type': 'about:blank', 'status': code, 'detail': detail}
    if kind:
        body['errorType'] = kind
    return response(code, body, 'application/problem+json',
                    ['X-Call-Id: 00112233'])


def administer(order):
    global looks
    if order == 'GET /livez':
        return response(200, b'ok\n', 'text/plain')
    if order == 'GET /v1/status':
        return response(200, status())
    if order == 'GET /v1/functions':
        looks += 1
        return response(200, {'bucket_bounds_us': BOUNDS,
                              'functions': functions()})
    for one in functions():
        if order == f'GET /v1/functions/{one["name"]}':
            return response(200, one)
    if order == 'POST /v1/reload' and os.path.exists('bad'):
        return problem(422, 'f.json:3: /functions/0/tmeout: no such key')
    if order == 'POST /v1/reload' and os.path.exists('busy'):
        return problem(409, 'reloads already')
    if order == 'POST /v1/reload':
        failed = [{'name': 'y', 'reason': 'init failed: no \x1b[1mtable'}]
        return response(200, {'generation': 2, 'added': ['x', 'y'],
                              'changed': [], 'removed': ['z'], 'unchanged': 4,
                              'pending': ['x'] if os.path.exists('half') else [],
                              'failed': failed if os.path.exists('half') else []})
    if order == 'POST /v1/drain':
        asyncio.get_running_loop().call_later(0.5, os._exit, 0)
        return response(202, {'state': 'draining'})
    return problem(404, f'no function {order.rsplit("/", 1)[1]}')


def invoke(name, fields, data):
    if name not in ECHOES:
        code, _, kind, message = error_of(name)
        return problem(code, message, kind)
    headers = ['X-Call-Id: 0123456789abcdef',
               'Server-Timing: queue;dur=0.010, run;dur=0.061']
    if name == 'closes':
        headers.append('Connection: close')
    return response(
        200, data, fields.get('content-type', 'application/octet-stream'),
        headers)


def invoke_lambda(name, fields, data):
    headers = ['x-amzn-RequestId: req-1']
    if fields.get('x-amz-invocation-type') == 'Event':
        return response(202, b'', headers=headers)
    if fields.get('x-amz-log-type') == 'Tail':
        log = b'START RequestId: req-1\na \x1b[2J line\nEND\n'
        headers.append('X-Amz-Log-Result: ' + base64.b64encode(log).decode())
    if name in ECHOES:
        return response(200, data, headers=headers)
    if name not in ERRORS:
        return response(404, {'Type': 'User', 'Message': 'Function not found'},
                        headers=headers)
    _, _, kind, message = ERRORS[name]
    headers.append('X-Amz-Function-Error: Unhandled')
    return response(200, {'errorType': kind, 'errorMessage': message},
                    headers=headers)


async def answer_http(reader):
    """The answer to the next request, and whether another may follow."""
    head = (await reader.readuntil(b'\r\n\r\n')).decode()
    line, *lines = head.rstrip().split('\r\n')
    fields = {name.lower(): value
              for name, value in (one.split(': ', 1) for one in lines)}
    assert 'host' in fields, head
    method, path, _ = line.split(' ')
    if path == '/function/flood':
        raise End(problem(413, 'larger than max_request'))
    data = await reader.readexactly(int(fields.get('content-length', 0)))
    if method == 'POST' and '/function/' in path:
        name = await outcome(path.rsplit('/', 1)[1])
        return invoke(name, fields, data), name != 'closes'
    if method == 'POST' and path.startswith('/2015-03-31/functions/'):
        return invoke_lambda(path.split('/')[3], fields, data), True
    return administer(f'{method} {path}'), True


async def answer_frame(reader):
    size, version, kind, _, number, *lengths = FRAME.unpack(
        await reader.readexactly(FRAME.size))
    assert (version, kind) == (1, REQUEST)
    body = await reader.readexactly(size)
    ends = [sum(lengths[:i]) for i in range(5)]
    name, content_type, *_ = (body[a:b] for a, b in zip(ends, ends[1:]))
    name = await outcome(name.decode())
    if name in ECHOES:
        code, data = 0, body[ends[4]:]
        strings = content_type or b'text/plain', b'req-2', b'', b''
    else:
        _, code, error, message = error_of(name)
        strings, data = (b'', b'req-2', error.encode(), message.encode()), b''
    body = b''.join(strings) + data
    return FRAME.pack(len(body), 1, REPLY, code, number, *map(len, strings),
                      10000, 61000, 0) + body, name != 'closes'


def server_of(answer):
    async def serve(reader, writer):
        try:
            goes_on = True
            while goes_on:
                data, goes_on = await answer(reader)
                writer.write(data)
                await writer.drain()
        except End as end:
            writer.write(*end.args)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
    return serve


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('verb')
    parser.add_argument('--socket')
    parser.add_argument('--listen', action='append', default=[])
    options, _ = parser.parse_known_args()
    servers = []
    ports = []
    if options.socket:
        servers.append(await asyncio.start_unix_server(
            server_of(answer_frame), options.socket))
    for address in options.listen:
        host, port = address.rsplit(':', 1)
        if host == 'unix':
            servers.append(await asyncio.start_unix_server(
                server_of(answer_http), port))
        else:
            servers.append(await asyncio.start_server(
                server_of(answer_http), host.strip('[]'), int(port)))
            ports.append(servers[-1].sockets[0].getsockname()[1])
    print(*ports, flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
