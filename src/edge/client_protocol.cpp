#include "edge/client_protocol.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "wire/client_codec.h"

namespace inkmesh::edge {
namespace {

SendError fault(std::optional<RequestId> id, ErrorCode code, std::string message, std::uint32_t retry_ms) {
  SendError error;
  error.id = id;
  error.code = code;
  error.message = std::move(message);
  error.retry_ms = retry_ms;
  return error;
}

template <typename Request>
std::optional<RequestId> id_of(const Request& request) {
  if constexpr (std::is_same_v<Request, SignalSent>) {
    return std::nullopt;
  } else {
    return request.id;
  }
}

}  // namespace

ClientProtocol::ClientProtocol(const NodeId& node, const LimitSettings& limits, const EdgeSink& sink,
                               std::uint64_t seed)
    : sink_(sink),
      node_(node),
      limits_(limits),
      publish_rate_{limits.publish_per_s, limits.publish_per_s},
      signal_rate_{limits.signal_per_s, limits.signal_per_s},
      random_(seed) {}

Reply ClientProtocol::on_text(ClientState& client, std::string_view text, MonotonicMs now_ms) {
  wire::ParsedRequest parsed = wire::parse_request(text);
  if (auto* error = std::get_if<SendError>(&parsed)) return refuse(client, std::move(*error), now_ms);

  return std::visit(
      [&](auto&& request) -> Reply {
        using Request = std::decay_t<decltype(request)>;
        if constexpr (std::is_same_v<Request, wire::Hello>) {
          return on_hello(client, std::move(request.client), now_ms);
        } else if constexpr (std::is_same_v<Request, wire::Ping>) {
          if (!client.pings.take(kPingRate, now_ms)) return Reply{{}, "too many pings"};
          return Reply{wire::encode_pong(), nullptr};
        } else if constexpr (std::is_same_v<Request, Publish>) {
          if (!client.publishes.take(publish_rate_, now_ms)) {
            const std::uint32_t wait = client.publishes.wait_ms(publish_rate_, now_ms);
            return Reply{wire::encode(fault(request.id, ErrorCode::rate_limited,
                                            "more than " + std::to_string(publish_rate_.per_s) + " publishes a second",
                                            std::clamp(wait, kRateRetryMsMin, kRateRetryMsMax))),
                         nullptr};
          }
          return pass_on(client, std::move(request));
        } else if constexpr (std::is_same_v<Request, SignalSent>) {
          if (!client.signals.take(signal_rate_, now_ms)) return Reply{};
          return pass_on(client, std::move(request));
        } else {
          return pass_on(client, std::move(request));
        }
      },
      std::move(std::get<wire::ClientRequest>(parsed)));
}

Reply ClientProtocol::on_hello(ClientState& client, std::optional<ClientName>&& name, MonotonicMs now_ms) {
  if (client.opened) {
    return refuse(client, fault(std::nullopt, ErrorCode::bad_message, "hello must be the first request", 0), now_ms);
  }
  open(client, std::move(name));
  wire::Limits limits;
  limits.message_bytes = kFrameBytesMax;
  limits.channels = limits_.channels_per_connection;
  limits.publish_per_s = limits_.publish_per_s;
  return Reply{wire::encode_welcome(node_, client.name, limits), nullptr};
}

template <typename Request>
Reply ClientProtocol::pass_on(ClientState& client, Request&& request) {
  if (!client.opened) open(client, std::nullopt);
  request.conn = client.conn;
  if constexpr (std::is_same_v<std::decay_t<Request>, Publish> || std::is_same_v<std::decay_t<Request>, SignalSent>) {
    request.client = client.name;
  }
  const std::optional<RequestId> id = id_of(request);
  if (sink_.request(Event(std::forward<Request>(request))) || !id) return Reply{};
  return Reply{wire::encode(fault(id, ErrorCode::unavailable, "the node is too busy", kBusyRetryMs)), nullptr};
}

Reply ClientProtocol::refuse(ClientState& client, SendError&& error, MonotonicMs now_ms) {
  error.conn = client.conn;
  return Reply{wire::encode(error), client.errors.take(kErrorRate, now_ms) ? nullptr : "too many errors"};
}

void ClientProtocol::open(ClientState& client, std::optional<ClientName>&& name) {
  client.name = name ? std::move(*name) : random_name();
  client.opened = true;
  sink_.control(Event(ConnOpened{client.conn, client.name}));
}

void ClientProtocol::on_gone(ClientState& client) {
  if (!std::exchange(client.opened, false)) return;
  sink_.control(Event(ConnClosed{client.conn}));
}

ClientName ClientProtocol::random_name() {
  constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  std::uint64_t bits = random_();
  ClientName name = "c-";
  for (int i = 0; i < 12; ++i, bits >>= 5)
    name += alphabet[bits & 31U];
  return name;
}

}  // namespace inkmesh::edge
