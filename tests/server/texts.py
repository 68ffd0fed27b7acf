#!/usr/bin/env python3
"""texts.py BUILD-DIR io_uring|epoll [PATTERN] - follows texts of a hostile guest
(tests/guest/hostile_text.h) on every way out of `thaw serve` and of the command
line.
"""
import json
import os
import subprocess
import time
import unicodedata

from support import ERROR, OK, Server, main, test, wait_until

MARK = 'so-it-says'
WILD = {'image': 'edges', 'entry': 'hostile_texts'}
BAD = {'image': 'inits', 'environment': {'INIT': 'fails_hostile'}}
FUNCTIONS = {'echo': {'image': 'echo'}, 'wild': WILD, 'bad': BAD}


def check_clean(text, allowed=''):
    """UTF-8 without a control character; returns it."""
    text = text.decode() if isinstance(text, bytes) else text
    for char in text:
        assert unicodedata.category(char) != 'Cc' or char in allowed, repr(text)
    return text


def check_json(text):
    """Valid JSON; no string in it has a control character. Returns it."""
    def walk(value):
        if isinstance(value, dict):
            for key, member in value.items():
                walk(key)
                walk(member)
        elif isinstance(value, list):
            for member in value:
                walk(member)
        elif isinstance(value, str):
            check_clean(value)
    value = json.loads(check_clean(text, '\n'))
    walk(value)
    assert 'forged' not in json.dumps(keys(value)), value
    return value


def keys(value):
    """All keys of a JSON value."""
    if isinstance(value, dict):
        return list(value) + [k for v in value.values() for k in keys(v)]
    if isinstance(value, list):
        return [k for v in value for k in keys(v)]
    return []


def check_response(response, has_mark=True):
    for name, value in response.headers.items():
        check_clean(name)
        assert value.isascii(), value
        check_clean(value)
    if 'json' in response.headers.get('content-type', ''):
        check_json(response.body)
    else:
        check_clean(response.body, '\n')
    if has_mark:
        assert MARK in response.body.decode(), response


def run(server, *command, has_mark=True):
    """The command line: both its outputs are lines of text."""
    result = subprocess.run(
        [os.path.join(server.build, 'thaw'), *command], capture_output=True,
        check=False, stdin=subprocess.DEVNULL,
        env={'PATH': os.environ['PATH'], 'THAW_RUNTIME_DIR': server.run,
             'THAW_ADMIN': f'unix:{server.admin_path}',
             **{name: value for name, value in os.environ.items()
                if name.endswith('SAN_OPTIONS')}})
    out = (check_clean(result.stdout, '\n'), check_clean(result.stderr, '\n'))
    for line in ''.join(out).splitlines():
        assert 'error forged' not in line[:50], line
    if has_mark:
        assert MARK in ''.join(out), (command, out)
    return out


def start(*options):
    """A server of which one function has failed to boot."""
    server = Server(FUNCTIONS, *options, ready=False, surprises=['.*'])
    server.wait_line('serving')
    server.find_port()
    # what /readyz says is summed up a moment after that
    wait_until(lambda: b'"pending":0' in server.admin('GET', '/readyz').body,
               'nothing is booted any more')
    return server


@test('the log is lines of its own, as text and as JSON')
def in_the_log():
    for style in ('text', 'json'):
        with start('--log-format', style, '--event-retries', '0') as server:
            with server.http() as http:
                http.post('wild', b'1')
                http.invoke('wild', b'1', {'X-Amz-Invocation-Type': 'Event'})
                http.post('bad', b'')
            server.reload()
            # lines of init, twice, and run; the failed boots, run, event
            server.wait_line(MARK, 8)
            server.wait_line('event dropped.*' + MARK)
            check_clean(server.log(), '\n')
            assert not server.lines('^2026-01-31')
            if style == 'json':
                for line in server.log().splitlines():
                    entry = json.loads(line)
                    assert 'forged' not in entry, entry


@test('replies are clean in every protocol')
def in_replies():
    with start() as server:
        with server.http() as http:
            check_response(http.post('wild', b'1'))
            check_response(http.invoke('wild', b'1'))
            check_response(http.post('bad', b''), has_mark=False)
            check_response(http.invoke('bad', b''), has_mark=False)
            for path in ('functions', 'functions/bad',
                         'functions/bad/configuration'):
                response = http.request('GET', f'/2015-03-31/{path}')
                check_response(response, has_mark=False)
            response = http.post('wild', b'0')
            assert response.status == 200, response
            assert MARK in response.headers['content-type'], response
            check_response(response, has_mark=False)
            response = http.invoke('wild', b'0')
            check_response(response, has_mark=False)
        with server.frames() as frames:
            reply = frames.call('wild', b'1')
            assert reply.status == ERROR, reply
            assert MARK in check_clean(reply.error_message)
            assert MARK in check_clean(reply.error_type)
            reply = frames.call('wild', b'0')
            assert reply.status == OK, reply
            assert MARK in check_clean(reply.content_type)
            check_clean(frames.call('bad').error_message)


@test('what administration says is valid and clean')
def in_administration():
    with start() as server:
        for path in ('/readyz', '/v1/functions', '/v1/functions/bad'):
            check_response(server.admin('GET', path))
        response = server.admin('POST', '/v1/reload')
        assert response.status == 200, response
        check_response(response)
        check_response(server.admin('GET', '/v1/status'), has_mark=False)
        check_response(server.admin('GET', '/metrics'), has_mark=False)


@test('the command line shows them as lines')
def in_the_command_line():
    with start() as server:
        server.admin('POST', '/v1/reload')
        host, port = server.address
        run(server, 'functions', 'list', '--admin')
        run(server, 'functions', 'describe', 'bad', '--admin')
        run(server, 'status', has_mark=False)
        run(server, 'reload')
        run(server, 'top', '--once', has_mark=False)
        run(server, 'invoke', 'wild', '-d', '1', '-c', server.catalog)
        run(server, 'invoke', 'bad', '-c', server.catalog)
        run(server, 'invoke', 'wild', '-d', '0', '-v', '-c', server.catalog)
        run(server, 'run', server.image('edges'), '--entry', 'hostile_texts',
            '-d', '1')
        run(server, 'run', server.image('inits'), '--env',
            'INIT=fails_hostile')
        for to in (['--url', f'http://{host}:{port}'], ['--socket']):
            run(server, 'invoke', 'wild', '-d', '1', *to)
            run(server, 'invoke', 'wild', '-d', '0', '-v', *to)
            run(server, 'invoke', 'bad', *to, has_mark=False)


@test('all functions together have a limit of lines')
def lines_of_all():
    # a slow machine takes so long for a thousand that others are due meanwhile
    many = {f'f{i}': {'image': 'edges', 'entry': 'log_lines'} for i in range(40)}
    with Server(many, surprises=['log lines dropped']) as server, \
            server.http() as http:
        before, asked = time.monotonic(), []
        while not any(server.function(name)['log']['dropped'] for name in asked[-1:]):
            asked.append(list(many)[len(asked)])
            assert http.post(asked[-1], b'1000').status == 200
        most = 10000 + 1000 * (time.monotonic() - before + 1)
        server.wait_line('log lines dropped cause="lines of all functions"')
        logs = [server.function(name)['log'] for name in asked]
        written = sum(log['lines'] for log in logs)
        assert 10000 <= written <= most, (written, most)
        assert written + sum(log['dropped'] for log in logs) == 1000 * len(asked)


if __name__ == '__main__':
    main()
