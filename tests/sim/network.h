// The mesh between simulated nodes: gossip that may be lost, and links whose frames arrive in order or, when a link
// breaks, not at all; then the sender hears PeerDisconnected.
//
// A link (one direction between two nodes, as a DEALER's connection is):
//
//   down --both up, not cut; some time--> up --reset, cut noticed, peer gone, queue full--> down
//
// What is sent over a cut link waits: it goes on when the cut heals before it is noticed (TCP resends), and is lost or
// goes before the next connection's frames when it is noticed (a socket's queue may outlive a connection).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "agenda.h"
#include "inkmesh/event.h"
#include "inkmesh/mesh_message.h"
#include "options.h"
#include "random.h"

namespace inkmesh::sim {

using NodeIndex = unsigned;

class Network {
 public:
  struct Ports {
    std::function<void(NodeIndex, Event&&)> feed;  ///< never called for a node that is not up
    std::function<NodeId(NodeIndex)> id;
  };
  Network(Agenda& agenda, Random random, const Options& options, Ports ports);

  void send(NodeIndex from, NodeIndex to, Frame&& frame);
  void gossip(NodeIndex from, const GossipMessage& message);

  void node_started(NodeIndex node);
  /// `noticed_at_once`: a process that ends closes its connections; a machine that vanishes does not.
  void node_stopped(NodeIndex node, bool noticed_at_once);

  // ---- faults -----------------------------------------------------------------------------------------------------

  void cut(NodeIndex from, NodeIndex to);
  void heal(NodeIndex from, NodeIndex to);
  void heal_all();
  /// What is under way is lost, the connection comes back by itself.
  void reset(NodeIndex from, NodeIndex to);
  /// The queue is full: frames are refused from now on, those that are queued arrive.
  void choke(NodeIndex from, NodeIndex to);
  void set_gossip_loss(unsigned per_mille) {
    gossip_loss_per_mille_ = per_mille;
  }

  bool is_cut(NodeIndex from, NodeIndex to) const {
    return link(from, to).is_cut;
  }

  // ---- observation --------------------------------------------------------------------------------------------------

  /// From then until now it was connected and not cut, and nothing was lost on it.
  bool whole_since(NodeIndex from, NodeIndex to, SimUs since) const {
    const Link& way = link(from, to);
    return way.up && !way.is_cut && !way.losing && way.hurt_at <= since && way.gossip_from <= since;
  }

  /// Strokes that travelled on a link, lost or not, repairs included.
  std::uint64_t strokes_sent(NodeIndex from, NodeIndex to) const {
    return link(from, to).strokes;
  }
  /// Called for each frame that is sent, before it is.
  std::function<void(NodeIndex from, NodeIndex to, const Frame&)> on_frame;

 private:
  using FramePtr = std::shared_ptr<Frame>;
  static constexpr std::size_t kHeldMax = 5000;

  struct Link {
    bool up = false;
    bool connecting = false;
    bool is_cut = false;
    bool losing = false;          ///< broken and not noticed yet: what is sent is lost
    std::uint64_t breaks = 0;     ///< counts what ends a pending notice
    std::uint64_t in_flight = 0;  ///< another value: what was under way is lost
    SimUs last_arrival = 0;
    SimUs last_gossip = 0;
    SimUs gossip_from = 0;  ///< a late joiner misses what was said before
    SimUs hurt_at = 0;      ///< the last moment at which it was not whole, once it is again
    std::deque<FramePtr> held;
    std::uint64_t strokes = 0;
  };

  Link& link(NodeIndex from, NodeIndex to) {
    return links_[from * nodes_ + to];
  }
  const Link& link(NodeIndex from, NodeIndex to) const {
    return links_[from * nodes_ + to];
  }
  SimUs delay();
  void travel(NodeIndex from, NodeIndex to, FramePtr frame);
  void flush_held(NodeIndex from, NodeIndex to);
  void notice_later(NodeIndex from, NodeIndex to, SimUs delay_us);
  void disconnect(NodeIndex from, NodeIndex to);
  void try_connect(NodeIndex from, NodeIndex to);

  Agenda& agenda_;
  Random random_;
  const Options& options_;
  const Ports ports_;
  const NodeIndex nodes_;
  std::vector<Link> links_;
  std::vector<bool> node_up_;
  unsigned gossip_loss_per_mille_ = 0;
};

}  // namespace inkmesh::sim
