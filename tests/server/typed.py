#!/usr/bin/env python3
"""typed.py BUILD-DIR io_uring|epoll [PATTERN] - tests `thaw serve` with typed
functions: by HTTP, by AWS's API and by the unix socket, as JSON and as messages.
"""
import json
import struct

from support import (BAD_REQUEST, ECHO, ERROR, NOT_FOUND, OK, Frames, Server,
                     main, test)

TYPED = 'application/vnd.thaw.typed'
INT, STRING = 1, 7

# A refused invocation is a line of the log.
SURPRISES = ['invocation (refused|failed)', 'Typed.', 'Function.']

FUNCTIONS = {'echo': ECHO, 'math': {'image': 'typed'},
             'add': {'image': 'typed', 'entry': 'add'},
             'cxx': {'image': 'typed_cxx'},
             'registered': {'image': 'registered',
                            'environment': {'INIT': ''}}}


def message(name, *values):
    """A call as guest/abi/thaw_typed.h has it."""
    def padded(data):
        return data + b'\0' * (8 - len(data) % 8)

    name = name.encode()
    items, rest = b'', padded(name)
    start = 24 + 16 * len(values)
    for value in values:
        if isinstance(value, int):
            items += struct.pack('<IIq', INT, 0, value)
        else:
            data = value.encode()
            items += struct.pack('<IIQ', STRING, len(data), start + len(rest))
            rest += padded(data)
    head = struct.pack('<IHHHHIQ', start + len(rest), 1, len(values), 0xffff, 0,
                       len(name), start)
    return head + items + rest


def result(data):
    size, kind, count = struct.unpack_from('<IHH', data)
    assert (size, kind, count) == (len(data), 2, 1), data
    of, length, bits = struct.unpack_from('<IIq', data, 24)
    return bits if of == INT else data[bits:bits + length].decode()


@test('HTTP calls typed functions by their path, or by their name in the body')
def http():
    with Server(FUNCTIONS, surprises=SURPRISES) as server:
        with server.http() as client:
            for function, body in (
                    ('math/add', b'[20,22]'),
                    ('math', b'{"function":"add","args":[20,22]}'),
                    ('math/add', b'{"args":[20,22]}'),
                    ('add', b'[20,22]')):
                response = client.post(function, body)
                assert response.status == 200, response
                assert response.body == b'{"result":42}', response
                assert (response.headers['content-type'] ==
                        'application/json'), response
            response = client.request('GET', '/function/math/nothing')
            assert response.body == b'{"result":null}', response
            response = client.invoke('math',
                                     b'{"function":"add","args":[1,2]}')
            assert response.body == b'{"result":3}', response
        server.check_works()


@test('what is wrong in a call is said, and its function never runs')
def refused():
    with Server(FUNCTIONS, surprises=SURPRISES) as server:
        with server.http() as client:
            response = client.post('math/add', b'[20,"22"]')
            assert response.status == 400, response
            detail = json.loads(response.body)['detail']
            assert ('argument 2 (b): expected int' in detail and
                    'given the string "22"' in detail), detail
            response = client.post('math/add', b'[20,')
            assert response.status == 400, response
            response = client.post('cxx/meen', b'[1,2]')
            assert response.status == 404, response
            assert 'did you mean mean?' in json.loads(response.body)['detail']
            response = client.invoke('cxx', b'{"function":"meen"}')
            assert response.status == 404, response
            response = client.invoke('add', b'[1]')
            assert response.status == 400, response
            # one that has run is an error of the function
            response = client.post('math/divide', b'[1,0]')
            assert response.status == 500, response
            assert b'Typed.DivisionByZero' in response.body, response
        for name in ('add', 'cxx'):
            counts = server.function(name)['dispatched']
            assert counts['exit'] + counts['polled'] == 0, counts
        server.check_works()


@test('the unix socket takes JSON, and messages without JSON')
def frames():
    with Server(FUNCTIONS, surprises=SURPRISES) as server:
        with server.frames() as client:
            reply = client.call('add', b'[20,22]')
            assert (reply.status, reply.data) == (OK, b'{"result":42}'), reply

            def call(function, data):
                client.send(Frames.request_bytes(9, function, data,
                                                 TYPED.encode()))
                return client.reply()

            reply = call('math', message('add', 20, 22))
            assert reply.status == OK, reply
            assert reply.content_type == TYPED.encode(), reply
            assert result(reply.data) == 42, reply
            reply = call('math', message('same_string', 'gr\u00fcn'))
            assert result(reply.data) == 'gr\u00fcn', reply
            reply = call('math', message('divide', 1, 0))
            assert reply.status == ERROR, reply
            reply = call('math', message('add', 20, 'x'))
            assert reply.status == BAD_REQUEST, reply
            assert b'expected int, given string' in reply.error_message, reply
            reply = call('cxx', message('meen', 1))
            assert reply.status == NOT_FOUND, reply
            whole = message('add', 20, 22)
            for size in (0, 1, 23, 24, 55, len(whole) - 1):
                reply = call('math', whole[:size])
                assert reply.status == BAD_REQUEST, (size, reply)
        server.check_works()


@test('the admin API shows signatures')
def signatures():
    with Server(FUNCTIONS) as server:
        functions = server.function('cxx')['functions']
        assert [one['signature'] for one in functions] == [
            'double mean(double a, double b)', 'void nothing()',
            'string repeat(string text, uint count)',
            'bytes tail(bytes all, ulong from)'], functions
        assert functions[0]['parameters'] == [
            {'name': 'a', 'type': 'double'}, {'name': 'b', 'type': 'double'}]
        assert server.function('echo')['functions'] == []
        assert server.function('echo')['imports'] == []
        functions = server.function('registered')['functions']
        assert [one['signature'] for one in functions] == [
            'int add(int a, int b)', 'int too_late()', 'int twice(int)'], \
            functions


if __name__ == '__main__':
    main()
