#!/usr/bin/env python3
"""The static binary resumes TLS sessions: its second connection to a server that gave it a ticket is a short handshake, and
is no error. For TLS 1.3 and TLS 1.2.

    resumption.py BINARY|BUILD_DIR
"""
import os
import socket
import ssl
import subprocess
import sys
import tempfile

MISSING = (b'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}')
CONNECTIONS = 3


def connections(binary, folder, version):
    """For each connection whether its session was an earlier one's, or what was wrong with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f'{folder}/tls.crt', f'{folder}/tls.key')
    context.minimum_version = context.maximum_version = version
    seen = []
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(60)
        program = subprocess.Popen([binary, 'wait', 'configmap/c', '--for=create', '--timeout=60s', '--token=x',
                                    f'--certificate-authority={folder}/tls.crt',
                                    f'--server=https://127.0.0.1:{server.getsockname()[1]}'], stderr=subprocess.DEVNULL)
        try:
            while len(seen) < CONNECTIONS:
                plain, _ = server.accept()
                plain.settimeout(60)
                before = len(seen)
                try:
                    with context.wrap_socket(plain, server_side=True) as connection:
                        connection.recv(65536)
                        connection.sendall(MISSING)
                        seen.append(connection.session_reused)
                        connection.unwrap()
                except OSError as error:
                    if len(seen) == before:  # and not only because it does not say goodbye
                        seen.append(str(error))
        finally:
            program.kill()
            program.wait()
    return seen


def main():
    binary = sys.argv[1]
    if os.path.isdir(binary):
        binary = os.path.join(binary, 'certlatch')
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                        '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', f'{folder}/tls.key',
                        '-out', f'{folder}/tls.crt'], check=True, stderr=subprocess.DEVNULL)
        for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            seen = connections(binary, folder, version)
            print(f'{version.name}: resumed: {seen}')
            if seen != [False] + [True] * (CONNECTIONS - 1):
                print('FAILED: the first is a full handshake, the others resume its session')
                failed = True
    return failed


if __name__ == '__main__':
    sys.exit(main())
