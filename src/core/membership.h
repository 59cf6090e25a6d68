// Who is there: heartbeats, lives, clocks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/cluster_map.h"
#include "core/turn.h"
#include "inkmesh/core.h"
#include "inkmesh/mesh_message.h"

namespace inkmesh::core {

constexpr MonotonicMs kHeartbeatMs = 500;
constexpr MonotonicMs kSilentMs = 800;
constexpr MonotonicMs kSuspectMs = 1200;
constexpr MonotonicMs kDownMs = 2000;
/// A link that was lost and is silent for so long is a dead peer's: sooner than silence alone would tell.
constexpr MonotonicMs kDownUnlinkedMs = 1000;
constexpr MonotonicMs kCutOffMs = 150;
constexpr MonotonicMs kDoubtMs = 1000;
constexpr std::int64_t kClockOffsetMaxMs = 60'000;
/// Of so many nodes it is kept how far ahead their strokes lie: more than a list may have.
constexpr std::size_t kFurthestMax = 1024;
/// Who was heard of so lately, though not understood or not on our list, is counted as there.
constexpr MonotonicMs kStrangerMs = 5000;

class Membership {
 public:
  enum class State { unknown, up, suspect, down };

  struct Peer {
    Epoch epoch;             ///< empty: never heard of
    std::uint32_t life = 0;  ///< counts its epochs, from 1
    State state = State::unknown;
    MonotonicMs heard_ms = 0;
    MonotonicMs linked_since_ms = 0;  ///< when `linked` changed, or it came without a link
    bool linked = false;              ///< our link to it has finished its handshake
    MonotonicMs doubted_ms = 0;       ///< until then: it left a question unanswered
    bool full = false;
    bool ready = false;
    bool hollow = true;  ///< until it says otherwise
    std::int64_t clock_offset_ms = 0;
    bool clock_known = false;
    std::uint64_t generation = 0;  ///< of its node list; 0: not known yet
    std::vector<Epoch> past;       ///< its other epochs: what comes from them is late, or another process's
    std::uint8_t other_version = 0;
    MonotonicMs other_version_ms = 0;  ///< 0: it never spoke in another version, or does not any more
    MonotonicMs other_version_said_ms = 0;
  };

  Membership(Turn& turn, const ClusterMap& cluster) : turn_(turn), cluster_(cluster), peers_(cluster.size()) {}

  enum class Heard {
    ignored,  ///< from a past life
    known,
    returned,  ///< it was down or never heard of, in the life we know
    reborn,    ///< a new life (also the first)
  };
  /// Anything from a peer.
  Heard heard(NodeIx peer, const Epoch& epoch);
  /// That life of the peer is listened to from now on, though another one was heard after it.
  void listen_to(NodeIx peer, const Epoch& epoch);
  void heartbeat(NodeIx peer, const Heartbeat& beat);
  /// It said something in another version of the mesh's language.
  void other_version(NodeIx peer, std::uint8_t version);
  /// The store holds strokes of that origin that bear times up to `ts`.
  void holds(const Origin& origin, TimeUs ts);
  /// Strokes of that origin came that bear times more than a day ahead, up to `ts`.
  void ahead(const Origin& origin, TimeUs ts);
  /// Nodes of which there are strokes that lie more than a day ahead.
  std::vector<StrokesAhead> strokes_ahead() const;
  /// Something came from a node that is not on our list.
  void stranger(const NodeId& id);

  /// That peer is known to run with our node list, replicas and ack.
  bool same_list(NodeIx peer) const {
    return peers_[peer].generation == cluster_.generation();
  }
  /// Somebody who is there runs with another node list, or is on none that we know: there may be holders that we
  /// don't know of, and homes that others see elsewhere.
  bool lists_differ() const;
  /// In which other version it spoke of late; 0: in none.
  std::uint8_t other_version(NodeIx peer) const {
    const Peer& known = peers_[peer];
    return known.other_version_ms != 0 && turn_.ms() < known.other_version_ms + kStrangerMs ? known.other_version : 0;
  }
  void set_full(NodeIx peer, bool full) {
    peers_[peer].full = full;
  }
  void linked(NodeIx peer, bool linked) {
    peers_[peer].linked = linked;
    peers_[peer].linked_since_ms = turn_.ms();
  }

  /// Peers that have just gone down.
  std::vector<NodeIx> tick();

  const Peer& peer(NodeIx node) const {
    return peers_[node];
  }
  /// Up or suspect: it is sent to, and counted on.
  bool up(NodeIx peer) const {
    return peers_[peer].state == State::up || peers_[peer].state == State::suspect;
  }
  /// Up, and not just fallen silent: it has missed one heartbeat at most.
  bool speaks(NodeIx peer) const {
    return up(peer) && turn_.ms() < peers_[peer].heard_ms + kSilentMs;
  }
  /// Our link to it broke and does not come back, as a reset one does: most likely it is dead, though not yet down.
  bool cut_off(NodeIx peer) const {
    const Peer& known = peers_[peer];
    return !known.linked && turn_.ms() >= known.linked_since_ms + kCutOffMs;
  }
  /// It has not answered in time: nothing of importance hangs on it alone for a while.
  void doubt(NodeIx peer) {
    peers_[peer].doubted_ms = turn_.ms() + kDoubtMs;
  }
  void answered(NodeIx peer) {
    peers_[peer].doubted_ms = 0;
  }
  /// Likely to store what it is given, and to say so.
  bool fit(NodeIx peer) const {
    return up(peer) && !cut_off(peer) && !peers_[peer].full && turn_.ms() >= peers_[peer].doubted_ms;
  }
  /// Up, and our link to it stands: a question is likely to be answered.
  bool reachable(NodeIx peer) const {
    return up(peer) && peers_[peer].linked;
  }
  std::uint32_t life(NodeIx peer) const {
    return peers_[peer].life;
  }
  /// Peers that are not up.
  std::size_t missing() const;
  /// Peers that can't tell us all that they ever acknowledged: those that are not up, and the hollow ones.
  std::size_t mute() const;

  /// How far our wall clock is off the median of all clocks, ours included, in ms; positive when ours is ahead.
  std::int64_t clock_lead_ms() const;
  bool clock_wrong() const {
    const std::int64_t lead = clock_lead_ms();
    return lead > kClockOffsetMaxMs || lead < -kClockOffsetMaxMs;
  }

  static std::string name_of(State state);

 private:
  Turn& turn_;
  const ClusterMap& cluster_;
  void say_clock();
  void begin_life(NodeIx node, const Epoch& epoch);
  std::uint64_t ahead_ms(TimeUs ts) const;

  struct Furthest {
    TimeUs ts = 0;
    MonotonicMs said_ms = 0;
  };

  std::vector<Peer> peers_;
  /// How far each node's strokes reach, whether it is on our list or not.
  std::map<NodeId, Furthest, std::less<>> furthest_;
  NodeId stranger_;  ///< the last one; empty: none was ever heard of
  MonotonicMs stranger_ms_ = 0;
  MonotonicMs stranger_said_ms_ = 0;
  // Every publish asks, and every heartbeat may change it: compared anew only where both happened.
  mutable std::int64_t clock_lead_ms_ = 0;
  mutable bool clocks_changed_ = false;
  bool clock_said_ = false;  ///< that our clock is wrong
};

}  // namespace inkmesh::core
