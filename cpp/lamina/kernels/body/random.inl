// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011), kLanes
// blocks at a time, and dropout on it. The order of words in a stream is in kernels.h: 64 elements are 16
// blocks, word by word.

struct WidePair {
  Words low, high;
};

// The 64-bit products of each lane with a constant.
inline WidePair multiply_wide(Words x, std::uint32_t constant) {
  const Longs even = (Longs)x;
  const Longs odd = even >> 32;
#if LAMINA_ISA == 2
  const __m512i c = _mm512_set1_epi64(constant);
  const Longs product_even = (Longs)_mm512_mul_epu32((__m512i)even, c);
  const Longs product_odd = (Longs)_mm512_mul_epu32((__m512i)odd, c);
#elif LAMINA_ISA == 1
  const __m256i c = _mm256_set1_epi64x(constant);
  const Longs product_even = (Longs)_mm256_mul_epu32((__m256i)even, c);
  const Longs product_odd = (Longs)_mm256_mul_epu32((__m256i)odd, c);
#elif defined(__SSE2__)
  const __m128i c = _mm_set1_epi64x(constant);
  const Longs product_even = (Longs)_mm_mul_epu32((__m128i)even, c);
  const Longs product_odd = (Longs)_mm_mul_epu32((__m128i)odd, c);
#else
  const Longs product_even = (even & 0xffffffffU) * std::uint64_t{constant};
  const Longs product_odd = odd * std::uint64_t{constant};
#endif
  const Longs low_half = Longs{} + 0xffffffffU;
  return {(Words)((product_even & low_half) | (product_odd << 32)),
          (Words)((product_even >> 32) | (product_odd & ~low_half))};
}

struct PhiloxBlocks {
  Words word[4];
};

// Blocks of counters `counter` + lane (which must not carry out of the low 32 bits).
inline PhiloxBlocks philox(std::uint64_t counter, std::uint64_t key) {
  Words c0 = (Words)lane_index() + static_cast<std::uint32_t>(counter);
  Words c1 = broadcast_word(static_cast<std::uint32_t>(counter >> 32));
  Words c2 = {};
  Words c3 = {};
  std::uint32_t k0 = static_cast<std::uint32_t>(key);
  std::uint32_t k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const WidePair p0 = multiply_wide(c0, 0xD2511F53U);
    const WidePair p1 = multiply_wide(c2, 0xCD9E8D57U);
    c0 = p1.high ^ c1 ^ k0;
    c1 = p1.low;
    c2 = p0.high ^ c3 ^ k1;
    c3 = p0.low;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return {{c0, c1, c2, c3}};
}

// Calls f(i, words, lanes) for all n elements: words[lane] belongs to element i + lane.
template <class F>
inline void over_random_words(std::size_t n, std::uint64_t key, std::uint64_t first, F&& f) {
  for (std::size_t group = 0; group < n; group += 64) {
    const std::uint64_t counter = (first + group) / 64 * 16;
    for (std::size_t lane = 0; lane < 16; lane += kLanes) {
      const PhiloxBlocks blocks = philox(counter + lane, key);
      for (std::size_t word = 0; word < 4; ++word) {
        const std::size_t i = group + word * 16 + lane;
        if (i + kLanes <= n) {
          f(i, blocks.word[word], All{});
        } else if (i < n) {
          f(i, blocks.word[word], Part{n - i});
        }
      }
    }
  }
}

void random_words(std::uint32_t* y, std::size_t n, std::uint64_t key, std::uint64_t first) {
  float* bytes = reinterpret_cast<float*>(y);  // only moved, never read as a number
  over_random_words(n, key, first,
                    [&](std::size_t i, Words words, auto lanes) { store(bytes + i, (Floats)words, lanes); });
}

void dropout(const float* x, float* y, std::size_t n, std::uint64_t key, std::uint64_t first,
             std::uint32_t threshold, float scale, bool accumulate) {
  const Floats scales = broadcast(scale);
  const Words thresholds = broadcast_word(threshold);
  over_random_words(n, key, first, [&](std::size_t i, Words words, auto lanes) {
    Floats v = words >= thresholds ? load(x + i, lanes) * scales : Floats{};
    if (accumulate) v = v + load(y + i, lanes);
    store(y + i, v, lanes);
  });
}
