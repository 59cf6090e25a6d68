// The core's parts, in the order in which they depend on each other: each knows only those above it.
#pragma once

#include "core/acks.h"
#include "core/anti_entropy.h"
#include "core/cluster_map.h"
#include "core/history.h"
#include "core/interest.h"
#include "core/links.h"
#include "core/lives.h"
#include "core/log.h"
#include "core/membership.h"
#include "core/presence.h"
#include "core/publishing.h"
#include "core/repair.h"
#include "core/replication.h"
#include "core/retries.h"
#include "core/serving.h"
#include "core/sessions.h"
#include "core/sync.h"
#include "core/turn.h"
#include "core/twins.h"
#include "inkmesh/core.h"

namespace inkmesh {

struct Core::Parts {
  explicit Parts(const CoreSettings& given);

  // From clients.
  void on(const ConnOpened& event);
  void on(const ConnClosed& event);
  void on(const Written& event);
  void on(const Subscribe& event);
  void on(const Unsubscribe& event);
  void on(Publish& event);
  void on(const SignalSent& event);
  void on(const PresenceAsk& event);
  void on(HistoryAsk& event);
  // From the store.
  void on(const Committed& event);
  void on(const AppendFailed& event);
  void on(const ReadDone& event);
  void on(const SinceFound& event);
  void on(const OpFound& event);
  void on(const StoreFill& event);
  // From the mesh.
  void on(const GossipReceived& event);
  void on(FrameReceived& event);
  void on(const OtherVersion& event);
  void on(const PeerConnected& event);
  void on(const PeerDisconnected& event);
  // By the clock.
  void on(const Tick& event);
  void on(const Drain& event);

  // Each message of a frame.
  void on(core::NodeIx peer, const InterestWant& message);
  void on(core::NodeIx peer, const InterestFull& message);
  void on(core::NodeIx peer, StrokeRun& message);
  void on(core::NodeIx peer, const Stored& message);
  void on(core::NodeIx peer, Pull& message);
  void on(core::NodeIx peer, const PullDone& message);
  void on(core::NodeIx peer, const Heads& message);
  void on(core::NodeIx peer, const Fetch& message);
  void on(core::NodeIx peer, const StoredWant& message);
  void on(core::NodeIx peer, const StoreFull& message);
  void on(core::NodeIx peer, const Digest& message);
  void on(core::NodeIx peer, const DigestReply& message);
  void on(core::NodeIx peer, const Offer& message);
  void on(core::NodeIx peer, const SettleAsk& message);
  void on(core::NodeIx peer, const SettleDone& message);
  void on(core::NodeIx peer, const OpAsk& message);
  void on(core::NodeIx peer, const OpAnswer& message);
  void on(core::NodeIx peer, const SignalMessage& message);
  void on(core::NodeIx peer, const PresenceFull& message);
  void on(core::NodeIx peer, const PresenceDelta& message);
  void on(core::NodeIx peer, const PresenceWant& message);
  void on(core::NodeIx peer, const WhoIsThere& message);
  void on(core::NodeIx peer, const StillHere& message);

  /// False: what came with that epoch is late, and ignored.
  bool heard(core::NodeIx peer, const Epoch& epoch);
  void begins_life(core::NodeIx peer, const Epoch& epoch, const Epoch& former);
  void lost_something(core::NodeIx peer);
  void count_again();
  void went_down(core::NodeIx peer);
  void interest_changed(core::NodeIx peer, const core::Interest::Change& change);
  void close_channel(ConnId conn, core::ChannelLog& log);
  void send_away_if_shut_out();
  void gossip(std::variant<Heartbeat, InterestDelta> body);
  void send_heartbeat();
  std::vector<std::string> not_ready_reasons() const;
  /// What a start still waits for; nullptr: nothing.
  const char* starting() const;
  void end_turn();
  CoreStatus status() const;
  std::vector<Waiting> waiting() const;

  static constexpr MonotonicMs kTickMs = 50;
  static constexpr MonotonicMs kTidyMs = 500;
  /// How long a start waits for peers before it says ready: whoever is there has spoken by then.
  static constexpr MonotonicMs kMeetMs = 2 * core::kHeartbeatMs;
  static constexpr MonotonicMs kSettleMs = 4000;  ///< and for what those hold who answer

  static constexpr std::uint32_t kFullNodeRetryMs = 5000;

  const CoreSettings settings;
  core::Turn turn;
  core::ClusterMap cluster;
  core::Log log;
  core::Interest interest;
  core::Lives lives;
  core::Membership membership;
  core::Links links;
  core::Twins twins;
  core::Acks acks;
  core::Replication replication;
  core::AntiEntropy anti_entropy;
  core::Sync sync;
  core::Serving serving;
  core::Repairs repairs;
  core::Retries retries;
  core::Sessions sessions;
  core::Publishing publishing;
  core::Presence presence;
  core::History history;

  std::vector<std::uint64_t> received_strokes;
  std::uint64_t forks = 0;
  bool sent_away = false;  ///< the clients, when this process was shut out
  MonotonicMs started_ms = 0;
  bool started = false;  ///< was ready once
  MonotonicMs last_tick_ms = 0;
  MonotonicMs heartbeat_ms = 0;
  MonotonicMs tidy_ms = 0;
};

}  // namespace inkmesh
