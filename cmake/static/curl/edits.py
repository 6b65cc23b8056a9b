"""curl: client certificates as PEM or DER only, and nothing that goes into the log that --disable-verbose took out.

    edits.py TREE          (TREE is edited in place)
"""
import sys

from checked_edit import Tree

tree = Tree(sys.argv[1])
OPENSSL = 'lib/vtls/openssl.c'

# PKCS#12 is an error, not a crash: its decoding pulls in old ciphers. (10 KB)
tree.replace(OPENSSL, '    case SSL_FILETYPE_PKCS12:\n    {',
             '    case SSL_FILETYPE_PKCS12:\n    {\n      failf(data, "PKCS#12 is not supported"); return 0;')
# CURLOPT_CERTINFO is never set: it prints certificates, which needs all of OpenSSL's printing.
tree.replace(OPENSSL, '  if(data->set.ssl.certinfo)\n', '  if(0)\n')
# Names are only made into text for the log.
tree.replace(OPENSSL, 'static CURLcode x509_name_oneline(X509_NAME *a, struct dynbuf *d)\n{\n',
             'static CURLcode x509_name_oneline(X509_NAME *a, struct dynbuf *d)\n{\n  if(1) return CURLE_OK;\n')
# No environment variable makes it write the secrets of TLS connections to a file.
tree.replace('lib/vtls/keylog.c', 'keylog_file_name = curl_getenv("SSLKEYLOGFILE");', 'keylog_file_name = NULL;')
