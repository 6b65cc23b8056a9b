/* In place of upstream's generated params_idx.c, a decision tree over some 400 parameter names. In OpenSSL 3.5 only the
 * AES-GCM cipher asks it; these are the names it asks for, and every other name is unknown (-1), as upstream says it.
 * openssl/build.sh fails when somebody else begins to ask. */
#include "internal/e_os.h"
#include <string.h>
#include <openssl/core_names.h>
#include "internal/nelem.h"
#include "internal/param_names.h"

int ossl_param_find_pidx(const char *name)
{
    static const struct {
        const char *name;
        int index;
    } known[] = {
#define KNOWN(which) { OSSL_CIPHER_PARAM_##which, PIDX_CIPHER_PARAM_##which }
        KNOWN(KEYLEN),
        KNOWN(IVLEN),
        KNOWN(IV),
        KNOWN(UPDATED_IV),
        KNOWN(AEAD_TAG),
        KNOWN(AEAD_TAGLEN),
        KNOWN(AEAD_IV_GENERATED),
        KNOWN(AEAD_TLS1_AAD),
        KNOWN(AEAD_TLS1_AAD_PAD),
        KNOWN(AEAD_TLS1_GET_IV_GEN),
        KNOWN(AEAD_TLS1_SET_IV_INV),
        KNOWN(AEAD_TLS1_IV_FIXED),
    };
    size_t i;

    for (i = 0; i < OSSL_NELEM(known); i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].index;
    return -1;
}
