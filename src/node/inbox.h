// What waits for the loop: mail from the edge and the signals' thread, and the store's answers. Any thread puts in; the
// loop takes out.
#pragma once

#include <atomic>
#include <cstdint>
#include <variant>
#include <vector>

#include "edge/ws_edge.h"
#include "inkmesh/event.h"
#include "node/mailbox.h"

namespace inkmesh::node {

/// The loop ends once what waits for the store is done.
struct StopLoop {};

using Mail = std::variant<Event, std::vector<Written>, edge::HttpRequest, StopLoop>;

class Inbox {
 public:
  /// For an Edge, which the inbox must outlive; `woken`: whether the loop is to be, as the edge has threads of its own.
  /// Requests are bounded in number and bytes; what tells of connections is always taken: the edge has a bounded number
  /// of them.
  edge::EdgeSink sink(Woken woken);

  /// Always taken: the core bounds what it asks of the store.
  void answer(Event&& event) {
    answers_.push(std::move(event));
  }
  void put(Mail&& mail) {
    mail_.push(std::move(mail));
  }

  /// Readable while something waits.
  int wake_fd() const {
    return wake_.fd();
  }
  /// Fill what is empty. Loop only.
  void take(std::vector<Event>& answers, std::vector<Mail>& mail);

  std::uint64_t waiting() const {
    return mail_.size() + answers_.size();
  }
  std::uint64_t refused() const {
    return refused_.load(std::memory_order_relaxed);
  }

 private:
  bool try_put(Mail&& mail, std::size_t bytes, Woken woken);

  Wake wake_;
  Mailbox<Mail> mail_{wake_, {65'536, std::size_t{64} << 20}};
  Mailbox<Event> answers_{wake_, {0}};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace inkmesh::node
