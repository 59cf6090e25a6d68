// A client as PROTOCOL.md wants it: it keeps its cursor from what it sees, keeps what is not acknowledged and sends it
// again, and goes to another node when its connection ends. What it is told, it holds against the promises.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agenda.h"
#include "checker.h"
#include "edge.h"
#include "inkmesh/cursor.h"
#include "options.h"
#include "random.h"
#include "sim_node.h"
#include "trace.h"

namespace inkmesh::sim {

class SimClient : public EdgeUser {
 public:
  struct Wiring {
    Agenda& agenda;
    Trace& trace;
    Checker& checker;
    const Options& options;
    const std::vector<std::unique_ptr<SimNode>>& nodes;
  };
  SimClient(const Wiring& wiring, ClientName name, NodeIndex node, Random random);

  // ---- what a person does -------------------------------------------------------------------------------------------

  /// Opens the connection, and opens it again whenever it ends, on another node unless `stay`.
  void start();
  void stop();
  /// Opens a channel, now or when there is a connection. `from`: how its first subscription begins.
  void subscribe(const Channel& channel, const StartAt& from = {});
  void unsubscribe(const Channel& channel);
  /// Draws; the stroke stays in the outbox until it is acknowledged.
  Op publish(const Channel& channel, std::size_t data_bytes = 8);
  /// Publishes an op again, with `retry`, even though it may have been acknowledged, with these or other data.
  void publish_again(const Channel& channel, Op op, std::optional<std::string> other_data = std::nullopt);
  void signal(const Channel& channel);
  /// Asks who is there; what changes is told from then on.
  void ask_presence(const Channel& channel);
  /// Its network fails; it opens a new connection, at that node or at any. The node hears of it some time later.
  void reconnect(std::optional<NodeIndex> node = std::nullopt);
  void set_us_per_kib(SimUs us) {
    us_per_kib_ = us;
  }
  void set_stay(bool stay) {
    stay_ = stay;
  }

  // ---- what it has --------------------------------------------------------------------------------------------------

  struct Subscription {
    StartAt from;
    bool wanted = true;
    bool answered = false;  ///< on this connection
    bool live = false;      ///< on this connection
    bool complete = false;  ///< on this connection
    bool ever = false;      ///< a subscription was answered once: `seen` counts
    bool overlaps = false;  ///< an earlier subscription of this connection may still speak
    RequestId request = 0;  ///< 0: none on this connection
    Cursor seen;
    Cursor asked;  ///< the cursor that was shown last
    std::vector<StrokePtr> strokes;
    using Who = std::set<std::pair<ClientName, NodeId>>;
    /// Who is there as it was told: the node's list, which many share, and what has changed since.
    struct Told {
      std::shared_ptr<const std::vector<Present>> list;
      std::map<std::pair<ClientName, NodeId>, bool> since;  ///< true: is there
      Who who() const;
    };
    std::optional<Told> present;  ///< since it asked, on this connection
  };
  const std::map<Channel, Subscription>& subscriptions() const {
    return subscriptions_;
  }
  const Subscription& subscription(const Channel& channel) const {
    return subscriptions_.at(channel);
  }
  /// Publishes that are not acknowledged.
  std::size_t outbox() const {
    return outbox_.size();
  }
  const std::vector<SendAck>& acks() const {
    return acks_;
  }
  const std::vector<SendError>& errors() const {
    return errors_;
  }
  std::uint64_t signals() const {
    return signals_;
  }
  NodeIndex node() const {
    return node_;
  }
  ConnId conn() const {
    return conn_;
  }
  bool connected() const {
    return state_ == State::open;
  }
  /// The channel of its first publish that is not acknowledged; nullptr: there is none.
  const Channel* unacknowledged() const {
    return outbox_.empty() ? nullptr : &outbox_.begin()->second.channel;
  }
  /// Its state; empty: on all its channels.
  std::string describe(const Channel& channel = {}) const;

  /// Told of each thing that it hears, before it takes it in.
  std::function<void(const Effect&)> on_hear;

  // ---- EdgeUser -----------------------------------------------------------------------------------------------------

  const ClientName& name() const override {
    return name_;
  }
  SimUs us_per_kib() const override {
    return us_per_kib_;
  }
  void receive(std::uint64_t session, const Effect& effect) override;
  void lost(std::uint64_t session) override;

 private:
  enum class State { idle, connecting, open };
  struct Pending {
    Channel channel;
    std::string data;
    bool sent = false;
    SimUs sent_at = 0;
    SimUs not_before = 0;
  };
  struct Request {
    Channel channel;
    Op op = 0;  ///< 0: not a publish
  };
  static constexpr std::size_t kInFlightMax = 16;
  static constexpr SimUs kPatienceUs = 3_s;

  void connect();
  void opened(ConnId conn);
  void leave(bool node_hears);
  void send(Event&& event);
  void send_subscribe(const Channel& channel, Subscription& subscription);
  void send_publish(Op op, Pending& pending);
  void pump();
  void look_after();
  std::string signal_data() const;
  void on(const SendSubscribed& subscribed);
  void on(const SendLive& live);
  void on(const SendUnsubscribed& unsubscribed);
  void on(const DeliverStrokes& deliver);
  void on(const SendAck& ack);
  void on(const SendError& error);
  void on(const SendPresence& presence);
  void on(const SendPresenceChange& change);
  void violation(const Channel& channel, const std::string& text);
  void record(const Channel& channel, const std::string& text);

  const Wiring wiring_;
  const ClientName name_;
  Random random_;
  NodeIndex node_;
  bool stay_ = false;
  SimUs us_per_kib_ = 0;
  State state_ = State::idle;
  std::uint64_t session_ = 0;
  ConnId conn_ = 0;
  SimUs last_sent_ = 0;
  RequestId last_request_ = 0;
  Op last_op_ = 0;
  std::map<Channel, Subscription> subscriptions_;
  std::map<Op, Pending> outbox_;
  std::map<RequestId, Request> requests_;  ///< of this connection
  std::vector<SendAck> acks_;
  std::vector<SendError> errors_;
  std::uint64_t signals_ = 0;
};

}  // namespace inkmesh::sim
