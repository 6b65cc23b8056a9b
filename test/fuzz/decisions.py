#!/usr/bin/env python3
"""Verifies every seed of chain_fuzz with the trimmed library and with the machine's own, and compares what they decide.

    decisions.py TRIMMED FULL SEEDS       two builds of chain_fuzz, the folder with its seeds

Fails when the trimmed library accepts what the full one refuses, or refuses what that accepts and is not in REFUSED.
"""
import os
import re
import subprocess
import sys

# What the trimmed library refuses for want of an algorithm, by the seeds' names.
KINDS = r'(binary|brainpool|dhx?|dsa|ed448|explicit_\w+|secp\w+|sm2|x25519|x448)'
REFUSED = {
    r'signature_(ecdsa|rsa)_sha224': 'digests: SHA-256, -384 and -512 only (SHA-1 and MD5 are refused by both)',
    r'signature_(ecdsa|rsa)_sha3': 'the same',
    r'signature_rsa_sha512_256': 'the same',
    rf'leaf_key_{KINDS}': 'a server with a key that could not be used in TLS anyway',
    rf'file_(pkcs8|own_leaf)_{KINDS}': 'a file of authorities that holds a private key, of a kind that is unknown',
    r'file_pkcs8_version_\w+|file_label_SM2_PRIVATE_KEY|file_traditional_dsa': 'the same',
    r'file_traditional_encrypted_\w+': 'the same, encrypted',
    r'anchor_v0_ecdsa_(recommended|specified)': 'identifiers of signatures that nobody uses, and on which OpenSSLs differ',
}


def answers(program, files):
    result = subprocess.run([program, *files], env={**os.environ, 'CERTLATCH_FUZZ_ANSWER': '1'}, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
    answer, file = {}, None  # libFuzzer may run one twice, to look for leaks
    for line in result.stdout.splitlines():
        if line.startswith('Running: '):
            file = line[len('Running: '):]
        elif line.startswith('answer: '):
            answer[file] = line[len('answer: '):]
    if result.returncode != 0 or len(answer) != len(files):
        sys.exit(f'{program}: {len(answer)} answers to {len(files)} seeds\n{result.stdout[-2000:]}')
    return [answer[file] for file in files]


def main():
    trimmed_program, full_program, seeds = sys.argv[1:]
    names = sorted(name for name in os.listdir(seeds) if 'cheat' not in name)  # a flag that only the trimmed one has
    files = [f'{seeds}/{name}' for name in names]
    bad = accepted = refused = 0
    for name, trimmed, full in zip(names, answers(trimmed_program, files), answers(full_program, files)):
        alike = trimmed == full or trimmed.startswith('refused') and full.startswith('refused')
        explained = trimmed.startswith('refused') and any(re.fullmatch(pattern, name) for pattern in REFUSED)
        accepted += alike and trimmed.startswith('accepted')
        refused += alike and trimmed.startswith('refused')
        if alike or explained:
            continue
        bad += 1
        print(f'{name}\n    trimmed: {trimmed}\n    full:    {full}')
    print(f'{len(names)} chains: {accepted} accepted by both, {refused} refused by both, {bad} decided differently')
    if bad or not accepted or not refused:
        sys.exit(1)


main()
