/* GHASH (NIST SP 800-38D) in constant time. edits.py puts this into upstream's gcm128.c, in place of the two functions of
 * these names, which look up secret bits in a table of 16 multiples of H: the data cache tells which. Here secrets are only
 * ever operands of AND, OR, XOR, shifts and multiplications, whose time does not depend on them on x86-64 and on 64-bit ARM.
 *
 * A processor multiplies integers; polynomials over GF(2) need the same without carries. Of each operand only every
 * fifth bit is taken at a time: a sum of at most 13 products of two bits has four bits, so that a carry never gets to
 * the next coefficient, five bits on. */
typedef unsigned __int128 WIDE;

int ossl_multiply_by_processor(WIDE *product, unsigned long long a, unsigned long long b); /* seams/aes_ni.c */

/* The product of two polynomials of 64 coefficients. */
static WIDE multiply_polynomials(u64 a, u64 b)
{
    const u64 every_fifth = U64(0x1084210842108421);
    WIDE product = 0;
    int i, k;

    if (ossl_multiply_by_processor(&product, a, b))
        return product;
    for (k = 0; k < 5; k++) { /* the coefficients k, k + 5, k + 10... */
        WIDE sum = 0;

        for (i = 0; i < 5; i++)
            sum ^= (WIDE)(a & every_fifth << i) * (b & every_fifth << (k + 5 - i) % 5);
        product |= sum & ((WIDE)(every_fifth << (k + 1) % 5) << 64 | every_fifth << k);
    }
    return product;
}

/* Of upstream's table only the first row is used, for H itself, in the byte order of the machine. */
static void gcm_init_4bit(u128 table[16], const u64 h[2])
{
    table[0].hi = h[0];
    table[0].lo = h[1];
}

static WIDE load_block(const u8 *bytes)
{
    WIDE value = 0;
    int i;

    for (i = 0; i < 16; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void store_block(u8 *bytes, WIDE value)
{
    int i;

    for (i = 16; i-- > 0; value >>= 8)
        bytes[i] = (u8)value;
}

/* X = X * H modulo x^128 + x^7 + x^2 + x + 1. The first bit of a block is the coefficient of x^0: read as a number, a block
 * has its coefficients in reverse, and multiplying by x shifts to the right. */
static void gcm_gmult_4bit(u64 block[2], const u128 table[16])
{
    const WIDE x = load_block((u8 *)block);
    const u64 x1 = (u64)(x >> 64), x0 = (u64)x, h1 = table[0].hi, h0 = table[0].lo;
    WIDE high = multiply_polynomials(x1, h1), low = multiply_polynomials(x0, h0);
    const WIDE middle = multiply_polynomials(x1 ^ x0, h1 ^ h0) ^ high ^ low;

    high ^= middle >> 64;
    low ^= middle << 64;
    high = high << 1 | low >> 127; /* the product has 255 bits, of which x^0 is to be the first of 256 */
    low <<= 1;
    /* Low stands for x^128 and above, and x^128 is 1 + x + x^2 + x^7: first for those that come back to x^128 by it. */
    low ^= low << 127 ^ low << 126 ^ low << 121;
    high ^= low ^ low >> 1 ^ low >> 2 ^ low >> 7;
    store_block((u8 *)block, high);
}

