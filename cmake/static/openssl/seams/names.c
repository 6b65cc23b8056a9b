/* In place of upstream's c_allc.c and c_alld.c: the names by which the library's old interfaces find algorithms. A name
 * that is not added is not found. */
#include <openssl/evp.h>
#include "crypto/evp.h"

void openssl_add_all_ciphers_int(void)
{
}

void openssl_add_all_digests_int(void)
{
    EVP_add_digest(EVP_sha1());
    EVP_add_digest(EVP_sha256());
    EVP_add_digest(EVP_sha384());
    EVP_add_digest(EVP_sha512());
}
