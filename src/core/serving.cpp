#include "core/serving.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace inkmesh::core {

void Serving::on_pull(NodeIx node, Pull pull) {
  Peer& peer = peers_[node];
  if (peer.reads < kReadsMax) {
    read(node, std::move(pull));
  } else if (peer.waiting.size() < waiting_max_) {
    peer.waiting.push_back(std::move(pull));
  }
}

void Serving::read(NodeIx node, Pull pull) {
  const ChannelLog* log = log_.find(pull.channel);
  Cursor heads = log == nullptr ? Cursor{} : log->committed();
  if (pull.cursor.covers(heads)) {
    // Nothing to read: the answer is known here.
    PullDone done{pull.request, pull.channel, std::move(heads), false, false};
    done.complete = anti_entropy_.settled();
    links_.send(node, std::move(done), 64 + pull.channel.size());
    return;
  }
  Read read;
  read.ticket = turn_.next_ticket();
  read.channel = pull.channel;
  read.after = pull.cursor;
  read.limit_bytes = kPullBytesMax / 2;
  read.limit_strokes = 4096;
  ++peers_[node].reads;
  reads_.emplace(read.ticket, Asked{node, peers_[node].generation, std::move(pull), false, 0});
  turn_.emit(std::move(read));
}

void Serving::on_fetch(NodeIx node, const Fetch& fetch) {
  if (peers_[node].reads >= kReadsMax || fetch.first == 0) return;
  Read read;
  read.ticket = turn_.next_ticket();
  read.channel = fetch.channel;
  read.only = fetch.origin;
  read.after.set(fetch.origin, fetch.first - 1);
  read.limit_bytes = kPullBytesMax / 2;
  read.limit_strokes = static_cast<std::size_t>(fetch.last - fetch.first + 1);
  ++peers_[node].reads;
  Pull pull;
  pull.channel = fetch.channel;
  reads_.emplace(read.ticket, Asked{node, peers_[node].generation, std::move(pull), true, fetch.first});
  turn_.emit(std::move(read));
}

std::optional<Channel> Serving::on_read(const ReadDone& done) {
  const auto it = reads_.find(done.ticket);
  if (it == reads_.end()) return std::nullopt;
  const Asked asked = std::move(it->second);
  reads_.erase(it);
  Peer& peer = peers_[asked.peer];
  if (peer.generation != asked.generation) return asked.pull.channel;
  --peer.reads;
  send_runs(asked.peer, done.strokes, asked.repair);
  if (!asked.repair) {
    const ChannelLog* log = log_.find(asked.pull.channel);
    PullDone answer;
    answer.request = asked.pull.request;
    answer.channel = asked.pull.channel;
    answer.heads = log == nullptr ? Cursor{} : log->committed();
    answer.more = done.more;
    answer.complete = !done.more && done.damaged.empty() && anti_entropy_.settled();
    const std::size_t bytes = 64 + answer.channel.size() + answer.heads.size() * 40;
    links_.send(asked.peer, std::move(answer), bytes);
  }
  if (!peer.waiting.empty()) {
    Pull next = std::move(peer.waiting.front());
    peer.waiting.pop_front();
    read(asked.peer, std::move(next));
  }
  return asked.pull.channel;
}

void Serving::send_runs(NodeIx peer, const Strokes& strokes, bool repair) {
  StrokeRun run;
  run.repair = repair;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < strokes.size(); ++i) {
    const Stroke& stroke = *strokes[i];
    run.strokes.push_back(strokes[i]);
    bytes += cost_of(stroke);
    const bool last = i + 1 == strokes.size() || strokes[i + 1]->origin != stroke.origin;
    if (!last && bytes < kRunBytes) continue;
    links_.send(peer, std::move(run), bytes);
    run = StrokeRun{};
    run.repair = repair;
    bytes = 0;
  }
}

void Serving::on_op_ask(NodeIx peer, const OpAsk& ask) {
  if (const auto pending = log_.pending_op(ask.channel, ask.client, ask.op)) {
    if (pending->origin == log_.own() && log_.durability() == Durability::sync) {
      numbered_.emplace_back(peer, ask);
      return;
    }
    links_.send(peer, OpAnswer{ask.request, true, pending->origin, pending->seq, pending->ts, pending->data_hash});
    return;
  }
  const Ticket ticket = turn_.next_ticket();
  ops_.emplace(ticket, AskedOp{peer, ask.request});
  turn_.emit(FindOp{ticket, ask.channel, ask.client, ask.op});
}

void Serving::store_answered() {
  for (const auto& [peer, ask] : std::exchange(numbered_, {}))
    on_op_ask(peer, ask);
}

bool Serving::on_op_found(const OpFound& found) {
  const auto it = ops_.find(found.ticket);
  if (it == ops_.end()) return false;
  OpAnswer answer;
  answer.request = it->second.request;
  if (found.known) {
    answer.found = true;
    answer.origin = found.known->origin;
    answer.seq = found.known->seq;
    answer.ts = found.known->ts;
    answer.data_hash = found.known->data_hash;
  }
  links_.send(it->second.peer, std::move(answer), 96);
  ops_.erase(it);
  return true;
}

void Serving::forget(NodeIx node) {
  Peer& peer = peers_[node];
  ++peer.generation;
  peer.reads = 0;
  peer.waiting.clear();
  for (auto it = ops_.begin(); it != ops_.end();)
    it = it->second.peer == node ? ops_.erase(it) : std::next(it);
  numbered_.erase(
      std::remove_if(numbered_.begin(), numbered_.end(), [node](const auto& asked) { return asked.first == node; }),
      numbered_.end());
}

}  // namespace inkmesh::core
