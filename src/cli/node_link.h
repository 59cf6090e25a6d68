// A session's connection to whichever node answers: it goes to another when one is lost. What to say again then is the
// caller's: it knows its cursor and its unacknowledged publishes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/json_slice.h"
#include "cli/ws_client.h"
#include "inkmesh/config.h"

namespace inkmesh::cli {

struct LinkSettings {
  Address address;                             ///< of a node or a balancer
  bool stay = false;                           ///< never go to another address: a balancer chooses
  std::string client;                          ///< the connection's name; empty: the node chooses
  std::chrono::milliseconds patience{60'000};  ///< how long to look for a node once the first is lost
};

/// What a node said of itself.
struct Welcome {
  std::string node;
  std::string client;
  std::uint64_t publish_per_s = 0;  ///< 0: it did not say
};

class NodeLink {
 public:
  /// `note` gets a line for the operator whenever the link is lost or found.
  NodeLink(LinkSettings settings, std::function<void(const std::string&)> note);

  /// Connects, says hello and hears the welcome. The first time it tries the given address once; later it tries every
  /// known one, round after round. Throws std::runtime_error when its patience ends.
  void connect();

  bool is_open() const {
    return ws_ != nullptr && ws_->is_open();
  }
  const Welcome& welcome() const {
    return welcome_;
  }
  unsigned reconnects() const {
    return reconnects_;
  }

  void send(const std::string& text);
  std::size_t unsent_bytes() const;

  /// The next message but for welcome, pong and goaway, which are answered here; nothing when none came in time, or
  /// when the link was lost: then is_open() is false and connect() is due. A node that is silent for 20 s is lost.
  std::optional<std::string> receive(std::chrono::milliseconds timeout);

  void close();

 private:
  using Clock = std::chrono::steady_clock;

  void connect_to(const Address& address, std::chrono::milliseconds timeout);
  void learn_addresses(const Address& from);
  void lose(const std::string& why);

  LinkSettings settings_;
  std::function<void(const std::string&)> note_;
  std::vector<Address> addresses_;  ///< the given one first
  std::size_t next_ = 0;
  bool was_connected_ = false;
  unsigned reconnects_ = 0;
  std::unique_ptr<WsClient> ws_;
  Welcome welcome_;
  Clock::time_point heard_;
  bool pinged_ = false;
};

}  // namespace inkmesh::cli
