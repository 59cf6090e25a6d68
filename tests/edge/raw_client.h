// A WebSocket and HTTP client of bare bytes on a blocking socket: nothing is hidden, and every mistake can be made.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inkmesh::edge::test {

using Millis = std::chrono::milliseconds;

constexpr std::uint8_t kText = 1;
constexpr std::uint8_t kBinary = 2;
constexpr std::uint8_t kClose = 8;
constexpr std::uint8_t kPing = 9;
constexpr std::uint8_t kPong = 10;
constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kRsv1 = 0x40;

struct Frame {
  std::uint8_t first = 0;  ///< FIN, RSV and opcode
  std::string payload;
  std::uint8_t opcode() const {
    return first & 0x0FU;
  }
};

/// A frame as a client sends it. The mask is fixed: what it hides is no secret here.
std::string client_frame(std::uint8_t first, std::string_view payload, bool masked = true);

/// An upgrade request with more header lines, each ending in CR LF.
std::string upgrade_request(std::string_view path = "/ws", std::string_view more = "");

class RawClient {
 public:
  /// Connects from an address of its own choice; `receive_buffer` of the socket, 0: as it comes. Throws when it cannot.
  explicit RawClient(std::uint16_t port, const char* from = "127.0.0.1", int receive_buffer = 0);
  /// A socket that is not connected yet.
  static RawClient unconnected();
  void connect_to(std::uint16_t port);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&&) = delete;

  /// False when the peer has closed.
  bool send_raw(std::string_view bytes);
  /// Sends what the socket takes without waiting; how much that was, or -1 when the peer has closed.
  long send_some(std::string_view bytes);
  bool send_text(std::string_view text) {
    return send_raw(client_frame(kFin | kText, text));
  }

  /// Reads an HTTP answer's head; what follows it stays for read_frame().
  std::string read_head();
  /// Sends an upgrade and reads the answer's head.
  std::string upgrade(std::string_view path = "/ws", std::string_view more = "");
  /// upgrade(), which must succeed.
  RawClient& open(std::string_view more = "");

  /// Nothing when none came in time or the peer has closed.
  std::optional<Frame> read_frame(Millis timeout = Millis(5000));
  /// The next text message; empty when none came. Control frames before it are skipped.
  std::string read_text(Millis timeout = Millis(5000));
  /// Reads until a close frame; its code. 1005: a close without a code; 1006: the connection ended without one; 0: none
  /// in time.
  unsigned read_close(Millis timeout = Millis(5000));
  /// All that comes until the peer closes or time is up.
  std::string read_all(Millis timeout = Millis(5000));
  /// Reads and forgets; true when the peer closed (or reset) in time.
  bool closed_within(Millis timeout);
  /// Takes at most so many bytes off the socket and forgets them; how many there were.
  std::size_t drop(std::size_t bytes);

  /// {"type":"ping"} and its answer; how long it took, or nothing when none came in time.
  std::optional<Millis> round_trip(Millis timeout = Millis(5000));

  int fd() const {
    return fd_;
  }
  void close_now();

 private:
  explicit RawClient(int fd) : fd_(fd) {}
  bool fill(std::chrono::steady_clock::time_point deadline);

  int fd_ = -1;
  bool ended_ = false;
  std::string in_;
};

}  // namespace inkmesh::edge::test
