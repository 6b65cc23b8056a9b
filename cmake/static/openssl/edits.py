"""OpenSSL 3.5 as the library of one program: a TLS client that checks certificates and key pairs.

Each function below states a fact about this program as a constant, or shortens a table, and lets the compiler find out
what can no longer happen. No arithmetic and no decision of certificate verification is changed. Every edit is checked:
see checked_edit.py. The bytes are what one group saves alone, roughly; the order matters little.

    edits.py TREE          (TREE is edited in place)
"""
import os
import re
import sys

from checked_edit import Tree

HERE = os.path.dirname(os.path.abspath(__file__))
tree = Tree(sys.argv[1])


def ssl_sources():
    return tree.sources('ssl', without=('t1_trce',))


# --- facts about the program -------------------------------------------------------------------------------------

def short_calls():
    """Errors keep their library and reason, and lose file, line, function and format string; allocations lose file and
    line. (85 KB: these are at some 6,000 places.)"""
    header = 'include/openssl/err.h.in'
    tree.replace_regex(header, r'#define ERR_raise\(lib, reason\).*?ERR_set_error\)',
                       '#define ERR_raise(lib, reason) ossl_raise(((unsigned)(lib) << 23) | (unsigned)(reason))\n'
                       '#define ERR_raise_data(lib, reason, ...) ERR_raise(lib, reason)')
    tree.replace(header, 'void ERR_new(void);', 'void ERR_new(void);\nvoid ossl_raise(unsigned);')
    tree.append('crypto/err/err.c', '''
void ossl_raise(unsigned code)
{
    ERR_new();
    ERR_set_error(code >> 23, code & 0x7fffff, NULL);
}
''')

    tree.replace_regex('include/internal/statem.h', r'#define SSLfatal_data\s*\\\n.*?ossl_statem_fatal\)',
                       '#define SSLfatal_data(s, al, r, ...) '
                       'ossl_statem_fail((s), (((unsigned)(al) & 0x1ff) << 22) | (unsigned)(r))\n'
                       'void ossl_statem_fail(SSL_CONNECTION *, unsigned);')
    tree.append('ssl/statem/statem.c', '''
void ossl_statem_fail(SSL_CONNECTION *s, unsigned code)
{
    int alert = (code >> 22) & 0x1ff;

    if (alert == 0x1ff)
        alert = SSL_AD_NO_ALERT;
    ossl_raise(((unsigned)ERR_LIB_SSL << 23) | (code & 0x3fffff));
    ossl_statem_send_fatal(s, alert);
}
''')

    tree.replace('include/openssl/crypto.h.in', 'OPENSSL_die("assertion failed: " #e, ', 'OPENSSL_die("assertion failed", ')

    allocators = {  # name: (result, parameters, arguments)
        'malloc': ('void *', 'size_t n', 'n'),
        'zalloc': ('void *', 'size_t n', 'n'),
        'realloc': ('void *', 'void *p, size_t n', 'p, n'),
        'clear_realloc': ('void *', 'void *p, size_t old, size_t n', 'p, old, n'),
        'clear_free': ('void ', 'void *p, size_t n', 'p, n'),
        'free': ('void ', 'void *p', 'p'),
        'memdup': ('void *', 'const void *p, size_t n', 'p, n'),
        'strdup': ('char *', 'const char *p', 'p'),
        'strndup': ('char *', 'const char *p, size_t n', 'p, n'),
    }
    header = 'include/openssl/crypto.h.in'
    declarations = definitions = ''
    for name, (result, parameters, arguments) in allocators.items():
        tree.replace_regex(header, r'(#define OPENSSL_%s\([^)]*\)\s*\\\n\s*)CRYPTO_%s\(([^\n]*), OPENSSL_FILE, '
                           r'OPENSSL_LINE\)' % (name, name), r'\1ossl_short_%s(\2)' % name)
        declarations += f'{result}ossl_short_{name}({parameters});\n'
        keyword = '' if result == 'void ' else 'return '
        definitions += (f'{result}ossl_short_{name}({parameters})\n'
                        f'{{\n    {keyword}CRYPTO_{name}({arguments}, "", 0);\n}}\n')
    first = 'OSSL_CRYPTO_ALLOC void *CRYPTO_malloc'
    tree.replace(header, first, declarations + first)
    tree.append('crypto/mem.c', '\n' + definitions)


def known_extensions():
    """Extensions of features that the options leave out stay known, in rows without handlers: one that nobody asked for is
    an error then, as upstream, and not passed over as unknown. That of certificate timestamps is held by its handler
    upstream; ours has upstream's words for it. (0.2 KB more)"""
    source = 'ssl/statem/extensions.c'

    def row(match):
        fields = [field.strip() for field in re.sub(r'/\*.*?\*/', '', match.group(1), flags=re.S).split(',')]
        if len(fields) != 8:
            tree.fail(f'ext_defs: a row of {len(fields)} fields: {fields}')
        parser = 'parse_unasked_sct' if fields[4] == 'tls_parse_stoc_sct' else 'NULL'
        return f'    {{ {fields[0]}, {fields[1]}, NULL, NULL, {parser}, NULL, NULL, NULL }},\n'

    def without_options(table):
        table, rows = re.subn(r'#ifndef OPENSSL_NO_\w+\n    \{([^{}]*)\},\n#else\n    INVALID_EXTENSION,\n#endif\n', row, table)
        if rows != 5 or 'INVALID_EXTENSION' in table or '\n#' in table or 'parse_unasked_sct' not in table:
            tree.fail(f'ext_defs: {rows} optional rows instead of 5, or others are left')
        return table
    start = 'static const EXTENSION_DEFINITION ext_defs[] = {'
    tree.replace_between(source, start, '\n};', without_options)
    tree.replace(source, start, '''#ifndef TLSEXT_TYPE_next_proto_neg
#define TLSEXT_TYPE_next_proto_neg 13172
#endif

static int parse_unasked_sct(SSL_CONNECTION *s, PACKET *pkt, unsigned int context, X509 *x, size_t chainidx)
{
    if (context == SSL_EXT_TLS1_3_CERTIFICATE_REQUEST)
        return 1;
    SSLfatal(s, TLS1_AD_UNSUPPORTED_EXTENSION, SSL_R_BAD_EXTENSION);
    return 0;
}

''' + start)


def client_only():
    """A connection is never a server's. (60 KB)"""
    tree.fold_member('ssl/ssl_local.h', '    int server;\n', 'server', '0', ssl_sources(), r'(?:s|sc|retsc)')
    machine = 'ssl/statem/statem.c'
    tree.replace(machine, 'static int state_machine(SSL_CONNECTION *s, int server)\n{',
                 'static int state_machine(SSL_CONNECTION *s, int as_server)\n{\n    enum { server = 0 };')
    tree.replace_body(machine, r'int ossl_statem_accept\(SSL \*s\)', '    abort(); /* a client only */\n')
    tree.replace('ssl/ssl_lib.c', 'void SSL_set_accept_state(SSL *s)\n{',
                 'void SSL_set_accept_state(SSL *s)\n{\n    abort(); /* a client only */')

    # By column, not by name: a client reads CertificateRequest with tls_parse_ctos_sig_algs.
    def without_server_columns(table):
        def row(match):
            fields = [field.strip() for field in match.group(1).rstrip().rstrip(',').split(',')]
            if len(fields) != 8:
                tree.fail(f'ext_defs: a row of {len(fields)} fields: {fields}')
            fields[3] = fields[5] = 'NULL'  # parse_ctos, construct_stoc
            return '{ ' + ', '.join(fields) + ' }'
        edited, rows = re.subn(r'\{([^{}]*)\}', row, re.sub(r'/\*.*?\*/', '', table, flags=re.S))
        if rows < 25:
            tree.fail(f'ext_defs: {rows} rows')
        return edited
    tree.replace_between('ssl/statem/extensions.c', 'static const EXTENSION_DEFINITION ext_defs[] = {', '\n};',
                         without_server_columns)


def tls_over_tcp_only():
    """Neither DTLS nor QUIC. (20 KB)"""
    header = 'ssl/ssl_local.h'
    for macro in (r'SSL_CONNECTION_IS_DTLS\(s\)', r'SSL_CTX_IS_DTLS\(ctx\)'):
        tree.replace_regex(header, r'#define (%s) \\\n[^\n]*\n' % macro, r'#define \1 0\n')
    for macro in (r'SSL_IS_QUIC_HANDSHAKE\(s\)', r'SSL_IS_QUIC_INT_HANDSHAKE\(s\)'):
        tree.replace_regex(header, r'#define (%s) +[^\n0][^\n]*\n' % macro, r'#define \1 0\n')
    tree.replace('ssl/record/methods/dtls_meth.c', '    (*retrl)->isdtls = 1;\n', '')
    tree.fold_member('ssl/record/methods/recmethod_local.h', '    int isdtls;\n', 'isdtls', '0',
                     tree.sources('ssl/record'))


def refusal(library, result='0'):
    return f'    ERR_raise(ERR_LIB_{library}, ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);\n    return {result};\n'


REFUSE = refusal('SSL')


def no_early_data():
    """TLS 1.3's 0-RTT is never asked for; the two functions that would say so, with an error."""
    for which, buffer in (('read', 'void'), ('write', 'const void')):
        tree.replace_body('ssl/ssl_lib.c', rf'int SSL_{which}_early_data\(SSL \*s, {buffer} \*buf, size_t num, size_t \*\w+\)',
                          REFUSE)
    tree.fold_member('ssl/ssl_local.h', '    SSL_EARLY_DATA_STATE early_data_state;\n', 'early_data_state',
                     'SSL_EARLY_DATA_NONE', ssl_sources(), r'(?:\(s\)|s|sc)')


