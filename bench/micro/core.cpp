// The core's share of a stroke's way: a publish until its author has the ack, at the node that it came to. The two
// others of the cluster have the drawing open, and answer as peers do.
#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "inkmesh/core.h"
#include "micro/samples.h"

namespace inkmesh::bench {
namespace {

constexpr std::uint32_t kDrawings = 300;
constexpr MonotonicMs kBeatMs = 500;
constexpr MonotonicMs kSettleMs = 3000;

/// Carries out what the core asks for, without a disk, sockets or clients.
class Node {
 public:
  Node() : core_({.self = "ws1", .epoch = "5k2m9x1q", .nodes = {"ws1", "ws2", "ws3"}, .limits = {}, .notes = {}}, {}) {
    for (const char* peer : {"ws2", "ws3"}) {
      peers_[peer] = {};
      events_.emplace_back(PeerConnected{peer});
    }
    std::vector<std::uint64_t> open;
    for (std::uint32_t drawing = 0; drawing < kDrawings; ++drawing)
      open.push_back(channel_hash(sample_channel(drawing)));
    for (auto& [peer, said] : peers_)
      said.push_back(InterestFull{1, open});
    for (std::uint32_t drawing = 0; drawing < kDrawings; ++drawing) {
      events_.emplace_back(ConnOpened{1 + drawing, "author-" + std::to_string(drawing)});
      events_.emplace_back(Subscribe{1 + drawing, 1, sample_channel(drawing), {}});
    }
    for (const MonotonicMs end = now_.monotonic_ms + kSettleMs; now_.monotonic_ms < end;)
      turn();
    acks = delivered = forwarded = 0;
  }

  void publish(std::uint32_t drawing, std::string data) {
    events_.emplace_back(Publish{.conn = 1 + drawing,
                                 .id = ++ops_,
                                 .channel = sample_channel(drawing),
                                 .client = "author-" + std::to_string(drawing),
                                 .op = ops_,
                                 .data = std::move(data),
                                 .known = {}});
  }

  /// A millisecond's events, and what follows from them in the next one.
  void turn() {
    ++now_.monotonic_ms;
    now_.wall_us += 1000;
    if (now_.monotonic_ms % kBeatMs == 0) beat();
    if (core_.next_wakeup() <= now_.monotonic_ms) events_.emplace_back(Tick{});
    effects_.clear();
    for (Event& event : std::exchange(events_, {}))
      core_.step(std::move(event), now_, effects_);
    core_.end_turn(now_, effects_);
    for (const Effect& effect : effects_)
      std::visit([this](const auto& asked) { carry_out(asked); }, effect);
    answer();
  }

  std::uint64_t acks = 0;
  std::uint64_t delivered = 0;
  std::uint64_t forwarded = 0;

 private:
  void beat() {
    for (const auto& [peer, said] : peers_) {
      Heartbeat heartbeat{.interest_version = 1, .wall_us = now_.wall_us, .ready = true, .hollow = false};
      events_.emplace_back(GossipReceived{{peer, kPeerEpoch, heartbeat}});
    }
  }

  template <typename Asked>
  void carry_out(const Asked&) {}
  void carry_out(const Append& append) {
    events_.emplace_back(Committed{append.ticket});
  }
  void carry_out(const Read& read) {
    events_.emplace_back(ReadDone{read.ticket, {}, false, {}});
  }
  void carry_out(const SendAck&) {
    ++acks;
  }
  void carry_out(const DeliverStrokes& push) {
    delivered += push.to->size() * push.strokes.size();
    for (const ConnId conn : *push.to)
      events_.emplace_back(Written{conn, push.cost});
  }
  void carry_out(const SendFrame& sent) {
    auto& said = peers_[sent.peer];
    Stored stored;
    for (const LinkMessage& message : sent.frame.messages) {
      if (const auto* run = std::get_if<StrokeRun>(&message)) {
        forwarded += run->strokes.size();
        stored.entries.push_back({run->channel(), run->origin(), run->strokes.back()->seq});
      } else if (const auto* pull = std::get_if<Pull>(&message)) {
        said.push_back(PullDone{pull->request, pull->channel, {}, false, true});
      } else if (const auto* ask = std::get_if<SettleAsk>(&message)) {
        said.push_back(SettleDone{ask->token});
      }
    }
    if (!stored.entries.empty()) said.push_back(std::move(stored));
  }

  void answer() {
    for (auto& [peer, said] : peers_) {
      if (said.empty()) continue;
      events_.emplace_back(FrameReceived{{peer, kPeerEpoch, 1, ++numbers_[peer], std::exchange(said, {})}});
    }
  }

  static inline const Epoch kPeerEpoch = "h80c3jzt";

  Core core_;
  Now now_{.monotonic_ms = 1'000'000, .wall_us = 1'763'890'000'000'000};
  std::vector<Event> events_;
  Effects effects_;
  std::map<NodeId, std::vector<LinkMessage>> peers_;  // what they say next
  std::map<NodeId, std::uint64_t> numbers_;           // of their last frames
  Op ops_ = 0;
};

/// range(0): strokes of as many drawings in each turn.
void publish_to_ack(benchmark::State& state) {
  Node node;
  const auto strokes = static_cast<std::uint32_t>(state.range(0));
  const std::string data = sample_data(1, 17);
  std::uint64_t published = 0;
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < strokes; ++i)
      node.publish(static_cast<std::uint32_t>(published++ % kDrawings), data);
    node.turn();  // numbered
    node.turn();  // committed: to its subscriber and to the peers
    node.turn();  // stored at the peers: the acks
  }
  if (node.acks != published || node.delivered != published || node.forwarded != 2 * published) {
    state.SkipWithError("the strokes did not go where they should");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(published));
}
BENCHMARK(publish_to_ack)->Name("core: publish to ack, both peers interested")->Arg(1)->Arg(8)->Arg(64);

}  // namespace
}  // namespace inkmesh::bench
