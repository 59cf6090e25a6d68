// What every part of the core writes to: the time of the turn and the effects that it asks for.
#pragma once

#include <cstdint>
#include <utility>

#include "inkmesh/effect.h"
#include "inkmesh/types.h"

namespace inkmesh::core {

class Turn {
 public:
  void begin(const Now& now, Effects& effects) {
    now_ = now;
    effects_ = &effects;
  }

  const Now& now() const {
    return now_;
  }
  MonotonicMs ms() const {
    return now_.monotonic_ms;
  }

  template <typename E>
  void emit(E&& effect) {
    effects_->emplace_back(std::forward<E>(effect));
  }

  void say(Severity severity, std::string text) {
    emit(Say{severity, std::move(text)});
  }

  Ticket next_ticket() {
    return ++ticket_;
  }

 private:
  Now now_;
  Effects* effects_ = nullptr;
  Ticket ticket_ = 0;
};

/// A seeded stream of numbers: splitmix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
};

/// Spreads a hash's bits (the finalizer of splitmix64).
inline std::uint64_t mix(std::uint64_t value) {
  return Random(value).next();
}

}  // namespace inkmesh::core
