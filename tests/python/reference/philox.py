"""Philox4xW-10 for any word width W (Salmon et al., SC 2011), on Python integers.

At 64 bits it is NumPy's Philox, which proves it; at 32 bits it is the oracle for lamina's.
"""

CONSTANTS = {
    32: ((0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)),
    64: ((0xD2E7470EE14C6C93, 0xCA5A826395121157), (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)),
}


def philox4(counter, key, bits, rounds=10):
    """One block of four words for a counter of four words and a key of two."""
    (multiplier_0, multiplier_1), weyl = CONSTANTS[bits]
    mask = (1 << bits) - 1
    c0, c1, c2, c3 = (int(word) for word in counter)
    k0, k1 = (int(word) for word in key)
    for _ in range(rounds):
        product_0, product_1 = multiplier_0 * c0, multiplier_1 * c2
        c0, c1, c2, c3 = (
            (product_1 >> bits) ^ c1 ^ k0,
            product_1 & mask,
            (product_0 >> bits) ^ c3 ^ k1,
            product_0 & mask,
        )
        k0, k1 = (k0 + weyl[0]) & mask, (k1 + weyl[1]) & mask
    return c0, c1, c2, c3
