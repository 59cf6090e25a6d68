// Carries the core's effects out: what is for clients is encoded once and leaves in one batch, the rest goes its way.
#pragma once

#include <string>
#include <vector>

#include "edge/ws_edge.h"
#include "inkmesh/effect.h"

namespace inkmesh::node {

/// Where effects go. None may block. On the loop's thread.
class Outlets {
 public:
  virtual ~Outlets() = default;

  virtual void send_to_clients(std::vector<edge::Outgoing>&& frames) = 0;
  virtual void answer_http(ConnId conn, edge::HttpResponse&& response) = 0;
  /// After what was sent to it.
  virtual void close_client(ConnId conn, const std::string& reason) = 0;
  virtual void submit(Append&& append) = 0;
  virtual void submit(Repair&& repair) = 0;
  virtual void submit(Note&& note) = 0;
  virtual void submit(Read&& read) = 0;
  virtual void submit(FindSince&& find) = 0;
  virtual void submit(FindOp&& find) = 0;
  virtual void send_gossip(const SendGossip& gossip) = 0;
  virtual void send_frame(const SendFrame& frame) = 0;
  virtual void say(const Say& say) = 0;
  /// Does not return in a node.
  virtual void halt(const Halt& halt) = 0;
};

/// Carries out a turn's effects in their order and empties the list. Frames for clients keep their order among
/// themselves and leave together at the end.
void carry_out(Effects& effects, Outlets& outlets);

}  // namespace inkmesh::node
