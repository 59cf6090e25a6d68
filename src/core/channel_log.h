// One channel as the core knows it: every origin's heads, and the recent strokes in memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/cluster_map.h"
#include "core/ring.h"
#include "inkmesh/cursor.h"
#include "inkmesh/stroke.h"

namespace inkmesh::core {

/// What this node knows of one peer's copy of one origin's strokes.
struct PeerMark {
  NodeIx node = 0;
  std::uint32_t life = 0;         ///< the peer's life in which `stored` was said; another one voids it
  Seq stored = 0;                 ///< the peer has committed up to here
  std::uint32_t link = 0;         ///< the window's turn in which `unconfirmed` was counted; another one voids it
  bool expected = false;          ///< it has yet to confirm some: counted in its Unconfirmed of the channel
  Seq sent = 0;                   ///< pushed live up to here (own origin only)
  std::uint64_t unconfirmed = 0;  ///< bytes pushed and not confirmed
  Seq confirm = 0;                ///< committed here up to there: the turn tells it so; 0: nothing to tell
};

/// An author who waits until its stroke has enough copies.
struct Waiter {
  Seq seq = 0;
  ConnId conn = 0;
  RequestId id = 0;
  TimeUs ts = 0;
  std::uint64_t order = 0;  ///< rises with each that begins to wait
  bool duplicate = false;
};

/// What a peer has yet to confirm of a channel. Kept for a while when there is nothing left: there soon is again.
struct Unconfirmed {
  NodeIx peer = 0;
  std::uint32_t origins = 0;   ///< so many; each has it in its mark
  MonotonicMs since_ms = 0;    ///< waiting without any progress
  Seq own_seq = 0;             ///< one of our own strokes, while `own`,
  MonotonicMs own_ms = 0;      ///< and since when it waits
  MonotonicMs offered_ms = 0;  ///< last; or when it began
  MonotonicMs due_ms = 0;      ///< when it is offered
  MonotonicMs queued_ms = 0;   ///< when it is looked at, while `queued`: not after due_ms
  bool queued = false;
  bool progressed = false;
  bool own = false;    ///< some of them are our own strokes
  bool asked = false;  ///< an author waits for more copies of some of them

  bool counts() const {
    return own || asked;
  }
};

/// One origin's strokes in one channel. committed <= appended; shown runs ahead of committed for peers' strokes
/// (their origin has committed them), and behind appended for our own under `durability: sync`.
struct OriginLog {
  Seq shown = 0;      ///< told to subscribers
  Seq appended = 0;   ///< given to the store
  Seq committed = 0;  ///< on disk: the head
  std::uint64_t chain_appended = 0;
  std::uint64_t chain_committed = 0;
  TimeUs ts = 0;  ///< the last appended stroke's
  /// Strokes tail_first() .. tail_first() + tail.size() - 1: at least all that is past `committed`.
  Ring<StrokePtr> tail;
  Seq tail_end = 0;                ///< seq of the last one in `tail`
  std::vector<PeerMark> marks;     ///< by node
  std::vector<Waiter> waiters;     ///< by seq
  const Origin* origin = nullptr;  ///< its name
  bool moved = false;              ///< since heads were last told

  Seq tail_first() const {
    return tail_end + 1 - tail.size();
  }
  /// The stroke with that seq, or nothing when it is not in memory.
  StrokePtr in_memory(Seq seq) const {
    if (tail.empty() || seq < tail_first() || seq > tail_end) return nullptr;
    return tail.at(static_cast<std::size_t>(seq - tail_first()));
  }
  PeerMark& mark(NodeIx node);
  const PeerMark* find_mark(NodeIx node) const;
};

struct Fanout;

struct ChannelLog {
  ChannelLog();
  ~ChannelLog();
  ChannelLog(const ChannelLog&) = delete;
  ChannelLog& operator=(const ChannelLog&) = delete;

