#!/usr/bin/env python3
"""hosts.py BUILD-DIR io_uring|epoll [PATTERN] - tests for which hosts a server
answers, and to the pages of which hosts.
"""
import json
import os
import re
import socket
import subprocess
import tempfile

from support import Server, Stream, Http, main, test

ECHO = {'image': 'echo'}
OWN = ['localhost', 'LOCALHOST', 'localhost.', 'localhost:1', '127.0.0.1',
       '127.9.9.9:80', '[::1]', '[::1]:8080', '']
FOREIGN = ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example',
           'evil', '192.0.2.1', '[2001:db8::1]:80']
ALLOWED = ['api.example.com', 'API.Example.Com.', 'api.example.com:444']


def ask(address, host, path='/livez', headers=()):
    """The status and body of a GET with this Host, or none."""
    lines = [f'GET {path} HTTP/1.1' if host is not None else
             f'GET {path} HTTP/1.0']
    if host is not None:
        lines.append(f'Host: {host}')
    lines += ['Connection: keep-alive', *headers, '', '']
    with Http(address) as http:
        http.send('\r\n'.join(lines).encode())
        answer = http.response()
        return answer.status, answer.body


def check(address, good, bad, path='/livez'):
    for host in good:
        status, body = ask(address, host, path)
        assert status == 200, (host, status, body)
    for host in bad:
        status, body = ask(address, host, path)
        assert status == 421, (host, status, body)
        assert '--allow-host' in json.loads(body)['detail'], body


def port_of(server, kind, where):
    found = re.search(rf'kind={kind} .*{re.escape(where)}:(\d+)', server.log())
    assert found, server.log()
    return int(found[1])


@test('at a loopback address other hosts are refused, also for administration')
def loopback():
    with Server({'echo': ECHO}) as server:
        check(server.address, [*OWN, None], [*FOREIGN, *ALLOWED])
        check(server.admin_path, [*OWN, *FOREIGN, None], [], '/v1/status')
    with Server({'echo': ECHO}, '--admin', '127.0.0.1:0', ready=False) as server:
        server.wait_line('serving')
        admin = ('127.0.0.1', port_of(server, 'admin', '127.0.0.1'))
        for path in ('/livez', '/v1/status', '/metrics'):
            check(admin, [*OWN, None], [*FOREIGN, *ALLOWED], path)
        with Http(admin) as http:
            http.send(b'POST /v1/drain HTTP/1.1\r\nHost: evil.example\r\n'
                      b'Content-Length: 0\r\n\r\n')
            assert http.response().status == 421
            assert json.loads(http.request('GET', '/v1/status').body)[
                'state'] == 'serving'


@test('a refused request runs nothing, and its connection goes on')
def runs_nothing():
    with Server({'echo': ECHO}) as server:
        with server.http() as http:
            for path in ('/function/echo',
                         '/2015-03-31/functions/echo/invocations'):
                http.send(f'POST {path} HTTP/1.1\r\nHost: evil.example\r\n'
                          'Content-Length: 2\r\n\r\n{}'.encode())
                assert http.response().status == 421, path
            assert http.post('echo', b'works').status == 200
        assert sum(server.function('echo')['invocations'].values()) == 1


@test('pages of other hosts are refused')
def origins():
    with Server({'echo': ECHO}, '--allow-host', 'api.example.com') as server:
        for origin, status in (('http://localhost:3000', 200),
                               ('http://127.0.0.1', 200),
                               ('https://api.example.com', 200),
                               ('https://evil.example', 403),
                               ('http://localhost.evil.example', 403),
                               ('null', 403), ('file://', 403)):
            with server.http() as http:
                answer = http.post('echo', b'x', {'Origin': origin})
                assert answer.status == status, (origin, answer)


@test('pages of other sites are refused where no Origin tells of them')
def sites():
    with Server({'echo': ECHO}) as server:
        for site, headers, status in (
                ('cross-site', [], 403),
                ('cross-site', ['Origin: http://localhost:3000'], 200),
                ('same-site', [], 200), ('same-origin', [], 200),
                ('none', [], 200)):
            for path in ('/function/echo', '/livez'):
                answer = ask(server.address, 'localhost', path,
                             [f'Sec-Fetch-Site: {site}', *headers])
                assert answer[0] == status, (site, headers, answer)
        assert sum(server.function('echo')['invocations'].values()) == 4
    with Server({'echo': ECHO}, '--allow-host', '*') as server:
        assert ask(server.address, 'localhost', '/function/echo',
                   ['Sec-Fetch-Site: cross-site'])[0] == 200


