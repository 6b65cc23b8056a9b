"""curl 8.14 as the library of one program: HTTP/1.1 requests that src/platform/http.cc makes, over TCP, TLS and Unix sockets,
by the multi interface, with what that file sets.

An option that is not in OPTIONS does not exist any more: setting it is an error (CURLE_UNKNOWN_OPTION), and what it would
have set is a constant. The member that held it is *deleted*, so that a use which the edit missed does not compile.
Nothing about what is verified, or how, is changed. Every edit is checked: see checked_edit.py.

    edits.py TREE          (TREE is edited in place)
"""
import re
import sys

from checked_edit import Tree

tree = Tree(sys.argv[1])
OPENSSL = 'lib/vtls/openssl.c'
URLDATA = 'lib/urldata.h'

# What http.cc sets, and what it reads; OPENSOCKET* is for test/fuzz/tls_client_fuzz.cc.
OPTIONS = {
    'setopt_long': ('CONNECTTIMEOUT_MS', 'FOLLOWLOCATION', 'HTTP_VERSION', 'NOSIGNAL', 'POSTFIELDSIZE', 'SSLVERSION',
                    'SSL_VERIFYHOST', 'SSL_VERIFYPEER', 'TCP_KEEPALIVE', 'TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TIMEOUT_MS'),
    'setopt_slist': ('CONNECT_TO', 'HTTPHEADER', 'RESOLVE'),
    'setopt_pointers': (),
    'setopt_cptr': ('CAPATH', 'CUSTOMREQUEST', 'ERRORBUFFER', 'HEADERDATA', 'OPENSOCKETDATA', 'POSTFIELDS', 'PRIVATE',
                    'PROTOCOLS_STR', 'UNIX_SOCKET_PATH', 'URL', 'WRITEDATA'),
    'setopt_func': ('HEADERFUNCTION', 'OPENSOCKETFUNCTION', 'SOCKOPTFUNCTION', 'WRITEFUNCTION'),
    'setopt_offt': (),
    'setopt_blob': ('CAINFO_BLOB', 'SSLCERT_BLOB', 'SSLKEY_BLOB'),
}
ANSWERS = {
    'getinfo_char': ('PRIVATE',),
    'getinfo_long': ('OS_ERRNO', 'RESPONSE_CODE', 'SSL_VERIFYRESULT'),
    'getinfo_offt': ('PRETRANSFER_TIME_T',),
    'getinfo_double': (),
    'getinfo_slist': (),
    'getinfo_socket': (),
}


def sources():
    return tree.sources('lib')


def cases(path, prefix, wanted):
    """Of the switches over options in `path` the cases that are wanted, as they are upstream."""
    def kept(table, names):
        labels = list(re.finditer(r'^  case %s(\w+):' % prefix, table, re.M))
        blocks = []  # (names, text)
        for label, following in zip(labels, labels[1:] + [None]):
            text = table[label.start():following.start() if following else len(table)]
            text = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
            if blocks and not re.search(r';|\{', blocks[-1][1]):  # falls through
                blocks[-1] = (blocks[-1][0] + [label.group(1)], blocks[-1][1] + text)
            else:
                blocks.append(([label.group(1)], text))
        result = ''
        for labels_of_block, text in blocks:
            if set(labels_of_block) & set(names):
                if set(labels_of_block) - set(names):
                    text = re.sub(r'  case %s(\w+):\n' % prefix, lambda m: m.group(0) if m.group(1) in names else '', text)
                result += balanced(text)
        return result

    def balanced(text):
        """Without the conditions that only begin or only end in it: those are of the neighbours."""
        lines, open_at = [], []
        for line in text.split('\n'):
            if re.match(r'#\s*if', line):
                open_at.append(len(lines))
            elif re.match(r'#\s*endif', line):
                if not open_at:
                    continue
                open_at.pop()
            elif re.match(r'#\s*el', line) and not open_at:
                break
            lines.append(line)
        for at in reversed(open_at):
            del lines[at]
        return '\n'.join(lines)

    count = 0
    for function, names in wanted.items():
        text = tree.read(path)
        found = re.search(r'\nstatic CURLcode %s\([^)]*\)\n\{.*?\n  switch\((?:option|info)\) \{\n(.*?)\n  default:' % function, text,
                          re.S)
        if not found:
            tree.fail(f'{path}: no switch in {function}')
        new = kept(found.group(1), names)
        missing = [name for name in names if f'case {prefix}{name}:' not in new]
        if missing:
            tree.fail(f'{path}: {function}: no {missing}')
        count += len(names)
        tree.write(path, text[:found.start(1)] + new + text[found.end(1):])
    print(f'{path}: {count} cases')


