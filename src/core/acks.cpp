#include "core/acks.h"

#include <algorithm>

#include "core/mutation.h"

namespace inkmesh::core {
namespace {

struct BySeq {
  bool operator()(const Waiter& waiter, Seq seq) const {
    return waiter.seq < seq;
  }
  bool operator()(Seq seq, const Waiter& waiter) const {
    return seq < waiter.seq;
  }
};

}  // namespace

void Acks::wait(ChannelLog& log, const Publish& publish, const KnownOp& known, bool duplicate) {
  OriginLog& origin_log = log.of(known.origin);
  std::vector<Waiter>& waiters = origin_log.waiters;
  const auto [from, to] = std::equal_range(waiters.begin(), waiters.end(), known.seq, BySeq{});
  const bool asked_before =
      std::any_of(from, to, [&](const Waiter& one) { return one.conn == publish.conn && one.id == publish.id; });
  if (!asked_before) {
    waiters.insert(to, Waiter{known.seq, publish.conn, publish.id, known.ts, duplicate});
    if (++waiting_ > kWaitingMax) {
      // Some at once: each time all that are left move up.
      const std::size_t forgotten = waiters.size() / 16 + 1;
      waiters.erase(waiters.begin(), waiters.begin() + static_cast<std::ptrdiff_t>(forgotten));
      waiting_ -= forgotten;
    }
  }
  if (duplicate) {
    // Copies of it may have been confirmed to another node than this one.
    Asked& asked = asked_[&log];
    asked.origins.insert(known.origin);
    ask_holders(log, asked);
  }
  check(log, origin_log);
}

std::size_t Acks::copies(const OriginLog& origin_log, Seq seq) const {
  const Seq ours = mutated(Mutation::ack_before_commit) ? origin_log.appended : origin_log.committed;
  std::size_t copies = ours >= seq ? 1 : 0;
  for (const PeerMark& mark : origin_log.marks) {
    // One that is down may be lost for good: it does not count until it is back.
    const bool counts =
        (mark.life == membership_.life(mark.node) && membership_.up(mark.node)) || mutated(Mutation::count_dead_copies);
    if (counts && mark.stored >= seq) ++copies;
  }
  return copies;
}

void Acks::check(ChannelLog& log, OriginLog& origin_log) {
  std::vector<Waiter>& waiters = origin_log.waiters;
  if (waiters.empty()) return;
  auto waiter = waiters.begin();
  for (; waiter != waiters.end(); ++waiter) {
    const std::size_t have = copies(origin_log, waiter->seq);
    if (have < (mutated(Mutation::ack_at_own_commit) ? 1 : cluster_.ack())) break;
    turn_.emit(SendAck{waiter->conn, waiter->id, log.name, *origin_log.origin, waiter->seq, waiter->ts,
                       static_cast<unsigned>(have), waiter->duplicate});
    --waiting_;
  }
  waiters.erase(waiters.begin(), waiter);
  if (!waiters.empty() || asked_.empty()) return;
  const auto asked = asked_.find(&log);
  if (asked == asked_.end()) return;
  asked->second.origins.erase(*origin_log.origin);
  if (asked->second.origins.empty()) asked_.erase(asked);
}

bool Acks::waits_for(const ChannelLog& log, const Origin& origin) {
  const auto it = log.origins.find(origin);
  return it != log.origins.end() && !it->second.waiters.empty();
}

void Acks::refuse(OriginLog& origin_log, Seq seq, AppendError error) {
  std::vector<Waiter>& waiters = origin_log.waiters;
  const auto [from, to] = std::equal_range(waiters.begin(), waiters.end(), seq, BySeq{});
  for (auto waiter = from; waiter != to; ++waiter) {
    const bool full = error == AppendError::full;
    turn_.emit(SendError{waiter->conn, waiter->id, full ? ErrorCode::storage_full : ErrorCode::unavailable,
                         full ? "the node's store is full" : "the node could not store the stroke", 1000});
    --waiting_;
  }
  waiters.erase(from, to);
}

void Acks::ask_holders(const ChannelLog& log, Asked& asked) {
  if (asked.ms == turn_.ms()) return;  // the outbox of one who comes is many publishes at once
  asked.ms = turn_.ms();
  for (const NodeIx peer : cluster_.likely_holders(log.hash)) {
    if (membership_.up(peer)) links_.send(peer, StoredWant{log.name});
  }
}

void Acks::tick() {
  for (auto& [log, asked] : asked_) {
    if (turn_.ms() >= asked.ms + kAskAgainMs) ask_holders(*log, asked);
  }
}

}  // namespace inkmesh::core
