// What the edge itself does with a client's messages: names, pongs, rates, errors; the rest goes to the node. Pure: no
// socket in it.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "edge/rate.h"
#include "edge/ws_edge.h"
#include "inkmesh/config.h"
#include "inkmesh/effect.h"
#include "inkmesh/types.h"

namespace inkmesh::edge {

/// How long a client is asked to wait where the node is too busy.
constexpr std::uint32_t kBusyRetryMs = 500;
/// The least and the most that a client over its rate is asked to wait.
constexpr std::uint32_t kRateRetryMsMin = 50;
constexpr std::uint32_t kRateRetryMsMax = 5'000;
/// Messages in error that a client may send: this many at once, and in the long run so many in a second.
constexpr Rate kErrorRate{10, 100};
/// Pings that a client may send, as WebSocket frames or as messages, each kind by itself.
constexpr Rate kPingRate{20, 100};

/// One connection's state in the protocol.
struct ClientState {
  ConnId conn = 0;
  ClientName name;      ///< set once `opened`
  bool opened = false;  ///< ConnOpened was told
  TokenBucket publishes;
  TokenBucket signals;
  TokenBucket errors;
  TokenBucket pings;
};

struct Reply {
  std::string text;             ///< one message for the client; empty: none
  const char* abuse = nullptr;  ///< close the connection: what there was too much of
};

class ClientProtocol {
 public:
  /// `sink` must outlive it. `seed` is for connection names.
  ClientProtocol(const NodeId& node, const LimitSettings& limits, const EdgeSink& sink, std::uint64_t seed);

  /// One whole text message.
  Reply on_text(ClientState& client, std::string_view text, MonotonicMs now_ms);

  /// Tells ConnClosed if ConnOpened was told. Further calls do nothing.
  void on_gone(ClientState& client);

 private:
  Reply on_hello(ClientState& client, std::optional<ClientName>&& name, MonotonicMs now_ms);
  template <typename Request>
  Reply pass_on(ClientState& client, Request&& request);
  Reply refuse(ClientState& client, SendError&& error, MonotonicMs now_ms);
  void open(ClientState& client, std::optional<ClientName>&& name);
  ClientName random_name();

  const EdgeSink& sink_;
  const NodeId node_;
  const LimitSettings limits_;
  const Rate publish_rate_;
  const Rate signal_rate_;
  std::mt19937_64 random_;
};

}  // namespace inkmesh::edge