SETTINGS = r'(?:\w+->)+set\.|set->'


def constant(member, value, where=SETTINGS, struct='UserDefined', header=URLDATA):
    """Deletes a member of a struct and puts `value` in the place of its uses, behind `where`. Assignments keep their
    right side, for its effects."""
    def without(members):
        text, count = re.subn(r'(\n  )(?:BIT\(%s\)|[\w *]+?[ *]%s(?: ?:1)?);' % (member, member), r'\1', members)
        if count != 1:
            tree.fail(f'{header}: struct {struct}: {count} times {member}')
        return text
    tree.replace_between(header, f'\nstruct {struct} {{', '\n};\n', without)
    uses = 0
    prefix = rf'(?<![\w>.])(?:(?<!&)(?:{where}){member}\b|(?:{where}){member}\b(?=->))'
    for path in sources():
        text = tree.read(path)
        if member not in text:
            continue
        edited, frees = re.subn(r'\b(?:Curl_safefree|free)\(' + prefix + r'\);', ';', text)
        edited, stores = re.subn(prefix + r'\s*=(?!=)\s*([^;]+);', r'(void)(\1);', edited)
        edited, reads = re.subn(prefix, f'({value})', edited)
        if frees + stores + reads:
            tree.write(path, edited)
            uses += frees + stores + reads
    if uses == 0:
        tree.fail(f'{member}: not used anywhere')


# --- what cannot be asked for ------------------------------------------------------------------------------------

def options():
    """Anything else is CURLE_UNKNOWN_OPTION, and of three options only what http.cc says. (10 KB)"""
    cases('lib/setopt.c', 'CURLOPT_', OPTIONS)
    cases('lib/getinfo.c', 'CURLINFO_', ANSWERS)
    only = 'return CURLE_NOT_BUILT_IN;\n'
    tree.replace('lib/setopt.c', '    data->set.no_signal = enabled;\n', '    if(!enabled)\n      ' + only)
    tree.replace_regex('lib/setopt.c', r'    if\(uarg > 3\)\s*return CURLE_BAD_FUNCTION_ARGUMENT;\s*'
                       r'data->set.http_follow_mode = \(unsigned char\)uarg;\n', '    if(uarg)\n      ' + only)
    tree.replace('lib/setopt.c', 'return Curl_setstropt(&data->set.str[STRING_SSL_CAPATH], ptr);',
                 'return ptr ? CURLE_NOT_BUILT_IN : CURLE_OK;')
    tree.replace_regex('lib/setopt.c', r'    if\(data->set.postfieldsize < arg &&\s*data->set.postfields == '
                       r'data->set.str\[STRING_COPYPOSTFIELDS\]\) \{.*?\n    \}\n', '')
    tree.replace('lib/setopt.c', '    Curl_safefree(data->set.str[STRING_COPYPOSTFIELDS]);\n', '')
    tree.replace('lib/setopt.c', '    data->set.abstract_unix_socket = FALSE;\n', '')


