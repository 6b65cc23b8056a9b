/* In place of upstream's two functions: the same steps on the same limbs of 21 bits, in loops. Nothing depends on the
 * scalars but their bits; limbs are signed, as upstream's. */

/* Limb i is bits 21i to 21i + 20; the last one has what is left. */
static void sc_load(int64_t *limbs, const uint8_t *s, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        limbs[i] = load_4(s + 21 * i / 8) >> (21 * i % 8);
        if (i < count - 1)
            limbs[i] &= kBottom21Bits;
    }
}

/* Limbs first, first + step, ... up to last, to between -bias and 2^21 - bias. */
static void sc_carry(int64_t *s, int first, int last, int step, int64_t bias)
{
    int i;

    for (i = first; i <= last; i += step) {
        int64_t carry = (s[i] + bias) >> 21;

        s[i + 1] += carry;
        s[i] -= carry * (1 << 21);
    }
}

/* Limbs first down to last, which are 2^252 times more than the limbs 12 below: 2^252 is these six modulo the order. */
static void sc_fold(int64_t *s, int first, int last)
{
    static const int32_t order[] = { 666643, 470296, 654183, -997805, 136657, -683901 };
    int i, j;

    for (i = first; i >= last; i--) {
        for (j = 0; j < 6; j++)
            s[i - 12 + j] += s[i] * order[j];
        s[i] = 0;
    }
}

/* What both have in common: 24 limbs modulo the order, as 32 bytes. */
static void sc_reduce_limbs(uint8_t *out, int64_t *s)
{
    int i;

    sc_fold(s, 23, 18);
    sc_carry(s, 6, 16, 2, 1 << 20);
    sc_carry(s, 7, 15, 2, 1 << 20);
    sc_fold(s, 17, 12);
    sc_carry(s, 0, 10, 2, 1 << 20);
    sc_carry(s, 1, 11, 2, 1 << 20);
    sc_fold(s, 12, 12);
    sc_carry(s, 0, 11, 1, 0);
    sc_fold(s, 12, 12);
    sc_carry(s, 0, 10, 1, 0);
    for (i = 0; i < 32; i++) {
        int limb = 8 * i / 21, bit = 8 * i % 21;

        out[i] = (uint8_t)((uint64_t)s[limb] >> bit | (uint64_t)s[limb + 1] << (21 - bit));
    }
}

static void x25519_sc_reduce(uint8_t *s)
{
    int64_t limbs[24];

    sc_load(limbs, s, 24);
    sc_reduce_limbs(s, limbs);
}

static void sc_muladd(uint8_t *s, const uint8_t *a, const uint8_t *b,
    const uint8_t *c)
{
    int64_t x[12], y[12], sum[24] = { 0 };
    int i, j;

    sc_load(x, a, 12);
    sc_load(y, b, 12);
    sc_load(sum, c, 12);
    for (i = 0; i < 12; i++)
        for (j = 0; j < 12; j++)
            sum[i + j] += x[i] * y[j];
    sc_carry(sum, 0, 22, 2, 1 << 20);
    sc_carry(sum, 1, 21, 2, 1 << 20);
    sc_reduce_limbs(s, sum);
}
