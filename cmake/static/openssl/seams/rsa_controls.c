/* In place of upstream's ctrl_params_translate.c, which turns old control commands into parameters and back. Here TLS and
 * certificate verification set the padding of RSA signatures, and nothing else; any other command is "not supported"
 * (-2), upstream's own answer. The other directions serve key types that come from engines; there are none. */
#include <stdlib.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include "crypto/evp.h"

int evp_pkey_ctx_ctrl_to_param(EVP_PKEY_CTX *ctx, int keytype, int optype, int cmd, int number, void *pointer)
{
    OSSL_PARAM params[2] = { OSSL_PARAM_END, OSSL_PARAM_END };

    switch (cmd) {
    case EVP_PKEY_CTRL_RSA_PADDING:
        params[0] = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &number);
        break;
    case EVP_PKEY_CTRL_RSA_PSS_SALTLEN:
        params[0] = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &number);
        break;
    case EVP_PKEY_CTRL_RSA_MGF1_MD:
        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST,
            (char *)EVP_MD_get0_name(pointer), 0);
        break;
    case EVP_PKEY_CTRL_MD:
        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, (char *)EVP_MD_get0_name(pointer), 0);
        break;
    default:
        return -2;
    }
    return EVP_PKEY_CTX_set_params(ctx, params);
}

int evp_pkey_ctx_ctrl_str_to_param(EVP_PKEY_CTX *ctx, const char *name, const char *value)
{
    abort();
}

int evp_pkey_ctx_set_params_to_ctrl(EVP_PKEY_CTX *ctx, const OSSL_PARAM *params)
{
    abort();
}

int evp_pkey_ctx_get_params_to_ctrl(EVP_PKEY_CTX *ctx, OSSL_PARAM *params)
{
    abort();
}

int evp_pkey_get_params_to_ctrl(const EVP_PKEY *pkey, OSSL_PARAM *params)
{
    abort();
}
