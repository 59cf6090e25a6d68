// websocketpp's transport policy on an Asio socket, our own for what its stock one cannot do:
//   - it writes at once, without a way through the event loop, and tells when bytes have left;
//   - it shows every byte that was read before websocketpp parses it, and can pause reading without losing any;
//   - it closes gently: what the peer still sends is read and dropped for a while, so that the close frame or the HTTP
//     answer is not destroyed by a reset;
//   - it has no buffers of its own.
// All of a transport happens on the one thread that runs its io_context.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <websocketpp/common/connection_hdl.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/transport/base/connection.hpp>

#include "inkmesh/types.h"

namespace inkmesh::edge {

class Transport;

inline MonotonicMs monotonic_ms() {
  using namespace std::chrono;
  return static_cast<MonotonicMs>(duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

/// What a transport tells its owner. None may throw.
class TransportOwner {
 public:
  /// Bytes have come; websocketpp gets them next, unless this says false: then they are dropped and nothing is read
  /// any more.
  virtual bool on_read(Transport& transport, const char* data, std::size_t size) = 0;
  /// A write of websocketpp's has ended, well or not, and it knows; or what was given to finish() has left.
  virtual void on_written(Transport& transport) = 0;
  /// What was given to finish() cannot leave any more.
  virtual void on_write_failed(Transport& transport) = 0;
  /// The descriptor is closed. Called from the event loop, once, for every transport that was started.
  virtual void on_socket_closed(Transport& transport) = 0;

 protected:
  ~TransportOwner() = default;
};

class Transport : public std::enable_shared_from_this<Transport> {
 public:
  using ptr = std::shared_ptr<Transport>;
  using timer_ptr = std::shared_ptr<asio::steady_timer>;
  using error_code = websocketpp::lib::error_code;

  /// How long and how much is read and dropped after the end.
  static constexpr MonotonicMs kLingerMs = 1'000;
  static constexpr std::size_t kLingerBytes = std::size_t{256} * 1024;

  template <typename Logger>
  Transport(bool, const Logger&, const Logger&) {}

  /// Before start(). `owner` must outlive the io_context's last run.
  void adopt(asio::ip::tcp::socket&& socket, TransportOwner& owner);

  /// Reading stops, or goes on with what had come meanwhile.
  void set_reading_paused(bool paused);
  bool reading_paused() const {
    return paused_;
  }

  /// Nothing is read any more, and what has come is dropped, until the end.
  void stop_reading() {
    deaf_ = true;
  }

  /// Sends what there is room for, past websocketpp: whole frames, or finish() must follow with what is left of one.
  /// Only while nothing is being written. How much has left; less than 0: the connection is broken.
  std::ptrdiff_t send_now(const iovec* parts, std::size_t count);
  /// Sends the rest of a frame, from `at` on, as soon as there is room, and before anything that websocketpp has.
  void finish(SharedBytes frame, std::size_t at);

  /// Into the cache, ahead of send_now().
  void prefetch() const {
    __builtin_prefetch(&rest_);
    __builtin_prefetch(&fd_);
  }

  /// To be called when the WebSocket handshake is over.
  void enter_frames() {
    frames_ = true;
  }

  bool writing() const {
    return bufs_ != nullptr || rest_ != nullptr;
  }
  /// When bytes last came, or a stalled write last moved.
  MonotonicMs alive_ms() const {
    return alive_ms_;
  }
  /// Since when the end has been lingering; 0: it is not.
  MonotonicMs lingering_since_ms() const {
    return linger_since_ms_;
  }
  /// The next shutdown closes at once.
  void forget_lingering() {
    abrupt_ = true;
  }
  /// Closes the descriptor now.
  void close_socket();

  // ---- what websocketpp asks of a transport ----

  ptr get_shared() {
    return shared_from_this();
  }
  bool is_secure() const {
    return false;
  }
  std::string get_remote_endpoint() const {
    return {};
  }
  timer_ptr set_timer(long duration_ms, websocketpp::transport::timer_handler handler);

 protected:
  void init(websocketpp::transport::init_handler handler) {
    handler(error_code());
  }
  void set_handle(websocketpp::connection_hdl) {}
  void async_read_at_least(std::size_t bytes, char* buf, std::size_t len,
                           const websocketpp::transport::read_handler& handler);
  void async_write(const char* buf, std::size_t len, websocketpp::transport::write_handler handler);
  void async_write(const std::vector<websocketpp::transport::buffer>& bufs,
                   const websocketpp::transport::write_handler& handler);
  template <typename Task>
  error_code dispatch(Task&& task) {
    asio::post(socket_->get_executor(), std::forward<Task>(task));
    return {};
  }
  template <typename Task>
  error_code interrupt(Task&& task) {
    asio::post(socket_->get_executor(), std::forward<Task>(task));
    return {};
  }
  void async_shutdown(const websocketpp::transport::shutdown_handler& handler);

 private:
  void start_read();
  void on_read_done(const asio::error_code& error, std::size_t size);
  void hand_over(error_code error, std::size_t size);
  void drop_read(const asio::error_code& error, std::size_t size);
  void wait_for_room();
  void continue_write();
  bool finish_rest();
  void end_write(error_code error);

  std::unique_ptr<asio::ip::tcp::socket> socket_;
  TransportOwner* owner_ = nullptr;

  // Reading: websocketpp asks for one read at a time, into its own buffer.
  char* read_buf_ = nullptr;
  std::size_t read_len_ = 0;
  websocketpp::transport::read_handler on_read_;
  std::size_t held_bytes_ = 0;  // came while paused

  std::size_t bufs_count_ = 0;
  std::size_t bufs_at_ = 0;
  std::size_t byte_at_ = 0;
  websocketpp::transport::buffer single_{nullptr, 0};
  websocketpp::transport::write_handler on_single_;
  const websocketpp::transport::write_handler* on_frames_ = nullptr;

  MonotonicMs alive_ms_ = 0;
  MonotonicMs linger_since_ms_ = 0;
  std::size_t linger_bytes_ = 0;

  bool read_pending_ = false;  // a read is under way in Asio
  bool read_wanted_ = false;   // websocketpp waits for bytes
  bool on_read_kept_ = false;
  bool paused_ = false;
  bool deaf_ = false;  // nothing is read any more
  bool frames_ = false;
  bool peer_gone_ = false;
  bool abrupt_ = false;
  bool wrote_ = false;
  bool shut_ = false;
  bool closed_ = false;

  // Writing: the rest of a frame of ours comes first. websocketpp starts one write at a time and keeps its buffers
  // until it has ended.
  SharedBytes rest_;
  std::size_t rest_at_ = 0;
  const websocketpp::transport::buffer* bufs_ = nullptr;
  int fd_ = -1;
};

/// websocketpp's endpoint side of the policy. Accepting is ours: see Shard.
class TransportEndpoint {
 public:
  using transport_con_type = Transport;
  using transport_con_ptr = Transport::ptr;

  bool is_secure() const {
    return false;
  }

 protected:
  template <typename Logger>
  void init_logging(const Logger&, const Logger&) {}
  websocketpp::lib::error_code init(const transport_con_ptr&) {
    return {};
  }
};

}  // namespace inkmesh::edge
