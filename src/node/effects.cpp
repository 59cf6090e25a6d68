#include "node/effects.h"

#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "node/http_routes.h"
#include "wire/client_codec.h"

namespace inkmesh::node {
namespace {

using edge::Outgoing;

/// Clients come back after a time of their own choosing in about this, not all at once.
constexpr unsigned kSentAwayRetryMs = 300;

/// What a client that keeps to the protocol does not meet again and again, as it may meet a node that is busy or full.
bool is_clients_mistake(ErrorCode code) {
  switch (code) {
    case ErrorCode::rate_limited:
    case ErrorCode::unavailable:
    case ErrorCode::storage_full:
      return false;
    default:
      return true;
  }
}

class Turn {
 public:
  explicit Turn(Outlets& outlets) : outlets_(outlets) {}

  void operator()(SendAck& ack) {
    if (is_http(ack.conn)) return outlets_.answer_http(ack.conn, response_to(ack));
    answer(ack);
  }
  void operator()(SendError& error) {
    if (is_http(error.conn)) return outlets_.answer_http(error.conn, response_to(error));
    answer(error);
    frames_.back().mistake = is_clients_mistake(error.code);
  }
  void operator()(HistoryPage& page) {
    outlets_.answer_http(page.conn, response_to(page));
  }
  void operator()(SendSubscribed& subscribed) {
    answer(subscribed);
  }
  void operator()(SendLive& live) {
    answer(live);
  }
  void operator()(SendUnsubscribed& unsubscribed) {
    answer(unsubscribed);
  }
  void operator()(SendPresence& presence) {
    answer(presence);
  }

  void operator()(DeliverStrokes& deliver) {
    std::vector<std::string> texts = wire::encode_strokes(deliver.strokes);
    for (std::size_t n = 0; n < texts.size(); ++n) {
      // The cost is paid back once the last of them has left.
      to_all(deliver.to, std::move(texts[n]), n + 1 == texts.size() ? deliver.cost : 0);
    }
  }
  void operator()(DeliverSignal& signal) {
    to_all(signal.to, wire::encode(signal), signal.cost);
  }
  void operator()(SendPresenceChange& change) {
    to_all(change.to, wire::encode(change), 0);
  }

  void operator()(SendAway& away) {
    to_all(only(away.conn), wire::encode_goaway(kSentAwayRetryMs), 0);
    sent_away_.push_back(std::move(away));
  }

  void operator()(SendGossip& gossip) {
    outlets_.send_gossip(gossip);
  }
  void operator()(SendFrame& frame) {
    outlets_.send_frame(frame);
  }
  void operator()(Say& say) {
    outlets_.say(say);
  }
  void operator()(Halt& halt) {
    outlets_.halt(halt);
  }

  /// Append, Repair, Note, Read, FindSince, FindOp.
  template <typename Request>
  void operator()(Request& request) {
    outlets_.submit(std::move(request));
  }

  void finish() {
    if (!frames_.empty()) outlets_.send_to_clients(std::move(frames_));
    for (const SendAway& away : sent_away_)
      outlets_.close_client(away.conn, away.reason);
  }

 private:
  template <typename Answer>
  void answer(const Answer& answer) {
    to_all(only(answer.conn), wire::encode(answer), 0);
  }

  void to_all(Recipients to, std::string&& text, std::size_t cost) {
    frames_.push_back({std::move(to), std::make_shared<const std::string>(std::move(text)), cost});
  }

  /// Several answers to one connection in a row share their list.
  const Recipients& only(ConnId conn) {
    if (!one_ || one_->front() != conn) one_ = std::make_shared<const std::vector<ConnId>>(1, conn);
    return one_;
  }

  Outlets& outlets_;
  std::vector<Outgoing> frames_;
  Recipients one_;
  std::vector<SendAway> sent_away_;
};

}  // namespace

void carry_out(Effects& effects, Outlets& outlets) {
  Turn turn(outlets);
  for (Effect& effect : effects)
    std::visit(turn, effect);
  turn.finish();
  effects.clear();
}

}  // namespace inkmesh::node
