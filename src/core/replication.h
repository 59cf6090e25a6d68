// Strokes to peers. Live: our own new strokes go to the interested peers and to the channel's homes as they are
// committed. Whoever misses something pulls it; whoever holds something that a home has not confirmed offers it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/acks.h"
#include "core/cluster_map.h"
#include "core/interest.h"
#include "core/links.h"
#include "core/log.h"
#include "core/membership.h"
#include "core/turn.h"

namespace inkmesh::core {

class Replication {
 public:
  Replication(Turn& turn, const ClusterMap& cluster, Log& log, const Interest& interest, const Membership& membership,
              Links& links, Acks& acks, std::uint64_t window_bytes)
      : turn_(turn),
        cluster_(cluster),
        log_(log),
        interest_(interest),
        membership_(membership),
        links_(links),
        acks_(acks),
        window_bytes_(window_bytes),
        peers_(cluster.size()) {}

  // ---- the turn's happenings ----------------------------------------------------------------------------------------

  /// Our own strokes of this channel have something new to tell peers.
  void touched(ChannelLog& log);
  void committed(const std::vector<Log::CommittedItem>& items);
  /// A run of that peer ends here, and is committed: tell it so with the turn.
  void confirm(NodeIx peer, ChannelLog& log, OriginLog& origin_log, Seq committed);
  /// The peer says what it has committed.
  void stored(NodeIx peer, ChannelLog& log, OriginLog& origin_log, Seq seq);
  /// Sends the turn's strokes and confirmations.
  void flush();

  void tick();
  void reborn(NodeIx peer);
  void link_lost(NodeIx peer);

  /// An author waits for more copies of what stands in this channel, whoever numbered it: homes that are late or down
  /// get stand-ins for it as for our own strokes.
  void answer_for(ChannelLog& log);

  // ---- what homes have not confirmed --------------------------------------------------------------------------------

  /// Offers all of the channel's origins to that peer until it has confirmed them.
  void offer(NodeIx peer, ChannelLog& log);

  /// What must be confirmed before we can say "all that I hold now is there".
  struct Outstanding {
    const OriginLog* origin_log = nullptr;
    Seq seq = 0;
  };
  std::vector<Outstanding> outstanding(NodeIx peer) const;
  bool confirmed(NodeIx peer, const Outstanding& outstanding) const;

  struct PeerFigures {
    std::uint64_t forwarded_interest = 0;
    std::uint64_t forwarded_durability = 0;
    std::uint64_t offer_bytes = 0;
    std::uint64_t window_bytes = 0;
    std::uint64_t lag_strokes = 0;
  };
  PeerFigures figures(NodeIx peer) const;
  std::uint64_t channels_with_standins() const {
    return standin_channels_;
  }
  /// True when the peer's link has room for what may be lost.
  bool has_room(NodeIx peer) const {
    return peers_[peer].window < window_bytes_ / 2;
  }

 private:
  static constexpr MonotonicMs kWindowForgetMs = 5000;  ///< neither pushed nor confirmed: nothing is under way
  static constexpr MonotonicMs kStandInMs = 250;        ///< a home's silence after which another node stands in
  static constexpr MonotonicMs kLagMs = 350;            ///< and the age of a stroke, where it confirms but ever later
  static constexpr MonotonicMs kLateBeatMs = 50;        ///< a heartbeat that is later than this was missed
  static constexpr MonotonicMs kOfferOwnMs = 500;       ///< first offer after a push that was not confirmed
  static constexpr MonotonicMs kOfferOthersMs = 2000;   ///< first offer of what its origin is pushing itself
  static constexpr MonotonicMs kOfferAgainMs = 1000;
  static constexpr MonotonicMs kOfferLostMs = 50;  ///< after a link was lost
  static constexpr std::size_t kOffersPerTick = 2000;
  static constexpr MonotonicMs kHeadsMs = 500;

  /// When a channel's Unconfirmed is looked at.
  struct Due {
    MonotonicMs ms = 0;
    ChannelRef log;