def no_custom_extensions():
    """Nobody adds extensions of his own to the handshake: adding one is an error, hence their number is 0."""
    source = 'ssl/statem/extensions_cust.c'
    tree.replace_body(source, r'int ossl_tls_add_custom_ext_intern\([^)]*\)', REFUSE)
    tree.replace(source, '            dst->meths_count += meths_count;\n', '')
    tree.replace('ssl/statem/extensions.c', 's->cert->custext.meths_count', '0', times=2)
    tree.fold_member('ssl/ssl_local.h', '    size_t meths_count;\n', 'meths_count', '0',
                     (source, 'ssl/statem/extensions.c'), r'(?:exts|src|dst)')


def x509_certificates_only():
    """Raw public keys (RFC 7250) are never offered: offering them is an error, hence each side has a certificate."""
    tree.replace_body('ssl/ssl_lib.c', r'static int set_cert_type\([^)]*\)', REFUSE)
    for side in ('server', 'client'):
        tree.replace_body('ssl/statem/extensions_srvr.c', rf'int tls_parse_ctos_{side}_cert_type\([^)]*\)',
                          '    abort(); /* a client only */\n')
        tree.fold_member('ssl/ssl_local.h', f'        uint8_t {side}_cert_type;\n', rf'ext.{side}_cert_type',
                         'TLSEXT_cert_type_x509', ssl_sources(), r'(?:s|sc)')


def only_aead():
    """Every cipher suite has ECDHE and an AEAD, by the providers' ciphers (cipher_suites() below sees to it): no MAC of the
    record layer's own, hence neither encrypt-then-MAC nor GOST's variants, no padding, no pipelines, and no other key
    exchange. What is none of this is an error of the connection. (8 KB)"""
    suites = ('ssl/s3_lib.c', 'ssl/t1_enc.c', 'ssl/t1_lib.c', 'ssl/ssl_cert.c', 'ssl/statem/extensions.c',
              'ssl/statem/extensions_clnt.c', 'ssl/statem/statem_clnt.c')
    uses = 0
    for path in suites:
        text, count = re.subn(r'(?<![\w>.])((?:\w+(?:->|\.))*\w+->algorithm_mkey)\b(?! =[^=])', r'(\1 & SSL_kECDHE)', tree.read(path))
        text, macs = re.subn(r'(?<![\w>.])(?:\w+(?:->|\.))*\w+->algorithm_mac\b(?! =[^=])', 'SSL_AEAD', text)
        tree.write(path, text)
        uses += count + macs
    if uses < 20:
        tree.fail(f'{uses} uses of key exchange and MAC of a suite')

    source = 'ssl/record/methods/tls1_meth.c'
    fail = '        RLAYERfatal(rl, SSL_AD_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);\n'
    tree.replace_regex(source, r'    rl->md_ctx = EVP_MD_CTX_new\(\);\n    if \(rl->md_ctx == NULL\) \{.*?\n    \}\n', '')
    tree.replace_regex(source, r'(    if \(\(EVP_CIPHER_get_flags\(ciph\) & EVP_CIPH_FLAG_AEAD_CIPHER\) == 0\) \{\n)'
                       r'        if \(mactype == EVP_PKEY_HMAC\).*?\n    \}\n',
                       r'\1' + fail + '        return OSSL_RECORD_RETURN_FATAL;\n    }\n')
    tree.replace_regex(source, r'    if \(EVP_MD_CTX_get0_md\(rl->md_ctx\)\) \{\n.*?\n    \}\n', '')
    tree.replace(source, '    int pad = 0, tmpr, provided;\n', '    int pad = 0, tmpr;\n    enum { provided = 1 };\n')
    tree.replace(source, '    provided = (EVP_CIPHER_get0_provider(enc) != NULL);\n',
                 '    if (EVP_CIPHER_get0_provider(enc) == NULL) {\n' + fail + '        return 0;\n    }\n')
    tree.replace(source, '    if (n_recs == 0) {\n', '    if (n_recs != 1) {\n')
    tree.replace_body(source, r'static int tls1_mac\([^)]*\)', '    return 0; /* no MAC of its own: never sound */\n')
    tree.replace(source, '    tls1_mac,\n', '    NULL,\n', times=2)
    tree.write('ssl/record/methods/ssl3_meth.c', 'typedef int nothing;\n')
    common = 'ssl/record/methods/tls_common.c'
    tree.replace(common, '    case SSL3_VERSION:\n        (*retrl)->funcs = &ssl_3_0_funcs;\n        break;\n', '')
    tree.replace(common, '    /* Loop through all the settings since they must all be understood */\n', '    int none;\n\n')
    for name in ('use_etm', 'stream_mac', 'tlstree'):
        tree.replace(common, f'if (!OSSL_PARAM_get_int(p, &rl->{name})) {{', 'if (!OSSL_PARAM_get_int(p, &none) || none != 0) {')
    folder = list(tree.sources('ssl/record'))
    for path in folder:
        text = tree.read(path)
        edited = re.sub(r'EVP_MD_CTX_get0_md\(rl->md_ctx\)', '((const EVP_MD *)NULL)', text)
        if edited != text:
            tree.write(path, edited)
    header = 'ssl/record/methods/recmethod_local.h'
    tree.fold_member(header, '    EVP_MD_CTX *md_ctx;\n', 'md_ctx', '((EVP_MD_CTX *)NULL)', folder, 'rl')
    tree.replace(header, '    int stream_mac;\n', '')
    for name in ('use_etm', 'tlstree'):
        tree.fold_member(header, f'    int {name};\n', name, '0', folder, 'rl')


def no_other_signature_schemes():
    """The provider table has no signature schemes beyond those that libssl knows. (3 KB)"""
    source = 'ssl/t1_lib.c'
    tree.replace_regex(source, r'\nstatic OSSL_CALLBACK add_provider_sigalgs;\n.*?\n(int ssl_load_sigalgs\()', r'\n\1')
    tree.replace(source, '    if (!OSSL_PROVIDER_do_all(ctx->libctx, discover_provider_sigalgs, ctx))\n        return 0;\n', '')
    tree.replace_regex(source, r'    if \(ctx->sigalg_list_len > 0\) \{\n.*?\n    \}\n(?=\n    /\*\n     \* For now)', '')
    tree.fold_member('ssl/ssl_local.h', '    size_t sigalg_list_len;\n', 'sigalg_list_len', '0', ssl_sources(), r'(?:ctx|ret|a)')


def groups_without_a_list():
    """The groups that a context starts with, as upstream's default list comes out with those of seams/provider.c: in this
    order, X25519 with a key share. They are not spelled out and parsed, and nobody sets others. (2 KB)"""
    source = 'ssl/t1_lib.c'
    lines = re.search(r'#define TLS_DEFAULT_GROUP_LIST ((?:[^\n]*\\\n)*[^\n]*)\n', tree.read(source)).group(1)
    if ''.join(re.findall(r'"([^"]*)"', lines)) != ('?*X25519MLKEM768 / ?*X25519:?secp256r1 / ?X448:?secp384r1:?secp521r1 / '
                                                    '?ffdhe2048:?ffdhe3072'):
        tree.fail(f'{source}: another list of groups: {lines}')
    tree.replace(source, '    return SSL_CTX_set1_groups_list(ctx, TLS_DEFAULT_GROUP_LIST);\n', """\
    {
#ifdef CERTLATCH_MLKEM
#define FIRST(other) other,
#else
#define FIRST(other)
#endif
        static const uint16_t groups[] = { FIRST(OSSL_TLS_GROUP_ID_X25519MLKEM768) OSSL_TLS_GROUP_ID_x25519,
            OSSL_TLS_GROUP_ID_secp256r1, OSSL_TLS_GROUP_ID_secp384r1 };
        static const uint16_t shares[] = { FIRST(OSSL_TLS_GROUP_ID_X25519MLKEM768) OSSL_TLS_GROUP_ID_x25519 };
        static const size_t tuples[] = { FIRST(1) 2, 1 };

        ctx->ext.supportedgroups = OPENSSL_memdup(groups, sizeof(groups));
        ctx->ext.supportedgroups_len = OSSL_NELEM(groups);
        ctx->ext.keyshares = OPENSSL_memdup(shares, sizeof(shares));
        ctx->ext.keyshares_len = OSSL_NELEM(shares);
        ctx->ext.tuples = OPENSSL_memdup(tuples, sizeof(tuples));
        ctx->ext.tuples_len = OSSL_NELEM(tuples);
        return ctx->ext.supportedgroups != NULL && ctx->ext.keyshares != NULL && ctx->ext.tuples != NULL;
    }
""")


def few_controls():
    """Of the controls of a connection and of a context those that curl and src/platform/tls_probe.cc use. Any other is an
    error. (3 KB)"""
    def kept(source, signature, wanted):
        def only(table):
            labels = list(re.finditer(r'^    case (SSL_CTRL_\w+):', table, re.M))
            result, found = '', set()
            for label, following in zip(labels, labels[1:] + [None]):
                if label.group(1) in wanted:
                    block = table[label.start():following.start() if following else len(table)]
                    result += re.sub(r'(?m)^(?:#.*\n|    /\*.*?\*/\n)', '', block)
                    found.add(label.group(1))
            if found != set(wanted):
                tree.fail(f'{source}: {signature}: no {set(wanted) - found}')
            return result
        text = tree.read(source)
        match = re.search(r'\n' + signature + r'\n\{.*?\n    switch \(cmd\) \{\n(.*?)    default:', text, re.S)
        if not match:
            tree.fail(f'{source}: no switch in {signature}')
        tree.write(source, text[:match.start(1)] + only(match.group(1)) + text[match.end(1):])
    tree.replace_regex('ssl/ssl_lib.c', r'    if \(cmd == SSL_CTRL_SET_GROUPS_LIST && larg == 1\)\n[^;]*;\n'
                       r'    if \(ctx == NULL\) \{\n        switch \(cmd\) \{\n.*?\n        \}\n    \}\n\n    switch',
                       '    if (ctx == NULL)\n        return 0;\n\n    switch')
    kept('ssl/s3_lib.c', r'long ssl3_ctrl\([^)]*\)', ['SSL_CTRL_SET_TLSEXT_HOSTNAME'])
    kept('ssl/s3_lib.c', r'long ssl3_ctx_ctrl\([^)]*\)', ['SSL_CTRL_SET_SIGALGS_LIST', 'SSL_CTRL_CHAIN', 'SSL_CTRL_CHAIN_CERT'])
    kept('ssl/ssl_lib.c', r'long SSL_CTX_ctrl\([^)]*\)',
         ['SSL_CTRL_SET_SESS_CACHE_MODE', 'SSL_CTRL_MODE', 'SSL_CTRL_SET_MIN_PROTO_VERSION', 'SSL_CTRL_SET_MAX_PROTO_VERSION'])


