// Catching up: pulls from peers what this node lacks, and knows when a channel's whole history is here.
//
//            opened                    PullDone, no more      no target left
//   (none) ----------> queued -> pulling ----------------> pulling the next ------> idle
//                         ^         | PullDone, more: again                          |
//                         |         | no answer: the next target                     |
//                         +---------+<------- a gap, a head past ours, a lost link --+
//
// A round begins with one target, and asks one more at a time for each answer that is all: most have nothing past our
// cursor. Who has more than one answer holds is pulled from alone; then it is one target again. So many who hold the
// same are not read from at once, whatever their number.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "core/anti_entropy.h"
#include "core/cluster_map.h"
#include "core/interest.h"
#include "core/links.h"
#include "core/log.h"
#include "core/membership.h"
#include "core/replication.h"
#include "core/turn.h"
#include "inkmesh/core.h"

namespace inkmesh::core {

class Sync {
 public:
  Sync(Turn& turn, const ClusterMap& cluster, Log& log, const Interest& interest, const Membership& membership,
       Links& links, Replication& replication, const AntiEntropy& anti_entropy, const CoreLimits& limits,
       std::uint64_t first_request)
      : turn_(turn),
        cluster_(cluster),
        log_(log),
        interest_(interest),
        membership_(membership),
        links_(links),
        replication_(replication),
        anti_entropy_(anti_entropy),
        pulls_max_(limits.pulls),
        window_max_(limits.pulls_of_channel),
        last_request_(first_request) {}

  /// Counts a channel's rounds of asking.
  using Round = std::uint64_t;

  /// Somebody needs the channel whole as it is now: a subscriber, a history page, a retry. Asks the homes and whoever
  /// else may hold what they do not; complete() says when that round has told everything.
  Round begin(ChannelLog& log);
  /// Nobody here has the channel open any more: what comes in from now on is not pushed to this node.
  void closed(ChannelLog& log);

  /// True when every stroke that was acknowledged before that round began is here, or on its way to the store.
  bool complete(const ChannelLog& log, Round round) const;

  /// What the last round that told everything came to; nothing when the channel was never asked for.
  const Cursor* heads(const ChannelLog& log) const;

  /// True when the channel was whole once, and everything new has been pushed to this node since.
  bool level(const ChannelLog& log) const;

  /// False when nobody is there who could make it complete: waiting is no use.
  bool hopeful(const ChannelLog& log) const;

  /// Nothing is kept about the channel.
  bool idle(ChannelLog& log) const {
    return states_.count(&log) == 0;
  }

  /// Some channel may have become complete since the last call.
  bool take_changed();

  /// That peer has committed that much of an origin. What we lack of it is pulled, after `delay_ms`, if it has not
  /// come by then.
  void hear_of(NodeIx peer, ChannelLog& log, const Origin& origin, Seq seq, MonotonicMs delay_ms);

  /// A run that was taken, or held nothing new: it may be a part of the answer.
  void on_run(NodeIx peer, const ChannelLog& log, const Origin& origin);
  void on_pull_done(NodeIx peer, ChannelLog& log, const PullDone& done);
  /// The peer went down, or its link lost something: what it was asked is void, what it may have sent is asked for.
  void link_lost(NodeIx peer);
  void tick();

  std::uint64_t pulls() const {
    return pulls_;
  }
  std::size_t under_way() const {
    return under_way_;
  }

 private:
  static constexpr MonotonicMs kSilentMs = 400;       ///< a pull without an answer goes to the next target
  static constexpr MonotonicMs kMuteMs = 200;         ///< without any answer: what others offer goes first
  static constexpr MonotonicMs kPullMs = 3000;        ///< and one without an end, whatever else comes from there
  static constexpr MonotonicMs kIncompleteMs = 250;   ///< how soon an incomplete channel asks again
  static constexpr MonotonicMs kForgetMs = 10'000;    ///< a channel that nobody has open is forgotten
  static constexpr MonotonicMs kAskAgainMs = 20'000;  ///< an open channel is compared so often, whatever was heard

  struct Wanted {
    Seq seq = 0;
    NodeIx from = 0;
    MonotonicMs due_ms = 0;
  };
  struct Asked {
    NodeIx peer = 0;
    Round round = 0;  ///< that it was asked for; 0: none, for what we heard of
    std::uint64_t request = 0;
    MonotonicMs heard_ms = 0;  ///< when the pull was sent, or a part of its answer came
    MonotonicMs sent_ms = 0;   ///< when the pull was sent
    bool answering = false;    ///< what came since is no live push of its own
    bool alone = false;        ///< it has more than one answer holds: no other is asked meanwhile
  };
  struct State {
    bool queued = false;
    std::vector<Asked> pulling;   ///< no peer twice
    std::size_t window = 1;       ///< so many may be under way
    Cursor reached;               ///< the furthest that we got by the one that is asked alone
    std::vector<NodeIx> targets;  ///< the next one last
    std::map<Origin, Wanted> wanted;
    Round round = 0;           ///< the latest that began
    Round needed = 0;          ///< the latest that somebody waits for
    Round whole = 0;           ///< the latest that told everything
    bool asking = false;       ///< a round is under way
    std::size_t answered = 0;  ///< so many peers have told all, in this round
    Cursor gathered;           ///< their heads
    Cursor heads;              ///< and in the last whole one
    bool home_word = false;    ///< a settled home has answered in this round
    bool level = false;
    MonotonicMs again_ms = 0;
    MonotonicMs asked_ms = 0;
    MonotonicMs used_ms = 0;
  };
  using States = std::map<ChannelRef, State>;

  void start_round(ChannelLog& log, State& state);
  void end_round(const ChannelLog& log, State& state);
  void queue(ChannelLog& log, State& state);
  void next(ChannelLog& log, State& state);
  void ask_targets(ChannelLog& log, State& state);
  void ask(ChannelLog& log, State& state, NodeIx peer);
  void pull(ChannelLog& log, Asked& asked);
  /// It has more: true when it was asked for that, or will be.
  bool pull_more(ChannelLog& log, State& state, std::size_t at);
  void told_all(const ChannelLog& log, State& state, const Asked& asked, const PullDone& done);
  void want(ChannelLog& log, State& state);
  void put_off_mute(ChannelLog& log, State& state);
  void drop(State& state, std::size_t at);
  void start_queued();
  bool keeps(const ChannelLog& log) const;

  Turn& turn_;
  const ClusterMap& cluster_;
  Log& log_;
  const Interest& interest_;
  const Membership& membership_;
  Links& links_;
  Replication& replication_;
  const AntiEntropy& anti_entropy_;
  const std::size_t pulls_max_;   ///< under way at once
  const std::size_t window_max_;  ///< of them, for one channel
  States states_;
  std::deque<ChannelLog*> queue_;
  std::size_t under_way_ = 0;
  std::uint64_t last_request_;  ///< begins anywhere: an answer to a former life's pull must find none of ours
  std::uint64_t pulls_ = 0;
  bool starting_ = false;
  bool changed_ = false;
};

}  // namespace inkmesh::core