@test('--allow-host names more hosts, and * is any')
def allow_host():
    with Server({'echo': ECHO}, '--allow-host', 'api.example.com',
                '--allow-host', '192.0.2.1') as server:
        check(server.address, [*OWN, *ALLOWED, '192.0.2.1:80', None],
              ['evil.example', 'example.com', 'x.api.example.com'])
    with Server({'echo': ECHO}, '--allow-host', '*') as server:
        check(server.address, [*OWN, *FOREIGN, *ALLOWED, None], [])
        assert ask(server.address, 'a b')[0] == 400


@test('elsewhere any host is fine, unless --allow-host is given')
def elsewhere():
    listen = ('127.0.0.1:0', '0.0.0.0:0')
    for options, good, bad in (
            ((), [*OWN, *FOREIGN, None], []),
            (('--allow-host', 'api.example.com'), [*OWN, *ALLOWED, None],
             FOREIGN)):
        with Server({'echo': ECHO}, '--insecure', *options,
                    listen=listen) as server:
            port = port_of(server, 'http', '0.0.0.0')
            check(('127.0.0.1', port), good, bad)
            # the other one is a loopback address all the same
            check(server.address, OWN, FOREIGN)


@test('a host in the request line goes before Host')
def absolute():
    with Server({'echo': ECHO}) as server:
        for target, host, status in (
                ('http://localhost/livez', 'localhost', 200),
                ('http://localhost:8/livez', 'evil.example', 200),
                ('http://evil.example/livez', 'localhost', 421),
                ('http://user@localhost/livez', 'localhost', 400),
                ('http:///livez', 'localhost', 400)):
            answer = ask(server.address, host, target)
            assert answer[0] == status, (target, host, answer)


@test('a name may have two addresses, and the server listens at both')
def two_addresses():
    with tempfile.NamedTemporaryFile('w') as hosts:
        hosts.write('127.0.0.1 localhost\n::1 localhost\n127.0.0.1 localhost\n')
        hosts.flush()
        prefix = ['unshare', '-m', 'sh', '-c',
                  f'mount --bind {hosts.name} /etc/hosts && exec "$0" "$@"']
        if subprocess.run([*prefix, 'true'], stderr=subprocess.DEVNULL,
                          check=False).returncode:
            print('# skipped: no other /etc/hosts can be mounted here')
            return
        # IPv6 may be turned off: then one address is what there is
        has_ipv6 = os.path.exists('/proc/net/if_inet6') and any(
            line.startswith('0' * 31 + '1 ')
            for line in open('/proc/net/if_inet6', encoding='ascii'))
        with Server({'echo': ECHO}, '--admin', 'localhost:0', prefix=prefix,
                    listen=('localhost:0',), ready=False) as server:
            server.wait_line('info serving')
            for kind, path in (('http', '/livez'), ('admin', '/v1/status')):
                port = port_of(server, kind, '127.0.0.1')
                check(('127.0.0.1', port), OWN, FOREIGN, path)
                if has_ipv6:
                    assert port_of(server, kind, '[::1]') == port
                    with socket.create_connection(('::1', port)) as stream:
                        stream.sendall(f'GET {path} HTTP/1.0\r\n\r\n'.encode())
                        assert stream.recv(12) == b'HTTP/1.1 200'
            assert len(server.lines('listening.*kind=http')) == 1 + has_ipv6


@test('what is no host is 400')
def malformed():
    with Server({'echo': ECHO}) as server:
        for host in ('a b', 'user@host', 'a/b', 'h:80:80', 'h, i', '[::1',
                     '[:]', 'a%zz'):
            with Stream(server.address) as stream:
                stream.send(f'GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n'
                            .encode())
                assert stream.take(12) == b'HTTP/1.1 400', host


if __name__ == '__main__':
    main()
