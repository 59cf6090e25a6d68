// The loop: one thread that owns the core and the mesh. A turn waits, takes a bounded number of events, steps the core
// with each, ends the core's turn, and carries the effects out.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/pace.h"
#include "edge/ws_edge.h"
#include "inkmesh/config.h"
#include "inkmesh/core.h"
#include "mesh/mesh.h"
#include "node/effects.h"
#include "node/http_routes.h"
#include "node/inbox.h"
#include "node/snapshot.h"
#include "store/committer.h"
#include "store/store.h"

namespace inkmesh::node {

class Loop : private Outlets {
 public:
  /// What it works with; all must outlive it.
  struct Parts {
    const ClusterConfig& config;
    Inbox& inbox;
    Core& core;
    mesh::Mesh& mesh;
    store::Store& store;
    store::Committer& committer;
    edge::Edge& edge;
    edge::HttpFiles files;
  };

  explicit Loop(Parts parts);

  /// Until StopLoop, on the calling thread. Throws what a part throws: the process must end then.
  void run();

 private:
  void turn();
  void keep_pace();
  /// How long clients were served meanwhile, in us.
  std::uint64_t wait_for_events();
  std::int64_t wait_ms() const;
  void take_events();
  void step(Event&& event);
  void handle(Mail&& mail);
  void serve(const edge::HttpRequest& request);
  edge::HttpResponse report(Report kind) const;
  void answer_late_http();
  bool stopped() const;
  Snapshot snapshot() const;

  void send_to_clients(std::vector<edge::Outgoing>&& frames) override;
  void answer_http(ConnId conn, edge::HttpResponse&& response) override;
  void close_client(ConnId conn, const std::string& reason) override;
  void submit(Append&& append) override;
  void submit(Repair&& repair) override;
  void submit(Note&& note) override;
  void submit(Read&& read) override;
  void submit(FindSince&& find) override;
  void submit(FindOp&& find) override;
  void send_gossip(const SendGossip& gossip) override;
  void send_frame(const SendFrame& frame) override;
  void say(const Say& say) override;
  void halt(const Halt& halt) override;

  Parts parts_;
  Now now_;
  core::Pace pace_{100'000};
  std::uint64_t events_in_turn_ = 0;
  Effects effects_;
  std::vector<Event> received_;
  /// Taken from the inbox and not stepped yet; each with the place of the next.
  std::vector<Event> answers_;
  std::size_t next_answer_ = 0;
  std::vector<Mail> mail_;
  std::size_t next_mail_ = 0;
  /// HTTP requests that the core has; in the order in which they run out of time.
  std::unordered_set<ConnId> http_waiting_;
  std::deque<std::pair<MonotonicMs, ConnId>> http_deadlines_;
  bool stopping_ = false;
  MonotonicMs stop_by_ms_ = 0;
  LoopStats stats_;
};

}  // namespace inkmesh::node
