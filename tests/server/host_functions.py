#!/usr/bin/env python3
"""host_functions.py BUILD-DIR io_uring|epoll [PATTERN] - tests `thaw serve` with
functions that call the host: what is built in, and each other.
"""
import json
import os
import random
import re
import tempfile
import time

from support import ECHO, Server, Threads, main, test, wait_until

BUILTIN = ['config', 'print', 'time', 'invoke']

# A refused or failed invocation is a line of the log.
SURPRISES = ['invocation (refused|failed|timed out)', 'Sandbox.Timedout', 'Function.']


def calls(allow=BUILTIN, **more):
    return {'image': 'calls', 'memory': '4MiB', 'stack': '64KiB', 'timeout': '5s',
            'host': {'allow': allow, 'config': {'color': {'r': 1}, 'name': 'a "b"'}},
            **more}


FUNCTIONS = {'echo': ECHO, 'calls': calls(),
             'inner': calls(concurrency={'max': 1, 'queue': 8})}


def call(client, function, *args, on='calls'):
    return client.post(f'{on}/{function}', json.dumps(args).encode())


def result(response):
    assert response.status == 200, response
    return json.loads(response.body)['result']


@test('what is built in answers')
def builtin():
    with Server(FUNCTIONS, surprises=SURPRISES) as server:
        with server.http() as client:
            assert result(call(client, 'setting', 'color')) == '{"r":1}'
            assert result(call(client, 'setting', 'name')) == 'a "b"'
            assert 'no nothing' in result(call(client, 'setting', 'nothing'))
            now = result(call(client, 'print_and_time', 'a printed line'))
            assert abs(now / 1e9 - time.time()) < 5, now
            server.wait_line('a printed line')


@test('secrets are told to invocations, and are read anew by a reload')
def secrets():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'secret')

        def write(text):
            with open(path, 'w', encoding='ascii') as file:
                file.write(text)

        write('the first secret')
        functions = {'keeper': {'image': 'secrets', 'entry': 'tell',
                                'host': {'allow': ['secret'],
                                         'secrets': {'key': path}}}}
        with Server(functions) as server, server.http() as client:
            for _ in range(10):
                assert client.post('keeper', b'key').body == b'the first secret'
            write('another')
            assert server.reload()[1]['changed'] == ['keeper']
            assert client.post('keeper', b'key').body == b'another'
            assert server.reload()[1]['changed'] == []
            about = server.admin('GET', '/v1/functions/keeper').body
            assert path.encode() in about and b'another' not in about, about
        with Server(functions, '--watch') as server, server.http() as client:
            assert client.post('keeper', b'key').body == b'another'
            write('a third one')
            wait_until(lambda: client.post('keeper', b'key').body == b'a third one',
                       'it is noticed')


@test('functions call each other, on one worker and many')
def each_other():
    for workers in ('1', '3'):
        with Server(FUNCTIONS, '--workers', workers, surprises=SURPRISES) as server:
            with server.http() as client:
                assert result(call(client, 'pass', 'echo', 'hello', 0)) == 'hello'
                assert result(call(client, 'often', 'echo', 50)) == 50
                nested = json.dumps({'function': 'pass', 'args': ['echo', 'deep', 1]})
                assert result(call(client, 'pass', 'inner', nested, 1)) == \
                    '{"result":"deep"}'
                assert '2: the catalog has no function no' in \
                    result(call(client, 'pass', 'no', '', 0))
                assert result(call(client, 'pass', 'inner', '{}', 0))[0] == '3'
                self = json.dumps({'function': 'pass', 'args': ['inner', '{}', 0]})
                got = result(call(client, 'pass', 'inner', self, 0))
                assert got[:13] == '{"result":"3:', got
            server.wait_quiet()


@test('when all vms are busy, calls fail, and nothing waits for itself')
def no_deadlock():
    # who waited for a vm would do so until its caller's deadline
    functions = {'ring': calls(concurrency={'max': 4, 'queue': 100,
                                            'queue_timeout': '30s'}), 'echo': ECHO}
    with Server(functions, '--workers', '2', surprises=SURPRISES) as server:
        deep = json.dumps({'function': 'rest', 'args': [1]})
        for _ in range(3):
            deep = json.dumps({'function': 'pass', 'args': ['ring', deep, 5]})
        with Threads() as threads:
            seen = []

            def client():
                with server.http() as http:
                    for _ in range(10):
                        response = http.post('ring', deep.encode())
                        seen.append(response.status)
                return False

            for _ in range(8):
                threads.start(client)
            threads.join()
        assert len(seen) == 80 and set(seen) <= {200, 429}, set(seen)
        server.wait_quiet()
        with server.http() as http:
            assert result(call(http, 'pass', 'echo', 'after', 0, on='ring')) == 'after'


