#include "sim_client.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "describe.h"

namespace inkmesh::sim {
namespace {

/// Unlike any other op's data, and JSON.
std::string make_data(const ClientName& client, Op op, std::size_t bytes) {
  std::string data = "{\"by\":\"" + client + "\",\"op\":" + std::to_string(op) + ",\"p\":\"";
  data.append(bytes, static_cast<char>('a' + op % 26));
  return data + "\"}";
}

}  // namespace

SimClient::SimClient(const Wiring& wiring, ClientName name, NodeIndex node, Random random)
    : wiring_(wiring), name_(std::move(name)), random_(random), node_(node) {}

void SimClient::violation(const Channel& channel, const std::string& text) {
  wiring_.checker.violation(channel, name_ + " at " + wiring_.nodes[node_]->id() + ": " + text);
}

void SimClient::record(const Channel& channel, const std::string& text) {
  wiring_.trace.line(wiring_.agenda.now(), channel, "  " + name_ + " " + text);
}

// ---- the connection
// ---------------------------------------------------------------------------------------------------

void SimClient::start() {
  if (state_ != State::idle) return;
  connect();
  look_after();
}

void SimClient::stop() {
  leave(true);
  state_ = State::idle;
}

void SimClient::connect() {
  state_ = State::connecting;
  ++session_;
  wiring_.agenda.after(random_.between(100, 2 * wiring_.options.client_us_max), [this, session = session_] {
    if (session != session_ || state_ != State::connecting) return;
    SimNode& node = *wiring_.nodes[node_];
    if (node.up()) {
      opened(node.edge().open(*this, session_));
      return;
    }
    if (!stay_) node_ = static_cast<NodeIndex>((node_ + 1) % wiring_.nodes.size());
    wiring_.agenda.after(random_.between(5'000, 100'000), [this, session] {
      if (session == session_ && state_ == State::connecting) connect();
    });
  });
}

void SimClient::opened(ConnId conn) {
  state_ = State::open;
  conn_ = conn;
  last_sent_ = wiring_.agenda.now();
  if (wiring_.trace.recording()) record({}, "connects to " + wiring_.nodes[node_]->id());
  const bool publish_first = random_.chance(300);
  if (publish_first) pump();
  for (auto& [channel, subscription] : subscriptions_) {
    if (subscription.wanted) send_subscribe(channel, subscription);
  }
  pump();
}

void SimClient::leave(bool node_hears) {
  if (state_ == State::open) {
    // A connection that is only lost at this end is closed at the other some time later.
    const SimUs later = node_hears ? 0 : random_.below(1'000'000);
    wiring_.agenda.after(later, [node = wiring_.nodes[node_].get(), life = wiring_.nodes[node_]->life(), conn = conn_] {
      if (node->up() && node->life() == life) node->edge().close(conn);
    });
  }
  ++session_;
  conn_ = 0;
  requests_.clear();
  for (auto& [channel, subscription] : subscriptions_) {
    subscription.answered = subscription.live = subscription.complete = subscription.overlaps = false;
    subscription.request = 0;
    subscription.present.reset();
  }
  for (auto& [op, pending] : outbox_)
    pending.sent_at = 0;
}

void SimClient::reconnect(std::optional<NodeIndex> node) {
  if (state_ == State::idle) return;
  if (wiring_.trace.recording()) record({}, "loses its connection");
  leave(false);
  if (node) {
    node_ = *node;
  } else if (!stay_) {
    node_ = static_cast<NodeIndex>(random_.below(wiring_.nodes.size()));
  }
  connect();
}

void SimClient::lost(std::uint64_t session) {
  if (session != session_ || state_ != State::open) return;
  if (wiring_.trace.recording()) record({}, "is disconnected");
  leave(true);
  if (!stay_) node_ = static_cast<NodeIndex>((node_ + 1) % wiring_.nodes.size());
  connect();
}

void SimClient::send(Event&& event) {
  last_sent_ = std::max(last_sent_, wiring_.agenda.now() + 20 + random_.below(wiring_.options.client_us_max));
  SimNode* const node = wiring_.nodes[node_].get();
  wiring_.agenda.at(last_sent_, [this, node, life = node->life(), conn = conn_, session = session_,
                                 event = std::move(event)]() mutable {
    if (session != session_ || !node->up() || node->life() != life || !node->edge().is_open(conn)) return;
    node->feed(std::move(event));
  });
}

// ---- subscriptions
// ----------------------------------------------------------------------------------------------------

void SimClient::subscribe(const Channel& channel, const StartAt& from) {
  Subscription& subscription = subscriptions_[channel];
  subscription.wanted = true;
  if (!subscription.ever) subscription.from = from;
  if (state_ == State::open) send_subscribe(channel, subscription);
}

void SimClient::send_subscribe(const Channel& channel, Subscription& subscription) {
  subscription.overlaps = subscription.request != 0;
  subscription.request = ++last_request_;
  subscription.answered = subscription.live = subscription.complete = false;
  StartAt start = subscription.from;
  if (subscription.ever) start = StartAt{StartAt::Kind::cursor, subscription.seen, 0};
  subscription.asked = start.cursor;
  requests_[last_request_] = Request{channel, 0};
  send(Subscribe{conn_, last_request_, channel, start});
}

void SimClient::unsubscribe(const Channel& channel) {
  const auto found = subscriptions_.find(channel);
  if (found == subscriptions_.end() || !found->second.wanted) return;
  found->second.wanted = false;
  if (state_ == State::open) send(Unsubscribe{conn_, ++last_request_, channel});
}

void SimClient::on(const SendSubscribed& subscribed) {
  const auto found = subscriptions_.find(subscribed.channel);
  if (found == subscriptions_.end()) return violation(subscribed.channel, "subscribed to what it did not open");
  Subscription& subscription = found->second;
  // An earlier request's answer: the later one's follows.
  if (subscribed.id != subscription.request) return;
  const bool from_cursor = subscription.ever || subscription.from.kind == StartAt::Kind::cursor;
  if (from_cursor && subscribed.mode == Mode::delta && !(subscribed.cursor == subscription.asked)) {
    violation(subscribed.channel, "delta begins at " + sim::describe(subscribed.cursor) + ", shown was " +
                                      sim::describe(subscription.asked));
  }
  if (from_cursor && subscribed.mode != Mode::delta && !subscription.asked.empty()) {
    violation(subscribed.channel, "its cursor was not answered as a delta");
  }
  if (subscribed.mode == Mode::full && !subscribed.cursor.empty()) {
    violation(subscribed.channel, "full begins at " + sim::describe(subscribed.cursor));
  }
  subscription.answered = true;
  subscription.ever = true;
  subscription.seen = subscribed.cursor;
}

void SimClient::on(const SendUnsubscribed& unsubscribed) {
  const auto found = subscriptions_.find(unsubscribed.channel);
  if (found == subscriptions_.end()) return violation(unsubscribed.channel, "unsubscribed from what it did not open");
  // It is told of no more changes, though it has opened the channel again meanwhile.
  found->second.present.reset();
  if (found->second.wanted && unsubscribed.id < found->second.request) return;
  found->second.answered = found->second.live = false;
}

void SimClient::on(const SendLive& live) {
  const auto found = subscriptions_.find(live.channel);
  if (found == subscriptions_.end() || !found->second.wanted) return;
  Subscription& subscription = found->second;
  if (!subscription.answered) return;
  if (!(live.cursor == subscription.seen)) {
    violation(live.channel, "live at " + sim::describe(live.cursor) + ", seen was " + sim::describe(subscription.seen));
  }
  if (subscription.complete) violation(live.channel, "live again though it was complete");
  if (subscription.live && !live.complete) violation(live.channel, "live again and still not complete");
  subscription.live = true;
  subscription.complete = live.complete;
}

void SimClient::on(const DeliverStrokes& deliver) {
  const Channel& channel = deliver.strokes.front()->channel;
  const auto found = subscriptions_.find(channel);
  if (found == subscriptions_.end()) return violation(channel, "strokes of what it did not open");
  Subscription& subscription = found->second;
  if (!subscription.answered) {
    // Of the subscription before: it may go on until the next one's answer.
    if (subscription.overlaps) return;
    return violation(channel, "strokes before subscribed");
  }
  for (const StrokePtr& stroke : deliver.strokes) {
    const Seq seen = subscription.seen.at(stroke->origin);
    if (stroke->channel != channel) violation(channel, "strokes of two channels in a batch");
    if (stroke->seq != seen + 1) {
      violation(channel, stroke->origin + ":" + std::to_string(stroke->seq) + " after " + std::to_string(seen));
      return;
    }
    subscription.seen.set(stroke->origin, stroke->seq);
    subscription.strokes.push_back(stroke);
  }
}

// ---- publishing
// -------------------------------------------------------------------------------------------------------

Op SimClient::publish(const Channel& channel, std::size_t data_bytes) {
  const Op op = ++last_op_;
  std::string data = make_data(name_, op, data_bytes);
  wiring_.checker.sent(channel, name_, op, data);
  outbox_[op] = Pending{channel, std::move(data), false, 0, 0};
  if (state_ == State::open) pump();
  return op;
}

void SimClient::publish_again(const Channel& channel, Op op, std::optional<std::string> other_data) {
  Publish publish{conn_, ++last_request_, channel, name_, op, {}, true, std::nullopt};
  publish.data = other_data ? *other_data : wiring_.checker.channels().at(channel).sent.at({name_, op});
  requests_[publish.id] = Request{channel, op};
  send(std::move(publish));
}

void SimClient::send_publish(Op op, Pending& pending) {
  const bool retry = std::exchange(pending.sent, true);
  pending.sent_at = wiring_.agenda.now();
  requests_[++last_request_] = Request{pending.channel, op};
  send(Publish{conn_, last_request_, pending.channel, name_, op, pending.data, retry, std::nullopt});
}

void SimClient::pump() {
  std::size_t in_flight = 0;
  for (auto& [op, pending] : outbox_) {
    if (++in_flight > kInFlightMax) return;
    if (pending.sent_at == 0 && wiring_.agenda.now() >= pending.not_before) send_publish(op, pending);
  }
}

void SimClient::look_after() {
  wiring_.agenda.after(250_ms, [this] {
    if (state_ == State::idle) return;
    if (state_ == State::open && !outbox_.empty()) {
      Pending& oldest = outbox_.begin()->second;
      const bool impatient = oldest.sent_at != 0 && wiring_.agenda.now() > oldest.sent_at + kPatienceUs;
      if (impatient && random_.chance(300)) {
        reconnect();
      } else {
        if (impatient) oldest.sent_at = 0;
        pump();
      }
    }
    look_after();
  });
}

void SimClient::on(const SendAck& ack) {
  const auto request = requests_.find(ack.id);
  if (request == requests_.end() || request->second.op == 0 || request->second.channel != ack.channel) {
    return violation(ack.channel, "an ack for what it did not publish");
  }
  outbox_.erase(request->second.op);
  requests_.erase(request);
  acks_.push_back(ack);
  pump();
}

void SimClient::on(const SendError& error) {
  errors_.push_back(error);
  const auto request = error.id ? requests_.find(*error.id) : requests_.end();
  if (request == requests_.end()) return;
  const auto [channel, op] = request->second;
  requests_.erase(request);
  const bool passing = error.code == ErrorCode::storage_full || error.code == ErrorCode::unavailable ||
                       error.code == ErrorCode::rate_limited;
  const auto pending = outbox_.find(op);
  if (!passing) {
    if (op == 0 || pending != outbox_.end()) violation(channel, "error " + sim::describe(error.code));
    return;
  }
  const SimUs again_us = std::max<SimUs>(error.retry_ms, 50) * 1000;
  if (pending != outbox_.end()) {
    pending->second.sent_at = 0;
    pending->second.not_before = wiring_.agenda.now() + again_us;
    return;
  }
  if (op != 0) return;
  wiring_.agenda.after(again_us, [this, channel = channel, session = session_] {
    if (session != session_ || state_ != State::open) return;
    Subscription& subscription = subscriptions_[channel];
    if (subscription.wanted && !subscription.answered) send_subscribe(channel, subscription);
  });
}

std::string SimClient::signal_data() const {
  return "{\"session\":" + std::to_string(session_) + "}";
}

void SimClient::signal(const Channel& channel) {
  if (state_ == State::open) send(SignalSent{conn_, channel, name_, signal_data()});
}

void SimClient::ask_presence(const Channel& channel) {
  if (state_ == State::open) send(PresenceAsk{conn_, ++last_request_, channel});
}

void SimClient::on(const SendPresence& presence) {
  const auto found = subscriptions_.find(presence.channel);
  if (found == subscriptions_.end()) return violation(presence.channel, "presence of what it did not open");
  const auto& told = found->second.present.emplace(Subscription::Told{presence.clients, {}});
  const auto not_ascending = [](const Present& a, const Present& b) { return a.client >= b.client; };
  const auto end = presence.clients->end();
  const auto one = std::adjacent_find(presence.clients->begin(), end, not_ascending);
  if (one == end || told.who().size() == presence.clients->size()) return;
  violation(presence.channel, one->client + " or another one is present twice");
}

SimClient::Subscription::Who SimClient::Subscription::Told::who() const {
  Who who;
  for (const Present& each : *list)
    who.emplace(each.client, each.node);
  for (const auto& [each, there] : since)
    there ? static_cast<void>(who.insert(each)) : static_cast<void>(who.erase(each));
  return who;
}

void SimClient::on(const SendPresenceChange& change) {
  const auto found = subscriptions_.find(change.channel);
  if (found == subscriptions_.end() || !found->second.present) return;
  for (const Present& who : change.left)
    found->second.present->since[{who.client, who.node}] = false;
  for (const Present& who : change.joined)
    found->second.present->since[{who.client, who.node}] = true;
}

// ---- what it is told
// --------------------------------------------------------------------------------------------------

void SimClient::receive(std::uint64_t session, const Effect& effect) {
  if (session != session_ || state_ != State::open) return;
  if (wiring_.trace.recording())
    record(channel_of(effect), "hears " + replace_conns(sim::describe(effect), [](auto) { return std::string(); }));
  if (on_hear) on_hear(effect);
  std::visit(
      [this](const auto& what) {
        using T = std::decay_t<decltype(what)>;
        if constexpr (requires { on(what); }) {
          on(what);
        } else if constexpr (std::is_same_v<T, DeliverSignal>) {
          ++signals_;
          if (what.client == name_ && what.data == signal_data()) violation(what.channel, "its own signal came back");
          const auto found = subscriptions_.find(what.channel);
          if (found == subscriptions_.end()) violation(what.channel, "a signal of what it did not open");
        }
      },
      effect);
}

std::string SimClient::describe(const Channel& channel) const {
  std::string text = name_ + " at " + wiring_.nodes[node_]->id() + (connected() ? "" : " (not connected)");
  if (!outbox_.empty()) {
    text += ", " + std::to_string(outbox_.size()) + " not acknowledged, the first " + name_ + "/" +
            std::to_string(outbox_.begin()->first);
  }
  for (const auto& [name, subscription] : subscriptions_) {
    if (!channel.empty() && name != channel) continue;
    text += "; " + (channel.empty() ? name + " " : "") + (subscription.answered ? "" : "un") + "answered " +
            (subscription.live ? "live " : "not live ") + (subscription.complete ? "complete" : "incomplete");
    if (channel.empty()) text += " " + sim::describe(subscription.seen);
  }
  return text;
}

}  // namespace inkmesh::sim
