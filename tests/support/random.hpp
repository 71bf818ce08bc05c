// Randomness that can be replayed: PRIMACY_SEED=<number from a failed run> repeats that run.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <random>

namespace primacy::tests {

inline std::uint64_t random_seed() {
    static const std::uint64_t seed = [] {
        if (const char* given = std::getenv("PRIMACY_SEED"))
            return static_cast<std::uint64_t>(std::strtoull(given, nullptr, 10));
        return static_cast<std::uint64_t>(std::random_device{}());
    }();
    return seed;
}

// Each test starts from the seed anew, so that it behaves the same alone and among others.
inline std::mt19937_64 seeded_random() {
    MESSAGE("PRIMACY_SEED=" << random_seed());
    return std::mt19937_64(random_seed());
}

}  // namespace primacy::tests
