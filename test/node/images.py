#!/usr/bin/env python3
"""Packs the images of the node's pods, each one layer, as archives that `ctr images import` takes: no registry.

    images.py DIRECTORY CERTLATCH PAUSE      from the certlatch to test, a pause program, and the machine's busybox and nginx
"""
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

OUT, CERTLATCH, PAUSE = sys.argv[1:4]
ARCHITECTURE = {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(os.uname().machine, os.uname().machine)


def entry(tar, name, kind=tarfile.REGTYPE, mode=0o755, data=b'', target=''):
    info = tarfile.TarInfo(name.lstrip('/'))
    info.type, info.mode, info.size, info.linkname = kind, mode, len(data), target
    tar.addfile(info, io.BytesIO(data))


def layer(files, links=(), directories=()):
    """FILES: path in the image -> bytes, or a file's path on the machine."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as tar:
        for name, mode in directories:
            entry(tar, name, tarfile.DIRTYPE, mode)
        for name, content in files.items():
            if isinstance(content, str):
                with open(content, 'rb') as file:
                    content = file.read()
            entry(tar, name, data=content)
        for name, target in links:
            entry(tar, name, tarfile.SYMTYPE, 0o777, target=target)
    return out.getvalue()


def image(name, content, **config):
    digest = hashlib.sha256(content).hexdigest()
    about = json.dumps({
        'architecture': ARCHITECTURE, 'os': 'linux', 'created': '2020-01-01T00:00:00Z', 'config': config,
        'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + digest]},
        'history': [{'created': '2020-01-01T00:00:00Z', 'created_by': 'images.py'}]}).encode()
    about_name = hashlib.sha256(about).hexdigest() + '.json'
    manifest = [{'Config': about_name, 'RepoTags': [f'test.local/{name}:1'], 'Layers': [digest + '/layer.tar']}]
    with tarfile.open(f'{OUT}/{name}.tar', 'w') as tar:
        entry(tar, about_name, data=about)
        entry(tar, digest + '/layer.tar', data=content)
        entry(tar, 'manifest.json', data=json.dumps(manifest).encode())


def libraries(program):
    """What the dynamic linker loads for PROGRAM, as path -> file."""
    words = subprocess.run(['ldd', program], check=True, capture_output=True, text=True).stdout.split()
    return {word: os.path.realpath(word) for word in words if word.startswith('/')}


os.makedirs(OUT, exist_ok=True)
image('pause', layer({'pause': PAUSE}), Entrypoint=['/pause'])

# From scratch, as the one that is shipped: nothing but certlatch, also under the names that it stands in for.
AT = '/usr/local/bin/certlatch'
image('certlatch', layer({AT: CERTLATCH}, [('/usr/local/bin/kubectl', 'certlatch'), ('/bin/sh', AT)]),
      Entrypoint=[AT], User='65532:65532', Env=['PATH=/usr/local/bin:/bin'])

APPLETS = subprocess.run(['/bin/busybox', '--list'], check=True, capture_output=True, text=True).stdout.split()
USERS = {'etc/passwd': b'root:x:0:0:root:/:/bin/sh\napp:x:1000:1000::/tmp:/bin/sh\n', 'etc/group': b'root:x:0:\napp:x:1000:\n'}
BUSYBOX = {'bin/busybox': '/bin/busybox', **USERS}
LINKS = [('bin/' + applet, 'busybox') for applet in APPLETS if applet != 'busybox']
TMP = [('tmp', 0o1777)]
image('busybox', layer(BUSYBOX, LINKS, TMP), Cmd=['/bin/sh'], Env=['PATH=/bin'])

NGINX = '/usr/sbin/nginx'
image('nginx', layer({NGINX: NGINX, **libraries(NGINX), **BUSYBOX}, LINKS, TMP + [('var/log/nginx', 0o755)]),
      Cmd=[NGINX], Env=['PATH=/usr/sbin:/bin'])

# As the images that people run it from: not as root, with a configuration of its own that a ConfigMap may lie over. It
# needs no directory to write into but the one in memory that every container has.
SERVER = b'''server {
  listen 8443 ssl;
  ssl_certificate /etc/tls/tls.crt;
  ssl_certificate_key /etc/tls/tls.key;
}
'''
WHOLE = b'''daemon off;
pid /dev/shm/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
  access_log off;
''' + b''.join(b'  %s_temp_path /dev/shm/%s;\n' % (name, name) for name in (b'client_body', b'proxy', b'fastcgi', b'uwsgi', b'scgi')) + b'''\
  include /etc/nginx/conf.d/*.conf;
}
'''
image('nginx-unprivileged', layer({NGINX: NGINX, **libraries(NGINX), **BUSYBOX, 'etc/nginx/nginx.conf': WHOLE,
                                   'etc/nginx/conf.d/default.conf': SERVER}, LINKS, TMP + [('var/log/nginx', 0o755)]),
      Cmd=[NGINX, '-e', 'stderr'], User='101', Env=['PATH=/usr/sbin:/bin'])
