// A whole cluster in virtual time: nodes, the network between them, clients, and the checker that watches.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ack_watch.h"
#include "agenda.h"
#include "checker.h"
#include "network.h"
#include "options.h"
#include "random.h"
#include "sim_client.h"
#include "sim_node.h"
#include "trace.h"

namespace inkmesh::sim {

class World {
 public:
  /// All nodes are down, there are no clients. `record`: the trace keeps readable lines.
  explicit World(const Options& options, bool record = false);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const Options& options() const {
    return options_;
  }
  Agenda& agenda() {
    return agenda_;
  }
  Random& random() {
    return random_;
  }
  Network& network() {
    return network_;
  }
  Checker& checker() {
    return checker_;
  }
  const Checker& checker() const {
    return checker_;
  }
  const AckWatch& ack_watch() const {
    return ack_watch_;
  }
  Trace& trace() {
    return trace_;
  }
  SimUs now() const {
    return agenda_.now();
  }

  /// Starts all nodes that are down.
  void start();
  std::size_t size() const {
    return nodes_.size();
  }
  SimNode& node(NodeIndex index) {
    return *nodes_[index];
  }
  const SimNode& node(NodeIndex index) const {
    return *nodes_[index];
  }
  NodeIndex index_of(const NodeId& id) const;
  /// The channel's homes, in rendezvous order. Some node must be up.
  std::vector<NodeIndex> homes(const Channel& channel) const;

  /// A client at that node; started.
  SimClient& client(const ClientName& name, NodeIndex node);
  const std::vector<std::unique_ptr<SimClient>>& clients() const {
    return clients_;
  }

  /// Goes on until then, or until a promise is broken.
  void run_until(SimUs when);
  void run_for(SimUs duration) {
    run_until(now() + duration);
  }
  /// Goes on until `done` (looked at after each thing that happens) or for so long. True when it is done.
  bool run_until_true(const std::function<bool()>& done, SimUs at_most);
  bool failed() const {
    return checker_.first_violation().has_value();
  }

  /// The disk of a node that is down is replaced by an empty one.
  void lose_disk(NodeIndex node);
  /// A backup takes the place of a lost disk; the operator says so at the start (--restored).
  void restore(NodeIndex node, const store::MemoryStore::Backup& backup);
  void note(const std::string& text);

  /// What still keeps the cluster from having come together.
  struct Apart {
    Channel channel;   ///< empty: concerns none in particular
    std::string text;  ///< for a person; empty: nothing
    bool empty() const {
      return text.empty();
    }
  };
  /// Empty when it has come together: every client is
  /// connected, has nothing unacknowledged, and is live and complete on what it opened; every home and every interested
  /// node has all that any disk holds; every subscriber has seen it. Nodes that are down are left out.
  Apart apart() const;
  /// Runs until all has come together, `at_most` so long, looking every so often. What is apart then; empty: nothing.
  Apart come_together(SimUs at_most, SimUs look_every);
  /// Looks at everything once more: the contents of all disks, acknowledged strokes, pictures. Call when nothing is
  /// apart. What is wrong becomes the checker's violation.
  void check_end();
  /// Nothing that waited for anything is left in any node. Call when all has been quiet for a while.
  void check_left_over();
  /// What each client that asked was told of who is there, the changes since included, is who is there.
  void check_presence();

 private:
  /// For each channel the nodes where a client wants it.
  std::map<Channel, std::vector<bool>> interested() const;
  std::string apart_disks(const Channel& channel, const std::vector<bool>& interested) const;
  Apart apart_client(const SimClient& client) const;
  void tell_presence(const SimClient& client, const Channel& channel, const SimClient::Subscription::Who& there);
  void check_disks(const Channel& channel, const Checker::ChannelTruth& truth);
  void check_acked(const Channel& channel, const Checker::ChannelTruth& truth);
  void check_pictures(const Channel& channel);

  const Options options_;
  Random random_;
  Agenda agenda_;
  Trace trace_;
  Checker checker_;
  std::vector<NodeId> ids_;
  Network network_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  AckWatch ack_watch_;
  std::vector<std::unique_ptr<SimClient>> clients_;
};

}  // namespace inkmesh::sim
