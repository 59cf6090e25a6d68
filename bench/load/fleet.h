// All of the load generator's WebSocket connections on one epoll and one thread.
//
// Nothing is allocated once the connections are open: every read goes into one large buffer, and what a frame still
// lacks is kept with its connection until the next.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/websocket.h"
#include "load/dialect.h"
#include "load/marker.h"

namespace inkmesh::bench {

/// The run cannot go on, or its figures would mean nothing.
struct RunFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Fleet;

/// One client. Who draws where is the workload's business; `user` is its own.
struct Connection {
  enum class State : std::uint8_t { closed, connecting, upgrading, greeting, ready };

  int fd = -1;
  State state = State::closed;
  bool wants_write = false;
  bool silent = false;  ///< does not read (Fleet::stop_reading)
  std::uint32_t index = 0;
  std::uint32_t node = 0;
  std::uint64_t last_id = 0;  ///< of the last request that was numbered
  std::string client;         ///< its name
  std::string input;          ///< the start of a frame that has not come whole
  std::string output;         ///< what the socket did not take
  bool small = false;         ///< its socket takes little before it is read (Fleet::open)
};

/// What a workload hears of its connections.
class Listener {
 public:
  virtual ~Listener() = default;
  /// Greeted: requests may be sent.
  virtual void ready(Connection& connection) = 0;
  virtual void subscribed(Connection& connection, std::uint64_t now) = 0;
  virtual void acked(Connection& connection, std::uint64_t now) = 0;
  virtual void delivered(Connection& connection, const Mark& mark, std::uint64_t now) = 0;
  /// Every message of a connection that is ready, before the dialect reads it. True: it needs nothing more.
  virtual bool message(Connection&, std::string_view /*text*/, std::uint64_t /*now*/) {
    return false;
  }
  /// The server ended the connection, or refused it. The default ends the run.
  virtual void lost(Connection& connection, const std::string& why);
};

class Fleet {
 public:
  /// `urls`: the nodes' addresses. The dialect and the listener outlive the fleet.
  Fleet(const std::vector<std::string>& urls, const Dialect& dialect, Listener& listener);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  /// A connection to a node that opens as soon as not too many others are under way.
  /// `small`: with the smallest receive buffer, so that the server soon notices when it is not read.
  Connection& open(std::uint32_t node, std::string client, bool small = false);
  /// Closes a connection, whatever its state, and opens it again at that node.
  void reopen(Connection& connection, std::uint32_t node);
  void close(Connection& connection);

  void subscribe(Connection& connection, std::string_view channel);
  /// Subscribes to what lies past a cursor. Throws RunFailed where the dialect has no such thing.
  void resume(Connection& connection, std::string_view channel, std::string_view cursor);
  /// `data` as `Dialect::publish` takes them. Leaves at the next flush.
  void publish(Connection& connection, std::uint64_t op, std::string_view channel, std::string_view data);
  /// A message of the workload's own making. Leaves at the next flush.
  void send_text(Connection& connection, std::string_view message) {
    send(connection, message);
  }
  /// Writes what publish left.
  void flush(Connection& connection);

  void stop_reading(Connection& connection);
  void start_reading(Connection& connection);

  /// Waits for at most that long, and handles what has come.
  void turn(std::uint64_t wait_ns);

  std::size_t size() const {
    return connections_.size();
  }
  Connection& at(std::size_t index) {
    return *connections_[index];
  }
  /// Connections that are waiting to open or not ready yet.
  std::size_t unfinished() const {
    return waiting_.size() + opening_;
  }
  std::uint64_t bytes_read() const {
    return bytes_read_;
  }

  /// How many connections open at a time: 64 unless set.
  void set_opening(std::size_t limit) {
    opening_limit_ = limit;
  }

 private:
  void start_waiting();
  void connect(Connection& connection);
  void finish_connect(Connection& connection);
  void drop(Connection& connection, const std::string& why);
  void forget(Connection& connection);
  void watch(Connection& connection);
  void readable(Connection& connection);
  std::size_t parse(Connection& connection, char* bytes, std::size_t size, std::uint64_t now);
  std::size_t read_upgrade(Connection& connection, std::string_view bytes);
  void greet(Connection& connection);
  void become_ready(Connection& connection);
  void read_message(Connection& connection, std::string_view message, std::uint64_t now);
  void send(Connection& connection, std::string_view message);

  const Dialect& dialect_;
  Listener& listener_;
  Opcode message_opcode_;
  std::vector<std::string> hosts_;
  std::vector<sockaddr_in> addresses_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> waiting_;
  std::size_t opening_ = 0;
  std::size_t opening_limit_ = 64;
  int epoll_ = -1;
  std::uint64_t bytes_read_ = 0;
  std::vector<char> buffer_;
  std::string message_;
};

}  // namespace inkmesh::bench
