// A simulated node's connections: what clients ask goes to the core, what it says reaches them in order, some time
// later, or never when the connection ends first.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "agenda.h"
#include "inkmesh/effect.h"
#include "inkmesh/event.h"
#include "options.h"
#include "random.h"

namespace inkmesh::sim {

/// The far end of a connection. `session` is the client's own number for it.
class EdgeUser {
 public:
  virtual ~EdgeUser() = default;
  virtual const ClientName& name() const = 0;
  /// How long it takes to read a KiB; 0: at once.
  virtual SimUs us_per_kib() const = 0;
  virtual void receive(std::uint64_t session, const Effect& effect) = 0;
  /// The node closed the connection, or is gone.
  virtual void lost(std::uint64_t session) = 0;
};

class Edge {
 public:
  using Feed = std::function<void(Event&&)>;
  Edge(Agenda& agenda, Random random, const Options& options, Feed feed)
      : agenda_(agenda), random_(random), options_(options), feed_(std::move(feed)) {}

  /// The user must outlive the world.
  ConnId open(EdgeUser& user, std::uint64_t session);
  /// Nothing when it is closed already.
  void close(ConnId conn);
  bool is_open(ConnId conn) const {
    return conns_.count(conn) != 0;
  }

  using PageSink = std::function<void(const HistoryPage&)>;
  /// GET /channels/{channel}/strokes.
  void ask_history(const Channel& channel, const StartAt& start, PageSink sink);

  /// Carries out an effect that is for clients. False when it is not one.
  bool deliver(const Effect& effect);

  /// The process ended: its connections are lost, noticed by the clients after at most `notice_us_max`.
  void crash(SimUs notice_us_max);

  /// The most that any connection had unwritten, and whose it was.
  std::size_t unwritten_max() const {
    return unwritten_max_;
  }
  const ClientName& unwritten_most() const {
    return unwritten_most_;
  }
  /// Whose connection that is, by its number without the shard; nullptr when it is not open.
  const ClientName* client(std::uint64_t number) const;
  std::size_t unwritten(ConnId conn) const;
  /// Connections that are open.
  std::size_t size() const {
    return conns_.size();
  }

 private:
  struct Conn {
    EdgeUser* user = nullptr;
    std::uint64_t session = 0;
    SimUs last_arrival = 0;
    std::size_t unwritten = 0;
  };
  using EffectPtr = std::shared_ptr<const Effect>;

  void send(ConnId conn, const EffectPtr& effect, std::size_t cost);
  void send_all(const Recipients& to, const EffectPtr& effect, std::size_t cost);

  Agenda& agenda_;
  Random random_;
  const Options& options_;
  const Feed feed_;
  std::map<ConnId, Conn> conns_;
  std::map<ConnId, PageSink> pages_;
  std::uint64_t last_conn_ = 0;
  std::size_t unwritten_max_ = 0;
  ClientName unwritten_most_;
};

}  // namespace inkmesh::sim
