// A queue in one piece of memory, which it gives back when it is empty: most logs are quiet, and a std::deque takes
// half a KiB even then.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace inkmesh::core {

template <typename Value>
class Ring {
 public:
  bool empty() const {
    return size_ == 0;
  }
  std::size_t size() const {
    return size_;
  }
  /// 0 is the oldest. In range.
  const Value& at(std::size_t i) const {
    return values_[(first_ + i) & (values_.size() - 1)];
  }
  const Value& front() const {
    return at(0);
  }
  const Value& back() const {
    return at(size_ - 1);
  }

  void push_back(Value value) {
    if (size_ == values_.size()) grow();
    values_[(first_ + size_) & (values_.size() - 1)] = std::move(value);
    ++size_;
  }
  void pop_front() {
    values_[first_] = Value();
    first_ = (first_ + 1) & (values_.size() - 1);
    --size_;
    give_back();
  }
  void pop_back() {
    --size_;
    values_[(first_ + size_) & (values_.size() - 1)] = Value();
    give_back();
  }
  void clear() {
    size_ = 0;
    give_back();
  }

 private:
  void grow() {
    std::vector<Value> larger(values_.empty() ? 4 : 2 * values_.size());
    for (std::size_t i = 0; i < size_; ++i)
      larger[i] = std::move(values_[(first_ + i) & (values_.size() - 1)]);
    values_ = std::move(larger);
    first_ = 0;
  }
  /// A few places are kept: who draws now and then would only ask for them again.
  void give_back() {
    constexpr std::size_t kept = 4;
    if (size_ != 0) return;
    first_ = 0;
    if (values_.size() > kept) {
      values_ = std::vector<Value>();
    } else {
      for (Value& value : values_)
        value = Value();
    }
  }

  std::vector<Value> values_;  ///< a power of two, or none
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace inkmesh::core