    friend bool operator<(const Due& a, const Due& b) {
      return a.ms != b.ms ? a.ms < b.ms : a.log < b.log;
    }
  };
  struct Confirm {
    ChannelLog* log = nullptr;
    OriginLog* origin_log = nullptr;  ///< the mark in it says up to where
  };
  enum class Behind {
    no_room,  ///< the window was full
    no_word,  ///< what it is interested in is not known yet
  };
  struct Peer {
    std::set<Due> due;                    ///< one for each channel that has an Unconfirmed of it
    std::vector<Confirm> confirm;         ///< what the turn tells it is committed here
    std::map<ChannelRef, Behind> behind;  ///< not pushed to: it is told the heads later
    std::uint64_t window = 0;             ///< bytes pushed and not confirmed
    std::uint32_t window_turn = 1;        ///< what was counted under another one is not in `window`
    MonotonicMs window_ms = 0;            ///< when it changed
    std::uint64_t forwarded_interest = 0;
    std::uint64_t forwarded_durability = 0;
    std::uint64_t offer_bytes = 0;
  };

  bool has(NodeIx peer, const OriginLog& origin_log) const;
  /// What we know of the peer's copy, in its present life.
  PeerMark& mark_of(NodeIx peer, OriginLog& origin_log);
  void expect(NodeIx peer, ChannelLog& log, OriginLog& origin_log, MonotonicMs due_ms);
  /// An author waits for what the peer has yet to confirm: it is offered at once.
  void ask(ChannelLog& log, Unconfirmed& entry);
  void settle(NodeIx peer, ChannelLog& log, const OriginLog& origin_log, PeerMark& mark);
  void schedule(ChannelLog& log, Unconfirmed& entry, MonotonicMs due_ms);
  /// Nothing of the channel, or of any channel, is expected of the peer any more.
  static void forget(NodeIx peer, ChannelLog& log);
  void forget_all(NodeIx peer);
  static void drop(NodeIx peer, ChannelLog& log);
  template <typename See>
  static void for_expected(NodeIx peer, const ChannelLog& log, const See& see);
  /// Our own strokes are on their way to homes, or somebody's are asked for: stand-ins are thought of until they are
  /// there.
  void watch(ChannelLog& log);
  /// What the peer has yet to confirm that is worth a stand-in; nullptr: nothing.
  static const Unconfirmed* late_one(NodeIx peer, const ChannelLog& log);
  void forward(ChannelLog& log);
  void push(NodeIx peer, ChannelLog& log, OriginLog& own, const Strokes& strokes, std::uint64_t bytes, bool interested);
  void choose_standins(ChannelLog& log);
  /// Who is asked first; `late_since_ms`: since when somebody has kept silent, 0 for nobody.
  std::vector<NodeIx> standin_order(const ChannelLog& log, MonotonicMs late_since_ms) const;
  void release_standins(ChannelLog& log);
  static void forget_window(Peer& to) {
    to.window = 0;
    ++to.window_turn;
  }
  void send_offers(NodeIx peer);
  void check_standins();
  void tell_heads();
  void send_confirmations(NodeIx peer);
  void catch_up_behind(NodeIx peer);
  void moved(ChannelLog& log, OriginLog& origin_log, NodeIx from);
  /// It came from its origin itself, whose life is over or which can't be reached.
  bool orphaned(NodeIx from, const Origin& origin) const;

  Turn& turn_;
  const ClusterMap& cluster_;
  Log& log_;
  const Interest& interest_;
  const Membership& membership_;
  Links& links_;
  Acks& acks_;
  const std::uint64_t window_bytes_;
  std::vector<Peer> peers_;
  std::vector<NodeIx> confirmed_to_;  ///< peers that the turn has confirmations for
  std::vector<ChannelLog*> touched_;
  std::vector<ChannelLog*> moved_;        ///< heads that moved since the last heads tick
  std::vector<ChannelLog*> own_pending_;  ///< our strokes that a home has yet to confirm
  MonotonicMs heads_ms_ = 0;
  std::uint64_t standin_channels_ = 0;
};

}  // namespace inkmesh::core
