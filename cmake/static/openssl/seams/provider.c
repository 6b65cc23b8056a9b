/* In place of upstream's provider_predefined.c, defltprov.c and capabilities.c: the algorithms that this program has.
 * What is not in a table cannot be fetched: an error, never something else instead.
 *
 * TLS 1.2 and 1.3 with ECDHE (X25519, P-256, P-384), AES-GCM and ChaCha20-Poly1305; certificates and keys of RSA,
 * RSA-PSS, ECDSA and Ed25519. CERTLATCH_MLKEM adds X25519MLKEM768. */
#include <string.h>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/opensslconf.h>
#include "crypto/provider_local.h"
#include "prov/implementations.h"
#include "prov/names.h"
#include "prov/provider_ctx.h"
#include "prov/providercommon.h"

#define PROPERTIES "provider=default"
#define ALGORITHM(names, functions) { names, PROPERTIES, functions }
#define END { NULL, NULL, NULL }

/* --- algorithms -------------------------------------------------------------------------------------------------- */

static const OSSL_ALGORITHM digests[] = {
    ALGORITHM(PROV_NAMES_SHA1, ossl_sha1_functions),
    ALGORITHM(PROV_NAMES_SHA2_256, ossl_sha256_functions),
    ALGORITHM(PROV_NAMES_SHA2_384, ossl_sha384_functions),
    ALGORITHM(PROV_NAMES_SHA2_512, ossl_sha512_functions),
#ifdef CERTLATCH_MLKEM
    ALGORITHM(PROV_NAMES_SHA3_256, ossl_sha3_256_functions),
    ALGORITHM(PROV_NAMES_SHA3_512, ossl_sha3_512_functions),
    ALGORITHM(PROV_NAMES_SHAKE_128, ossl_shake_128_functions),
    ALGORITHM(PROV_NAMES_SHAKE_256, ossl_shake_256_functions),
#endif
    END
};

static const OSSL_ALGORITHM ciphers[] = {
    ALGORITHM(PROV_NAMES_AES_256_GCM, ossl_aes256gcm_functions),
    ALGORITHM(PROV_NAMES_AES_128_GCM, ossl_aes128gcm_functions),
    ALGORITHM(PROV_NAMES_ChaCha20_Poly1305, ossl_chacha20_ossl_poly1305_functions),
    END
};

static const OSSL_ALGORITHM macs[] = { ALGORITHM(PROV_NAMES_HMAC, ossl_hmac_functions), END };

static const OSSL_ALGORITHM kdfs[] = {
    ALGORITHM(PROV_NAMES_TLS1_3_KDF, ossl_kdf_tls1_3_kdf_functions),
    ALGORITHM(PROV_NAMES_TLS1_PRF, ossl_kdf_tls1_prf_functions),
    END
};

static const OSSL_ALGORITHM key_exchanges[] = {
    ALGORITHM(PROV_NAMES_ECDH, ossl_ecdh_keyexch_functions),
    ALGORITHM(PROV_NAMES_X25519, ossl_x25519_keyexch_functions),
    END
};

static const OSSL_ALGORITHM signatures[] = {
    ALGORITHM(PROV_NAMES_RSA, ossl_rsa_signature_functions),
    ALGORITHM(PROV_NAMES_ED25519, ossl_ed25519_signature_functions),
    ALGORITHM(PROV_NAMES_ECDSA, ossl_ecdsa_signature_functions),
    END
};

#ifdef CERTLATCH_MLKEM
static const OSSL_ALGORITHM kems[] = {
    ALGORITHM(PROV_NAMES_ML_KEM_768, ossl_ml_kem_asym_kem_functions),
    ALGORITHM(PROV_NAMES_X25519MLKEM768, ossl_mlx_kem_asym_kem_functions),
    END
};
#endif

static const OSSL_ALGORITHM key_managers[] = {
    ALGORITHM(PROV_NAMES_RSA, ossl_rsa_keymgmt_functions),
    ALGORITHM(PROV_NAMES_RSA_PSS, ossl_rsapss_keymgmt_functions),
    ALGORITHM(PROV_NAMES_EC, ossl_ec_keymgmt_functions),
    ALGORITHM(PROV_NAMES_X25519, ossl_x25519_keymgmt_functions),
    ALGORITHM(PROV_NAMES_ED25519, ossl_ed25519_keymgmt_functions),
#ifdef CERTLATCH_MLKEM
    ALGORITHM(PROV_NAMES_ML_KEM_768, ossl_ml_kem_768_keymgmt_functions),
    ALGORITHM(PROV_NAMES_X25519MLKEM768, ossl_mlx_x25519_kem_kmgmt_functions),
#endif
    END
};

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_DIGEST:
        return digests;
    case OSSL_OP_CIPHER:
        return ciphers;
    case OSSL_OP_MAC:
        return macs;
    case OSSL_OP_KDF:
        return kdfs;
    case OSSL_OP_KEYMGMT:
        return key_managers;
    case OSSL_OP_KEYEXCH:
        return key_exchanges;
    case OSSL_OP_SIGNATURE:
        return signatures;
#ifdef CERTLATCH_MLKEM
    case OSSL_OP_KEM:
        return kems;
#endif
    }
    return NULL;
}

/* --- the provider, as upstream's default provider sets itself up --------------------------------------------------- */

static void teardown(void *provider)
{
    ossl_prov_ctx_free(provider);
}

static const OSSL_DISPATCH functions[] = {
    { OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown },
    { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
    OSSL_DISPATCH_END
};

static int init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **provider)
{
    OSSL_FUNC_core_get_libctx_fn *get_library = NULL;
    OSSL_FUNC_core_get_params_fn *get_params = NULL;
    PROV_CTX *made;

    for (; in->function_id != 0; in++) {
        if (in->function_id == OSSL_FUNC_CORE_GET_LIBCTX)
            get_library = OSSL_FUNC_core_get_libctx(in);
        else if (in->function_id == OSSL_FUNC_CORE_GET_PARAMS)
            get_params = OSSL_FUNC_core_get_params(in);
    }
    if (get_library == NULL)
        return 0;
    made = ossl_prov_ctx_new();
    if (made == NULL)
        return 0;
    ossl_prov_ctx_set0_libctx(made, (OSSL_LIB_CTX *)get_library(handle));
    ossl_prov_ctx_set0_handle(made, handle);
    ossl_prov_ctx_set0_core_get_params(made, get_params);
    *provider = made;
    *out = functions;
    return 1;
}

const OSSL_PROVIDER_INFO ossl_predefined_providers[] = {
    { "default", NULL, init, NULL, 1 },
    { NULL, NULL, NULL, NULL, 0 },
};