def strings():
    """Text that no option sets."""
    for name in ('CERT', 'CERT_TYPE', 'KEY', 'KEY_PASSWD', 'KEY_TYPE', 'SSL_CAPATH', 'SSL_PINNEDPUBLICKEY',
                 'SSL_CIPHER_LIST', 'SSL_CIPHER13_LIST', 'SSL_CRLFILE', 'SSL_ISSUERCERT', 'SERVICE_NAME',
                 'DEFAULT_PROTOCOL', 'DEVICE', 'INTERFACE', 'BINDHOST', 'ENCODING', 'SET_RANGE', 'SET_REFERER',
                 'USERAGENT', 'SSL_ENGINE', 'USERNAME', 'PASSWORD', 'OPTIONS', 'BEARER', 'TARGET', 'SASL_AUTHZID',
                 'SSL_EC_CURVES', 'ECH_CONFIG', 'ECH_PUBLIC', 'SSL_SIGNATURE_ALGORITHMS'):
        tree.replace_regex(URLDATA, r'\n  STRING_%s,' % name, '\n')
        for path in sources():
            text = tree.read(path)
            if name not in text:
                continue
            edited = re.sub(r'(?<!&)\b(?:(?:\w+->)+set\.|set->)str\[STRING_%s\]' % name, '((char *)NULL)', text)
            if edited != text:
                tree.write(path, edited)


def settings():
    """Members of the settings that no option sets: what curl starts with."""
    null = '(void *)0'
    nothing = {
        'fprogress': '(curl_progress_callback)0', 'fxferinfo': '(curl_xferinfo_callback)0', 'progress_client': null,
        'fdebug': '(curl_debug_callback)0', 'debugdata': null, 'verbose': 0,
        'ioctl_func': '(curl_ioctl_callback)0', 'ioctl_client': null,
        'seek_func': '(curl_seek_callback)0', 'seek_client': null,
        'sockopt_client': null,
        'fclosesocket': '(curl_closesocket_callback)0', 'closesocket_client': null,
        'fprereq': '(curl_prereq_callback)0', 'prereq_userp': null,
        'resolver_start': '(curl_resolver_start_callback)0', 'resolver_start_client': null,
        'trailer_callback': '(curl_trailer_callback)0', 'trailer_data': null,
        'filesize': '(curl_off_t)-1', 'low_speed_limit': '0L', 'low_speed_time': '0L',
        'max_send_speed': '(curl_off_t)0', 'max_recv_speed': '(curl_off_t)0', 'set_resume_from': '(curl_off_t)0',
        'maxredirs': '30L', 'timevalue': '(time_t)0', 'http200aliases': '(struct curl_slist *)0',
        'max_filesize': '(curl_off_t)0', 'scope_id': '0U', 'tcp_keepcnt': 9, 'expect_100_timeout': '1000L',
        'uh': '(CURLU *)0', 'use_port': 0, 'use_ssl': 'CURLUSESSL_NONE', 'keep_post': 0,
        'timecondition': 'CURL_TIMECOND_NONE', 'ipver': 'CURL_IPRESOLVE_WHATEVER',
        'http_follow_mode': 0, 'connect_only': 0, 'connect_only_ws': 0, 'crlf': 0, 'quick_exit': 0,
        'get_filetime': 0, 'prefer_ascii': 0, 'remote_append': 0, 'http_fail_on_error': 0,
        'http_keep_sending_on_error': 0, 'http_transfer_encoding': 0, 'allow_auth_to_other_hosts': 0,
        'include_header': 0, 'http_auto_referer': 0, 'opt_no_body': 0, 'reuse_forbid': 0,
        'reuse_fresh': 0, 'no_signal': 1, 'tcp_nodelay': 1, 'ignorecl': 0, 'http_te_skip': 0, 'http_ce_skip': 0,
        'sasl_ir': 0, 'tcp_fastopen': 0, 'ssl_enable_alpn': 1, 'path_as_is': 0,
        'suppress_connect_headers': 0, 'dns_shuffle_addresses': 0, 'abstract_unix_socket': 0, 'http09_allowed': 0,
        'buffer_size': 'READBUFFER_SIZE', 'dns_cache_timeout': 60, 'maxconnects': '0U', 'maxlifetime_conn': '0L',
        'maxage_conn': '118L', 'shutdowntimeout': 'DEFAULT_SHUTDOWN_TIMEOUT_MS', 'server_response_timeout': '0U',
        'happy_eyeballs_timeout': 'CURL_HET_DEFAULT',
        'redir_protocols': 'CURLPROTO_REDIR',
    }
    for name, value in nothing.items():
        constant(name, value)


