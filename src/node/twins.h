// Two processes that run under one node id, on two machines: each is sound alone, but peers take the newer one for a
// restart and are deaf to the other from then on. Pure; the caller brings the time.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "inkmesh/types.h"

namespace inkmesh::node {

class Twins {
 public:
  /// A peer said something in one of its lives. What is to be logged, when an earlier life goes on beside a later one;
  /// once a minute. What a dead process had sent may arrive late: that ends soon, and is not told.
  std::optional<std::string> heard(const NodeId& peer, const Epoch& epoch, MonotonicMs now_ms);

  /// The peers of which that is so now.
  std::vector<NodeId> seen(MonotonicMs now_ms) const;

 private:
  struct Peer {
    Epoch latest;
    std::deque<Epoch> earlier;
    MonotonicMs late_since_ms = 0;  ///< an earlier life has been heard since then, never long silent
    MonotonicMs late_ms = 0;        ///< and was last heard then
    MonotonicMs told_ms = 0;        ///< 0: never
  };

  bool goes_on(const Peer& peer) const;

  std::map<NodeId, Peer, std::less<>> peers_;
};

}  // namespace inkmesh::node
