// Ascending vectors as sets: for a few numbers that are gone through more often than they change.
#pragma once

#include <algorithm>
#include <vector>

namespace inkmesh::core {

template <typename Value>
void insert_sorted(std::vector<Value>& values, Value value) {
  const auto it = std::lower_bound(values.begin(), values.end(), value);
  if (it == values.end() || *it != value) values.insert(it, value);
}

/// False when it was not there.
template <typename Value>
bool erase_sorted(std::vector<Value>& values, Value value) {
  const auto it = std::lower_bound(values.begin(), values.end(), value);
  if (it == values.end() || *it != value) return false;
  values.erase(it);
  return true;
}

}  // namespace inkmesh::core