def tls_settings():
    """The same of TLS. Client certificates and keys are PEM, in memory; PKCS#12, engines, providers and stores are gone."""
    tree.replace_regex('lib/setopt.c', r'\nstatic void set_ssl_options\(.*?\n\}\n', '\n')
    text, blob = '(char *)0', '(struct curl_blob *)0'
    for name, value in {'CApath': text, 'issuercert': text, 'clientcert': text, 'cipher_list': text, 'cipher_list13': text,
                        'signature_algorithms': text, 'pinned_key': text, 'CRLfile': text, 'issuercert_blob': blob,
                        'curves': text, 'ssl_options': 0, 'verifystatus': 0, 'cache_session': 1}.items():
        if value in (text, blob):
            tree.replace_regex('lib/vtls/vtls.c', rf'\n  CLONE_(?:STRING|BLOB)\({name}\);', '')
            tree.replace_regex('lib/vtls/vtls.c', rf'\n  Curl_safefree\(sslc->{name}\);', '')
        constant(name, value, r'(?:\w+->)+set\.ssl\.primary\.|(?:ssl_config|config)->primary\.|(?:conn_config|c1|c2|source|src|dest|ssl)->|\w+->ssl_config\.',
                 'ssl_primary_config')
    for name, value in {'fsslctx': '(curl_ssl_ctx_callback)0', 'fsslctxp': '(void *)0', 'cert_type': text, 'key': text,
                        'key_type': text, 'key_passwd': text, 'certinfo': 0, 'earlydata': 0, 'enable_beast': 0,
                        'no_partialchain': 0, 'native_ca_store': 0}.items():
        constant(name, value, r'(?:\w+->)+set\.ssl\.|ssl_config->', 'ssl_config_data')
    constant('ca_cache_timeout', '24 * 60 * 60', r'(?:\w+->)+set\.general_ssl\.|set->general_ssl\.|cfg->', 'ssl_general_config')
    constant('earlydata_state', 'ssl_earlydata_none', r'connssl->', 'ssl_connect_data', 'lib/vtls/vtls_int.h')
    # Names are only made into text for the log.
    tree.replace(OPENSSL, 'static CURLcode x509_name_oneline(X509_NAME *a, struct dynbuf *d)\n{\n',
                 'static CURLcode x509_name_oneline(X509_NAME *a, struct dynbuf *d)\n{\n  if(1) return CURLE_OK;\n')