def no_message_callback():
    """Nobody watches the handshake's messages. (The record layer has a pointer of its own.)"""
    tree.fold_member('ssl/ssl_local.h', '''    void (*msg_callback)(int write_p, int version, int content_type,
        const void *buf, size_t len, SSL *ssl, void *arg);
''', 'msg_callback', '((ossl_msg_cb)0)', ssl_sources(), r'(?:s|sc|retsc)')


def no_dane():
    """SSL_dane_enable() is never called. The code of certificate verification itself is untouched."""
    tree.replace_regex('include/internal/dane.h', r'#define DANETLS_ENABLED\(dane\) \\\n[^\n]*\n',
                       '#define DANETLS_ENABLED(dane) 0\n')
    tree.replace_regex('include/internal/dane.h',
                       r'(#define DANETLS_HAS_(?:PKIX|DANE|TA|EE|PKIX_TA|PKIX_EE|DANE_TA|DANE_EE)\(dane\)) [^\n]*',
                       r'\1 0', times=8)


def no_revocation_lists():
    """Nobody asks for revocation (X509_V_FLAG_CRL_CHECK): a verification that is asked for it fails. Lists in a CA file are
    read and kept as before, for one that does not parse is an error of the file; what their extensions say was for the
    check alone. (9 KB)"""
    source = 'crypto/x509/x509_vfy.c'
    text = tree.read(source)
    begin = text.index('static int check_revocation(X509_STORE_CTX *ctx)\n{')
    end = text.index('static int check_policy(X509_STORE_CTX *ctx)\n{')
    functions = re.findall(r'\nstatic [^;{}=]*?(\w+)\([^;{}]*\)\n\{', '\n' + text[begin:end])
    if functions != ['check_revocation', 'check_cert', 'check_crl_time', 'get_crl_sk', 'crl_extension_match', 'check_delta_base', 'get_delta_sk',
                     'get_crl_score', 'crl_akid_check', 'check_crl_path', 'check_crl_chain', 'idp_check_dp',
                     'crldp_check_crlissuer', 'crl_crldp_check', 'get_crl_delta', 'check_crl', 'cert_crl']:
        tree.fail(f'{source}: {functions}')
    tree.write(source, text[:begin] + '''\
static int check_revocation(X509_STORE_CTX *ctx)
{
    if ((ctx->param->flags & (X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL)) == 0)
        return 1;
    ctx->error = X509_V_ERR_UNABLE_TO_GET_CRL; /* nobody here knows how */
    return -1;
}

''' + text[end:])
    for name in ('get_crl', 'check_crl', 'cert_crl', 'lookup_crls'):
        without_store_callback(name)
    tree.replace_body(source, r'X509_CRL \*X509_CRL_diff\([^)]*\)', refusal('X509', 'NULL'))
    header = 'include/crypto/x509.h'
    for field in ('X509_CRL *current_crl', 'int current_crl_score', 'unsigned int current_reasons', 'X509_STORE_CTX *parent'):
        tree.replace_regex(header, r'\n    /\*[^/]*\*/\n    %s;' % re.escape(field), '')
    tree.replace_regex(source, r'\n    ctx->(?:current_crl|current_crl_score|current_reasons|parent) = (?:NULL|0);', '', times=4)
    for name in ('get0_current_crl', 'get0_parent_ctx', 'set_current_reasons'):
        tree.replace_regex(source, r'\n[^\n{};]*X509_STORE_CTX_%s\([^)]*\)\n\{.*?\n\}\n' % name, '\n')
    # whom nobody calls, and whom a link without -ffunction-sections misses
    tree.replace('crypto/x509/t_x509.c', 'X509_STORE_CTX_get0_parent_ctx(ctx) != NULL', '0')
    tree.replace(source, '        if (ctx->parent == NULL)\n            X509_VERIFY_PARAM_free', '        X509_VERIFY_PARAM_free')
    tree.replace(source, '    if (ctx->parent)\n        return 1;\n', '')
    tree.replace(source, '    if (ctx->parent != NULL) {', '    if (0) {')

    source = 'crypto/x509/x_crl.c'
    for field in ('AUTHORITY_KEYID *akid', 'ISSUING_DIST_POINT *idp', 'int idp_flags', 'int idp_reasons',
                  'ASN1_INTEGER *crl_number', 'ASN1_INTEGER *base_crl_number', 'STACK_OF(GENERAL_NAMES) *issuers',
                  'const X509_CRL_METHOD *meth'):
        start = 'struct X509_crl_st {'
        def without(members):
            if members.count(f'\n    {field};') != 1:
                tree.fail(f'{header}: struct X509_crl_st: {members.count(field)} times {field}')
            return members.replace(f'\n    {field};', '')
        tree.replace_between(header, start, '\n};', without)
    tree.replace_regex(source, r'\nstatic int crl_set_issuers\(X509_CRL \*crl\)\n\{.*?\n\}\n', '\n')
    tree.replace_regex(source, r'\nstatic int setup_idp\(X509_CRL \*crl, ISSUING_DIST_POINT \*idp\)\n\{.*?\n\}\n', '\n')
    tree.replace_regex(source, r'\n        if \((?:crl->meth != NULL && crl->meth->crl_free != NULL|crl->meth->crl_free)\) \{\n'
                       r'            if \(!crl->meth->crl_free\(crl\)\)\n                return 0;\n        \}', '', times=2)
    tree.replace_regex(source, r'\n        AUTHORITY_KEYID_free\(crl->akid\);\n.*?GENERAL_NAMES_free\);', '', times=2)
    tree.replace_regex(source, r'\n        crl->(?:idp = NULL|akid = NULL|idp_flags = 0|idp_reasons = CRLDP_ALL_REASONS|'
                       r'meth = default_crl_method|issuers = NULL|crl_number = NULL|base_crl_number = NULL);', '', times=8)
    tree.replace_regex(source, r'        crl->idp = X509_CRL_get_ext_d2i\(crl,.*?(\n        crl->flags \|= EXFLAG_SET;)', r'\1')
    for name in ('X509_CRL_verify', 'X509_CRL_get0_by_serial', 'X509_CRL_get0_by_cert'):
        tree.replace_body(source, r'int %s\([^)]*\)' % name, refusal('X509'))
    tree.replace_regex(source, r'\nstatic X509_CRL_METHOD int_crl_meth = \{.*?\n\};\n', '\n')
    tree.replace(source, 'static const X509_CRL_METHOD *default_crl_method = &int_crl_meth;\n', '')
    tree.replace_regex(source, r'\nstatic int def_crl_verify\(X509_CRL \*crl, EVP_PKEY \*r\)\n\{.*?\n'
                       r'(X509_CRL_METHOD \*X509_CRL_METHOD_new)', r'\n\1')


def without_store_callback(name):
    """What X509_STORE_set_...() would set: nobody does, and the members are gone."""
    for header in ('include/crypto/x509.h', 'crypto/x509/x509_local.h'):
        tree.replace_regex(header, r'\n(?:    /\*[^/]*\*/\n)?    [^;\n]*\(\*%s\)\([^;]*;' % name, '')
    tree.replace_regex('crypto/x509/x509_vfy.c', r'\n    if \(store != NULL && store->%s != NULL\)\n[^;]*;\n    else\n'
                       r'        ctx->%s = \w+;\n' % (name, name), '')
    short = name if name.startswith('get_') else name
    for source, prefix in (('crypto/x509/x509_vfy.c', 'X509_STORE_CTX'), ('crypto/x509/x509_lu.c', 'X509_STORE')):
        text, count = re.subn(r'\n(?:[^\n{};]*\n)?[^\n{};]*\b%s_[gs]et_%s\([^)]*\)\n\{.*?\n\}\n' % (prefix, short), '\n',
                              tree.read(source), flags=re.S)
        if count < 1:
            tree.fail(f'{source}: nothing gets or sets {name}')
        tree.write(source, text)


def no_certificate_policies():
    """Nobody asks for certificate policies (X509_V_FLAG_POLICY_CHECK) nor for Suite B: a verification that is asked for
    either fails. A critical policy extension stays one that is known. (8 KB)"""
    source = 'crypto/x509/x509_vfy.c'
    tree.replace_body(source, r'static int check_policy\(X509_STORE_CTX \*ctx\)', '''\
    ctx->error = X509_V_ERR_NO_EXPLICIT_POLICY; /* nobody here knows how */
    return -1;
''')
    without_store_callback('check_policy')
    tree.replace(source, '        ok = ctx->check_policy(ctx);', '        ok = check_policy(ctx);')
    tree.replace_regex('include/crypto/x509.h', r'\n    X509_POLICY_CACHE \*policy_cache;', '')
    tree.replace_regex('include/crypto/x509.h', r'\n    /\*[^/]*\*/\n    X509_POLICY_TREE \*tree;\n    /\*[^/]*\*/\n'
                       r'    int explicit_policy;', '')
    tree.replace_regex(source, r'\n    ctx->(?:explicit_policy = 0|tree = NULL);', '', times=3)
    tree.replace(source, '    X509_policy_tree_free(ctx->tree);\n', '')
    for name in ('get0_policy_tree', 'get_explicit_policy'):
        tree.replace_regex(source, r'\n[^\n{};]*X509_STORE_CTX_%s\([^)]*\)\n\{.*?\n\}\n' % name, '\n')
    tree.replace_regex('crypto/x509/x_x509.c', r'\n        (?:ossl_policy_cache_free\(ret->policy_cache\)|'
                       r'ret->policy_cache = NULL);', '', times=3)
    for name in ('cache', 'data', 'lib', 'map', 'node', 'tree'):
        if 'POLICY' not in tree.read(f'crypto/x509/pcy_{name}.c'):
            tree.fail(f'pcy_{name}.c is not about policies')
        tree.write(f'crypto/x509/pcy_{name}.c', 'typedef int nothing;\n')
    source = 'crypto/x509/x509_cmp.c'
    suite_b = '    if (!(flags & X509_V_FLAG_SUITEB_128_LOS))\n        return X509_V_OK;\n'
    tree.replace_regex(source, re.escape(suite_b) + r'.*?\n\}\n',
                       suite_b + '    return X509_V_ERR_SUITE_B_INVALID_ALGORITHM;\n}\n', times=2)


