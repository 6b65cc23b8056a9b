/* In place of upstream's decoder_lib.c, decoder_meth.c, decoder_pkey.c and of the provider's decoders: keys from DER and PEM.
 * Upstream asks decoders by name and property until one takes what it is given; here is the table of what they come to, for
 * the same keys: public ones as SubjectPublicKeyInfo, private ones as PKCS#8, PKCS#1 and SEC 1, none encrypted. The ASN.1,
 * the checks of keys and the key managers are upstream's. */
#include "internal/deprecated.h"
#include <string.h>
#include <openssl/core_dispatch.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include "crypto/ec.h"
#include "crypto/ecx.h"
#include "crypto/evp.h"
#include "crypto/rsa.h"
#include "crypto/x509.h"
#include "internal/nelem.h"

struct ossl_decoder_ctx_st {
    EVP_PKEY **result;
    const char *kind; /* as key managers are named; NULL: what the key says itself */
    int selection;
    OSSL_LIB_CTX *library;
};

typedef struct {
    const char *name;
    int type;
    void *(*from_pkcs8)(const PKCS8_PRIV_KEY_INFO *, OSSL_LIB_CTX *, const char *);
    void *(*public_key)(void *, const unsigned char **, long); /* SubjectPublicKeyInfo */
    void *(*private_key)(void *, const unsigned char **, long); /* PKCS#1, SEC 1 */
    void (*release)(void *);
} KIND;

#define FROM_PKCS8 (void *(*)(const PKCS8_PRIV_KEY_INFO *, OSSL_LIB_CTX *, const char *))
#define FROM_DER (void *(*)(void *, const unsigned char **, long))
#define RELEASE (void (*)(void *))
static const KIND kinds[] = {
    { "RSA", EVP_PKEY_RSA, FROM_PKCS8 ossl_rsa_key_from_pkcs8, FROM_DER d2i_RSA_PUBKEY, FROM_DER d2i_RSAPrivateKey, RELEASE RSA_free },
    { "RSA-PSS", EVP_PKEY_RSA_PSS, FROM_PKCS8 ossl_rsa_key_from_pkcs8, FROM_DER d2i_RSA_PUBKEY, NULL, RELEASE RSA_free },
    { "EC", EVP_PKEY_EC, FROM_PKCS8 ossl_ec_key_from_pkcs8, FROM_DER d2i_EC_PUBKEY, FROM_DER d2i_ECPrivateKey, RELEASE EC_KEY_free },
    { "ED25519", EVP_PKEY_ED25519, FROM_PKCS8 ossl_ecx_key_from_pkcs8, FROM_DER ossl_d2i_ED25519_PUBKEY, NULL, RELEASE ossl_ecx_key_free },
};

static void *private_key(const KIND *kind, int pkcs8_only, OSSL_LIB_CTX *library, const unsigned char **der, long length)
{
    const unsigned char *start = *der;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, der, length);
    const X509_ALGOR *algorithm;
    void *key = NULL;

    if (info != NULL && PKCS8_pkey_get0(NULL, NULL, NULL, &algorithm, info) && OBJ_obj2nid(algorithm->algorithm) == kind->type)
        key = kind->from_pkcs8(info, library, "");
    PKCS8_PRIV_KEY_INFO_free(info);
    if (key == NULL && !pkcs8_only && kind->private_key != NULL) {
        *der = start;
        key = kind->private_key(NULL, der, length);
    }
    return key;
}

/* RSA and RSA-PSS have one ASN.1; and the factors are checked. */
static int is_of_kind(const KIND *kind, const void *key)
{
    if (kind->type != EVP_PKEY_RSA && kind->type != EVP_PKEY_RSA_PSS)
        return 1;
    return RSA_test_flags(key, RSA_FLAG_TYPE_MASK) == (kind->type == EVP_PKEY_RSA ? RSA_FLAG_TYPE_RSA : RSA_FLAG_TYPE_RSASSAPSS)
        && ossl_rsa_check_factors((RSA *)key);
}