def one_tls_library():
    """curl knows several TLS libraries; here is one, whose functions are called by name. What nobody asks of it (engines,
    pinned keys, channel bindings, its own structures) is not in its table. (3 KB)"""
    source = 'lib/vtls/vtls.c'
    tree.replace(source, 'static int multissl_setup(const struct Curl_ssl *backend);\n', '')
    tree.replace(source, '  multissl_setup(NULL);\n', '')
    tree.replace(source, 'static size_t multissl_version(char *buffer, size_t size);\n', '')
    found = re.search(r'\nstatic int multissl_init\(.*?(?=\n#else /\* USE_SSL \*/)', tree.read(source), re.S)
    if not found or set(re.findall(r'\n(?!static)[\w *]*?(Curl_\w+)(?:\(| =)', found.group(0))) != {
            'Curl_ssl', 'Curl_ssl_cleanup', 'Curl_init_sslset_nolock'}:
        tree.fail(f'{source}: other functions among those of several TLS libraries')
    tree.replace(source, found.group(0), """
void Curl_ssl_cleanup(void)
{
  if(init_ssl) {
    Curl_ssl->cleanup();
    init_ssl = FALSE;
  }
}

CURLsslset Curl_init_sslset_nolock(curl_sslbackend id, const char *name, const curl_ssl_backend ***avail)
{
  static const curl_ssl_backend *one[] = { &Curl_ssl_openssl.info, NULL };

  if(avail)
    *avail = one;
  return id == Curl_ssl->info.id || (name && strcasecompare(name, Curl_ssl->info.name)) ?
         CURLSSLSET_OK : CURLSSLSET_UNKNOWN_BACKEND;
}
""")
    tree.replace('lib/vtls/vtls_int.h', 'extern const struct Curl_ssl *Curl_ssl;\n', 'extern const struct Curl_ssl Curl_ssl_openssl;\n')
    for path in (source, 'lib/vtls/vtls_scache.c'):
        tree.write(path, re.sub(r'\bCurl_ssl->', 'Curl_ssl_openssl.', tree.read(path)))
    tree.replace(source, 'ctx->ssl_impl = Curl_ssl;', 'ctx->ssl_impl = &Curl_ssl_openssl;')
    constant('ssl_impl', '&Curl_ssl_openssl', r'(?:connssl|ctx)->', 'ssl_connect_data', 'lib/vtls/vtls_int.h')
    for row in ('ossl_get_internals,       /* get_internals */', 'ossl_set_engine,          /* set_engine or provider */',
                'ossl_set_engine_default,  /* set_engine_default */', 'ossl_engines_list,        /* engines_list */',
                'ossl_get_channel_binding  /* get_channel_binding */'):
        tree.replace(OPENSSL, row, 'NULL' + row[row.index(' ') - 1:] if row[row.index(' ') - 1] == ',' else 'NULL')
    tree.replace(OPENSSL, '  ossl_sha256sum,           /* sha256sum */', '  NULL,')


def one_http_version():
    """HTTP/1.1 alone is spoken, so no connections for several versions race each other. (2 KB)"""
    tree.replace_regex('lib/connect.c', r'\n  if\(!conn->cfilter\[sockindex\] &&\s*'
                       r'conn->handler->protocol == CURLPROTO_HTTPS\) \{.*?\n  \}\n(?=#endif /\* !defined\(CURL_DISABLE_HTTP)', '\n')


def no_redirects():
    """A redirect is an answer like any other: no URL is made of its "Location". What remains is the same request once more,
    when a kept connection turns out to be dead. Nor is a request repeated with other credentials. (4 KB)"""
    source = 'lib/http.c'
    tree.replace_body(source, r'CURLcode Curl_http_follow\(struct Curl_easy \*data, const char \*newurl,\s*followtype type\)', """\
  char *url;
  CURLcode result;

  if(type != FOLLOW_RETRY)
    return CURLE_UNSUPPORTED_PROTOCOL;
  url = strdup(newurl);
  if(!url)
    return CURLE_OUT_OF_MEMORY;
  data->state.requests++;
  if(data->state.url_alloc)
    Curl_safefree(data->state.url);
  data->state.url = url;
  data->state.url_alloc = TRUE;
  result = Curl_req_soft_reset(&data->req, data);
  if(result)
    return result;
  Curl_pgrsTime(data, TIMER_REDIRECT);
  Curl_pgrsResetTransferSizes(data);
  return CURLE_OK;
""")
    tree.replace_regex(source, r"    if\(\(k->httpcode >= 300 && k->httpcode < 400\) &&\s*HD_IS\(hd, hdlen, \"Location:\"\) &&.*?"
                       r"\n    \}\n    break;\n  case 'p':", "    break;\n  case 'p':")
    tree.replace_body(source, r'CURLcode Curl_http_auth_act\(struct Curl_easy \*data\)', '  (void)data;\n  return CURLE_OK;\n')
    constant('this_is_a_follow', 0, r'\w+->state\.', 'UrlState')
    for path in ('lib/multi.c', 'lib/request.c'):
        tree.write(path, re.sub(r'Curl_safefree\(data->req\.location\);', '', tree.read(path)))
    constant('location', '(char *)0', r'(?:data->req\.|\breq->)', 'SingleRequest', 'lib/request.h')


