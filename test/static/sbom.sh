#!/bin/bash
# The SBOM beside the static binary describes this very binary and every library inside it.
#
#   sbom.sh BUILD_DIR
set -euo pipefail
python3 - "$1/certlatch" "$1/certlatch.spdx.json" "$("$1/certlatch" version)" <<'END'
import hashlib, json, sys
binary, sbom, version = sys.argv[1:]
document = json.load(open(sbom))
packages = {p['name']: p for p in document['packages']}
assert document['spdxVersion'] == 'SPDX-2.3', document['spdxVersion']
assert set(packages) == {'certlatch', 'musl', 'OpenSSL', 'curl', 'simdjson', 'libstdc++'}, list(packages)
digest = hashlib.sha256(open(binary, 'rb').read()).hexdigest()
assert packages['certlatch']['checksums'][0]['checksumValue'] == digest, 'the SBOM is of another binary'
for name, package in packages.items():
    assert package['licenseDeclared'] and len(package['checksums'][0]['checksumValue']) == 64, name
    print(f"{name:10} {package['versionInfo']:24} {package['licenseDeclared']}")
for name in ('OpenSSL', 'curl', 'simdjson'):
    upstream = packages[name]['versionInfo'].rsplit('-', 1)[0]
    assert upstream in version, f'{name} {upstream} is not in: {version}'
linked = {r['relatedSpdxElement'] for r in document['relationships'] if r['relationshipType'] == 'STATIC_LINK'}
assert len(linked) == 5, linked
END
