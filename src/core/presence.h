// Presence: who has a channel open, on which node. Each node tells the interested peers its own connections, as a
// versioned set; a gap in the versions is mended by the full set.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/channel_log.h"
#include "core/cluster_map.h"
#include "core/interest.h"
#include "core/links.h"
#include "core/log.h"
#include "core/membership.h"
#include "core/turn.h"
#include "inkmesh/effect.h"
#include "inkmesh/event.h"

namespace inkmesh::core {

class Presence {
 public:
  Presence(Turn& turn, const ClusterMap& cluster, Log& log, const Interest& interest, const Membership& membership,
           Links& links)
      : turn_(turn), cluster_(cluster), log_(log), interest_(interest), membership_(membership), links_(links) {}

  void joined(ConnId conn, const ClientName& client, ChannelLog& log);
  void left(ConnId conn, ChannelLog& log);
  /// Answers with everyone at the turn's end, and tells the connection of changes from then on.
  void ask(const PresenceAsk& event, ChannelLog& log);

  void on_full(NodeIx peer, const PresenceFull& full);
  void on_delta(NodeIx peer, const PresenceDelta& delta);
  void on_want(NodeIx peer, const PresenceWant& want);

  /// The peer has newly opened a channel with that hash: it needs our set.
  void peer_opened(NodeIx peer, std::uint64_t channel_hash);
  /// The peer is down or reborn, or does not have the channels open any more.
  void peer_gone(NodeIx peer);
  void peer_closed(NodeIx peer, std::uint64_t channel_hash);
  /// Something that the peer sent may not have come: its sets are asked for again, until they are here.
  void lost_something(NodeIx peer);
  /// Asks for the sets that are not known; about twice a second.
  void tick();

  void flush();

 private:
  /// After a set has come: a hint that its node has the channel open may be all that is known of that so far.
  static constexpr MonotonicMs kSettleMs = 3000;

  using Who = std::pair<ClientName, NodeIx>;
  struct Remote {
    std::uint64_t version = 0;  ///< 0: not known yet
    std::map<ConnId, ClientName> present;
  };
  struct Open {
    std::uint64_t version = 0;
    std::map<ConnId, ClientName> local;
    std::map<NodeIx, Remote> remote;
    std::map<Who, std::uint32_t> counts;
    std::weak_ptr<const std::vector<Present>> everyone;  ///< the last answer, while it is on its way and still right
    std::vector<ConnId> watchers;                        ///< ascending
    // This turn's:
    std::map<ConnId, ClientName> came;
    std::vector<ConnId> went;
    std::vector<PresenceAsk> asked;
    std::set<NodeIx> full_to;  ///< peers that need the whole set, as it is at the turn's end
    std::map<Who, bool> was_present;
    bool in_turn = false;
  };
  using Opens = std::map<ChannelRef, Open, ByHash>;

  Open& open(ChannelLog& log);
  void changed(ChannelLog& log, Open& open);
  void count(ChannelLog& log, Open& open, const ClientName& client, NodeIx node, int by);
  /// Lets go of the sets of peers that do not have the channel open.
  void forget_closed(ChannelLog& log, Open& open);
  void forget_remote(ChannelLog& log, Open& open, NodeIx peer);
  void send_full_later(NodeIx peer, ChannelLog& log, Open& open);
  void send_full(NodeIx peer, const ChannelLog& log, const Open& open);
  void tell_peers(ChannelLog& log, Open& open);
  void tell_watchers(const ChannelLog& log, Open& open);
  void answer(const PresenceAsk& event, const ChannelLog& log, Open& open);

  Turn& turn_;
  const ClusterMap& cluster_;
  Log& log_;
  const Interest& interest_;
  const Membership& membership_;
  Links& links_;
  Opens opens_;
  std::vector<ChannelLog*> changed_;
  std::uint64_t last_version_ = 0;
  bool unsettled_ = false;  ///< some peer's set may not be known
  MonotonicMs settle_until_ms_ = 0;
};

}  // namespace inkmesh::core
