/* AES and carry-less multiplication by the processor's own instructions, where it has them: fast, and in constant time. On
 * others, and on other architectures, the C code stays. edits.py puts this into upstream's aes_core.c. */
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

enum { SSE3 = 1, PCLMULQDQ = 1 << 1, AES_NI = 1 << 25 }; /* bits of CPUID.1:ECX */

/* Asked once: a virtual machine takes its time to answer. A processor with the others has SSE3, which says here that it was
 * asked. Not static for test/static/cryptography.c, which computes with and without. */
unsigned int ossl_processor_features;

static int processor_has(unsigned int what)
{
    if (ossl_processor_features == 0) {
        unsigned int eax, ebx, ecx = 0, edx;

        (void)__get_cpuid(1, &eax, &ebx, &ecx, &edx);
        ossl_processor_features = ecx | SSE3;
    }
    return (ossl_processor_features & what) != 0;
}

/* Returns 0 when the processor cannot. The key is as the constant-time C code expands it: byte by byte the standard's. */
__attribute__((target("aes"))) static int aes_by_processor(const unsigned char *in, unsigned char *out, const void *key,
    int rounds)
{
    const __m128i *round_key = key;
    __m128i state;

    if (!processor_has(AES_NI))
        return 0;
    state = _mm_xor_si128(_mm_loadu_si128((const __m128i *)in), _mm_loadu_si128(round_key));
    while (--rounds > 0)
        state = _mm_aesenc_si128(state, _mm_loadu_si128(++round_key));
    _mm_storeu_si128((__m128i *)out, _mm_aesenclast_si128(state, _mm_loadu_si128(++round_key)));
    return 1;
}

/* The product of two polynomials of 64 coefficients; 0 when the processor cannot. */
__attribute__((target("pclmul"))) int ossl_multiply_by_processor(unsigned __int128 *product, unsigned long long a,
    unsigned long long b)
{
    if (!processor_has(PCLMULQDQ))
        return 0;
    _mm_storeu_si128((__m128i *)product,
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)a), _mm_cvtsi64_si128((long long)b), 0));
    return 1;
}
#else
static int aes_by_processor(const unsigned char *in, unsigned char *out, const void *key, int rounds)
{
    return 0;
}

int ossl_multiply_by_processor(unsigned __int128 *product, unsigned long long a, unsigned long long b)
{
    return 0;
}
#endif
