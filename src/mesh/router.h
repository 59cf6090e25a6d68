// The peers' way in: a ROUTER that listens, and takes from whoever connects; what a message says is for the mesh.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inkmesh/config.h"
#include "mesh/connection.h"
#include "mesh/poller.h"

namespace inkmesh::mesh {

class Router {
 public:
  /// Listens; throws std::runtime_error with the address and the reason when it cannot. More connections than
  /// `connections_max` make the oldest go that never said anything of a peer.
  Router(Poller& poller, const Address& listen, std::size_t connections_max);
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  struct Message {
    std::size_t parts = 0;
    std::string_view last;       ///< the last part; only during the call
    const std::string& address;  ///< where it came from
  };
  /// True when a peer said it. Must not throw.
  using OnMessage = std::function<bool(const Message& message)>;

  /// A bounded number of messages.
  void turn(std::string& scratch, const OnMessage& on_message);
  /// Messages are left for the next turn() that no descriptor tells of.
  bool waits() const;
  /// Every kHeartbeatIntervalMs.
  void beat();

 private:
  struct Listener {
    Descriptor socket;
    std::uint32_t ready = 0;
  };
  struct Guest {
    Guest(Poller& poller, Descriptor&& socket, std::string from)
        : connection(poller, std::move(socket), zmtp::Role::router), address(std::move(from)) {}
    Connection connection;
    std::string address;
    bool is_peer = false;
  };

  void accept(Listener& listener);
  void make_room();
  void remove_ended();

  Poller& poller_;
  const std::size_t connections_max_;
  /// No descriptor was left for who knocks: they wait until the next beat.
  bool resting_ = false;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Guest>> guests_;  ///< in the order in which they came
  std::size_t turns_ = 0;
};

}  // namespace inkmesh::mesh
