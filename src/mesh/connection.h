// One TCP connection between two nodes, spoken as ZMTP on the thread of the loop: what is sent is written at once, and
// what the kernel does not take waits in a queue that the owner bounds.
//
//   shaking hands --opening heard--> open --closed, silent, broken--> ended
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "mesh/descriptor.h"
#include "mesh/poller.h"
#include "mesh/zmtp.h"

namespace inkmesh::mesh {

class Connection {
 public:
  /// Takes over a socket that does not block and may still be connecting. Throws what Poller::watch() throws.
  Connection(Poller& poller, Descriptor&& socket, zmtp::Role role);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class State : std::uint8_t { shaking_hands, open, ended };
  State state() const {
    return state_;
  }
  /// TCP's own handshake is done.
  bool connected() const {
    return connected_;
  }

  /// Sends a message of one part as far as the kernel takes it, and queues the rest. Only while open.
  void send(std::string_view message);
  std::size_t queued_bytes() const {
    return queued_bytes_;
  }
  std::size_t queued_messages() const {
    return queue_.size();
  }

  /// Reads and writes what the poller says can be. `on_message(parts, last part)` gets each message, as many as
  /// `messages_left`, which is counted down; it must not destroy the connection. `scratch`: the memory to read into.
  template <typename OnMessage>
  void serve(std::string& scratch, std::size_t& messages_left, OnMessage&& on_message) {
    if (ready_ == 0 && !waits_ && !write_failed_) return;
    const std::uint32_t ready = std::exchange(ready_, 0);
    if ((ready & EPOLLOUT) != 0) flush();
    if (waits_ && !tell({}, messages_left, on_message)) return;
    for (std::size_t reads = 0; reads < kReadsMax; ++reads) {
      const std::size_t count = read(scratch);
      if (count == 0 || !tell({scratch.data(), count}, messages_left, on_message)) break;
      if (count < scratch.size()) break;
    }
    // Not before all that came has been read.
    if (write_failed_ && !waits_) end();
  }
  /// Messages are left that serve() has read and not told; no descriptor says so.
  bool waits() const {
    return waits_;
  }

  /// Every kHeartbeatIntervalMs: asks for a sign of life, and ends a connection that gave none for kLinkTimeoutMs, or
  /// has not shaken hands within kHandshakeTimeoutMs.
  void beat();
  void end();

  /// For the end of the process: writes what is queued, for at most so long.
  void linger(int timeout_ms);

  /// The kernel's smoothed round trip; 0: unknown.
  std::uint64_t rtt_us() const;

 private:
  static constexpr std::size_t kReadsMax = 4;

  /// False when messages are left.
  template <typename OnMessage>
  bool tell(std::string_view bytes, std::size_t& messages_left, OnMessage& on_message) {
    reader_.take(bytes);
    while (messages_left > 0 && take_next()) {
      --messages_left;
      on_message(reader_.parts(), reader_.payload());
    }
    reader_.keep();
    waits_ = messages_left == 0 && state_ != State::ended;
    return !waits_;
  }

  std::size_t read(std::string& scratch);
  /// True for a message; serves everything else itself.
  bool take_next();
  /// Both, after what is queued.
  void write(std::string_view head, std::string_view body);
  void flush();
  /// Nothing more can be written. What was received before that is whole: it is read first.
  void give_up_writing();
  void listen_for(std::uint32_t events);

  Poller& poller_;
  Descriptor socket_;
  zmtp::Reader reader_;
  State state_ = State::shaking_hands;
  bool connected_ = false;
  bool heard_ = true;
  bool waits_ = false;
  bool write_failed_ = false;
  int beats_ = 0;
  int silent_beats_ = 0;
  std::uint32_t ready_ = 0;
  std::uint32_t listens_for_ = 0;
  std::deque<std::string> queue_;
  std::size_t written_of_first_ = 0;
  std::size_t queued_bytes_ = 0;
};

}  // namespace inkmesh::mesh
