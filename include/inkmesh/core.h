// The pure core of a node: the mesh, the log's numbering, fan-out and cursors as one deterministic state machine.
//
// It has no sockets, threads, clock, disk or randomness of its own. The caller feeds it events with the time, carries
// out the effects, and gives it back what came of them. The same events give the same effects. What the caller must do:
//   - one thread at a time; step() any number of events, then end_turn() once: it flushes what the turn gathered
//     (frames to peers, fan-out to connections, appends to the store);
//   - carry the effects out in order;
//   - step(Tick) when next_wakeup() has come;
//   - end the process at Halt.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inkmesh/config.h"
#include "inkmesh/effect.h"
#include "inkmesh/event.h"
#include "inkmesh/hollow.h"
#include "inkmesh/types.h"

namespace inkmesh {

/// How much may wait at once in a node, or be under way. What goes past it is refused, put off or forgotten: then it is
/// asked for again, later.
struct CoreLimits {
  std::size_t authors_waiting = 200'000;    ///< for acknowledgements
  std::size_t retries_held = 20'000;        ///< publishes that are sent again, while the homes are asked
  std::size_t pulls = 256;                  ///< that peers were asked for
  std::size_t pulls_of_channel = 32;        ///< of these
  std::size_t pulls_waiting = 4096;         ///< those of one peer, while others of it are read
  std::size_t hints_of_peer = 100'000;      ///< channels that it opened, before its word on them
  std::size_t damaged_records = 10'000;     ///< that peers are asked for
  std::size_t pages_asked = 1000;           ///< of history
  std::uint64_t window_bytes = 8U << 20;    ///< pushed to a peer and not confirmed
  std::uint64_t publish_bytes = 32U << 20;  ///< waiting for the store, of clients' strokes
  std::uint64_t run_bytes = 64U << 20;      ///< and with those of peers
};

struct CoreSettings {
  NodeId self;
  Epoch epoch;                ///< fresh random bits, never used before
  std::vector<NodeId> nodes;  ///< all of the cluster's, self included
  std::uint32_t replicas = 2;
  std::uint32_t ack = 2;
  Durability durability = Durability::sync;
  std::uint32_t channels_per_connection = 256;
  std::size_t outbox_bytes = std::size_t{1} << 20;  ///< a connection's window
  std::uint64_t seed = 0;                           ///< for link sessions and jitter
  CoreLimits limits;
  /// What this node's former lives noted with their store, by name.
  std::map<std::string, std::string> notes;
};

/// One origin's end in one channel, as the store holds it.
struct StoredHead {
  Channel channel;
  Origin origin;
  Seq seq = 0;
  std::uint64_t chain = 0;  ///< running hash at seq
  TimeUs ts = 0;            ///< the stroke's at seq
};

/// A second process that runs under a node's id.
struct TwinStatus {
  Epoch epoch;
  std::string address;  ///< empty: not known
  bool later = false;   ///< it was started later than the other one
};

/// Strokes of a node that bear times more than a day ahead: its clock was wrong when it numbered them.
struct StrokesAhead {
  NodeId node;
  std::uint64_t ahead_ms = 0;  ///< of the furthest
};

/// Counters since the start, and gauges. All are of this node.
struct PeerStatus {
  NodeId id;
  std::string state;  ///< "up", "suspect", "down"
  Epoch epoch;        ///< empty: never heard of
  bool full = false;
  bool hollow = false;               ///< its store is new, or was lost and is not refilled yet
  bool awaited = false;              ///< this node is hollow until it has been compared with that peer
  bool same_list = false;            ///< it runs with our node list, replicas and ack
  std::optional<TwinStatus> twin;    ///< two processes run as it: the one that we do not listen to
  std::uint8_t other_version = 0;    ///< of the mesh's language, in which it spoke of late; 0: ours, or it is silent
  bool settled = false;              ///< it has shown us all that it holds of our homes' channels
  std::uint64_t lag_strokes = 0;     ///< strokes that it should have and has not confirmed
  std::uint64_t window_bytes = 0;    ///< sent and not confirmed
  std::int64_t clock_offset_ms = 0;  ///< its wall clock less ours
  std::uint64_t interest_channels = 0;
  std::uint64_t interest_hints = 0;        ///< channels that it has open by a pull's word only
  std::uint64_t forwarded_interest = 0;    ///< strokes sent to it because its clients have the channel open
  std::uint64_t forwarded_durability = 0;  ///< strokes sent to it only because it is a home or a stand-in
  std::uint64_t received_strokes = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t frames_lost = 0;        ///< gaps seen in its numbers
  std::uint64_t antientropy_bytes = 0;  ///< about what digests and offers to it took
};

struct CoreStatus {
  NodeId self;
  Epoch epoch;
  bool ready = false;
  std::vector<std::string> not_ready_reasons;
  bool hollow = false;             ///< its store does not count as whole,
  HollowBecause hollow_because{};  ///< while it is
  bool lists_differ = false;       ///< a node that is there has another node list, replicas or ack, or is not on ours
  bool full = false;               ///< the store takes no publishes
  std::optional<TwinStatus> twin;  ///< another process that runs as this node
  bool shut_out = false;           ///< and is listened to instead of this one
  std::vector<PeerStatus> peers;
  std::vector<StrokesAhead> strokes_ahead;
  std::uint64_t connections = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t lagging_subscriptions = 0;
  std::uint64_t channels = 0;  ///< held in the store
  std::uint64_t interest_channels = 0;
  std::uint32_t channel_origins_max = 0;  ///< the longest cursor: each life of a node that drew in a channel is one
  std::uint64_t strokes_accepted = 0;
  std::uint64_t strokes_delivered = 0;
  std::uint64_t signals_delivered = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t acks_waiting = 0;
  std::uint64_t retries_held = 0;  ///< publishes that are sent again and wait for the homes' word
  std::uint64_t pulls_under_way = 0;
  std::uint64_t pages_waiting = 0;    ///< history pages that were asked for and not given
  std::uint64_t damaged_records = 0;  ///< that peers are asked for
  std::uint64_t standins = 0;         ///< channels that have a stand-in now
  std::uint64_t pulls = 0;
  std::uint64_t forks = 0;       ///< how often a peer was seen to have other contents under one origin and seq
  std::uint64_t repairs = 0;     ///< damaged records that were refilled
  std::uint64_t tail_bytes = 0;  ///< uncommitted and recent strokes in memory
};

/// Something in a node that waits for something, as a checker wants it named.
struct Waiting {
  enum class What {
    stroke,        ///< the first of an origin's in memory
    author,        ///< for the acknowledgement of that stroke
    subscriber,    ///< reads more slowly than is drawn
    standin,       ///< a peer stands in for a home
    confirmation,  ///< a peer has yet to confirm an origin's strokes, from that one on
    window,        ///< that stroke counts as under way to a peer
  };
  What what = What::stroke;
  Channel channel;
  Origin origin;  ///< empty: no stroke in particular
  Seq seq = 0;
  NodeId peer;
  ClientName client;
};

class Core {
 public:
  /// `heads`: all that the store holds, in any order.
  Core(CoreSettings settings, const std::vector<StoredHead>& heads);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// Takes one event; appends what follows from it to `effects`.
  void step(Event event, const Now& now, Effects& effects);

  /// Ends a turn: appends what its events gathered. Until then frames and fan-out wait.
  void end_turn(const Now& now, Effects& effects);

  /// When the next Tick is due.
  MonotonicMs next_wakeup() const;

  /// True while the store reads for someone who catches up: what he gets next waits for the answer.
  bool reading() const;

  CoreStatus status() const;

  /// For operators and checkers: which nodes are the homes of a channel, in rendezvous order.
  std::vector<NodeId> homes(const Channel& channel) const;

  /// For checkers: what is left that waits, by channel.
  std::vector<Waiting> waiting() const;

  /// For checkers: what is committed here of a channel, with running hashes; empty when nothing is.
  std::vector<StoredHead> committed(const Channel& channel) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace inkmesh