@test('a caller and its callee end at the same deadline')
def deadline():
    functions = {**FUNCTIONS, 'calls': calls(timeout='300ms')}
    with Server(functions, surprises=SURPRISES) as server:
        with server.http() as client:
            # it has its vm from now on, however long that takes here
            assert client.post('echo', b'').status == 200
            request = json.dumps({'function': 'rest', 'args': [20000]})
            response = client.post(
                'calls', json.dumps({'function': 'pass',
                                     'args': ['inner', request, 0]}).encode())
            assert response.status == 504, response
            # the callee's time is what was left of the caller's
            line = server.wait_line('invocation failed function=inner')[0]
            assert re.search(r'timeout of [12]\d\d\.', line), line
            assert result(call(client, 'pass', 'echo', 'after', 0)) == 'after'
        server.wait_quiet()


@test('the depth of calls is bounded')
def depth():
    functions = {'ring': calls(concurrency={'max': 16})}
    with Server(functions, surprises=SURPRISES) as server:
        deep = json.dumps({'function': 'rest', 'args': [0]})
        for _ in range(7):
            deep = json.dumps({'function': 'pass', 'args': ['ring', deep, 0]})
        with server.http() as client:
            response = client.post('ring', deep.encode())
            assert response.status == 200 and b'8 functions' not in response.body, response
        response = None
        deep = json.dumps({'function': 'pass', 'args': ['ring', deep, 0]})
        deep = json.dumps({'function': 'pass', 'args': ['ring', deep, 0]})
        with server.http() as client:
            response = client.post('ring', deep.encode())
            assert b'8 calls of functions by functions' in response.body, response


@test('callers rest through a reload, and find the new catalog')
def reload():
    with Server(FUNCTIONS, surprises=SURPRISES) as server:
        with Threads() as threads:
            seen = []

            def client():
                with server.http() as http:
                    for _ in range(20):
                        seen.append(result(call(http, 'pass', 'echo', 'x', 5)))
                return False

            threads.start(client)
            for _ in range(3):
                server.write_catalog(FUNCTIONS)
                server.reload()
            threads.join()
        assert seen == ['x'] * 20, seen


@test('callees outlive callers, catalogs and clients, and harm nothing')
def chaos():
    def catalog(i):
        some = {f'c{k}': calls(timeout=f'{60 + i * 7 * k % 200}ms',
                               concurrency={'max': 2 + (i + k) % 4, 'queue': 20})
                for k in range(4) if not k or i % (k + 2)}
        return {'echo': ECHO, 'slow': calls(concurrency={'max': 6}), **some}

    def passes(function, to, request, ms):
        return f'{function}/pass', json.dumps([to, request, ms]).encode()

    def client(number):
        choice = random.Random(number)
        with server.http() as http:
            for _ in range(choice.randrange(1, 8)):
                rest = json.dumps({'function': 'rest', 'args': [choice.randrange(150)]})
                nested = json.dumps({'function': 'pass', 'args': ['slow', rest, 3]})
                path, body = passes(f'c{choice.randrange(4)}', *choice.choice([
                    ('echo', 'x', 0), ('slow', rest, choice.randrange(80)),
                    ('c1', nested, 1), ('c2', nested, 3), ('c1', '{}', 0),
                    ('nobody', '', 0)]))
                if choice.random() < .15:
                    http.send(http.request_bytes('POST', f'/function/{path}', body))
                    http.reset()
                    # else the server has no place for connections left
                    time.sleep(.02)
                    return
                http.post(path, body)

    end = time.monotonic() + 4
    with Server(catalog(1), '--workers', '3', surprises=['.']) as server:
        with Threads() as threads:
            for number in range(8):
                threads.start(client, number)
            for i in range(2, 1000):
                server.write_catalog(catalog(i))
                server.reload()
                time.sleep(.1)
                if time.monotonic() > end:
                    break
        server.wait_quiet()
        assert server.function('slow')['inflight'] == 0


main()
