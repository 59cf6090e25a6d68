#include "core/publishing.h"

#include <utility>

#include "core/mutation.h"

namespace inkmesh::core {

void Publishing::publish(Publish publish) {
  ChannelLog& log = log_.open(publish.channel);
  // A retry of what is stored is answered even where nothing new is taken.
  if (answer_known(log, publish, log_.pending_op(publish.channel, publish.client, publish.op))) return;
  if (answer_known(log, publish, publish.known)) return;
  if (refuse(publish)) return;
  if (publish.retry && !sync_.level(log)) {
    sync_.begin(log);
    if (retries_.hold(log, publish)) return;
  }
  number(log, publish);
}

bool Publishing::refuse(const Publish& publish) {
  const auto error = [&](ErrorCode code, std::string message, std::uint32_t retry_ms) {
    turn_.emit(SendError{publish.conn, publish.id, code, std::move(message), retry_ms});
    return true;
  };
  if (draining_) return error(ErrorCode::unavailable, "the node is about to stop: use another one", 0);
  if (twins_.shut_out()) return error(ErrorCode::unavailable, twins_.why_shut_out() + "; use another node", 1000);
  if (membership_.clock_wrong()) {
    const std::string lead = std::to_string(membership_.clock_lead_ms() / 1000);
    return error(ErrorCode::unavailable, "the node's clock is " + lead + " s off its peers'", 5000);
  }
  if (no_space_ || out_of_space()) return error(ErrorCode::storage_full, "the node's store is full", 5000);
  if (!log_.takes_publishes()) return error(ErrorCode::unavailable, "the node's disk is behind", 250);
  return false;
}

bool Publishing::answer_known(ChannelLog& log, const Publish& publish, const std::optional<KnownOp>& known) {
  if (!known) return false;
  if (known->data_hash != data_hash(publish.data)) {
    turn_.emit(SendError{publish.conn, publish.id, ErrorCode::op_reused,
                         "op " + std::to_string(publish.op) + " of this client was used for other data", 0});
    return true;
  }
  ++duplicates_;
  if (mutated(Mutation::ack_retry_at_once)) {
    turn_.emit(SendAck{publish.conn, publish.id, log.name, known->origin, known->seq, known->ts, 2, true});
    return true;
  }
  acks_.wait(log, publish, *known, true);
  if (acks_.waits_for(log, known->origin)) replication_.answer_for(log);
  return true;
}

void Publishing::number(ChannelLog& log, Publish& publish) {
  ++accepted_;
  const StrokePtr stroke = log_.number(log, publish);
  acks_.wait(log, publish, KnownOp{stroke->origin, stroke->seq, stroke->ts, 0}, false);
  if (log_.durability() != Durability::async) return;
  log.of(log_.own()).shown = stroke->seq;
  sessions_.show(log, {stroke});
  replication_.touched(log);
}

void Publishing::on_op_answer(NodeIx peer, const OpAnswer& answer) {
  if (auto released = retries_.on_answer(peer, answer)) release(std::move(*released));
}

void Publishing::release(Retries::Released released) {
  if (released.known) {
    for (const Publish& publish : released.publishes) {
      ChannelLog& log = log_.open(publish.channel);
      answer_known(log, publish, released.known);
    }
    return;
  }
  // While it was held the stroke itself may have come, through the catching up: look again.
  const Publish& first = released.publishes.front();
  const Ticket ticket = turn_.next_ticket();
  turn_.emit(FindOp{ticket, first.channel, first.client, first.op});
  looked_up_.emplace(ticket, std::move(released.publishes));
}

bool Publishing::on_op_found(const OpFound& found) {
  const auto it = looked_up_.find(found.ticket);
  if (it == looked_up_.end()) return false;
  std::vector<Publish> publishes = std::move(it->second);
  looked_up_.erase(it);
  for (Publish& again : publishes) {
    again.retry = false;
    again.known = found.known;
    publish(std::move(again));
  }
  return true;
}

void Publishing::tick() {
  for (Retries::Released& released : retries_.tick())
    release(std::move(released));
}

}  // namespace inkmesh::core
