#!/usr/bin/env python3
"""What the static binary offers a server, read off the wire: ChaCha20-Poly1305 first, of TLS 1.3 and of TLS 1.2 alike, and
key shares that today's servers take without asking for another.

    client_hello.py BINARY|BUILD_DIR
"""
import os
import socket
import struct
import subprocess
import sys

SUITES = ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256',
          'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305',
          'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384',
          'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256']
SUITE_NAMES = dict(zip((0x1303, 0x1302, 0x1301, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc02b, 0xc02f), SUITES))
SIGNALLING = (0x00ff,)  # secure renegotiation (RFC 5746): not a suite
GROUP_NAMES = {0x11ec: 'X25519MLKEM768', 29: 'X25519', 23: 'P-256', 24: 'P-384'}
GROUPS, SHARES = ['X25519', 'P-256', 'P-384'], ['X25519']
if os.environ.get('CERTLATCH_MLKEM') == '1':
    GROUPS, SHARES = ['X25519MLKEM768', *GROUPS], ['X25519MLKEM768', *SHARES]


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, count):
        if len(self.data) < count:
            sys.exit('FAILED: the ClientHello ends too early')
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self, size):
        return int.from_bytes(self.take(size), 'big')

    def block(self, size_of_length):
        return Reader(self.take(self.number(size_of_length)))

    def numbers(self):
        return [value for (value,) in struct.iter_unpack('>H', self.data)]


def received(connection):
    """The first handshake message, without its header."""
    stream = connection.makefile('rb')
    message = b''
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], 'big'):
        kind, _, size = struct.unpack('>BHH', stream.read(5))
        if kind != 22:
            sys.exit(f'FAILED: a record of type {kind}, not a handshake')
        message += stream.read(size)
    return Reader(message[4:])


def client_hello(binary):
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(60)
        program = subprocess.Popen([binary, 'wait', 'configmap/c', '--for=create', '--timeout=60s',
                                    f'--server=https://127.0.0.1:{server.getsockname()[1]}'], stderr=subprocess.DEVNULL)
        try:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(60)
                return received(connection)
        finally:
            program.kill()
            program.wait()


def main():
    binary = sys.argv[1]
    hello = client_hello(os.path.join(binary, 'certlatch') if os.path.isdir(binary) else binary)
    hello.take(2 + 32)  # version, random
    hello.block(1)  # session
    suites = [number for number in hello.block(2).numbers() if number not in SIGNALLING]
    hello.block(1)  # compression
    extensions, groups, shares = hello.block(2), [], []
    while extensions.data:
        kind, body = extensions.number(2), extensions.block(2)
        if kind == 10:
            groups = body.block(2).numbers()
        elif kind == 51:
            entries = body.block(2)
            while entries.data:
                shares.append(entries.number(2))
                entries.block(2)
    failed = False
    for what, numbers, names, expected in (('cipher suites', suites, SUITE_NAMES, SUITES),
                                           ('groups', groups, GROUP_NAMES, GROUPS),
                                           ('key shares', shares, GROUP_NAMES, SHARES)):
        offered = [names.get(number, f'{number:04x}') for number in numbers]
        print(f'{what}: {", ".join(offered)}')
        if offered != expected:
            print(f'FAILED: not {", ".join(expected)}')
            failed = True
    return failed


if __name__ == '__main__':
    sys.exit(main())
