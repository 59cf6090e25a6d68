// The floor: the least work with which a WebSocket server can hand a stroke to all who look on, here and at its peers.
//
// One thread, one epoll. Nothing is stored, checked, numbered, remembered or acknowledged; a peer that is away misses
// what is sent meanwhile. What it costs is what no server of this kind can save.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace inkmesh::bench {

struct FloorSettings {
  sockaddr_in clients{};           ///< where WebSockets come in
  sockaddr_in mesh{};              ///< where peers connect to; port 0: nowhere
  std::vector<sockaddr_in> peers;  ///< the other nodes' mesh addresses
};

class FloorServer {
 public:
  explicit FloorServer(FloorSettings settings);
  ~FloorServer();
  FloorServer(const FloorServer&) = delete;
  FloorServer& operator=(const FloorServer&) = delete;

  /// Serves until the process ends.
  [[noreturn]] void run();

 private:
  enum class Kind : std::uint8_t { client_listener, mesh_listener, upgrading, client, peer_in, peer_out };

  struct Channel;
  struct Link {
    Kind kind = Kind::client;
    int fd = -1;
    bool connected = true;
    bool wants_write = false;
    bool dirty = false;   ///< has output that no write was tried for in this turn
    bool broken = false;  ///< to be closed at the end of the turn
    std::string input;
    std::string output;
    std::vector<Channel*> channels;
    sockaddr_in address{};  ///< of a peer
  };
  struct Channel {
    std::vector<Link*> subscribers;
  };

  Link& add(Kind kind, int fd, bool writes);
  void accept_all(const Link& listener);
  void connect_peers();
  void serve(Link& link, std::uint32_t events);
  void read(Link& link);
  std::size_t parse(Link& link, char* bytes, std::size_t size);
  std::size_t upgrade(Link& link, std::string_view bytes);
  std::size_t parse_client(Link& link, char* bytes, std::size_t size);
  std::size_t parse_peer(std::string_view bytes);
  void handle(Link& link, std::string_view message);
  void deliver(std::string_view channel, std::string_view data);
  void forward(std::string_view channel, std::string_view data);
  void append(Link& link, std::string_view bytes);
  void write(Link& link);
  void finish_turn();
  void remove(Link& link);

  FloorSettings settings_;
  int epoll_ = -1;
  std::vector<char> buffer_;
  std::string frame_;
  std::unordered_map<Link*, std::unique_ptr<Link>> links_;
  std::vector<Link*> peers_;  // those that strokes are sent to
  std::vector<Link*> dirty_;
  std::vector<Link*> broken_;
  std::unordered_map<std::string, Channel> channels_;
  std::string channel_name_;
};

}  // namespace inkmesh::bench