def no_configuration_file():
    """openssl.cnf is never read: what this program trusts does not depend on it."""
    tree.replace_body('ssl/ssl_mcnf.c', r'int ssl_ctx_system_config\(SSL_CTX \*ctx\)', '    return 1;\n')
    tree.replace('crypto/init.c', '    int ret = ossl_config_int(NULL);', '    int ret = 1;')
    tree.replace('crypto/init.c', '    int ret = ossl_config_int(conf_settings);', '    int ret = 1;')
    tree.replace('crypto/init.c', '    ossl_config_modules_free();\n', '')


def randomness_of_the_kernel():
    """Random bytes are getrandom()'s, without a generator of OpenSSL's own in between: seams/random.c. So nothing asks for
    entropy, and the provider has no generators. (12 KB)"""
    source = 'crypto/context.c'
    tree.replace_regex(source, r'\n    void \*drbg(?:_nonce)?;', '', times=2)
    tree.replace_regex(source, r'    ctx->drbg(?:_nonce)? = \w+\(ctx\);\n    if \(ctx->drbg(?:_nonce)? == NULL\)\n        goto err;\n', '', times=2)
    tree.replace_regex(source, r'    if \(ctx->drbg(?:_nonce)? != NULL\) \{\n.*?\n    \}\n', '', times=2)
    tree.replace_regex(source, r'\nvoid ossl_release_default_drbg_ctx\(void\)\n\{.*?\n\}\n', '\n')
    tree.replace_regex(source, r'    case OSSL_LIB_CTX_DRBG(?:_NONCE)?_INDEX:\n        return ctx->drbg(?:_nonce)?;\n', '', times=2)
    tree.replace('crypto/init.c', '    ossl_rand_cleanup_int();\n', '')
    tree.replace('crypto/conf/conf_mall.c', '    ossl_random_add_conf_module();\n', '')
    source = 'crypto/provider_core.c'
    tree.replace(source, '    OSSL_FUNC_provider_random_bytes_fn *random_bytes;\n', '')
    tree.replace_regex(source, r'            case OSSL_FUNC_PROVIDER_RANDOM_BYTES:\n[^;]*;\n                break;\n', '')
    tree.replace_regex(source, r'    if \(prov->random_bytes != NULL\n[^;]*;\n', '', times=2)
    tree.replace_body(source, r'int ossl_provider_random_bytes\([^)]*\)', refusal('CRYPTO'))


def no_encrypted_keys():
    """A private key that is encrypted is refused, with an error: the file is the user's. (10 KB)"""
    tree.replace_body('crypto/evp/evp_pbe.c', r'int EVP_PBE_CipherInit_ex\([^)]*\)',
                      '    ERR_raise(ERR_LIB_EVP, EVP_R_UNKNOWN_PBE_ALGORITHM);\n    return 0;\n')
    tree.replace_regex('crypto/pem/pem_lib.c',
                       r'(int PEM_do_header\(.*?)(    if \(cipher->cipher == NULL\)\n        return 1;\n)',
                       r'\1\2    ERR_raise(ERR_LIB_PEM, PEM_R_UNSUPPORTED_ENCRYPTION);\n    if (1)\n        return 0;\n')


def libc_printf():
    """BIO_snprintf is musl's vsnprintf, with OpenSSL's contract: -1 when the text did not fit. BIO_printf has 2 KB."""
    tree.replace_body('crypto/bio/bio_print.c',
                      r'int BIO_vsnprintf\(char \*buf, size_t n, const char \*format, va_list args\)', '''\
    int length = vsnprintf(buf, n, format, args);

    return length < 0 || (size_t)length >= n ? -1 : length;
''')
    tree.replace_body('crypto/bio/bio_print.c', r'int BIO_vprintf\(BIO \*bio, const char \*format, va_list args\)', '''\
    char text[2048];
    int length = vsnprintf(text, sizeof(text), format, args);

    return length < 0 || length >= (int)sizeof(text) ? -1 : BIO_write(bio, text, length);
''')


def no_rsa_encryption():
    """RSA signs and verifies; it encrypts nothing (TLS 1.2's RSA key exchange is not offered, and the provider has no
    RSA cipher): asking for it is an error. (7 KB)"""
    source = 'crypto/rsa/rsa_ossl.c'
    parameters = 'int flen, const unsigned char *from, unsigned char *to, RSA *rsa, int padding'
    tree.replace(source, '#include "rsa_local.h"\n', f'''#include "rsa_local.h"

static int no_rsa_encryption({parameters})
{{
    ERR_raise(ERR_LIB_RSA, RSA_R_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE);
    return -1;
}}
''')
    for row in ('public_encrypt', 'private_decrypt'):  # in the table, and in the one for s390x
        tree.replace(source, f'    rsa_ossl_{row},\n', '    no_rsa_encryption,\n', times=2)


def no_mac_then_encrypt():
    """Cipher suites have an AEAD, so HMAC is never asked for CBC's constant-time MAC: asking is an error. (5 KB)"""
    source = 'providers/implementations/macs/hmac_prov.c'
    tree.replace(source, '        if (!OSSL_PARAM_get_size_t(p, &macctx->tls_data_size))\n            return 0;\n',
                 '        return 0;\n')
    tree.fold_member(source, '    size_t tls_data_size;\n', 'tls_data_size', '0', (source,))


# --- cryptography ------------------------------------------------------------------------------------------------

def constant_time_ghash():
    """GHASH without a table that secrets index: seams/ghash.c in place of upstream's two functions."""
    with open(f'{HERE}/seams/ghash.c', encoding='ascii') as file:
        ours = file.read()

    def without_tables(old):
        names = re.findall(r'\nstatic [\w ]*?(\w+)(?:\(|\[16\] = )', '\n' + old)
        if names != ['gcm_init_4bit', 'rem_4bit', 'gcm_gmult_4bit', 'gcm_ghash_4bit']:
            tree.fail(f'gcm128.c: {names}')
        return ours
    tree.replace_between('crypto/modes/gcm128.c', ' * Value of 1 is not appropriate for performance reasons.\n */\n\n',
                         '#define GCM_MUL(ctx) ctx->funcs.gmult(ctx->Xi.u, ctx->Htable)', without_tables)


def aes_by_processor():
    """AES by the processor's own instructions where it has them, otherwise by upstream's constant-time C: seams/aes_ni.c.
    Keys are expanded by the latter. (It adds 0.4 KB.)"""
    source = 'crypto/aes/aes_core.c'
    c_code = '    rk = (u64 *)key->rd_key;\n\n    Cipher(in, out, rk, key->rounds);\n'
    with open(f'{HERE}/seams/aes_ni.c', encoding='ascii') as file:
        tree.replace(source, 'static void KeyExpansion(', file.read() + '\nstatic void KeyExpansion(')
    tree.replace(source, c_code, '    if (aes_by_processor(in, out, key->rd_key, key->rounds))\n        return;\n' + c_code)


def chacha20_first():
    """AES is slow where it is in C, and ChaCha20 nowhere: it is offered first, and a server that leaves it to the client
    (Go's do) takes it. Both lists are as upstream's but for that."""
    for path in ('include/openssl/ssl.h.in', 'ssl/ssl_ciph.c'):
        tree.replace_regex(path, r'("TLS_AES_256_GCM_SHA384:")(\s*\\?\s*)("TLS_CHACHA20_POLY1305_SHA256:")', r'\3\2\1')


