/* In place of upstream's rand_lib.c: random bytes are the kernel's, by getrandom(), which blocks until it has been seeded
 * once. Where there is none (a kernel before 3.17, a filter) it is an error, never something weaker. */
#include <errno.h>
#include <sys/random.h>
#include <openssl/err.h>
#include <openssl/rand.h>

int RAND_bytes_ex(OSSL_LIB_CTX *ctx, unsigned char *buf, size_t num, unsigned int strength)
{
    while (num > 0) {
        ssize_t got = getrandom(buf, num, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            ERR_raise(ERR_LIB_RAND, RAND_R_ERROR_RETRIEVING_ENTROPY);
            return 0;
        }
        buf += got;
        num -= (size_t)got;
    }
    return 1;
}

int RAND_bytes(unsigned char *buf, int num)
{
    return num >= 0 && RAND_bytes_ex(NULL, buf, (size_t)num, 0);
}

int RAND_priv_bytes_ex(OSSL_LIB_CTX *ctx, unsigned char *buf, size_t num, unsigned int strength)
{
    return RAND_bytes_ex(ctx, buf, num, strength);
}

int RAND_priv_bytes(unsigned char *buf, int num)
{
    return RAND_bytes(buf, num);
}

int RAND_status(void)
{
    return 1; /* getrandom() waits for its seed */
}