def requests():
    """Of a request's state what only other requests have: redirects, ranges, uploads from a callback or in chunks,
    "Expect: 100-continue" (http.cc switches that off), names and passwords. (5 KB)"""
    text = '(char *)0'
    state = r'\w+->state\.'
    tree.replace_body('lib/url.c', r'static CURLcode setup_range\([^)]*\)', '  (void)data;\n  return CURLE_OK;\n')
    for name, value in {'use_range': 0, 'rangestringalloc': 0, 'range': text, 'resume_from': '(curl_off_t)0', 'referer': text,
                        'referer_alloc': 0, 'wildcardmatch': 0, 'disableexpect': 0, 'prefer_ascii': 0,
                        'http_ignorecustom': 0, 'refused_stream': 0, 'authproblem': 0,
                        'followlocation': '0L'}.items():
        constant(name, value, state, 'UrlState')
    request = r'(?:\w+->req\.|\breq->|\bk->)'
    for name, value in {'upload_chunky': 0, 'upgr101': 'UPGR101_INIT', 'authneg': 0}.items():
        constant(name, value, request, 'SingleRequest', 'lib/request.h')
    source = 'lib/http.c'
    tree.replace_body(source, r'static CURLcode addexpect\([^)]*\)', '  *announced_exp100 = FALSE;\n  return CURLE_OK;\n')
    tree.replace_regex(source, r'    if\(announced_exp100\)\s*result = http_exp100_add_reader\(data\);\n', '')
    for name, value in (('is_waiting', 'FALSE'), ('is_selected', 'FALSE')):
        tree.replace_body(source, rf'static bool http_exp100_{name}\([^)]*\)', f'  return {value};\n')
    for name in ('got100', 'send_anyway'):
        tree.replace_body(source, rf'static void http_exp100_{name}\([^)]*\)', '')
    tree.replace_body(source, r'static CURLcode http_req_set_reader\([^)]*\)', """\
  /* the length is always known */
  return set_reader(data, httpreq);
""")
    tree.replace_regex(source, r'    return postsize \? Curl_creader_set_fread\(data, postsize\) :\s*Curl_creader_set_null\(data\);',
                       '    return CURLE_UNSUPPORTED_PROTOCOL;')
    tree.replace_regex(source, r'(        result = Curl_creader_set_null\(data\);\n    \}\n    else \{\n)'
                       r'      /\* we read the bytes from the callback.*?Curl_creader_set_fread\(data, chunked \? -1 : postsize\);\n',
                       r'\1      result = CURLE_UNSUPPORTED_PROTOCOL;\n')
    tree.replace_regex('lib/sendf.c', r'result = Curl_creader_set_fread\(data, data->state\.infilesize\);\s*if\(result\)\s*return result;',
                       'return CURLE_READ_ERROR;', times=2)
    # header lines of an answer that nobody reads
    for name in ('Content-Type', 'Retry-After'):
        tree.replace_regex(source, rf'    (?:/\* check for Content-Type: header lines to get the MIME-type \*/\n    )?v = HD_VAL\(hd, hdlen, "{name}:"\);\n'
                           r'    if\(v\) \{.*?\n    \}\n', '')
    constant('contenttype', text, r'\w+->info\.|\binfo->', 'PureInfo')


