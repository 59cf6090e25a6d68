// Lists of any length for a peer: their entries go in messages of about a quarter of a MiB, since it refuses a frame
// past its bound.
#pragma once

#include <cstddef>
#include <utility>

#include "core/links.h"

namespace inkmesh::core {

/// `Message` has `entries`.
template <typename Message>
class LongList {
 public:
  using Entry = typename decltype(Message::entries)::value_type;

  LongList(Links& links, NodeIx peer) : links_(links), peer_(peer) {}

  /// `bytes`: about what the entry takes.
  void add(Entry entry, std::size_t bytes) {
    message_.entries.push_back(std::move(entry));
    bytes_ += bytes;
    if (bytes_ >= kMessageBytes) send();
  }

  /// Sends what is left. About what all of it took.
  std::size_t finish() {
    if (!message_.entries.empty()) send();
    return sent_bytes_;
  }

 private:
  static constexpr std::size_t kMessageBytes = std::size_t{256} << 10;

  void send() {
    sent_bytes_ += bytes_;
    links_.send(peer_, std::exchange(message_, {}), std::exchange(bytes_, 0));
  }

  Links& links_;
  const NodeIx peer_;
  Message message_;
  std::size_t bytes_ = 0;
  std::size_t sent_bytes_ = 0;
};

}  // namespace inkmesh::core