  Channel name;
  std::uint64_t hash = 0;
  std::vector<NodeIx> homes;  ///< in rendezvous order
  bool self_home = false;
  std::map<Origin, OriginLog, std::less<>> origins;
  TimeUs last_ts = 0;  ///< the latest ts that was numbered or accepted
  /// xor over the origins of their (origin, head, chain): equal replicas have equal hashes.
  std::uint64_t state_hash = 0;
  std::uint64_t tail_bytes = 0;
  std::uint32_t held_origins = 0;  ///< that have strokes here: a cursor of the channel has so many
  std::uint64_t active_ms = 0;     ///< last append
  std::vector<NodeIx> standins;    ///< peers that hold what a home has not confirmed
  std::vector<Unconfirmed> unconfirmed;
  MonotonicMs own_pending_ms = 0;  ///< since when a home has our own strokes to confirm, while own_pending
  std::unique_ptr<Fanout> fanout;  ///< to whoever has it open here
  Seq forwarded = 0;               ///< our own origin's strokes that were told to peers

  // They keep a channel from being listed twice.
  bool in_forward = false;
  bool in_trim = false;
  bool in_active = false;
  bool in_moved = false;
  bool own_pending = false;

  /// That origin's log, made when there is none.
  OriginLog& of(const Origin& origin);
  /// Calls visit(its log, seq) for each origin of `heads`, in their order.
  template <typename Visit>
  void for_each_of(const Cursor& heads, Visit visit) {
    // Both are in order: they are walked side by side, unless few of many are named.
    constexpr std::size_t few = 8;
    const bool all = heads.size() * few >= origins.size();
    auto beside = all ? origins.begin() : origins.end();
    for (const auto& [origin, seq] : heads.seqs()) {
      while (beside != origins.end() && beside->first < origin)
        ++beside;
      const bool here = beside != origins.end() && beside->first == origin;
      visit(here ? beside->second : of(origin), seq);
    }
  }
  Unconfirmed* find_unconfirmed(NodeIx peer);
  const Unconfirmed* find_unconfirmed(NodeIx peer) const;
  bool expects(NodeIx peer) const {
    const Unconfirmed* entry = find_unconfirmed(peer);
    return entry != nullptr && entry->origins != 0;
  }
  bool is_home(NodeIx node) const;
  bool is_standin(NodeIx node) const;
  bool held() const {
    return state_hash != 0;
  }
  Cursor shown() const;
  Cursor committed() const;
  Cursor appended() const;
};

/// A channel as the key of an ordered map: by its key rather than by its address, so that every run goes the same way,
/// and with the hash beside it, so that a search need not look at the channels on its way.
class ChannelRef {
 public:
  // Not explicit: it stands for the pointer.
  ChannelRef(ChannelLog* log) : hash_(log->hash), log_(log) {}

  operator ChannelLog*() const {
    return log_;
  }
  ChannelLog* operator->() const {
    return log_;
  }
  std::uint64_t hash() const {
    return hash_;
  }
  friend bool operator<(const ChannelRef& a, const ChannelRef& b) {
    return a.hash_ != b.hash_ ? a.hash_ < b.hash_ : a.log_ != b.log_ && a.log_->name < b.log_->name;
  }

 private:
  std::uint64_t hash_;
  ChannelLog* log_;
};

/// For maps that are searched by hash as well.
struct ByHash {
  using is_transparent = void;
  bool operator()(const ChannelRef& a, const ChannelRef& b) const {
    return a < b;
  }
  bool operator()(const ChannelRef& a, std::uint64_t hash) const {
    return a.hash() < hash;
  }
  bool operator()(std::uint64_t hash, const ChannelRef& b) const {
    return hash < b.hash();
  }
};

/// A channel's place in the ordered map of all channels: by hash first, so that a range of hashes is a range.
using ChannelKey = std::pair<std::uint64_t, Channel>;

inline ChannelKey key_of(const ChannelLog& log) {
  return {log.hash, log.name};
}

}  // namespace inkmesh::core
