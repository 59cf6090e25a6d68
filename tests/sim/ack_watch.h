// "A healthy node acknowledges within a second through any partition that leaves it `ack` nodes."
//
// Each publish that a node is given must be answered, by an ack or an error, within options.ack_us, when from
// options.ack_calm_us before it until then
//   - the node is well: up in one life, never standing still, its loop and its disk take what they are given within
//     a tenth of a second (asynchronous commits: past their interval), its store refuses nothing, none of its records
//     is found damaged, its clock does not jump;
//   - at least `ack` - 1 other nodes are well, too, and the links to each of them and back are whole: connected, not
//     cut, nothing lost on them, gossip included;
//   - all of these run with the same node list, replicas and ack.
// Nothing is asked of the other nodes: they may be dead, cut off, slow or full, noticed or not, homes or not.
// A publish that is sent again is owed nothing when it stands already and, half of the time gone, only nodes that are
// not reached have it: nobody here can confirm it, and it must not be numbered anew. See docs/reliability.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "agenda.h"
#include "checker.h"
#include "inkmesh/event.h"
#include "network.h"
#include "options.h"

namespace inkmesh::sim {

class SimNode;

class AckWatch {
 public:
  AckWatch(Agenda& agenda, Checker& checker, const Network& network, const Options& options,
           const std::vector<std::unique_ptr<SimNode>>& nodes)
      : agenda_(agenda), checker_(checker), network_(network), options_(options), nodes_(nodes) {}

  void given(NodeIndex node, const Publish& publish);
  void answered(NodeIndex node, ConnId conn, RequestId request);

  /// Publishes to which an answer in time was owed.
  std::uint64_t owed() const {
    return owed_;
  }

 private:
  using Key = std::tuple<NodeIndex, unsigned, ConnId, RequestId>;  ///< the second is the node's life
  struct Given {
    SimUs at = 0;
    Channel channel;
    ClientName client;
    Op op = 0;
    bool again = false;
    bool answered = false;
    bool out_of_reach = false;  ///< half of the time is gone, and it stands elsewhere
  };

  void look_halfway(const Key& key);
  void look(const Key& key);
  /// Nodes that could have helped from then until now.
  std::vector<NodeIndex> helpers(NodeIndex node, SimUs since) const;
  /// It stands in the channel, and neither that node nor any of its helpers has it.
  bool stands_elsewhere(const Given& given, NodeIndex node, std::vector<NodeIndex> helpers) const;

  Agenda& agenda_;
  Checker& checker_;
  const Network& network_;
  const Options& options_;
  const std::vector<std::unique_ptr<SimNode>>& nodes_;
  std::map<Key, Given> given_;
  std::uint64_t owed_ = 0;
};

}  // namespace inkmesh::sim