def no_pause():
    """No callback pauses a transfer: one that asked for it would be an error. (1.5 KB)"""
    tree.replace_regex('lib/sendf.c', r'  result = Curl_cwriter_create\(&writer, data, &Curl_cwt_pause,.*?(?=  result = Curl_cwriter_create\(&writer, data, &cw_download)',
                       '')
    tree.replace_regex('lib/cw-out.c', r'    if\(CURL_WRITEFUNC_PAUSE == nwritten\) \{.*?\n    \}\n    else (?=if\(CURL_WRITEFUNC_ERROR)', '    ')
    tree.replace_regex('lib/cw-out.c', r'result = Curl_cw_pause_flush\(data\);\s*if\(!result\)\s*', '', times=2)
    tree.replace('lib/cw-out.c', '  BIT(paused);\n', '')
    edited, stores = re.subn(r'ctx->paused = FALSE;', ';', tree.read('lib/cw-out.c'))
    edited, reads = re.subn(r'ctx->paused\b', '0', edited)
    if (stores, reads) != (1, 5):
        tree.fail(f'lib/cw-out.c: paused: {stores}, {reads}')
    tree.write('lib/cw-out.c', edited)


def connections():
    """Connections are not shared between programs' handles, not limited in number, and not named after users. (3 KB)"""
    text = '(char *)0'
    conn = r'(?:\w+->)*(?:conn|existing|temp|needle)->'
    for name, value in {'secondaryhostname': text, 'sasl_authzid': text, 'oauth_bearer': text, 'localdev': text, 'localport': 0,
                        'localportrange': 0, 'connect_only': 0,
                        'fclosesocket': '(curl_closesocket_callback)0', 'closesocket_client': '(void *)0'}.items():
        constant(name, value, conn, 'connectdata')
    for name in ('altused', 'do_more', 'multiplex', 'asks_multiplex', 'tcp_fastopen', 'abstract_unix_socket'):
        constant(name, 0, conn[:-2] + r'->bits\.', 'ConnectBits')
    constant('share', '(struct Curl_share *)0', r'(?:\w+->)*(?:data|easy|outcurl|idata|handle|admin)->', 'Curl_easy')
    for name, value in {'max_host_connections': '0L', 'max_total_connections': '0L', 'maxconnects': '0U', 'multiplexing': 0,
                        'push_cb': '(curl_push_callback)0', 'push_userp': '(void *)0'}.items():
        tree.replace_regex('lib/multi.c', r'  case CURLMOPT_%s:\n.*?    break;\n' % {
            'max_host_connections': 'MAX_HOST_CONNECTIONS', 'max_total_connections': 'MAX_TOTAL_CONNECTIONS',
            'maxconnects': 'MAXCONNECTS', 'multiplexing': 'PIPELINING', 'push_cb': 'PUSHFUNCTION',
            'push_userp': 'PUSHDATA'}[name], '')
        constant(name, value, r'(?:\w+->)*multi->', 'Curl_multi', 'lib/multihandle.h')
    # http.cc sets CURLOPT_NOSIGNAL
    tree.replace('lib/hostip.c', '#define USE_ALARM_TIMEOUT\n', '')