def suites_without_lists():
    """The suites of a context as upstream's lists come out, with ChaCha20 first (chacha20_first): the default ones and those of
    src/platform/tls_probe.cc are known as a whole, and any other is an error. (6 KB)"""
    source = 'ssl/ssl_ciph.c'
    tree.replace_between(source, 'const char *OSSL_default_cipher_list(void)\n{\n', '\n}', lambda body:
                         body if body.strip() == 'return "ALL:!COMPLEMENTOFDEFAULT:!eNULL";' else tree.fail('another list of suites'))
    tree.replace_between(source, 'static const SSL_CIPHER cipher_aliases[] = {\n', '\n};', '    { 0 }')
    tree.replace_body(source, r'static __owur int set_ciphersuites\(STACK_OF\(SSL_CIPHER\) \*\*currciphers, const char \*str\)', """\
    static const uint32_t suites[] = { TLS1_3_CK_CHACHA20_POLY1305_SHA256, TLS1_3_CK_AES_256_GCM_SHA384,
        TLS1_3_CK_AES_128_GCM_SHA256 };
    STACK_OF(SSL_CIPHER) *newciphers = sk_SSL_CIPHER_new_null();

    if (strcmp(str, OSSL_default_ciphersuites()) != 0
        || !push_suites(newciphers, suites, OSSL_NELEM(suites), 0)) {
        ERR_raise(ERR_LIB_SSL, SSL_R_NO_CIPHER_MATCH);
        sk_SSL_CIPHER_free(newciphers);
        return 0;
    }
    sk_SSL_CIPHER_free(*currciphers);
    *currciphers = newciphers;
    return 1;
""")
    tree.replace(source, 'static int ciphersuite_cb(', """\
static int push_suites(STACK_OF(SSL_CIPHER) *stack, const uint32_t *suites, size_t count, uint32_t without)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const SSL_CIPHER *suite = ssl3_get_cipher_by_id(suites[i]);

        if (suite == NULL || ((suite->algorithm_auth & without) == 0 && !sk_SSL_CIPHER_push(stack, suite)))
            return 0;
    }
    return stack != NULL;
}

static int ciphersuite_cb(""")
    tree.replace_body(source, r'STACK_OF\(SSL_CIPHER\) \*ssl_create_cipher_list\([^)]*(?:\)[^){]*)*\)', """\
    static const uint32_t suites[] = { TLS1_CK_ECDHE_ECDSA_WITH_CHACHA20_POLY1305, TLS1_CK_ECDHE_RSA_WITH_CHACHA20_POLY1305,
        TLS1_CK_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS1_CK_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TLS1_CK_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS1_CK_ECDHE_RSA_WITH_AES_128_GCM_SHA256 };
    static const struct {
        const char *list;
        uint32_t without;
    } lists[] = { { "ALL:!COMPLEMENTOFDEFAULT:!eNULL", 0 }, { "ECDHE:!aNULL:!eNULL", 0 },
        { "ECDHE+aRSA:!eNULL", SSL_aECDSA }, { "ECDHE+aECDSA:!eNULL", SSL_aRSA } };
    STACK_OF(SSL_CIPHER) *stack;
    size_t i = 0;

    if (rule_str == NULL || cipher_list == NULL || cipher_list_by_id == NULL)
        return NULL;
    while (i < OSSL_NELEM(lists) && strcmp(rule_str, lists[i].list) != 0)
        i++;
    stack = sk_SSL_CIPHER_dup(tls13_ciphersuites);
    if (i == OSSL_NELEM(lists)
        || !push_suites(stack, suites, OSSL_NELEM(suites), lists[i].without)
        || !update_cipher_list_by_id(cipher_list_by_id, stack)) {
        ERR_raise(ERR_LIB_SSL, SSL_R_NO_CIPHER_MATCH);
        sk_SSL_CIPHER_free(stack);
        return NULL;
    }
    sk_SSL_CIPHER_free(*cipher_list);
    *cipher_list = stack;
    return stack;
""")
    # whom nobody calls any more
    for name in ('ll_append_tail', 'll_append_head', 'ssl_cipher_collect_ciphers', 'ssl_cipher_collect_aliases', 'ssl_cipher_apply_rule',
                 'ssl_cipher_strength_sort', 'ssl_cipher_process_rulestr', 'check_suiteb_cipher_list', 'ciphersuite_cb'):
        tree.replace_regex(source, r'\nstatic (?:void|int) %s\([^)]*\)\n\{.*?\n\}\n' % name, '\n')


def one_row_of_multiples():
    """Multiples of the base point of Curve25519 by Horner's rule from eight of them, and not from 256: four doublings a
    digit, and the digits, their constant-time look-up and the formulas are upstream's. (29 KB, 0.1 ms a key)"""
    source = 'crypto/ec/curve25519.c'
    tree.replace(source, 'k25519Precomp[32][8] = {\n', 'k25519Precomp[1][8] = {\n')
    tree.replace_between(source, 'k25519Precomp[1][8] = {\n', '\n};', lambda rows: rows[:rows.index('\n    },\n')] + '\n    },')
    tree.replace_regex(source, r'(static void ge_scalarmult_base\(.*?\n    ge_p3_0\(h\);\n).*?'
                       r'(\n    OPENSSL_cleanse\(e, sizeof\(e\)\);)', r'''\1    for (i = 63; ; i--) {
        table_select(&t, 0, e[i]);
        ge_madd(&r, h, &t);
        ge_p1p1_to_p3(h, &r);
        if (i == 0)
            break;
        ge_p3_dbl(&r, h);
        ge_p1p1_to_p2(&s, &r);
        ge_p2_dbl(&r, &s);
        ge_p1p1_to_p2(&s, &r);
        ge_p2_dbl(&r, &s);
        ge_p1p1_to_p2(&s, &r);
        ge_p2_dbl(&r, &s);
        ge_p1p1_to_p3(h, &r);
    }
\2''')


def montgomery_for_all_curves():
    """Curves over primes by Montgomery's multiplication, as upstream does wherever it has that in assembly, and none by
    the NIST primes' own reductions. (6 KB)"""
    tree.replace('crypto/ec/ec_cvt.c', '#if defined(OPENSSL_BN_ASM_MONT)\n', '#if 1\n')


def scalars_of_ed25519_in_loops():
    """The two functions that calculate with scalars of Ed25519: the steps are upstream's, in loops: seams/ed25519_scalar.c.
    (8 KB)"""
    source = 'crypto/ec/curve25519.c'
    with open(f'{HERE}/seams/ed25519_scalar.c', encoding='ascii') as file:
        ours = file.read()
    text = tree.read(source)
    begin, end = text.index('static void x25519_sc_reduce('), text.index('static void sc_muladd(')
    end = text.index('\n}\n', end) + 3
    if re.findall(r'\nstatic [^;{}=]*?(\w+)\([^;{}]*\)\n\{', '\n' + text[begin:end]) != [
            'x25519_sc_reduce', 'sc_muladd'] or text[begin:end].count(' * 666643;') != 28:
        tree.fail(f'{source}: the functions of scalars are others')
    tree.write(source, text[:begin] + ours + text[end:])


def port_without_sscanf():
    """The port of a URI (in a name that is held against name constraints) by strtoul(), which is what "%u" does, too.
    (4 KB)"""
    source = 'crypto/http/http_lib.c'
    tree.replace(source, '    unsigned int portnum = 0;\n', '    unsigned int portnum = 0;\n    char *after;\n')
    tree.replace(source, 'if (sscanf(port, "%u", &portnum) <= 0 ||',
                 'portnum = (unsigned int)strtoul(port, &after, 10);\n    if (after == port ||')


def psk_binder_without_hmac_key():
    """The binder of a resumed session is asked of HMAC itself, as the Finished message's is (tls13_final_finish_mac):
    upstream wraps the same HMAC, with the same key over the same hash, in a key of the type HMAC and a signature of it,
    which the provider table does not have. Without this no TLS 1.3 session is resumed. (0 KB; key type and signature
    would be 5)"""
    source = 'ssl/statem/extensions.c'
    tree.replace_regex(source, r'    mackey = EVP_PKEY_new_raw_private_key_ex\(sctx->libctx, "HMAC",'
                       r'\s*sctx->propq, finishedkey,\s*hashsize\);\n    if \(mackey == NULL\) \{.*?\n    \}\n', '')
    tree.replace_regex(source, r'EVP_DigestSignInit_ex\(mctx, NULL, EVP_MD_get0_name\(md\), sctx->libctx,\s*sctx->propq, mackey, NULL\)'
                       r'\s*<= 0\s*\|\| EVP_DigestSignUpdate\(mctx, hash, hashsize\) <= 0'
                       r'\s*\|\| EVP_DigestSignFinal\(mctx, binderout, &bindersize\) <= 0',
                       'EVP_Q_mac(sctx->libctx, "HMAC", sctx->propq, EVP_MD_get0_name(md), NULL, finishedkey, hashsize,\n'
                       '            hash, hashsize, binderout, hashsize, &bindersize) == NULL')


# --- shorter tables ----------------------------------------------------------------------------------------------

def curves():
    """P-256 and P-384 for TLS, and P-521, which certificates and keys may have. An unknown curve is an error. (20 KB)"""
    tree.replace_between('crypto/ec/ec_curve.c', 'static const ec_list_element curve_list[] = {\n', '};', '''\
    { NID_secp384r1, &_EC_NIST_PRIME_384.h, 0, "P-384" },
    { NID_secp521r1, &_EC_NIST_PRIME_521.h, 0, "P-521" },
    { NID_X9_62_prime256v1, &_EC_X9_62_PRIME_256V1.h, 0, "P-256" },
''', last=True)


def cipher_suites():
    """Of TLS 1.2 those with ECDHE and an AEAD, six. (TLS 1.3's are in a table of their own.)"""
    def kept(table):
        rows = [row for row in re.findall(r'    \{\n.*?\n    \},', table, re.S)
                if re.search(r'ECDHE_(RSA|ECDSA)_WITH_(AES_(128|256)_GCM|CHACHA20)', row)]
        if len(rows) != 6:
            tree.fail(f'ssl3_ciphers: {len(rows)} of the six suites')
        return '\n'.join(rows)
    tree.replace_between('ssl/s3_lib.c', 'static SSL_CIPHER ssl3_ciphers[] = {\n', '\n};', kept)