static EVP_PKEY *key_of_kind(const OSSL_DECODER_CTX *ctx, const KIND *kind, const char *name, int pkcs8_only,
    const unsigned char **der, long length)
{
    EVP_KEYMGMT *manager = EVP_KEYMGMT_fetch(ctx->library, kind->name, NULL);
    EVP_PKEY *result = NULL;
    void *key = NULL, *data;

    if (manager != NULL && (name == NULL || EVP_KEYMGMT_is_a(manager, name)))
        key = (ctx->selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0
            ? private_key(kind, pkcs8_only, ctx->library, der, length)
            : kind->public_key(NULL, der, length);
    if (key != NULL && is_of_kind(kind, key) && (data = evp_keymgmt_load(manager, &key, sizeof(key))) != NULL) {
        result = evp_keymgmt_util_make_pkey(manager, data);
        if (result == NULL)
            evp_keymgmt_freedata(manager, data);
    }
    if (key != NULL) /* the manager has not taken it */
        kind->release(key);
    EVP_KEYMGMT_free(manager);
    return result;
}

/* What went wrong on the way is not said, as upstream: nothing was found that is a key. */
static int decode(OSSL_DECODER_CTX *ctx, const char *name, int pkcs8_only, const unsigned char **der, long length)
{
    EVP_PKEY *key = NULL;
    size_t i;

    ERR_set_mark();
    for (i = 0; i < OSSL_NELEM(kinds) && key == NULL; i++) {
        const unsigned char *at = *der;

        key = key_of_kind(ctx, &kinds[i], name, pkcs8_only, &at, length);
        if (key != NULL)
            *der = at;
    }
    ERR_pop_to_mark();
    if (key == NULL) {
        ERR_raise(ERR_LIB_OSSL_DECODER, ERR_R_UNSUPPORTED);
        return 0;
    }
    *ctx->result = key;
    return 1;
}

OSSL_DECODER_CTX *OSSL_DECODER_CTX_new_for_pkey(EVP_PKEY **result, const char *input, const char *structure, const char *kind,
    int selection, OSSL_LIB_CTX *library, const char *properties)
{
    OSSL_DECODER_CTX *ctx = OPENSSL_malloc(sizeof(*ctx));

    if (ctx != NULL) {
        ctx->result = result;
        ctx->kind = kind;
        ctx->selection = selection;
        ctx->library = library;
    }
    return ctx;
}

void OSSL_DECODER_CTX_free(OSSL_DECODER_CTX *ctx)
{
    OPENSSL_free(ctx);
}

int OSSL_DECODER_CTX_get_num_decoders(OSSL_DECODER_CTX *ctx)
{
    return OSSL_NELEM(kinds);
}

int OSSL_DECODER_CTX_set_pem_password_cb(OSSL_DECODER_CTX *ctx, pem_password_cb *ask, void *arg)
{
    return 1; /* nothing that is encrypted is read */
}

int OSSL_DECODER_from_data(OSSL_DECODER_CTX *ctx, const unsigned char **data, size_t *length)
{
    const unsigned char *at = *data;

    if (!decode(ctx, ctx->kind, 0, &at, (long)*length))
        return 0;
    *length -= (size_t)(at - *data);
    *data = at;
    return 1;
}

/* PKCS#8: its algorithm says of what kind it is. Encrypted or not, the labels are held for one. */
static int from_pkcs8(OSSL_DECODER_CTX *ctx, const unsigned char *der, long length)
{
    const unsigned char *at = der;
    const ASN1_OBJECT *algorithm;
    PKCS8_PRIV_KEY_INFO *info;
    X509_SIG *encrypted;
    char name[50] = ""; /* OSSL_MAX_NAME_SIZE */

    ERR_set_mark();
    encrypted = d2i_X509_SIG(NULL, &at, length);
    if (encrypted != NULL) {
        ERR_clear_last_mark();
        X509_SIG_free(encrypted);
        ERR_raise(ERR_LIB_CRYPTO, ERR_R_INTERRUPTED_OR_CANCELLED);
        ERR_raise(ERR_LIB_PROV, PROV_R_UNABLE_TO_GET_PASSPHRASE);
        return 0;
    }
    at = der;
    info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, length);
    if (info != NULL && PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info))
        OBJ_obj2txt(name, sizeof(name), algorithm, 0);
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_pop_to_mark();
    return decode(ctx, name, 1, &der, length);
}

/* The next block of PEM. */
int OSSL_DECODER_from_bio(OSSL_DECODER_CTX *ctx, BIO *in)
{
    char *label = NULL, *header = NULL;
    unsigned char *der = NULL;
    const unsigned char *at;
    long length = 0;
    int ok;

    ERR_set_mark();
    ok = PEM_read_bio(in, &label, &header, &der, &length) > 0;
    ERR_pop_to_mark();
    at = der;
    if (ok && strlen(header) > 10) { /* "Proc-Type:" */
        EVP_CIPHER_INFO cipher;

        ok = PEM_get_EVP_CIPHER_INFO(header, &cipher) && PEM_do_header(&cipher, der, &length, NULL, NULL);
        if (!ok)
            goto end;
    }
    if (ok && (strcmp(label, PEM_STRING_PKCS8) == 0 || strcmp(label, PEM_STRING_PKCS8INF) == 0))
        ok = from_pkcs8(ctx, at, length);
    else if (ok && strcmp(label, PEM_STRING_ECPRIVATEKEY) == 0)
        ok = decode(ctx, "EC", 0, &at, length);
    else if (ok && strcmp(label, PEM_STRING_RSA) == 0)
        ok = decode(ctx, "RSA", 0, &at, length);
    else
        ok = decode(ctx, "", 0, &at, 0); /* of no kind */
end:
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, length);
    return ok;
}
