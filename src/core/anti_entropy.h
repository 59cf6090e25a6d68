// Anti-entropy: holders compare themselves with homes by hashes of ranges, and homes learn when they have everything.
//
// A round, from a holder to a home, over the channels of which both are homes (so both can hash the same set): the
// holder sends the hash of all of them; the home answers with the 16 child hashes of every range that differs; ranges
// with few channels are offered one by one, larger ones go another step down. What travels grows with the difference.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/cluster_map.h"
#include "core/links.h"
#include "core/lives.h"
#include "core/log.h"
#include "core/membership.h"
#include "core/replication.h"
#include "core/turn.h"

namespace inkmesh::core {

class AntiEntropy {
 public:
  AntiEntropy(Turn& turn, const ClusterMap& cluster, Log& log, Lives& lives, const Membership& membership, Links& links,
              Replication& replication, std::uint64_t seed)
      : turn_(turn),
        cluster_(cluster),
        log_(log),
        lives_(lives),
        membership_(membership),
        links_(links),
        replication_(replication),
        tokens_(seed),
        peers_(cluster.size()) {}

  /// The store may lack what this node has acknowledged: its own word counts for nothing until everyone has said that
  /// all he holds is at its homes: what was left of it in one copy is safe again. Then the store is marked.
  void began_hollow() {
    hollow_ = true;
  }
  /// The store turns out to lack what this node may have acknowledged.
  void became_hollow(HollowBecause because);

  /// The peers listen to another process in this one's place: they do not answer, and may know more.
  void set_shut_out(bool shut_out) {
    shut_out_ = shut_out;
  }

  /// The peer is new, returned, or was behind a broken link: compare with it, and ask it to say when we have all.
  void begin(NodeIx peer);

  void on_digest(NodeIx peer, const Digest& digest);
  void on_reply(NodeIx peer, const DigestReply& reply);
  void on_settle_ask(NodeIx peer, const SettleAsk& ask);
  void on_settle_done(NodeIx peer, const SettleDone& done);
  void tick();

  /// What another list's homes are handed is not what ours lack.
  bool settled(NodeIx peer) const {
    return peers_[peer].settled && membership_.same_list(peer);
  }
  /// True when this node, as a home, must know every acknowledged stroke: it has compared itself with every peer that
  /// it can reach, and those that it can't reach or that lost their disk are too few to have acknowledged anything
  /// among themselves.
  bool settled() const;
  bool hollow() const {
    return hollow_;
  }
  /// Hollow, until that peer has said that all it holds is at its homes.
  bool awaits(NodeIx peer) const {
    return hollow_ && !peers_[peer].settled_once;
  }
  /// Some peer that speaks has yet to hand over what it holds of ours.
  bool catching_up() const;

  std::uint64_t bytes(NodeIx peer) const {
    return peers_[peer].bytes;
  }

 private:
  static constexpr MonotonicMs kRoundMs = 10'000;
  static constexpr MonotonicMs kReplyMs = 2'000;
  static constexpr MonotonicMs kSettleAgainMs = 1'000;
  static constexpr std::size_t kOfferAll = 16;  ///< a range of so few channels is not split further
  static constexpr std::size_t kNodesPerMessage = 64;

  /// Counts the questions that were asked: a round that began after one tells all that was here then.
  using Question = std::uint64_t;

  struct Peer {
    // We are the holder: our round with it.
    bool running = false;
    std::uint64_t round = 0;
    MonotonicMs began_ms = 0;
    MonotonicMs sent_ms = 0;
    std::size_t awaited = 0;  ///< nodes sent and not answered
    std::vector<DigestNode> queue;
    // Questions whether all is there, by their numbers, each of these up to and with the one given.
    Question began_after = 0;                           ///< the latest round began after them
    Question ended_after = 0;                           ///< the latest round that ended began after them
    Question found_for = 0;                             ///< what `outstanding` was found for
    Question answered = 0;                              ///< it has confirmed what was found for them
    std::vector<Replication::Outstanding> outstanding;  ///< what it has yet to confirm of that
    // It asked us to say when it has all.
    std::uint64_t ask_token = 0;
    Question question = 0;  ///< its latest
    bool of_all = false;    ///< it waits for what all peers hold of ours, not only for its own
    std::uint64_t done_token = 0;
    // We asked it.
    bool settled = false;
    bool settled_once = false;  ///< in any of its lives, since our start
    std::uint64_t own_token = 0;
    MonotonicMs asked_ms = 0;
    std::uint64_t bytes = 0;
  };

  struct Range {
    std::uint64_t hash = 0;
    std::size_t channels = 0;
  };
  Range range(NodeIx peer, unsigned depth, std::uint64_t prefix) const;
  template <typename Visit>
  void for_range(NodeIx peer, unsigned depth, std::uint64_t prefix, Visit visit) const;

  void start_round(NodeIx peer);
  void send_next(NodeIx peer);
  void end_round(NodeIx peer);
  /// The last question that is to be answered with what that peer has.
  Question wanted(const Peer& peer) const {
    return std::max(peer.question, question_of_all_);
  }
  void check_confirmed(NodeIx peer);
  void check_asked(NodeIx asker, Question by_all);
  /// Questions that all peers have confirmed all for.
  Question answered_by_all() const;
  void ask_anew(NodeIx peer);
  void ask_settle(NodeIx peer);
  void check_refilled();

  Turn& turn_;
  const ClusterMap& cluster_;
  Log& log_;
  Lives& lives_;
  const Membership& membership_;
  Links& links_;
  Replication& replication_;
  Random tokens_;  ///< never the same in two lives: an answer to a former one must not count
  std::vector<Peer> peers_;
  Question last_question_ = 0;
  Question question_of_all_ = 0;  ///< the latest that waits for all peers
  bool hollow_ = false;
  bool shut_out_ = false;
};

}  // namespace inkmesh::core