def certificate_extensions():
    """The extensions that verification reads, and only their ASN.1: no text is made of them or from them. An extension
    that is not here is unknown; a critical one is then an error, as in upstream. (60 KB)"""
    kept = {  # upstream's method: (its NID, its ASN.1)
        'nscert': ('netscape_cert_type', 'ASN1_BIT_STRING'),
        'key_usage': ('key_usage', 'ASN1_BIT_STRING'),
        'skey_id': ('subject_key_identifier', 'ASN1_OCTET_STRING'),
        'alt[0]': ('subject_alt_name', 'GENERAL_NAMES'),
        'bcons': ('basic_constraints', 'BASIC_CONSTRAINTS'),
        'akey_id': ('authority_key_identifier', 'AUTHORITY_KEYID'),
        'crld': ('crl_distribution_points', 'CRL_DIST_POINTS'),
        'ext_ku': ('ext_key_usage', 'EXTENDED_KEY_USAGE'),
        'addr': ('sbgp_ipAddrBlock', 'IPAddrBlocks'),
        'asid': ('sbgp_autonomousSysNum', 'ASIdentifiers'),
        'pci': ('proxyCertInfo', 'PROXY_CERT_INFO_EXTENSION'),
        'name_constraints': ('name_constraints', 'NAME_CONSTRAINTS'),
    }
    # the one whose ASN.1 only its own module knows
    tree.replace('crypto/x509/v3_addr.c', 'static_ASN1_ITEM_TEMPLATE_END(IPAddrBlocks)', 'ASN1_ITEM_TEMPLATE_END(IPAddrBlocks)')
    # upstream's order, which is sorted by NID
    order = [name for name in re.findall(r'&ossl_v3_(\w+(?:\[\d\])?)', tree.read('crypto/x509/standard_exts.h'))
             if name in kept]
    if sorted(order) != sorted(kept):
        tree.fail(f'standard_exts.h lacks {sorted(set(kept) - set(order))}')
    rows = ''.join('    { NID_%s, 0, ASN1_ITEM_ref(%s) },\n' % kept[name] for name in order)
    pointers = ', '.join(f'&small_exts[{i}]' for i in range(len(order)))
    tree.replace('crypto/x509/v3_lib.c', '#include "standard_exts.h"',
                 '#include <openssl/asn1t.h>\n#include <openssl/x509v3.h>\n'
                 'DECLARE_ASN1_ITEM(IPAddrBlocks)\n'
                 f'static const X509V3_EXT_METHOD small_exts[] = {{\n{rows}}};\n'
                 f'static const X509V3_EXT_METHOD *standard_exts[] = {{ {pointers} }};\n'
                 '#define STANDARD_EXTENSION_COUNT OSSL_NELEM(standard_exts)')


def object_names():
    """Of the 1,300 object identifiers those in objects.keep. The numbers (NIDs) stay, and the rows left are found by halving. An
    identifier that is not there is unknown: an unknown algorithm, an unknown extension, never another one. (70 KB)"""
    with open(f'{HERE}/objects.keep', encoding='ascii') as file:
        keep = {line.split()[0] for line in file if line.strip() and not line.startswith('#')}
    if os.environ.get('CERTLATCH_MLKEM') == '1':
        keep.add('NID_ML_KEM_768')
    text = tree.read('crypto/objects/obj_dat.h')
    encodings = [int(byte, 16) for byte in
                 re.findall(r'0x([0-9A-F]{2}),', text[text.index('so['):text.index('#define NUM_NID')])]
    table = text[text.index('nid_objs[NUM_NID] = {'):text.index('#define NUM_SN')]
    entries = re.findall(r'^    \{(?:"((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)", (NID_\w+)(?:, (\d+), &so\[(\d+)\])?'
                         r'| NULL, NULL, (NID_undef) )\}', table, re.M)
    count = int(re.search(r'#define NUM_NID (\d+)', text).group(1))
    if len(entries) != count:
        tree.fail(f'obj_dat.h: {len(entries)} rows instead of {count}')
    unknown = keep - {entry[2] or entry[5] for entry in entries}
    if unknown:
        tree.fail(f'obj_dat.h has no {sorted(unknown)}')

    rows = []  # short name, long name, NID, its encoding; sorted by NID
    for nid, (short, long, name, length, offset, undefined) in enumerate(entries):
        if nid != 0 and (name or undefined) not in keep - {'NID_undef'}:
            continue
        start = int(offset or 0)
        rows.append((short, long, name or undefined, encodings[start:start + int(length or 0)]))

    if len(rows) > 256:
        tree.fail(f'{len(rows)} object identifiers do not fit their index')
    text = ''.join(f'    "{short}\\0" "{"" if long == short else long}\\0"\n' for short, long, name, der in rows)
    encoded = [byte for row in rows for byte in row[3]]

    def index(name, numbers):
        return f'static const unsigned char {name}[] = {{ {", ".join(map(str, numbers))} }};\n'
    everything = range(len(rows))
    with_encoding = [i for i in everything if rows[i][0] and rows[i][3]]
    tree.write('crypto/objects/obj_dat_small.h',
               f'static const unsigned char so[] = {{ {", ".join(map(str, encoded))} }};\n'
               f'#define NUM_NID {count}\n'
               f'#define NUM_SN {len(rows)}\n'
               f'static const unsigned short nids[] = {{ {", ".join(row[2] for row in rows)} }};\n'
               f'static const unsigned char lengths[] = {{ {", ".join(str(len(row[3])) for row in rows)} }};\n'
               f'static const char names[] = {{\n{text}}};\n'
               # unpacked when they are first asked for
               'static ASN1_OBJECT *objects(void)\n{\n'
               '    static ASN1_OBJECT unpacked[NUM_SN];\n'
               '    const char *name = names;\n'
               '    const unsigned char *der = so;\n'
               '    ASN1_OBJECT *row = unpacked;\n\n'
               '    for (; unpacked[NUM_SN - 1].sn == NULL; row++) {\n'
               '        row->nid = nids[row - unpacked];\n'
               '        row->length = lengths[row - unpacked];\n'
               '        row->data = row->length != 0 ? der : NULL;\n'
               '        der += row->length;\n'
               '        row->sn = name;\n'
               '        name += strlen(name) + 1;\n'
               '        row->ln = *name != 0 ? name : row->sn;\n'
               '        name += strlen(name) + 1;\n'
               '    }\n'
               '    return unpacked;\n}\n'
               '#define nid_objs objects()\n'
               'static int row_of_nid(int nid)\n{\n'
               '    int low = 0, high = NUM_SN, row;\n\n'
               '    while (high - low > 1) {\n'
               '        row = (low + high) / 2;\n'
               '        if (nids[row] <= nid)\n            low = row;\n        else\n            high = row;\n'
               '    }\n'
               '    return nids[low] == nid ? low : 0;\n}\n'
               + index('sn_objs', sorted(everything, key=lambda i: rows[i][0].encode()))
               + f'#define NUM_LN {len(rows)}\n'
               + index('ln_objs', sorted(everything, key=lambda i: rows[i][1].encode()))
               + f'#define NUM_OBJ {len(with_encoding)}\n'
               + index('obj_objs', sorted(with_encoding, key=lambda i: (len(rows[i][3]), rows[i][3]))))
    source = 'crypto/objects/obj_dat.c'
    tree.replace(source, '#include "obj_dat.h"', '#include "obj_dat_small.h"')
    known = '(n > 0 && n < NUM_NID && nid_objs[n].nid != NID_undef)'
    tree.replace(source, known, '(n > 0 && n < NUM_NID && row_of_nid(n) != 0)', tree.read(source).count(known) or 1)
    for kind in ('sn', 'ln', 'obj'):
        tree.replace_regex(source, rf'(_BSEARCH_CMP_FN\(const ASN1_OBJECT \*, )unsigned int(, {kind}\))', r'\1unsigned char\2', times=2)
    tree.replace_regex(source, r'const unsigned int \*(b|bp|op)\b', r'const unsigned char *\1', times=6)
    address = '(ASN1_OBJECT *)&(nid_objs[n])'
    tree.replace(source, address, '(ASN1_OBJECT *)&(nid_objs[row_of_nid(n)])', tree.read(source).count(address) or 1)
    print(f'{len(rows)} of {count} object identifiers')


def no_name_printing():
    """The ASN.1 type of names without its function that prints: ASN.1 printing is trapped (traps). (4 KB)"""
    tree.replace_regex('crypto/x509/x_name.c', r'(x509_name_ex_i2d,\s*)x509_name_ex_print\b', r'\1NULL')


def legacy_key_methods():
    """The old tables of key types: decoding of public keys (the provider's decoders use it) and what verification asks
    about a signature. No printing, no encoding, no old EVP_PKEY_METHOD. (50 KB)"""
    tree.replace('crypto/asn1/ameth_lib.c', '#include "standard_methods.h"', '''\
static const EVP_PKEY_ASN1_METHOD *standard_methods[] = { /* sorted by type */
    &ossl_rsa_asn1_meths[0], &ossl_rsa_asn1_meths[1], &ossl_eckey_asn1_meth, &ossl_rsa_pss_asn1_meth,
    &ossl_ecx25519_asn1_meth, &ossl_ed25519_asn1_meth
};''')
    methods = 'crypto/evp/pmeth_lib.c'
    tree.replace_regex(methods, r'static pmeth_fn standard_methods\[\] = \{.*?\};', 'static pmeth_fn standard_methods[1];')
    tree.replace_regex(methods,
                       r'ret = OBJ_bsearch_pmeth_func\(&t, standard_methods,\s*OSSL_NELEM\(standard_methods\)\);',
                       'ret = NULL;')

    def method(path, name, *rows):
        text = ', '.join('{ ' + ', '.join(f'.{field} = {value}' for field, value in row.items()) + ' }' for row in rows)
        array = f'[{len(rows)}]' if len(rows) > 1 else ''
        tree.replace_regex(path, r'const EVP_PKEY_ASN1_METHOD %s%s = \{.*?\n\};' % (name, re.escape(array)),
                           f'const EVP_PKEY_ASN1_METHOD {name}{array} = ' + (f'{{ {text} }};' if array else f'{text};'))

    def kind(name, text, **fields):
        return {'pkey_id': f'EVP_PKEY_{name}', 'pkey_base_id': f'EVP_PKEY_{name}', 'pem_str': f'"{text}"', **fields}
    method('crypto/ec/ec_ameth.c', 'ossl_eckey_asn1_meth',
           kind('EC', 'EC', pub_decode='eckey_pub_decode', param_missing='ec_missing_parameters',
                pkey_free='int_ec_free'))
    method('crypto/ec/ecx_meth.c', 'ossl_ed25519_asn1_meth',
           kind('ED25519', 'ED25519', pub_decode='ecx_pub_decode', pkey_free='ecx_free', item_verify='ecd_item_verify',
                siginf_set='ecd_sig_info_set25519'))
    method('crypto/ec/ecx_meth.c', 'ossl_ecx25519_asn1_meth',
           kind('X25519', 'X25519', pub_decode='ecx_pub_decode', pkey_free='ecx_free'))
    rsa = {'pub_decode': 'rsa_pub_decode', 'pkey_free': 'int_rsa_free', 'item_verify': 'rsa_item_verify',
           'siginf_set': 'rsa_sig_info_set', 'pkey_flags': 'ASN1_PKEY_SIGPARAM_NULL'}
    method('crypto/rsa/rsa_ameth.c', 'ossl_rsa_asn1_meths', kind('RSA', 'RSA', **rsa),
           {'pkey_id': 'EVP_PKEY_RSA2', 'pkey_base_id': 'EVP_PKEY_RSA', 'pkey_flags': 'ASN1_PKEY_ALIAS'})
    method('crypto/rsa/rsa_ameth.c', 'ossl_rsa_pss_asn1_meth', kind('RSA_PSS', 'RSA-PSS', **rsa))


