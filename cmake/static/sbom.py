"""sbom.py VERSION TAKEN BINARY > certlatch.spdx.json: what the static binary is made of, as SPDX 2.3.

TAKEN is the record of cmake/static/sources.sh. The time is SOURCE_DATE_EPOCH's, or that of nothing (1970), so that the
same binary has the same SBOM.
"""
import collections
import datetime
import hashlib
import json
import os
import re
import sys

UPSTREAM = {  # package: (name, licence of what is linked in, where it comes from)
    'musl': ('musl', 'MIT', 'https://musl.libc.org'),
    'openssl': ('OpenSSL', 'Apache-2.0', 'https://www.openssl.org'),
    'curl': ('curl', 'curl', 'https://curl.se'),
    'simdjson': ('simdjson', 'Apache-2.0 OR MIT', 'https://simdjson.org'),
    'gcc-12-source': ('libstdc++', 'GPL-3.0-or-later WITH GCC-exception-3.1', 'https://gcc.gnu.org'),
}


def package(name, version, licence, **more):
    identifier = re.sub(r'[^A-Za-z0-9.-]', '-', name)
    return {'SPDXID': f'SPDXRef-{identifier}', 'name': name, 'versionInfo': version, 'licenseConcluded': licence,
            'licenseDeclared': licence, 'copyrightText': 'NOASSERTION', 'filesAnalyzed': False, **more}


def main():
    version, taken, binary = sys.argv[1:]
    with open(binary, 'rb') as file:
        checksum = hashlib.sha256(file.read()).hexdigest()
    sources = collections.OrderedDict()
    with open(taken, encoding='ascii') as file:
        for line in file:
            name, debian_version, _, sha256, file_name, state = line.split()
            sources.setdefault((name, debian_version, state), []).append((sha256, file_name))

    packages = [package('certlatch', version, 'Apache-2.0', downloadLocation='NOASSERTION',
                        primaryPackagePurpose='APPLICATION',
                        checksums=[{'algorithm': 'SHA256', 'checksumValue': checksum}])]
    for (name, debian_version, state), files in sources.items():
        upstream, licence, home = UPSTREAM[name]
        # the tarball that was compiled; the comment has every file
        tarball = next((f for f in files if '.orig.tar' in f[1] and not f[1].endswith('.asc')), files[0])
        packages.append(package(
            upstream, debian_version, licence, downloadLocation='NOASSERTION', homepage=home,
            sourceInfo=f'Debian package {name} {debian_version} ({state}), with its patches',
            packageFileName=tarball[1], checksums=[{'algorithm': 'SHA256', 'checksumValue': tarball[0]}],
            comment='\n'.join(f'{sha256}  {file_name}' for sha256, file_name in files),
            externalRefs=[{'referenceCategory': 'PACKAGE-MANAGER', 'referenceType': 'purl',
                           'referenceLocator': f'pkg:deb/debian/{name}@{debian_version}'
                                               + ('' if name.startswith('gcc') else '?arch=source')}]))
    epoch = int(os.environ.get('SOURCE_DATE_EPOCH') or 0)
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
    document = {
        'spdxVersion': 'SPDX-2.3', 'dataLicense': 'CC0-1.0', 'SPDXID': 'SPDXRef-DOCUMENT', 'name': f'certlatch-{version}',
        'documentNamespace': f'urn:certlatch:sbom:{version}:{checksum}',
        'creationInfo': {'created': created, 'creators': ['Tool: certlatch-sbom']},
        'packages': packages,
        'relationships': [{'spdxElementId': 'SPDXRef-DOCUMENT', 'relationshipType': 'DESCRIBES',
                           'relatedSpdxElement': packages[0]['SPDXID']}]
        + [{'spdxElementId': packages[0]['SPDXID'], 'relationshipType': 'STATIC_LINK',
            'relatedSpdxElement': p['SPDXID']} for p in packages[1:]],
    }
    print(json.dumps(document, indent=2))


main()
