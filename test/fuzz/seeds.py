#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets on the trimmed libraries: keys, certificates and handshakes of every kind that those
libraries do not know, know only by name, or know well.

    seeds.py DIR           DIR/cert_pair, DIR/chain, DIR/tls_client: their inputs, as the heads of *_fuzz.cc say

Keys are made anew each time, by the openssl command; nothing here protects anything.
"""
import base64
import os
import subprocess
import sys
import tempfile

OUT = sys.argv[1]
TMP = tempfile.mkdtemp(prefix='seeds-')


def openssl(*arguments, data=None):
    return subprocess.run(['openssl', *arguments], input=data, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, cwd=TMP).stdout


def stored(name, data):
    with open(f'{TMP}/{name}', 'wb') as file:
        file.write(data)
    return name


def seed(target, name, data):
    os.makedirs(f'{OUT}/{target}', exist_ok=True)
    with open(f'{OUT}/{target}/{name}', 'wb') as file:
        file.write(data)


# --- DER ---------------------------------------------------------------------------------------------------------

def tlv(tag, *parts):
    body = b''.join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    number = size.to_bytes((size.bit_length() + 7) // 8, 'big')
    return bytes([tag, 0x80 | len(number)]) + number + body


def endless(tag, *parts):
    """Of indefinite length: BER, not DER."""
    return bytes([tag, 0x80]) + b''.join(parts) + b'\0\0'


def seq(*parts): return tlv(0x30, *parts)
def setof(*parts): return tlv(0x31, *parts)
def octets(data): return tlv(0x04, data)
def bits(data, unused=0): return tlv(0x03, bytes([unused]), data)
def utf8(text): return tlv(0x0c, text.encode())
def ctx(number, *parts): return tlv(0xa0 | number, *parts)
def raw_ctx(number, data): return tlv(0x80 | number, data)
def boolean(value): return tlv(0x01, b'\xff' if value else b'\0')


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, 'big', signed=True))


def oid(text):
    numbers = [int(part) for part in text.split('.')]
    body = b''
    for number in [numbers[0] * 40 + numbers[1], *numbers[2:]]:
        chunk = [number & 127]
        while number := number >> 7:
            chunk.append(128 | number & 127)
        body += bytes(reversed(chunk))
    return tlv(0x06, body)


NULL = b'\x05\0'


def algorithm(name, *parameters): return seq(oid(name), *parameters)


def pem(label, der):
    text = base64.encodebytes(der).decode().replace('\n', '')
    lines = '\n'.join(text[i:i + 64] for i in range(0, len(text), 64))
    return f'-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n'.encode()


# --- keys --------------------------------------------------------------------------------------------------------

def pkcs8(key): return openssl('pkcs8', '-topk8', '-nocrypt', '-outform', 'DER', data=key)


def generated(kind, *options):
    arguments = [word for option in options for word in ('-pkeyopt', option)]
    return pkcs8(openssl('genpkey', '-algorithm', kind, *arguments))


def ec(curve, encoding='named_curve'):
    return generated('EC', f'ec_paramgen_curve:{curve}', f'ec_param_enc:{encoding}')


def from_parameters(kind, *options):
    arguments = [word for option in options for word in ('-pkeyopt', option)]
    stored('parameters', openssl('genpkey', '-genparam', '-algorithm', kind, *arguments))
    return pkcs8(openssl('genpkey', '-paramfile', 'parameters'))


def post_quantum(number, private, public):
    """A key as RFC 9881 and 9909 write it; the bytes mean nothing."""
    kind = algorithm(f'2.16.840.1.101.3.4.3.{number}')
    return seq(integer(0), kind, octets(b'K' * private)), seq(kind, bits(b'P' * public))


KEYS = {  # PKCS#8
    'p256': ec('P-256'),
    'p384': ec('P-384'),
    'p521': ec('P-521'),
    'rsa': generated('RSA', 'rsa_keygen_bits:2048'),
    'rsa_512': generated('RSA', 'rsa_keygen_bits:512'),
    'rsa_three_primes': generated('RSA', 'rsa_keygen_bits:2048', 'rsa_keygen_primes:3'),
    'rsa_exponent_3': generated('RSA', 'rsa_keygen_bits:1024', 'rsa_keygen_pubexp:3'),
    'rsa_pss': generated('RSA-PSS', 'rsa_keygen_bits:2048'),
    'rsa_pss_sha512': generated('RSA-PSS', 'rsa_keygen_bits:2048', 'rsa_pss_keygen_md:sha512',
                                'rsa_pss_keygen_mgf1_md:sha256', 'rsa_pss_keygen_saltlen:17'),
    'ed25519': generated('ED25519'),
    'ed448': generated('ED448'),
    'x25519': generated('X25519'),
    'x448': generated('X448'),
    'dsa': from_parameters('DSA', 'dsa_paramgen_bits:1024', 'dsa_paramgen_q_bits:160'),
    'dh': from_parameters('DH', 'group:ffdhe2048'),
    'dhx': from_parameters('DHX', 'dh_rfc5114:1'),
    'sm2': generated('SM2'),
    'secp256k1': ec('secp256k1'),
    'secp224r1': ec('secp224r1'),
    'brainpool': ec('brainpoolP256r1'),
    'binary': ec('sect283k1'),
    'explicit_p256': ec('P-256', 'explicit'),
    'explicit_brainpool': ec('brainpoolP256r1', 'explicit'),
    'explicit_trinomial': ec('sect233r1', 'explicit'),
    'explicit_pentanomial': ec('sect283r1', 'explicit'),
}
PUBLIC = {name: openssl('pkey', '-inform', 'DER', '-pubout', '-outform', 'DER', data=key) for name, key in KEYS.items()}
for _number, _name, _private, _public in ((17, 'ml_dsa_44', 32, 1312), (19, 'ml_dsa_87', 32, 2592),
                                          (20, 'slh_dsa', 64, 32)):
    KEYS[_name], PUBLIC[_name] = post_quantum(_number, _private, _public)
GOST = {'gost2001': '1.2.643.2.2.19', 'gost2012_256': '1.2.643.7.1.1.1.1', 'gost2012_512': '1.2.643.7.1.1.1.2'}
for _name, _oid in GOST.items():
    _kind = algorithm(_oid, seq(oid('1.2.643.2.2.35.1'), oid('1.2.643.2.2.30.1')))
    KEYS[_name] = seq(integer(0), _kind, octets(octets(b'K' * 32)))
    PUBLIC[_name] = seq(_kind, bits(octets(b'P' * 64)))
_kind = algorithm('1.3.6.1.4.1.99999.1')
KEYS['unknown'], PUBLIC['unknown'] = seq(integer(0), _kind, octets(b'K' * 32)), seq(_kind, bits(b'P' * 32))
_kind = algorithm('2.5.8.1.1', integer(2048))  # "rsa", of X.509 itself
PUBLIC['rsa_x509'] = seq(_kind, PUBLIC['rsa'][PUBLIC['rsa'].index(bytes([3, 0x82])):])
_curve = algorithm('1.2.840.10045.2.1', oid('1.3.6.1.4.1.99999.2'))
PUBLIC['ec_unknown_curve'] = seq(_curve, bits(b'\x04' + b'P' * 64))
PUBLIC['ec_no_curve'] = seq(algorithm('1.2.840.10045.2.1'), bits(b'\x04' + b'P' * 64))
PUBLIC['ec_implicit_curve'] = seq(algorithm('1.2.840.10045.2.1', NULL), bits(b'\x04' + b'P' * 64))
_p256 = algorithm('1.2.840.10045.2.1', oid('1.2.840.10045.3.1.7'))
PUBLIC['ec_not_on_curve'] = seq(_p256, bits(b'\x04' + b'P' * 64))
PUBLIC['ec_infinity'] = seq(_p256, bits(b'\0'))
PUBLIC['ec_compressed'] = seq(_p256, bits(b'\x02' + bytes.fromhex(
    '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296')))
_rsa = algorithm('1.2.840.113549.1.1.1', NULL)


def rsa_public(modulus, exponent): return seq(_rsa, bits(seq(integer(modulus), integer(exponent))))


PUBLIC.update(rsa_zero=rsa_public(0, 0), rsa_one=rsa_public(1, 1), rsa_negative=rsa_public(-(1 << 2047) - 1, 65537),
              rsa_even=rsa_public((1 << 2047) + 2, 65537), rsa_16384=rsa_public((1 << 16383) + 1, 65537),
              rsa_32768=rsa_public((1 << 32767) + 1, (1 << 32766) + 1),
              rsa_huge_exponent=rsa_public((1 << 2047) + 1, (1 << 2046) + 1))


def explicit(p, a, b, generator, order, cofactor=1, field=b''):
    field = field or seq(oid('1.2.840.10045.1.1'), integer(p))
    return seq(integer(1), field, seq(octets(a), octets(b)), octets(generator), integer(order), integer(cofactor))


P = 2**256 - 2**224 + 2**192 + 2**96 - 1
ODD_CURVES = {
    'zero_field': explicit(0, b'\0', b'\0', b'\0', 0),
    'negative_field': explicit(-7, b'\1', b'\1', b'\4\1\1', 7),
    'even_field': explicit(1 << 255, b'\1' * 32, b'\2' * 32, b'\4' + b'\1' * 64, 1 << 254),
    'composite_field': explicit(15, b'\1', b'\2', b'\4\1\1', 7),
    'huge_field': explicit((1 << 8191) + 1, b'\1', b'\2', b'\4' + b'\1' * 2048, 7),
    'zero_order': explicit(P, b'\1' * 32, b'\2' * 32, b'\4' + b'\1' * 64, 0),
    'infinity': explicit(P, b'\1' * 32, b'\2' * 32, b'\0', P - 2),
    'optimal_basis': explicit(0, b'\1', b'\1', b'\4\1\1', 7, 1, seq(oid('1.2.840.10045.1.2'), seq(
        integer(233), oid('1.2.840.10045.1.2.3.1'), NULL))),
    'unknown_basis': explicit(0, b'\1', b'\1', b'\4\1\1', 7, 1, seq(oid('1.2.840.10045.1.2'), seq(
        integer(233), oid('1.2.840.10045.1.2.3.9'), integer(1)))),
    'huge_trinomial': explicit(0, b'\1', b'\1', b'\4\1\1', 7, 1, seq(oid('1.2.840.10045.1.2'), seq(
        integer(1 << 30), oid('1.2.840.10045.1.2.3.2'), integer(-1)))),
}
for _name, _parameters in ODD_CURVES.items():
    PUBLIC['explicit_' + _name] = seq(algorithm('1.2.840.10045.2.1', _parameters), bits(b'\x04' + b'\1' * 64))

# --- certificates ------------------------------------------------------------------------------------------------

SIGNATURES = {  # those that are made in earnest: (the algorithm, openssl dgst's arguments)
    'ecdsa_sha256': (algorithm('1.2.840.10045.4.3.2'), ['-sha256']),
    'ecdsa_sha384': (algorithm('1.2.840.10045.4.3.3'), ['-sha384']),
    'ecdsa_sha512': (algorithm('1.2.840.10045.4.3.4'), ['-sha512']),
    'ecdsa_sha1': (algorithm('1.2.840.10045.4.1'), ['-sha1']),
    'ecdsa_sha224': (algorithm('1.2.840.10045.4.3.1'), ['-sha224']),
    'ecdsa_sha3': (algorithm('2.16.840.1.101.3.4.3.10'), ['-sha3-256']),
    'ecdsa_recommended': (algorithm('1.2.840.10045.4.2'), ['-sha256']),
    'ecdsa_specified': (algorithm('1.2.840.10045.4.3', algorithm('2.16.840.1.101.3.4.2.1')), ['-sha256']),
    'rsa_sha256': (algorithm('1.2.840.113549.1.1.11', NULL), ['-sha256']),
    'rsa_sha256_bare': (algorithm('1.2.840.113549.1.1.11'), ['-sha256']),
    'rsa_sha256_junk': (algorithm('1.2.840.113549.1.1.11', integer(7)), ['-sha256']),
    'rsa_sha1': (algorithm('1.2.840.113549.1.1.5', NULL), ['-sha1']),
    'rsa_sha1_oiw': (algorithm('1.3.14.3.2.29', NULL), ['-sha1']),
    'rsa_md5': (algorithm('1.2.840.113549.1.1.4', NULL), ['-md5']),
    'rsa_sha224': (algorithm('1.2.840.113549.1.1.14', NULL), ['-sha224']),
    'rsa_sha512_256': (algorithm('1.2.840.113549.1.1.16', NULL), ['-sha512-256']),
    'rsa_sha3': (algorithm('2.16.840.1.101.3.4.3.14', NULL), ['-sha3-256']),
}


def pss(digest='2.16.840.1.101.3.4.2.1', mask='2.16.840.1.101.3.4.2.1', salt=32, trailer=None, generator='1.2.840.113549.1.1.8',
        order=(0, 1, 2, 3)):
    fields = [ctx(0, algorithm(digest, NULL)), ctx(1, algorithm(generator, algorithm(mask, NULL))),
              ctx(2, integer(salt)), b'' if trailer is None else ctx(3, integer(trailer))]
    return algorithm('1.2.840.113549.1.1.10', seq(*(fields[i] for i in order)))


PSS_ARGUMENTS = ['-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32']
for _name, _algorithm in {
        'good': pss(), 'trailer_1': pss(trailer=1), 'trailer_2': pss(trailer=2), 'salt_0': pss(salt=0), 'salt_negative': pss(salt=-1),
        'salt_huge': pss(salt=1 << 80), 'mask_sha1': pss(mask='1.3.14.3.2.26'), 'unknown_digest': pss('1.3.6.1.4.1.99999.3'),
        'unknown_mask': pss(generator='1.3.6.1.4.1.99999.4'), 'shake_mask': pss(generator='2.16.840.1.101.3.4.2.18'),
        'wrong_order': pss(order=(2, 1, 0)), 'no_parameters': algorithm('1.2.840.113549.1.1.10'),
        'null': algorithm('1.2.840.113549.1.1.10', NULL), 'empty': algorithm('1.2.840.113549.1.1.10', seq())}.items():
    SIGNATURES['pss_' + _name] = (_algorithm, PSS_ARGUMENTS)

JUNK_SIGNATURES = {  # algorithms that nobody here can make
    'md2': '1.2.840.113549.1.1.2', 'md4': '1.2.840.113549.1.1.3', 'ripemd': '1.3.36.3.3.1.2', 'dsa_sha1': '1.2.840.10040.4.3',
    'dsa_sha256': '2.16.840.1.101.3.4.3.2', 'ed25519': '1.3.101.112', 'ed448': '1.3.101.113', 'sm2_sm3': '1.2.156.10197.1.501',
    'gost2001': '1.2.643.2.2.3', 'gost2012': '1.2.643.7.1.1.3.2', 'gost94': '1.2.643.2.2.4', 'ml_dsa': '2.16.840.1.101.3.4.3.17',
    'slh_dsa': '2.16.840.1.101.3.4.3.20', 'unknown': '1.3.6.1.4.1.99999.5', 'a_digest': '2.16.840.1.101.3.4.2.1',
    'a_key_type': '1.2.840.10045.2.1', 'dh_kdf': '1.3.132.1.11.1',
}
for _name, _oid in JUNK_SIGNATURES.items():
    SIGNATURES['junk_' + _name] = (algorithm(_oid), None)


def name(common, *more):
    return seq(*(setof(seq(oid(kind), value)) for kind, value in [('2.5.4.3', utf8(common)), *more]))


def extension(which, value, critical=False):
    return seq(oid(which), boolean(True) if critical else b'', octets(value))


CA = extension('2.5.29.19', seq(boolean(True)), True)


def alt(*names): return extension('2.5.29.17', seq(*names))
def dns(text): return raw_ctx(2, text.encode())


GOOD_NAMES = alt(dns('kubernetes'), raw_ctx(7, bytes([10, 0, 0, 1])))


def certificate(subject, public, signer, issuer, extensions=(), signature='ecdsa_sha256', version=2, serial=7, outer=None,
                dates=None, unique=b'', wrap=seq):
    kind, arguments = SIGNATURES[signature]
    validity = dates or seq(tlv(0x17, b'200101000000Z'), tlv(0x18, b'99991231235959Z'))
    body = wrap(b'' if version == 0 else ctx(0, integer(version)), serial if isinstance(serial, bytes) else integer(serial), kind,
                issuer, validity, subject, public, unique, ctx(3, seq(*extensions)) if extensions else b'')
    signed = b'\x30\x06\x02\x01\x01\x02\x01\x01'
    if arguments is not None and signer is not None:
        signed = openssl('dgst', *arguments, '-sign', signer, data=body)
    return seq(body, outer or kind, bits(signed))


def key_file(which):
    return stored(which + '.pem', pem('PRIVATE KEY', KEYS[which]))


CA_NAME = name('fuzz CA')
EC_CA, RSA_CA, PSS_CA = key_file('p256'), key_file('rsa'), key_file('rsa_pss')
ANCHOR = certificate(CA_NAME, PUBLIC['p256'], EC_CA, CA_NAME, [CA])
RSA_ANCHOR = certificate(CA_NAME, PUBLIC['rsa'], RSA_CA, CA_NAME, [CA], 'rsa_sha256')
PSS_ANCHOR = certificate(CA_NAME, PUBLIC['rsa_pss'], PSS_CA, CA_NAME, [CA], 'pss_good')
LEAF_KEY = PUBLIC['p384']


def leaf(extensions=(GOOD_NAMES,), public=LEAF_KEY, subject=name('kubernetes'), **more):
    return certificate(subject, public, EC_CA, CA_NAME, list(extensions), **more)


leaves = {'plain': leaf()}
for _name, _public in PUBLIC.items():
    leaves['key_' + _name] = leaf(public=_public)
for _name, _serial in {'zero': 0, 'negative': -5, 'huge': 1 << 4000, 'padded': b'\x02\x03\0\0\1', 'empty': b'\x02\0'}.items():
    leaves['serial_' + _name] = leaf(serial=_serial)
for _number in (0, 1, 3, -1, 1 << 70):
    leaves[f'version_{_number & 0xff}'] = leaf(version=_number)
leaves['version_0_no_extensions'] = leaf([], version=0)
leaves['indefinite'] = leaf(wrap=lambda *parts: endless(0x30, *parts))
leaves['outer_differs'] = leaf(outer=algorithm('1.2.840.10045.4.3.3'))
leaves['unique_ids'] = leaf(unique=raw_ctx(1, b'\0abc') + raw_ctx(2, b'\0def'))
for _name, _dates in {'junk': seq(tlv(0x17, b'yesterday'), tlv(0x18, b'?')), 'fraction': seq(tlv(0x18, b'20200101000000.5Z'), tlv(
        0x18, b'99991231235959Z')), 'zone': seq(tlv(0x17, b'200101000000+0100'), tlv(0x18, b'99991231235959-0100')), 'empty': seq(tlv(
            0x17, b''), tlv(0x17, b'')), 'expired': seq(tlv(0x17, b'200101000000Z'), tlv(0x17, b'200102000000Z'))}.items():
    leaves['dates_' + _name] = leaf(dates=_dates)
leaves['names_all'] = leaf(subject=name('kubernetes', *((f'2.5.4.{i}', utf8(f'v{i}')) for i in range(4, 106)), (
    '1.2.840.113549.1.9.1', tlv(0x16, b'a@b.c')), ('0.9.2342.19200300.100.1.25', tlv(0x16, b'dc')), (
        '1.3.6.1.4.1.311.60.2.1.3', utf8('DE')), ('1.3.6.1.4.1.99999.6', utf8('x'))))
for _tag, _value in ((0x1e, b'\0k\0u'), (0x1e, b'odd'), (0x1c, b'\0\0\0k'), (0x1c, b'odd'), (0x14, b'T61'), (0x16, b'\xff'), (
        0x02, b'\1'), (0x30, b''), (0x0c, b'a\0b'), (0x0c, b'\xc0\x80')):
    leaves[f'name_type_{_tag:x}_{_value.hex()}'] = leaf(subject=name('x', ('2.5.4.10', tlv(_tag, _value))))

# each extension: good and critical, good, empty, cut off, indefinite, doubled
SCT = octets(b'\0\x2f\0\x2d' + b'\0' + b'L' * 32 + b'\0' * 8 + b'\0\0\4\3\0\0')
EXTENSIONS = {
    '2.5.29.9': seq(), '2.5.29.14': octets(b'id'), '2.5.29.15': bits(b'\x80', 7), '2.5.29.16': seq(raw_ctx(0, b'20200101000000Z')),
    '2.5.29.17': seq(dns('kubernetes')), '2.5.29.18': seq(dns('issuer')), '2.5.29.19': seq(boolean(True), integer(0)),
    '2.5.29.20': integer(5), '2.5.29.21': tlv(0x0a, b'\1'), '2.5.29.23': oid('1.2.840.10040.2.1'), '2.5.29.24': tlv(
        0x18, b'20200101000000Z'), '2.5.29.27': integer(3), '2.5.29.28': seq(), '2.5.29.29': seq(ctx(4, name('x'))),
    '2.5.29.30': seq(ctx(0, seq(dns('kubernetes')))), '2.5.29.31': seq(seq(ctx(0, ctx(0, raw_ctx(6, b'http://crl/'))))),
    '2.5.29.32': seq(seq(oid('2.5.29.32.0'), seq(seq(oid('1.3.6.1.5.5.7.2.1'), tlv(0x16, b'http://cps/'))))),
    '2.5.29.33': seq(seq(oid('1.2.3.4'), oid('1.2.3.5'))), '2.5.29.35': seq(raw_ctx(0, b'id'), ctx(1, ctx(4, name('x'))), raw_ctx(
        2, b'\1')), '2.5.29.36': seq(raw_ctx(0, b'\0'), raw_ctx(1, b'\0')), '2.5.29.37': seq(oid('1.3.6.1.5.5.7.3.1')),
    '2.5.29.46': seq(seq(ctx(0, ctx(0, raw_ctx(6, b'http://crl/'))))), '2.5.29.54': integer(0), '2.5.29.55': seq(seq()),
    '2.5.29.56': NULL, '1.3.6.1.5.5.7.1.1': seq(seq(oid('1.3.6.1.5.5.7.48.1'), raw_ctx(6, b'http://ocsp/'))),
    '1.3.6.1.5.5.7.1.3': seq(seq(oid('0.4.0.1862.1.1'))), '1.3.6.1.5.5.7.1.7': seq(seq(octets(b'\0\1'), NULL)),
    '1.3.6.1.5.5.7.1.8': seq(ctx(0, NULL)), '1.3.6.1.5.5.7.1.11': seq(), '1.3.6.1.5.5.7.1.14': seq(seq(oid('1.3.6.1.5.5.7.21.1'))),
    '1.3.6.1.5.5.7.1.24': seq(integer(5)), '1.3.6.1.5.5.7.48.1.5': NULL, '1.3.6.1.4.1.11129.2.4.2': SCT,
    '1.3.6.1.4.1.11129.2.4.3': NULL, '2.16.840.1.113730.1.1': bits(b'\x40', 6), '2.16.840.1.113730.1.13': tlv(0x16, b'comment'),
    '1.3.6.1.4.1.99999.7': octets(b'?'), '2.16.840.1.101.3.4.2.1': octets(b'a digest is no extension'),
}
for _oid, _value in EXTENSIONS.items():
    _names = () if _oid == '2.5.29.17' else (GOOD_NAMES,)
    for _name, _extensions in {
            'critical': [extension(_oid, _value, True)], 'plain': [extension(_oid, _value)], 'empty': [extension(_oid, b'', True)],
            'cut': [extension(_oid, _value[:-1])], 'nothing': [extension(_oid, seq(), True)],
            'indefinite': [extension(_oid, endless(_value[0] | 0x20, _value[2:]))],
            'double': [extension(_oid, _value)] * 2}.items():
        leaves[f'ext_{_oid}_{_name}'] = leaf([*_names, *_extensions])
for _name, _uses in {'client': ['1.3.6.1.5.5.7.3.2'], 'any': ['2.5.29.37.0'], 'ms_sgc': ['1.3.6.1.4.1.311.10.3.3'],
                     'ns_sgc': ['2.16.840.1.113730.4.1'], 'unknown': ['1.3.6.1.4.1.99999.8'], 'none': [],
                     'many': ['1.3.6.1.4.1.99999.8', '1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.9']}.items():
    for _critical in (False, True):
        leaves[f'use_{_name}_{_critical}'] = leaf([GOOD_NAMES, extension('2.5.29.37', seq(*map(oid, _uses)), _critical)])
for _use in range(8):
    leaves[f'key_usage_{_use}'] = leaf([GOOD_NAMES, extension('2.5.29.15', bits(bytes([128 >> _use]), 7 - _use), True)])
    leaves[f'ns_type_{_use}'] = leaf([GOOD_NAMES, extension('2.16.840.1.113730.1.1', bits(bytes([128 >> _use]), 7 - _use))])
OTHER = {'upn': '1.3.6.1.4.1.311.20.2.3', 'smtp_utf8': '1.3.6.1.5.5.7.8.9', 'srv': '1.3.6.1.5.5.7.8.7', 'unknown': '1.2.3.4'}
GENERAL = {  # general names
    'email': raw_ctx(1, b'a@kubernetes.example'), 'dns': dns('kubernetes'), 'wildcard': dns('*.example'), 'nul': dns('kube\0rnetes'),
    'dns_dot': dns('.kubernetes'), 'dns_empty': dns(''), 'x400': ctx(3, seq()), 'directory': ctx(4, name('kubernetes')), 'edi': ctx(
        5, ctx(1, utf8('p'))), 'uri': raw_ctx(6, b'https://kubernetes.example/'), 'uri_junk': raw_ctx(6, b'::'), 'ip4': raw_ctx(
            7, bytes([10, 0, 0, 1])), 'ip6': raw_ctx(7, bytes(16)), 'ip_odd': raw_ctx(7, b'123'), 'registered': raw_ctx(8, b'\x2a\3'),
    **{'other_' + key: ctx(0, oid(value), ctx(0, utf8('a@kubernetes.example'))) for key, value in OTHER.items()}}
for _name, _general in GENERAL.items():
    leaves['alt_' + _name] = leaf([alt(_general)])
leaves['alt_all'] = leaf([alt(*GENERAL.values())])
leaves['alt_none'] = leaf([])


def chain(name_, *certificates, anchors=(ANCHOR,), flags=0, text=b''):
    pieces = [(0, der) for der in anchors] + [(1, der) for der in certificates] + ([(2, text)] if text else [])
    seed('chain', name_, bytes([flags]) + b''.join(
        bytes([kind]) + len(der).to_bytes(2, 'big') + der for kind, der in pieces))


for _name, _leaf in leaves.items():
    chain('leaf_' + _name, _leaf)
    seed('cert_pair', 'leaf_' + _name, pem('CERTIFICATE', _leaf) + b'\0' + pem('PRIVATE KEY', KEYS['p384']))
# the hostile one is the issuer, or the anchor
MIDDLE = name('middle')


def below_middle(*extensions, **more):
    return certificate(name('kubernetes'), LEAF_KEY, EC_CA, MIDDLE, extensions or (GOOD_NAMES,), **more)


def middle(*extensions, public=PUBLIC['p256'], **more):
    return certificate(MIDDLE, public, EC_CA, CA_NAME, [CA, *extensions], **more)


for _name, _public in PUBLIC.items():
    chain('issuer_' + _name, below_middle(), middle(public=_public))
    chain('issuer_cheat_' + _name, below_middle(), middle(public=_public), flags=1)
    _odd = certificate(name('odd anchor'), _public, None, name('odd anchor'), [CA], 'junk_unknown')
    chain('anchor_' + _name, leaf(), anchors=(_odd, ANCHOR))
for _name in SIGNATURES:
    _signer, _anchor = (PSS_CA, PSS_ANCHOR) if _name.startswith('pss') else (RSA_CA, RSA_ANCHOR) if _name.startswith(
        'rsa') else (EC_CA, ANCHOR)
    _leaf = certificate(name('kubernetes'), LEAF_KEY, _signer, CA_NAME, [GOOD_NAMES], _name)
    chain('signature_' + _name, _leaf, anchors=(_anchor,))
    chain('signature_cheat_' + _name, _leaf, anchors=(_anchor,), flags=1)
    # the anchor's own signature: nobody verifies it
    _public = PUBLIC['rsa' if _name.startswith('rsa') else 'rsa_pss' if _name.startswith('pss') else 'p256']
    for _version, _extensions in ((2, [CA]), (0, [])):
        _anchor = certificate(CA_NAME, PUBLIC['p256'], EC_CA, CA_NAME, _extensions, _name if _name.startswith('ecdsa') else
                              'junk_unknown' if not _name.startswith('junk') else _name, version=_version)
        chain(f'anchor_v{_version}_{_name}', leaf(), anchors=(_anchor,))
for _oid, _value in EXTENSIONS.items():
    for _critical in (False, True):
        chain(f'issuer_ext_{_oid}_{_critical}', below_middle(), middle(extension(_oid, _value, _critical)))
for _base, _constraint in GENERAL.items():
    for _which in (0, 1):
        _middle = middle(extension('2.5.29.30', seq(ctx(_which, seq(_constraint))), True))
        chain(f'constraint_{_base}_{_which}', below_middle(), _middle)
        chain(f'constraint_{_base}_{_which}_all', below_middle(alt(*GENERAL.values())), _middle)
        chain(f'constraint_{_base}_{_which}_same', below_middle(alt(GENERAL[_base])), _middle)
for _name, _address in {'ip4': bytes([10, 0, 0, 0, 255, 0, 0, 0]), 'ip4_wrong': bytes([11, 0, 0, 0, 255, 0, 0, 0]), 'ip6': bytes(32),
                        'ip_odd': b'1234567'}.items():
    for _which in (0, 1):
        chain(f'constraint_range_{_name}_{_which}', below_middle(), middle(extension('2.5.29.30', seq(ctx(_which, seq(raw_ctx(
            7, _address)))), True)))
chain('constraint_minimum', below_middle(), middle(extension('2.5.29.30', seq(ctx(0, seq(dns('kubernetes'), raw_ctx(0, b'\1'), raw_ctx(
    1, b'\2')))), True)))
for _name, _length in {'zero': 0, 'negative': -1, 'huge': 1 << 80}.items():
    chain('path_length_' + _name, below_middle(), middle(), anchors=(certificate(
        CA_NAME, PUBLIC['p256'], EC_CA, CA_NAME, [extension('2.5.29.19', seq(boolean(True), integer(_length)), True)]),))


def resources(first): return extension('1.3.6.1.5.5.7.1.7', seq(seq(octets(b'\0\1'), seq(bits(bytes([first]))))))
def systems(number): return extension('1.3.6.1.5.5.7.1.8', seq(ctx(0, seq(integer(number)))))


for _name, _wanted in {'nested': 10, 'not_nested': 11}.items():
    for _kind, _make in {'addresses': resources, 'systems': systems}.items():
        _anchor = certificate(CA_NAME, PUBLIC['p256'], EC_CA, CA_NAME, [CA, _make(10)])
        chain(f'rfc3779_{_kind}_{_name}', leaf([GOOD_NAMES, _make(_wanted)]), anchors=(_anchor,))
        _critical = extension('1.3.6.1.5.5.7.1.7', seq(seq(octets(b'\0\1'), seq(bits(bytes([_wanted]))))), True)
    chain(f'rfc3779_critical_{_name}', leaf([GOOD_NAMES, _critical]), anchors=(certificate(
        CA_NAME, PUBLIC['p256'], EC_CA, CA_NAME, [CA, resources(10)]),))
POLICY = {'any': '2.5.29.32.0', 'own': '1.2.3.4', 'other': '1.2.3.5'}
for _up, _first in POLICY.items():
    for _down, _second in POLICY.items():
        chain(f'policy_{_up}_{_down}', below_middle(GOOD_NAMES, extension('2.5.29.32', seq(seq(oid(_second))), True)), middle(
            extension('2.5.29.32', seq(seq(oid(_first))), True), extension('2.5.29.36', seq(raw_ctx(0, b'\0'), raw_ctx(1, b'\0')), True),
            extension('2.5.29.33', seq(seq(oid('1.2.3.4'), oid('1.2.3.5')))), extension('2.5.29.54', integer(0), True)))
_proxy = name('kubernetes', ('2.5.4.3', utf8('proxy')))
chain('proxy', certificate(_proxy, LEAF_KEY, key_file('p384'), name('kubernetes'), [extension('1.3.6.1.5.5.7.1.14', seq(seq(oid(
    '1.3.6.1.5.5.7.21.1'))), True)]), leaf())
chain('loop', below_middle(), certificate(MIDDLE, PUBLIC['p256'], EC_CA, name('other'), [CA]), certificate(
    name('other'), PUBLIC['p256'], EC_CA, MIDDLE, [CA]))
chain('deep', below_middle(), *[certificate(MIDDLE, PUBLIC['p256'], EC_CA, MIDDLE, [CA], serial=i) for i in range(20)], middle())

# --- PEM files ---------------------------------------------------------------------------------------------------

LEAF = pem('CERTIFICATE', leaf())


def pair(name_, key, certificates=LEAF):
    seed('cert_pair', name_, certificates + b'\0' + key)
    # the same as a file of certificate authorities
    chain('file_' + name_, leaf(), anchors=(), text=key + certificates + pem('CERTIFICATE', ANCHOR))


for _name, _key in KEYS.items():
    pair('pkcs8_' + _name, pem('PRIVATE KEY', _key))
    seed('cert_pair', f'pkcs8_{_name}_der', _key)
    if _name in PUBLIC:
        pair('own_leaf_' + _name, pem('PRIVATE KEY', _key), pem('CERTIFICATE', leaves['key_' + _name]))
PASSWORD = ['-passout', 'pass:secret']
_key = key_file('p256')
for _name, _arguments in {'pbes2': ['-v2', 'aes-256-cbc'], 'pbes2_sha512': ['-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA512'],
                          'pbes1': ['-v1', 'PBE-SHA1-3DES'], 'scrypt': ['-scrypt']}.items():
    _text = openssl('pkcs8', '-topk8', '-in', _key, *_arguments, *PASSWORD)
    pair('encrypted_' + _name, _text)
    pair('encrypted_as_plain_' + _name, _text.replace(b'ENCRYPTED ', b''))
for _name in ('p256', 'rsa', 'dsa'):
    _text = openssl('pkey', '-in', key_file(_name), '-traditional')
    pair('traditional_' + _name, _text)
    pair('traditional_encrypted_' + _name, openssl('pkey', '-in', key_file(_name), '-traditional', '-aes256', *PASSWORD))
_leaf_file, _ca_file = stored('leaf.pem', LEAF), stored('ca.pem', pem('CERTIFICATE', ANCHOR))
_leaf_key = key_file('p384')
_p12 = openssl('pkcs12', '-export', '-in', _leaf_file, '-inkey', _leaf_key, *PASSWORD)
pair('pkcs12', _p12)
pair('pkcs12_as_key', pem('PRIVATE KEY', _p12))
pair('pkcs12_label', pem('PKCS12', _p12))
_p7 = openssl('crl2pkcs7', '-nocrl', '-certfile', _leaf_file)
pair('pkcs7', LEAF, _p7)
pair('cms', LEAF, _p7.replace(b'PKCS7', b'CMS'))
pair('ec_parameters_first', openssl('ecparam', '-name', 'prime256v1') + openssl('pkey', '-in', _key, '-traditional'))
pair('ec_parameters_odd', openssl('ecparam', '-name', 'sect283k1', '-param_enc', 'explicit') + openssl('pkey', '-in', _leaf_key))
pair('rsa_public', openssl('rsa', '-in', key_file('rsa'), '-RSAPublicKey_out'))
pair('public', pem('PUBLIC KEY', PUBLIC['p256']))
for _label in ('ANY PRIVATE KEY', 'DSA PRIVATE KEY', 'DH PARAMETERS', 'X9.42 DH PARAMETERS', 'SM2 PRIVATE KEY', 'X509 CRL', 'NEW CERTIFICATE REQUEST',
               'CERTIFICATE REQUEST', 'ED25519 PRIVATE KEY', 'OPENSSH PRIVATE KEY', 'PRIVATE KEY ', ' PRIVATE KEY', 'RSA PRIVATE KEY',
               'EC PRIVATE KEY', 'TSS2 PRIVATE KEY', 'SSL SESSION PARAMETERS', 'PARAMETERS', 'ATTRIBUTE CERTIFICATE'):
    pair('label_' + _label.replace(' ', '_'), pem(_label, KEYS['p384']))
for _label in ('X509 CERTIFICATE', 'TRUSTED CERTIFICATE', 'CERTIFICATE PAIR', 'ATTRIBUTE CERTIFICATE', 'X509 CRL'):
    pair('certificate_label_' + _label.replace(' ', '_'), pem('PRIVATE KEY', KEYS['p384']), pem(_label, leaf()))
for _name, _arguments in {'trust_server': ['-addtrust', 'serverAuth'], 'trust_email': ['-addtrust', 'emailProtection'],
                          'reject_server': ['-addreject', 'serverAuth'], 'reject_any': ['-addreject', 'anyExtendedKeyUsage'],
                          'trust_unknown': ['-addtrust', '1.3.6.1.4.1.99999.9']}.items():
    _text = openssl('x509', '-in', _ca_file, '-trustout', '-setalias', 'x', *_arguments)
    chain('file_' + _name, leaf(), anchors=(), text=_text)
_revoked = seq(seq(integer(7), tlv(0x17, b'200101000000Z'), seq(extension('2.5.29.21', tlv(0x0a, b'\1')), extension(
    '2.5.29.29', seq(ctx(4, name('x'))), True))))
for _name, _extensions in {'plain': [], 'partial': [extension('2.5.29.28', seq(raw_ctx(1, b'\xff')), True)], 'delta': [extension(
        '2.5.29.27', integer(1), True), extension('2.5.29.20', integer(2))], 'unknown': [extension('1.3.6.1.4.1.99999.7', b'', True)]}.items():
    _body = seq(integer(1), algorithm('1.2.840.10045.4.3.2'), CA_NAME, tlv(0x17, b'200101000000Z'), tlv(0x18, b'99991231235959Z'),
                _revoked, ctx(0, seq(*_extensions)) if _extensions else b'')
    _crl = seq(_body, algorithm('1.2.840.10045.4.3.2'), bits(openssl('dgst', '-sha256', '-sign', EC_CA, data=_body)))
    chain('file_crl_' + _name, leaf(), anchors=(), text=pem('X509 CRL', _crl) + pem('CERTIFICATE', ANCHOR))
for _name, _numbers in {'zero': [0] * 9, 'negative': [0, -(1 << 2047), 65537] + [-3] * 6, 'huge': [0, (1 << 16383) + 1, 65537] + [
        (1 << 8000) + 1] * 6, 'multi': [1, 15, 3] + [5] * 6, 'version': [9, 15, 3] + [5] * 6, 'even': [0, 1 << 2047, 65537] + [2] * 6}.items():
    _der = seq(*map(integer, _numbers))
    pair('rsa_numbers_' + _name, pem('RSA PRIVATE KEY', _der))
    pair('rsa_numbers_pkcs8_' + _name, pem('PRIVATE KEY', seq(integer(0), _rsa, octets(_der))))
for _name, _parameters in {**ODD_CURVES, 'unknown': oid('1.3.6.1.4.1.99999.2'), 'none': NULL}.items():
    _der = seq(integer(1), octets(b'\1' * 32), ctx(0, _parameters))
    pair('ec_curve_' + _name, pem('EC PRIVATE KEY', _der))
    pair('ec_curve_pkcs8_' + _name, pem('PRIVATE KEY', seq(integer(0), algorithm('1.2.840.10045.2.1', _parameters), octets(_der))))
for _name, _secret in {'zero': b'\0' * 32, 'order': bytes.fromhex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
                       'long': b'\xff' * 70, 'empty': b''}.items():
    pair('ec_secret_' + _name, pem('EC PRIVATE KEY', seq(integer(1), octets(_secret), ctx(0, oid('1.2.840.10045.3.1.7')))))
for _name, _version in {'negative': -1, 'one': 1, 'huge': 1 << 90}.items():
    pair('pkcs8_version_' + _name, pem('PRIVATE KEY', seq(integer(_version), _p256, octets(seq(integer(1), octets(b'\1' * 32))))))
pair('pkcs8_indefinite', pem('PRIVATE KEY', endless(0x30, KEYS['p384'][3:])))
pair('pkcs8_attributes', pem('PRIVATE KEY', seq(integer(0), _p256, octets(seq(integer(1), octets(b'\1' * 32))), ctx(
    0, seq(oid('1.2.3.4'), setof(octets(b'a')))), raw_ctx(1, b'\0public'))))

# --- handshakes --------------------------------------------------------------------------------------------------

POINT = bytes.fromhex('046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'
                      '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5')
SHARES = {29: bytes([9]) + bytes(31), 23: POINT}
SHA_SIZE = {0x1301: 32, 0x1302: 48, 0x1303: 32}


def u8(data): return bytes([len(data)]) + data
def u16(data): return len(data).to_bytes(2, 'big') + data
def u24(data): return len(data).to_bytes(3, 'big') + data
def two(number): return number.to_bytes(2, 'big')
def piece(kind, data): return bytes([kind]) + u16(data)
def message(kind, body): return piece(128, bytes([kind]) + body)


def extensions13(**more):
    return u16(b''.join(two(int(key[1:])) + u16(value) for key, value in more.items()))


def hello(suite, random=b'R' * 32, session=b'S' * 32, version=0x0303, **more):
    return message(2, two(version) + random + u8(session) + two(suite) + b'\0' + (extensions13(**more) if more else b''))


def hello13(suite=0x1301, group=29, **more):
    return hello(suite, e43=b'\3\4', e51=two(group) + u16(SHARES.get(group, b'\1' * 32)), **more)


RETRY = bytes.fromhex('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c')
REQUEST13 = message(13, u8(b'') + extensions13(e13=u16(two(0x0403) + two(0x0804)), e50=u16(two(0x0403)), e47=u16(u16(CA_NAME))))


def certificates13(*ders, extra=b''): return message(11, u8(b'') + u24(b''.join(u24(der) + u16(extra) for der in ders)))


HTTP = piece(23, b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
TICKET = message(4, bytes(3) + b'\1' + bytes(4) + u8(b'n') + u16(b'ticket') + extensions13(e42=bytes(4)))


def flight13(*ders, suite=0x1301, group=29, scheme=0x0403, before=b'', request=b'', after=HTTP, encrypted=extensions13(
        e16=u16(u8(b'http/1.1'))), first=None, extra=b''):
    return (before + (first or hello13(suite, group)) + message(8, encrypted) + request + certificates13(*ders, extra=extra) + message(
        15, two(scheme) + u16(b'\x30\x06\2\1\1\2\1\1')) + message(20, b'F' * SHA_SIZE.get(suite, 32)) + after)


def flight12(*ders, suite=0xc02b, group=29, scheme=0x0403, request=b'', after=HTTP, session=b'', extra=b'', **more):
    return (hello(suite, session=session, **(more or {'e65281': b'\0', 'e11': b'\1\0', 'e23': b''})) + message(11, u24(b''.join(map(u24, ders)))) + extra + message(
        12, b'\3' + two(group) + u8(SHARES.get(group, b'\1' * 32)) + two(scheme) + u16(b'\x30\x06\2\1\1\2\1\1')) + request + message(14, b'')
        + piece(20, b'\1') + message(20, b'F' * 12) + after)


def tls(name_, data, flags=0): seed('tls_client', name_, bytes([flags]) + data)


GOOD = leaf(public=PUBLIC['p256'])
RSA_LEAF = leaf(public=PUBLIC['rsa'])
SCHEMES = {'p256': 0x0403, 'p384': 0x0503, 'p521': 0x0603, 'rsa': 0x0804, 'ed25519': 0x0807, 'rsa_pss': 0x0809, 'rsa_pss_sha512': 0x080b,
           'ed448': 0x0808, 'sm2': 0x0708, 'brainpool': 0x081a, 'ml_dsa_44': 0x0904}
for _name in PUBLIC:
    _leaf = leaf(public=PUBLIC[_name])
    tls('tls13_key_' + _name, flight13(_leaf, scheme=SCHEMES.get(_name, 0x0804 if 'rsa' in _name else 0x0403)))
    tls('tls12_key_' + _name, flight12(_leaf, suite=0xc02f if 'rsa' in _name else 0xc02b,
                                       scheme=SCHEMES.get(_name, 0x0401 if 'rsa' in _name else 0x0403)))
for _suite in (0x1301, 0x1302, 0x1303, 0x1304, 0x1399):
    for _group in (29, 23, 24, 25, 30, 0x11ec, 0x0100):
        tls(f'tls13_{_suite:x}_{_group}', flight13(GOOD, suite=_suite, group=_group))
for _suite in (0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0xc013, 0x009c, 0x002f, 0x0005, 0x1301):
    for _group in (29, 23, 30, 0x0100):
        tls(f'tls12_{_suite:x}_{_group}', flight12(RSA_LEAF if _suite in (0xc02f, 0xc030, 0xcca8) else GOOD, suite=_suite, group=_group, scheme=0x0804
                                                  if _suite in (0xc02f, 0xc030, 0xcca8) else 0x0403))
for _scheme in (0x0201, 0x0203, 0x0101, 0x0301, 0x0303, 0x0401, 0x0402, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806, 0x0807, 0x0808, 0x0809, 0x0707, 0x0904,
                0xeeee):
    tls(f'tls13_scheme_{_scheme:x}', flight13(RSA_LEAF, scheme=_scheme))
    tls(f'tls12_scheme_{_scheme:x}', flight12(RSA_LEAF, suite=0xc02f, scheme=_scheme))
for _group in (23, 24, 25, 29, 30, 0x11ec):
    tls(f'tls13_retry_{_group}', flight13(GOOD, group=_group, before=hello(0x1301, RETRY, e43=b'\3\4', e51=two(_group), e44=u16(b'cookie'))))
tls('tls13_retry_twice', hello(0x1301, RETRY, e43=b'\3\4', e51=two(23)) * 2)
tls('tls13_client_certificate', flight13(GOOD, request=REQUEST13))
tls('tls12_client_certificate', flight12(GOOD, request=message(13, u8(b'\x40\1') + u16(two(0x0403)) + u16(u16(CA_NAME)))))
tls('tls12_client_certificate_none', flight12(GOOD, request=message(13, u8(b'\2\3') + u16(two(0x0202)) + u16(b''))))
tls('tls13_ticket', flight13(GOOD, after=TICKET * 3 + HTTP))
tls('tls13_key_update', flight13(GOOD, after=message(24, b'\1') + message(24, b'\0') + HTTP))
tls('tls13_key_update_many', flight13(GOOD, after=message(24, b'\1') * 40))
tls('tls13_request_afterwards', flight13(GOOD, after=message(13, u8(b'c') + extensions13(e13=u16(two(0x0403)))) + HTTP))
tls('tls13_ccs', flight13(GOOD, before=piece(20, b'\1')))
tls('tls13_compressed', hello13() + message(8, extensions13()) + message(25, b'\0\1' + u24(GOOD)[:3] + u24(b'z' * 20)))
tls('tls13_psk', hello(0x1301, e43=b'\3\4', e41=b'\0\0') + message(8, extensions13(e42=b'')) + message(20, b'F' * 32))
tls('tls13_staple', flight13(GOOD, extra=two(5) + u16(b'\1' + u24(b'o')) + two(18) + u16(u16(u16(b'sct')))))
tls('tls13_empty_certificate', flight13())
tls('tls13_chain', flight13(GOOD, middle(), *[ANCHOR] * 9))
for _number in (0, 1, 5, 10, 13, 15, 16, 18, 19, 20, 21, 22, 23, 27, 28, 35, 41, 42, 43, 44, 45, 47, 49, 50, 51, 57, 13172, 65281, 0xfe0d, 0x3a3a):
    for _name, _value in {'empty': b'', 'zeros': bytes(2), 'list': u16(u8(b'http/1.1'))}.items():
        tls(f'tls13_extension_{_number}_{_name}', flight13(GOOD, encrypted=extensions13(**{f'e{_number}': _value})))
        tls(f'tls13_hello_extension_{_number}_{_name}', flight13(GOOD, first=hello13(**{f'e{_number}': _value}) if _number not in (
            43, 51) else hello(0x1301, **{f'e{_number}': _value})))
        tls(f'tls12_extension_{_number}_{_name}', flight12(GOOD, **{f'e{_number}': _value}))
tls('tls12_ticket', flight12(GOOD, e35=b'', e23=b'', extra=b'') .replace(piece(20, b'\1'), message(4, bytes(4) + u16(b't')) + piece(20, b'\1')))
tls('tls12_staple', flight12(GOOD, e5=b'', extra=message(22, b'\1' + u24(b'o'))))
tls('tls12_renegotiate', flight12(GOOD, after=message(0, b'') + hello(0xc02b, e65281=u8(b'F' * 24)) + HTTP))
tls('tls12_resumed', hello(0xc02b, session=b'S' * 32, e65281=b'\0') + piece(20, b'\1') + message(20, b'F' * 12) + HTTP)
tls('tls12_explicit_curve', hello(0xc02b) + message(11, u24(u24(GOOD))) + message(12, b'\1' + u8(b'\7') + b'\2' * 40))
tls('tls12_export', hello(0x0003) + message(11, u24(u24(GOOD))) + message(12, b'\0' * 40))
for _random in (b'DOWNGRD\1', b'DOWNGRD\0'):
    tls(f'tls12_downgrade_{_random[-1]}', hello(0xc02b, b'R' * 24 + _random))
for _version in (0x0300, 0x0301, 0x0302, 0x0304, 0xfeff):
    tls(f'version_{_version:x}', hello(0xc02b, version=_version))
    tls(f'selected_version_{_version:x}', hello(0x1301, e43=two(_version), e51=two(29) + u16(SHARES[29])))
for _alert in range(0, 256, 3):
    tls(f'alert_{_alert}', piece(21, bytes([2, _alert])) + piece(21, bytes([1, _alert])))
tls('sslv2', piece(0, b'\x80\x2e\x04\0\1\0\2' + bytes(40)))
tls('http', piece(0, b'HTTP/1.1 400 Bad Request\r\n\r\n'))
tls('record_too_long', piece(0, b'\x16\3\3\x48\1' + bytes(18433)))
tls('record_empty', piece(0, b'\x16\3\3\0\0' * 40))
tls('record_heartbeat', piece(24, b'\1\xff\xff'))
tls('fragments', b''.join(piece(22, bytes([byte])) for byte in b'\2\0\0\x46\3\3' + b'R' * 32 + b'\x20' + b'S' * 32 + b'\xc0\x2b\0'))
tls('message_huge', piece(22, b'\x0b\xff\xff\xff') + piece(22, b'x' * 16000))
for _name in ('tls13_client_certificate', 'tls12_client_certificate', 'tls13_ticket'):
    with open(f'{OUT}/tls_client/{_name}', 'rb') as _file:
        tls(_name + '_honest', _file.read()[1:], 1)
for _name, _answer in {'chunked': b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', 'bad_chunk': b'Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n',
                       'length': b'Content-Length: -1\r\n\r\n', 'huge_length': b'Content-Length: 99999999999999999999\r\n\r\n', 'gzip': b'Content-Encoding: gzip\r\n\r\n',
                       'fold': b'A: b\r\n  c\r\n\r\n', 'redirect': b'Location: file:///etc/passwd\r\n\r\n', 'cookie': b'Set-Cookie: a=b\r\n\r\n',
                       'retry': b'Retry-After: 99999999999999999999\r\n\r\n', 'auth': b'WWW-Authenticate: Negotiate\r\n\r\n', 'nul': b'A: \0\r\n\r\n'}.items():
    tls('answer_' + _name, flight13(GOOD, after=piece(23, b'HTTP/1.1 200 OK\r\n' + _answer)))
for _line in (b'HTTP/1.1 100 Continue\r\n\r\n' * 50, b'HTTP/2 200\r\n\r\n', b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n', b'ICY 200\r\n\r\n', b'HTTP/0.9'):
    tls(f'status_{_line[:12].hex()}', flight13(GOOD, after=piece(23, _line)))

subprocess.run(['rm', '-rf', TMP], check=True)
for target in ('cert_pair', 'chain', 'tls_client'):
    print(f'{target}: {len(os.listdir(f"{OUT}/{target}"))} seeds')