def no_key_generation():
    """No RSA key is generated (X25519 and EC keys are, for ECDHE), so none is checked for primality either: that check
    says no. (15 KB)"""
    source = 'providers/implementations/keymgmt/rsa_kmgmt.c'
    for table in ('ossl_rsa_keymgmt_functions', 'ossl_rsapss_keymgmt_functions'):
        def without_generation(rows):
            for name in ('GEN_INIT', 'GEN_SET_PARAMS', 'GEN_SETTABLE_PARAMS', 'GEN', 'GEN_CLEANUP'):
                rows, count = re.subn(r'\n    \{ OSSL_FUNC_KEYMGMT_%s,\s*\(void \(\*\)\(void\)\)\w+ \},' % name, '', rows)
                if count != 1:
                    tree.fail(f'{source}: {table}: {count} times KEYMGMT_{name}')
            return rows
        tree.replace_between(source, f'const OSSL_DISPATCH {table}[] = {{', '\n};', without_generation)
    tree.replace_body(source, r'static int rsa_validate\([^)]*\)', '    return 0;\n')
    # whom nobody calls, and who asks a random generator how strong it is
    tree.replace_body('crypto/rsa/rsa_sp800_56b_gen.c', r'int ossl_rsa_sp800_56b_generate_key\([^)]*\)', refusal('RSA'))


def fewer_operations():
    """What nobody does with keys and signatures, in rows of the provider's tables: RSA and EC keys are not moved between
    providers, for there is one, nor put together from numbers; RSA keys are not copied; nobody recovers what was signed,
    or asks a signature, a key exchange or the generation of a key what it was told. Doing so is an error. (12 KB)"""
    def without(path, tables, *operations):
        def rows_left(rows):
            for name in operations:
                rows, count = re.subn(r'\n *\{ OSSL_FUNC_%s,\s*\(void \(\*\)\(void\)\)\w+ \},' % name, '', rows)
                if count != 1:
                    tree.fail(f'{path}: {table}: {count} times {name}')
            return rows
        for table in tables.split():
            tree.replace_between(f'providers/implementations/{path}.c', f'const OSSL_DISPATCH ossl_{table}_functions[] = {{', '\n};',
                                 rows_left)

    def these(kind, names):
        return [f'{kind}_{name}' for name in names.split()]
    moved = these('KEYMGMT', 'IMPORT IMPORT_TYPES EXPORT EXPORT_TYPES')
    without('keymgmt/rsa_kmgmt', 'rsa_keymgmt rsapss_keymgmt', *moved, 'KEYMGMT_DUP')
    without('keymgmt/ec_kmgmt', 'ec_keymgmt', *moved, *these('KEYMGMT', 'GEN_GET_PARAMS GEN_GETTABLE_PARAMS'))
    asked = these('SIGNATURE', 'GET_CTX_PARAMS GETTABLE_CTX_PARAMS GET_CTX_MD_PARAMS GETTABLE_CTX_MD_PARAMS SET_CTX_MD_PARAMS '
                  'SETTABLE_CTX_MD_PARAMS')
    without('signature/rsa_sig', 'rsa_signature', *asked, *these('SIGNATURE', 'VERIFY_RECOVER_INIT VERIFY_RECOVER'))
    without('signature/ecdsa_sig', 'ecdsa_signature', *asked)
    without('exchange/ecdh_exch', 'ecdh_keyexch', *these('KEYEXCH', 'GET_CTX_PARAMS GETTABLE_CTX_PARAMS'))
    without('exchange/ecx_exch', 'x25519_keyexch', *these('KEYEXCH', 'GET_CTX_PARAMS GETTABLE_CTX_PARAMS'))
    keys = 'providers/implementations/keymgmt/'
    tree.replace_regex(keys + 'rsa_kmgmt.c', r'\(rsa_type != RSA_FLAG_TYPE_RSASSAPSS\s*\|\| ossl_rsa_pss_params_30_todata'
                       r'\(pss_params, NULL, params\)\)\s*&& ossl_rsa_todata\(rsa, NULL, params, 1\)', '1')


def no_passphrases():
    """There is nobody to ask for a passphrase, for nothing that is encrypted is read. (5 KB)"""
    tree.replace_body('crypto/passphrase.c', r'int ossl_pw_get_passphrase\([^)]*\)',
                      '    ERR_raise(ERR_LIB_CRYPTO, ERR_R_INTERRUPTED_OR_CANCELLED);\n    return 0;\n')
    tree.replace('crypto/pem/pem_lib.c', 'i = EVP_read_pw_string_min(buf, min_len, num, prompt, rwflag);', 'i = -1;')


def no_names_of_fields():
    """ASN.1's types and fields without their names, which only printing and the data of errors (short_calls) say. (7 KB)"""
    header = 'include/openssl/asn1t.h.in'
    tree.replace(header, '    const char *field_name; /* Field name */\n', '')
    tree.replace(header, '    const char *sname; /* Structure name */\n', '')
    tree.replace_regex(header, r'#(?:tname|stname|itname|sname) (ASN1_ITEM_end)', r'\1', times=15)
    tree.replace_regex(header, r'(?m)^    #(?:name|field), (ASN1_ITEM_ref)', r'    \1', times=2)
    tree.replace(header, '-1, 0, #tblname, tblname##_adb', '-1, 0, tblname##_adb', times=2)
    if re.search(r'(?<!#)#(?!define|if|el|endif|include|undef|pragma)\w', tree.read(header)):
        tree.fail(f'{header}: another name')
    for path in tree.sources('crypto', 'providers', 'ssl'):
        text = tree.read(path)
        if path.endswith('.c') and re.search(r'\bASN1_TEMPLATE \w+(?:\[\])? ?= ?\{|\bASN1_ITEM \w+ ?= ?\{', text):
            tree.fail(f'{path}: an ASN.1 type made by hand')
    tree.replace_regex('crypto/asn1/tasn_dec.c', r'    if \(errtt\)\n        ERR_add_error_data\([^;]*;\n    else\n        ERR_add_error_data\([^;]*;\n', '')
    tree.replace_body('crypto/asn1/asn1_item_list.c', r'const ASN1_ITEM \*ASN1_ITEM_lookup\(const char \*name\)',
                      refusal('ASN1', 'NULL'))
    tree.replace('crypto/asn1/tasn_utl.c', 'REF_PRINT_EX(it->sname, ', 'REF_PRINT_EX("", ')
    text, count = re.subn(r'(?:\w+|ASN1_ITEM_ptr\(tt->item\))->(?:sname|field_name)\b', '((const char *)"")', tree.read('crypto/asn1/tasn_prn.c'))
    if count != 4:
        tree.fail(f'tasn_prn.c: {count} names')  # a trap (traps)
    tree.write('crypto/asn1/tasn_prn.c', text)


def named_curves_by_name():
    """Parameters of a curve come by name or, in a certificate or key, as ASN.1: the provider's interface takes no others, and
    says no others. (3 KB)"""
    source = 'crypto/ec/ec_lib.c'
    tree.replace_regex(source, r'    /\* If it gets here then we are trying explicit parameters \*/\n.*?\n    return group;\n'
                       r'#endif /\* FIPS_MODULE \*/\n',
                       '    ERR_raise(ERR_LIB_EC, EC_R_INVALID_NAMED_GROUP_CONVERSION);\n    return NULL;\n#endif\n')
    tree.replace('crypto/ec/ec_backend.c', '    if (tmpl == NULL || curve_nid == NID_undef)\n        if (!ec_group_explicit_todata('
                 'group, tmpl, params, bnctx, genbuf))\n            goto err;\n', '')


def no_asynchronous_jobs():
    """SSL_MODE_ASYNC needs jobs that the option no-async takes away: it changes nothing. (1 KB)"""
    tree.replace('ssl/ssl_lib.c', 'if ((sc->mode & SSL_MODE_ASYNC) && ASYNC_get_current_job() == NULL) {', 'if (0) {', times=5)
    tree.replace('ssl/ssl_lib.c', '        return (ctx->mode |= larg);\n',
                 '        if (larg & SSL_MODE_ASYNC)\n            return 0;\n        return (ctx->mode |= larg);\n')


def few_upcalls():
    """What the library offers to providers: what the one of seams/provider.c takes. (3 KB)"""
    def kept(table):
        wanted = ('CORE_GET_LIBCTX', 'CORE_GET_PARAMS')
        rows = re.findall(r'    \{ OSSL_FUNC_(\w+),\s*\(void \(\*\)\(void\)\)\w+ \},\n', table)
        text = ''.join(row for row in re.findall(r'    \{ OSSL_FUNC_\w+,\s*\(void \(\*\)\(void\)\)\w+ \},\n', table)
                       if re.match(r'    \{ OSSL_FUNC_(?:%s),' % '|'.join(wanted), row))
        if len(rows) < 45 or text.count('\n') != len(wanted):
            tree.fail(f'core_dispatch_: {len(rows)} rows, {text.count(chr(10))} lines wanted')
        return text
    tree.replace_between('crypto/provider_core.c', 'static const OSSL_DISPATCH core_dispatch_[] = {\n',
                         '    OSSL_DISPATCH_END\n};', kept)


