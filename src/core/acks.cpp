#include "core/acks.h"

#include <algorithm>

#include "core/mutation.h"

namespace inkmesh::core {

void Acks::wait(ChannelLog& log, const Publish& publish, const KnownOp& known, bool duplicate) {
  Waiters& waiters = waiters_[&log.origins[known.origin]];
  const auto [from, to] = waiters.equal_range(known.seq);
  const bool asked_before = std::any_of(
      from, to, [&](const auto& entry) { return entry.second.conn == publish.conn && entry.second.id == publish.id; });
  if (!asked_before) {
    waiters.emplace(known.seq, Waiter{publish.conn, publish.id, known.ts, duplicate});
    if (++waiting_ > kWaitingMax) {
      waiters.erase(waiters.begin());
      --waiting_;
    }
  }
  if (duplicate) {
    // Copies of it may have been confirmed to another node than this one.
    asked_[&log][known.origin] = std::max(asked_[&log][known.origin], known.seq);
    ask_homes(log);
  }
  check(log, known.origin);
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

void Acks::check(ChannelLog& log, const Origin& origin) {
  const auto found_log = log.origins.find(origin);
  if (found_log == log.origins.end()) return;
  const auto found = waiters_.find(&found_log->second);
  if (found == waiters_.end()) return;
  Waiters& waiters = found->second;
  while (!waiters.empty()) {
    const auto first = waiters.begin();
    const std::size_t have = copies(found_log->second, first->first);
    if (have < (mutated(Mutation::ack_at_own_commit) ? 1 : cluster_.ack())) return;
    const Waiter& waiter = first->second;
    turn_.emit(SendAck{waiter.conn, waiter.id, log.name, origin, first->first, waiter.ts, static_cast<unsigned>(have),
                       waiter.duplicate});
    waiters.erase(first);
    --waiting_;
  }
  waiters_.erase(found);
  const auto asked = asked_.find(&log);
  if (asked == asked_.end()) return;
  asked->second.erase(origin);
  if (asked->second.empty()) asked_.erase(asked);
}

bool Acks::waits_for(const ChannelLog& log, const Origin& origin) const {
  const auto it = log.origins.find(origin);
  return it != log.origins.end() && waiters_.count(&it->second) != 0;
}

void Acks::refuse(OriginLog& origin_log, Seq seq, AppendError error) {
  const auto found = waiters_.find(&origin_log);
  if (found == waiters_.end()) return;
  const auto [from, to] = found->second.equal_range(seq);
  for (auto it = from; it != to; ++it) {
    const bool full = error == AppendError::full;
    turn_.emit(SendError{it->second.conn, it->second.id, full ? ErrorCode::storage_full : ErrorCode::unavailable,
                         full ? "the node's store is full" : "the node could not store the stroke", 1000});
    --waiting_;
  }
  found->second.erase(from, to);
  if (found->second.empty()) waiters_.erase(found);
}

void Acks::ask_homes(const ChannelLog& log) {
  for (const NodeIx home : log.homes) {
    if (home != cluster_.self() && membership_.up(home)) links_.send(home, StoredWant{log.name});
  }
}

void Acks::tick() {
  if (asked_.empty() || turn_.ms() < asked_ms_ + kAskAgainMs) return;
  asked_ms_ = turn_.ms();
  for (const auto& [log, origins] : asked_)
    ask_homes(*log);
}

}  // namespace inkmesh::core