def no_credentials_in_urls():
    """A URL with a name or password is an error (http.cc sends the Authorization header itself), and so is file:. (4 KB)"""
    constant('disallow_username_in_url', 1)
    tree.replace_body('lib/urlapi.c', r'static CURLUcode parse_hostname_login\([^)]*\) /\* to the hostname \*/', """\
  *offset = 0;
  return memchr(login, '@', len) ? CURLUE_USER_NOT_ALLOWED : CURLUE_OK;
""")
    tree.replace('lib/urlapi.c', '  if(schemelen && !strcmp(schemebuf, "file")) {\n', """\
  if(schemelen && !strcmp(schemebuf, "file")) {
    result = CURLUE_UNSUPPORTED_SCHEME;
    goto fail;
  }
  if(0) {
""")
    tree.replace_regex('lib/urlapi.c', r'(\nCURLUcode curl_url_set\([^)]*\)\n\{.*?)  if\(!u\)\n    return CURLUE_BAD_HANDLE;\n',
                       r'\1  if(!u)\n    return CURLUE_BAD_HANDLE;\n  if(!part || what != CURLUPART_URL)\n    return CURLUE_UNKNOWN_PART;\n')
    tree.replace_between('lib/url.c', '  result = findprotocol(data, conn, data->state.up.scheme);\n  if(result)\n    return result;\n',
                         '  uc = curl_url_get(uh, CURLUPART_PATH,', '\n')
    tree.replace_body('lib/url.c', r'static CURLcode override_login\([^)]*\)', '  (void)data;\n  (void)conn;\n  return CURLE_OK;\n')
    tree.replace_body('lib/url.c', r'static CURLcode set_login\([^)]*\)', '  (void)data;\n  (void)conn;\n  return CURLE_OK;\n')
    tree.replace_body('lib/transfer.c', r'CURLcode Curl_reset_userpwd\(struct Curl_easy \*data\)', '  (void)data;\n  return CURLE_OK;\n')
    for name in ('user', 'passwd', 'options'):
        constant(name, '(char *)0', r'(?:\w+->)*(?:conn|existing|temp|needle)->', 'connectdata')
    for name in ('user', 'passwd', 'userpwd', 'uagent', 'accept_encoding', 'rangeline', 'ref', 'te'):
        constant(name, '(char *)0', r'\w+->state\.aptr\.', 'UrlState')


def one_protocol():
    """What other protocols' handlers have, HTTP's do not: steps between connecting, asking and answering. (1 KB)"""
    step, sockets = 'CURLcode (*)(struct Curl_easy *, bool *)', 'int (*)(struct Curl_easy *, struct connectdata *, curl_socket_t *)'
    for name, kind in {'do_more': 'CURLcode (*)(struct Curl_easy *, int *)', 'connecting': step, 'doing': step,
                       'proto_getsock': sockets, 'domore_getsock': sockets, 'perform_getsock': sockets,
                       'disconnect': 'CURLcode (*)(struct Curl_easy *, struct connectdata *, bool)',
                       'connection_check': 'unsigned int (*)(struct Curl_easy *, struct connectdata *, unsigned int)',
                       'attach': 'void (*)(struct Curl_easy *, struct connectdata *)'}.items():
        tree.replace_regex(URLDATA, rf'\n  [\w ]+\(\*{name}\)\([^;]*;', '')
        tree.replace_regex('lib/http.c', rf'\n  (?:ZERO_NULL|NULL), +/\* {name}(?: connection)? \*/', '', times=2)
        for path in ('lib/multi.c', 'lib/url.c', 'lib/cshutdn.c'):
            tree.write(path, re.sub(rf'\b(?:\w+->)*handler->{name}\b', f'(({kind})0)', tree.read(path)))


def memory():
    """The C library's memory, by its own names. (1 KB)"""
    for name in ('strdup(ptr) Curl_cstrdup(ptr)', 'malloc(size) Curl_cmalloc(size)', 'calloc(nbelem,size) Curl_ccalloc(nbelem, size)',
                 'realloc(ptr,size) Curl_crealloc(ptr, size)', 'free(ptr) Curl_cfree(ptr)'):
        tree.replace('lib/curl_memory.h', f'#define {name}\n', '')


def no_key_log():
    """No environment variable makes it write the secrets of TLS connections to a file."""
    source = 'lib/vtls/keylog.c'
    tree.replace_body(source, r'void\nCurl_tls_keylog_open\(void\)', '')
    tree.replace_body(source, r'bool\nCurl_tls_keylog_enabled\(void\)', '  return FALSE;\n')


for edit in (options, strings, settings, tls_settings, one_tls_library, one_http_version, no_redirects, requests, no_pause,
             connections, no_credentials_in_urls, one_protocol, memory, no_key_log):
    edit()
