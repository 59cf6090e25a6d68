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
    waiters.insert(to, Waiter{known.seq, publish.conn, publish.id, known.ts, ++last_order_, duplicate});
    if (++waiting_ > waiting_max_) send_oldest_away();
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
  forget_asked(log, origin_log);
}

void Acks::send_oldest_away() {
  std::vector<std::uint64_t> orders;
  orders.reserve(waiting_);
  for (const auto& [key, log] : log_.channels()) {
    for (const auto& [origin, origin_log] : log->origins) {
      for (const Waiter& waiter : origin_log.waiters)
        orders.push_back(waiter.order);
    }
  }
  // Some at once: each time all are looked at.
  const auto last = orders.begin() + static_cast<std::ptrdiff_t>(orders.size() / 16);
  std::nth_element(orders.begin(), last, orders.end());
  for (const auto& [key, log] : log_.channels()) {
    for (auto& [origin, origin_log] : log->origins) {
      const auto send_away = [&](const Waiter& waiter) {
        if (waiter.order > *last) return false;
        turn_.emit(SendError{waiter.conn, waiter.id, ErrorCode::unavailable,
                             "too many wait for acknowledgements here: send it again", 1000});
        --waiting_;
        return true;
      };
      std::vector<Waiter>& waiters = origin_log.waiters;
      waiters.erase(std::remove_if(waiters.begin(), waiters.end(), send_away), waiters.end());
      forget_asked(*log, origin_log);
    }
  }
}

void Acks::forget_asked(ChannelLog& log, const OriginLog& origin_log) {
  if (!origin_log.waiters.empty() || asked_.empty()) return;
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