def names_of_curves():
    """Curves are known by the names of those there are. (2 KB)"""
    source, kept = 'crypto/evp/ec_support.c', ('secp384r1', 'secp521r1', 'prime256v1', 'P-256', 'P-384', 'P-521')

    def rows_left(table):
        rows = [row for row in re.findall(r'\n    \{ "[^"]*", NID_\w+ \}', table) if re.search(r'"([^"]*)"', row).group(1) in kept]
        if len(rows) != 3:
            tree.fail(f'{source}: {rows}')
        return ','.join(rows)
    for table in ('curve_list', 'nist_curves'):
        tree.replace_between(source, f'static const EC_NAME2NID {table}[] = {{', '\n};', rows_left)


def groups_in_a_table():
    """The groups of TLS as libssl keeps them, and not as parameters that the provider tells it. (3 KB)"""
    source = 'ssl/t1_lib.c'
    tree.replace_regex(source, r'static OSSL_CALLBACK add_provider_groups;\n.*?\n(int ssl_load_groups\()', r"""\
/* from TLS 1.2 resp. 1.3, without an upper bound; never for DTLS */
static const TLS_GROUP_INFO known_groups[] = {
#ifdef CERTLATCH_MLKEM
    { "X25519MLKEM768", "", "X25519MLKEM768", 192, OSSL_TLS_GROUP_ID_X25519MLKEM768, TLS1_3_VERSION, 0, -1, -1, 1 },
#endif
    { "x25519", "X25519", "X25519", 128, OSSL_TLS_GROUP_ID_x25519, TLS1_VERSION, 0, -1, -1, 0 },
    { "secp256r1", "prime256v1", "EC", 128, OSSL_TLS_GROUP_ID_secp256r1, TLS1_VERSION, 0, -1, -1, 0 },
    { "secp384r1", "secp384r1", "EC", 192, OSSL_TLS_GROUP_ID_secp384r1, TLS1_VERSION, 0, -1, -1, 0 },
};

\1""")
    tree.replace(source, '    if (!OSSL_PROVIDER_do_all(ctx->libctx, discover_provider_groups, ctx))\n        return 0;\n',
                 '    ctx->group_list = (TLS_GROUP_INFO *)known_groups;\n    ctx->group_list_len = OSSL_NELEM(known_groups);\n')
    tree.replace_regex('ssl/ssl_lib.c', r'    for \(j = 0; j < a->group_list_len; j\+\+\) \{\n.*?\n    \}\n    OPENSSL_free\(a->group_list\);\n', '')


def clients_methods():
    """The methods of servers are not offered for choice. (0.6 KB)"""
    for version in ('3', '2'):
        tree.replace('ssl/statem/statem_lib.c', f'{{ TLS1_{version}_VERSION, tlsv1_{version}_client_method, tlsv1_{version}_server_method }},',
                     f'{{ TLS1_{version}_VERSION, tlsv1_{version}_client_method, NULL }},')


def signature_schemes():
    """Of the signature schemes that libssl knows those that the provider can do; upstream finds at run time that it cannot do
    the others, and treats them as unknown. (1 KB)"""
    def kept(table):
        table = re.sub(r'/\*.*?\*/|#[^\n]*\n', '', table, flags=re.S)
        rows = re.findall(r'    \{[^{}]*\},', table)
        left = [row for row in rows if not re.search(r'sha224|SHA224|brainpool|ed448|_dsa_|[gG]ost', row)]
        if (len(rows), len(left)) != (31, 15):
            tree.fail(f'sigalg_lookup_tbl: {len(left)} of {len(rows)} schemes')
        return '\n'.join(left)
    tree.replace_between('ssl/t1_lib.c', 'static const SIGALG_LOOKUP sigalg_lookup_tbl[] = {\n', '\n};', kept)


def random_nonces():
    """ECDSA signs with random nonces; asking for those of RFC 6979 is an error. (1 KB)"""
    source = 'providers/implementations/signature/ecdsa_sig.c'
    tree.replace_regex(source, r'(if \(p != NULL)\s*&& !OSSL_PARAM_get_uint\(p, &ctx->nonce_type\)\)', r'\1)')
    tree.fold_member(source, '    unsigned int nonce_type;\n', 'nonce_type', '0', (source,))


def keys_without_decoders():
    """Keys are decoded by a table of what upstream's decoders come to: seams/decoder.c. So there are no decoders to keep, none
    in the provider, and it reads no BIOs of the library's. (18 KB)"""
    source = 'crypto/context.c'
    tree.replace_regex(source, r'\n    (?:OSSL_METHOD_STORE|void) \*(?:decoder_store|decoder_cache|bio_core);', '', times=3)
    tree.replace_regex(source, r'    ctx->(decoder_store|decoder_cache|bio_core) = \w+\(ctx\);\n    if \(ctx->\1 == NULL\)\n        goto err;\n',
                       '', times=3)
    tree.replace_regex(source, r'    if \(ctx->(decoder_store|decoder_cache|bio_core) != NULL\) \{\n.*?\n    \}\n', '', times=3)
    tree.replace_regex(source, r'    case OSSL_LIB_CTX_(?:DECODER_STORE|DECODER_CACHE|BIO_CORE)_INDEX:\n[^;]*;\n', '', times=3)
    tree.replace('crypto/evp/evp_fetch.c', '        ossl_decoder_cache_flush(libctx);\n', '')
    source = 'crypto/provider_core.c'
    tree.replace_regex(source, r'(?:        if \(count (?:< 1|== 1)\)\n    )?        ossl_decoder_cache_flush\(prov->libctx\);\n', '', times=3)
    tree.replace_regex(source, r'            \+ ossl_decoder_store_(?:cache_flush\(prov->libctx\)|remove_all_provided\(prov\))\n', '', times=2)
    # a BIO that cannot tell where it is would be read through another; ours are memory
    tree.replace('crypto/pem/pem_pkey.c', """\
        new_bio = BIO_new(BIO_f_readbuffer());
        if (new_bio == NULL)
            return NULL;
        bp = BIO_push(new_bio, bp);
        pos = BIO_tell(bp);
""", """\
        ERR_raise(ERR_LIB_PEM, ERR_R_BIO_LIB);
        return NULL;
""")


def no_introspection():
    """Which parameters a key manager or a KDF knows: lists that only applications ask for, through
    EVP_*_gettable_params() and the like. Those of ciphers, digests, MACs, RANDs, signatures and key exchanges stay, for
    the library consults them itself (TLS 1.3 needs the MACs'). (12 KB)"""
    lists = 0
    for path in tree.sources('providers/implementations/keymgmt', 'providers/implementations/kdfs'):
        if not path.endswith('.c'):
            continue
        text, count = re.subn(
            r'(\n(?:static )?const OSSL_PARAM \*\s*\w*(?:gettable|settable|_types)\w*\([^)]*\)\s*\n\{\n).*?\n\}',
            r'\1    static const OSSL_PARAM none[] = { OSSL_PARAM_END };\n\n    return none;\n}',
            tree.read(path), flags=re.S)
        if count:
            tree.write(path, text)
            lists += count
    if lists < 40:
        tree.fail(f'only {lists} lists of parameters in keymgmt and kdfs')
    print(f'{lists} lists of parameters')


def no_curve448():
    """X448 and Ed448: the provider has no such key type, so no such key can come to be; their arithmetic is unreachable,
    and says so if it is reached. A certificate with such a key has an unknown algorithm: an error. (40 KB)"""
    header = 'include/crypto/ecx.h'
    text = tree.read(header)
    end = text.rindex('#endif')
    traps = '\n#ifndef OSSL_IN_CURVE448\n#include <stdlib.h>\n'
    for name, result in (('x448', 1), ('x448_public_from_private', 0), ('ed448_sign', 1), ('ed448_verify', 1),
                         ('ed448_public_from_private', 1), ('ed448_pubkey_verify', 1)):
        if f'ossl_{name}(' not in text:
            tree.fail(f'{header}: no ossl_{name}')
        traps += f'#define ossl_{name}(...) ' + ('(abort(), 0)' if result else 'abort()') + '\n'
    tree.write(header, text[:end] + traps + '#endif\n' + text[end:])
    for path in tree.sources('crypto/ec/curve448'):
        if path.endswith('.c') and path.count('/') == 3:
            tree.write(path, '#define OSSL_IN_CURVE448\n' + tree.read(path))


for edit in (short_calls, known_extensions, client_only, tls_over_tcp_only, no_early_data, no_custom_extensions,
             x509_certificates_only, only_aead, no_other_signature_schemes, groups_without_a_list, few_controls, no_message_callback, no_dane, no_revocation_lists, no_certificate_policies,
             no_configuration_file,
             randomness_of_the_kernel, no_encrypted_keys, libc_printf, no_rsa_encryption, no_mac_then_encrypt, constant_time_ghash,
             aes_by_processor, chacha20_first, suites_without_lists, one_row_of_multiples, scalars_of_ed25519_in_loops, montgomery_for_all_curves, port_without_sscanf,
             psk_binder_without_hmac_key, curves, cipher_suites, certificate_extensions, object_names,
             no_name_printing, legacy_key_methods, no_key_generation, fewer_operations, no_passphrases, no_names_of_fields,
             named_curves_by_name, no_asynchronous_jobs, few_upcalls, names_of_curves, groups_in_a_table, clients_methods,
             signature_schemes, random_nonces,
             keys_without_decoders, no_introspection, no_curve448):
    edit()
