// Two processes under one node id, on two machines: each is sound alone, but the others can listen to one only.
//
// Whether a life of a peer goes on beside another one is asked, not guessed: what a dead process had sent may arrive
// late. Whenever there are two, both are named in the heartbeats, which reach every process wherever it runs, and
// asked for over the link, which reaches the one that is at the node's address. Each that is alive answers and names
// the other. Both have answered: two processes run. The one at the address is listened to: only it hears us.
//
//   (one life) --another is heard--> asked --both answered--> told --one of them is silent--> (one life)
//                                      `-----nobody but the one that we listen to: it was late---^
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/cluster_map.h"
#include "core/links.h"
#include "core/membership.h"
#include "core/turn.h"
#include "inkmesh/core.h"
#include "inkmesh/mesh_message.h"

namespace inkmesh::core {

class Twins {
 public:
  Twins(Turn& turn, const ClusterMap& cluster, const Membership& membership, Links& links, Epoch epoch)
      : turn_(turn),
        cluster_(cluster),
        membership_(membership),
        links_(links),
        epoch_(std::move(epoch)),
        peers_(cluster.size()) {}

  /// This process begins.
  void begin() {
    begun_ms_ = turn_.ms();
  }

  // ---- a peer's lives -----------------------------------------------------------------------------------------------

  /// From now on another life of the peer is listened to than `former` (empty: none before).
  void turned(NodeIx peer, const Epoch& former);
  /// Something came from a life of the peer that is not the one we listen to.
  void late(NodeIx peer, const Epoch& epoch);
  /// True when that life, which we do not listen to, is the one to listen to.
  bool answered(NodeIx peer, const Epoch& epoch, const StillHere& answer, const std::string& address);
  /// Two processes run as that peer: the one that we do not listen to.
  std::optional<TwinStatus> of(NodeIx peer) const;

  // ---- our own ------------------------------------------------------------------------------------------------------

  void asked(NodeIx by, const WhoIsThere& question);
  void told(NodeIx by, const std::vector<TwinLives>& told);
  /// A frame of a peer has reached us.
  void reached() {
    reached_ms_ = turn_.ms();
  }
  /// Another process runs as this node.
  std::optional<TwinStatus> ours() const;
  /// Some peer listens to another process in our place, or has lately and does not reach us since.
  bool shut_out() const {
    return shut_out_;
  }
  /// Why; for people.
  std::string why_shut_out() const;
  /// A peer heard that epoch after ours: it was another process's, and none of our former lives.
  bool is_rival(const Epoch& epoch) const {
    return !epoch.empty() && epoch == rival_;
  }

  void tick();
  /// What the heartbeats tell.
  std::vector<TwinLives> lives() const;
  /// True once after each change of that: it should be told at once.
  bool take_news() {
    return std::exchange(news_, false);
  }

 private:
  static constexpr MonotonicMs kAskMs = 500;
  /// Four questions without an answer.
  static constexpr MonotonicMs kSilentMs = 2'000;
  /// A peer that has just heard a life for the first time may listen to it for a moment before it knows better.
  static constexpr MonotonicMs kShutOutAfterMs = 1'000;
  static constexpr MonotonicMs kSayAgainMs = 60'000;
  static constexpr std::size_t kOthersMax = 4;

  /// A process that has answered, or may.
  struct Life {
    Epoch epoch;
    MonotonicMs sign_ms = 0;      ///< it was last heard of
    MonotonicMs answered_ms = 0;  ///< 0: never
    std::int64_t started_ms = 0;  ///< by our clock, as it says
    std::string address;
    bool both = false;
    MonotonicMs said_ms = 0;
  };
  struct Peer {
    Life heard;                ///< its epoch is the membership's
    std::vector<Life> others;  ///< asked for
    MonotonicMs asked_ms = 0;
    MonotonicMs shuts_out_since_ms = 0;  ///< it says that it listens to another process in our place; 0: it does not
  };

  bool answers(const Life& life) const {
    return life.answered_ms != 0 && turn_.ms() <= life.answered_ms + kSilentMs;
  }
  static Life* find(std::vector<Life>& lives, const Epoch& epoch);
  void doubt(NodeIx peer, const Epoch& epoch);
  void ask(NodeIx peer);
  void note(Life& life, const StillHere& answer, const std::string& address);
  void look_at(NodeIx node);
  void answer(NodeIx to, const Epoch& other, bool reached);
  void say_ours();

  Turn& turn_;
  const ClusterMap& cluster_;
  const Membership& membership_;
  Links& links_;
  const Epoch epoch_;
  MonotonicMs begun_ms_ = 0;
  std::vector<Peer> peers_;
  bool news_ = false;

  Epoch rival_;
  TwinStatus ours_;          ///< as told last
  MonotonicMs told_ms_ = 0;  ///< 0: nothing to tell
  MonotonicMs said_ms_ = 0;
  MonotonicMs shut_ms_ = 0;
  MonotonicMs reached_ms_ = 0;
  bool shut_out_ = false;
  bool said_shut_ = false;
};

}  // namespace inkmesh::core
