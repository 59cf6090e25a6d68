// A shard's insides: shard.cpp has its loop, what others ask of it and its end, connection_lives.cpp how connections
// come and time out, connection_events.cpp what happens on one.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include "core/pace.h"
#include "edge/endpoint_config.h"
#include "edge/shard.h"
#include "edge/text_frame.h"
#include "edge/wheel.h"

namespace inkmesh::edge {

constexpr MonotonicMs kHttpAnswerMs = 10'000;  ///< for the node to answer a request
constexpr MonotonicMs kHttpWriteMs = 10'000;   ///< without a byte of an answer leaving
constexpr MonotonicMs kMessageMs = 30'000;     ///< for one message to become whole
constexpr MonotonicMs kCloseMs = 3'000;        ///< for what is unsent to leave before a close
constexpr MonotonicMs kSlowedMs = 50;          ///< how often a slowed connection is looked at
constexpr MonotonicMs kAcceptBackOffMs = 100;  ///< while descriptors are short
constexpr MonotonicMs kReportMs = 100;         ///< Written is told at the latest then
constexpr std::size_t kManyRecipients = 16;    ///< from here on a list's connections are kept
constexpr std::size_t kWritePartsMax = 64;     ///< of one write
constexpr std::size_t kWriteBytesMax = std::size_t{128} * 1024;
constexpr std::size_t kMergedBytesMax =
    std::size_t{64} * 1024;  ///< frames for the same connections are one buffer up to here
/// Answers of HTTP requests that have not left yet, of the whole edge. Small ones go out whatever waits.
constexpr std::size_t kHttpBytesMax = std::size_t{64} << 20;
constexpr std::size_t kHttpSmallBytes = 4'096;

/// How long a round of reading keeps the next one waiting after a busy time, and one that heard several.
constexpr std::uint64_t kRoundUs = 500;
constexpr std::uint64_t kSharedRoundUs = 2'000;
constexpr std::size_t kSharedRound = 3;
/// Where the edge has no thread of its own, its owner has other things to do, too.
constexpr std::uint64_t kTurnUsMax = 4'000;

constexpr std::uint16_t kCloseBroken = 1002;
constexpr std::uint16_t kCloseNotText = 1003;
constexpr std::uint16_t kCloseGoingAway = 1012;
constexpr std::uint16_t kCloseAbuse = 4429;

class ShardImpl final : public Shard, private TransportOwner {
 public:
  ShardImpl(unsigned index, EdgeShared& shared, const std::vector<int>& listeners);
  ~ShardImpl() override;

  void start() override;
  void watch(int descriptor) override;
  std::uint64_t turn(std::int64_t wait_ms) override;
  void post(std::vector<ShardCommand>&& commands) override;
  void drain(std::uint32_t grace_ms, std::uint32_t retry_ms) override;
  void join() override;
  const ShardStats& stats() const override {
    return stats_;
  }

 private:
  struct Listener {
    explicit Listener(asio::io_context& io) : acceptor(io), retry(io) {}
    asio::ip::tcp::acceptor acceptor;
    asio::steady_timer retry;
  };

  // shard.cpp
  void run();
  void rest(std::size_t handled);
  /// What cannot be carried out for want of memory ends the process: a frame left out would be a gap for a subscriber.
  void carry_out() noexcept;
  void take_inbox();
  /// How many of the commands from here on were one delivery.
  std::size_t deliver(const ShardCommand* first, const ShardCommand* end);
  Connection* find(ConnId conn);
  /// Those of a list that are here; gone ones may be null. Until the next call.
  const std::vector<Connection*>& find_all(const std::shared_ptr<const std::vector<ConnId>>& list);
  void begin_drain(std::uint32_t grace_ms, std::uint32_t retry_ms);
  void hard_stop();
  void maybe_finish();

  // connection_lives.cpp
  void accept_next(Listener& listener);
  void on_accepted(Listener& listener, const asio::error_code& error, asio::ip::tcp::socket&& socket);
  void admit(asio::ip::tcp::socket&& socket);
  void set_handlers(Connection& c);
  void evict_oldest_handshake();
  void on_tick();
  void look_at(Connection& c, MonotonicMs now);
  void look_at_open(Connection& c, MonotonicMs now);
  void look_again(Connection& c, MonotonicMs due_ms);
  void arm_tick();
  void report_all();

  // connection_events.cpp
  bool on_read(Transport& transport, const char* data, std::size_t size) override;
  void on_written(Transport& transport) override;
  void on_write_failed(Transport& transport) override;
  void on_socket_closed(Transport& transport) override;
  bool on_validate(Connection& c);
  int refusal_of(Connection& c);
  bool count_address(Connection& c);
  bool take_place(Connection& c);
  void on_http(Connection& c);
  void respond(Connection& c, HttpResponse&& response);
  void on_open(Connection& c);
  void on_message(Connection& c, const Message& message);
  bool on_ping(Connection& c, const std::string& payload);
  void on_over(Connection& c);
  void push(Connection& c, const SharedBytes& frames, std::size_t count, std::size_t cost);
  void mark_dirty(Connection& c);
  void flush_soon();
  void flush();
  void pump(Connection& c);
  void settle(Connection& c, std::size_t before);
  void report(Connection& c);
  void tell_written();
  void update_reading(Connection& c);
  void close_softly(Connection& c, std::uint16_t code, std::string reason);
  void close_for_abuse(Connection& c, const char* reason);
  void cut(Connection& c);
  void set_phase(Connection& c, Phase phase);

  const unsigned index_;
  const bool has_thread_;
  EdgeShared& shared_;
  const LimitSettings limits_;
  const FrameLimits frame_limits_;
  const std::size_t handshakes_max_;
  const std::size_t http_bytes_max_;
  ShardStats stats_;

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  WsServer endpoint_;
  ClientProtocol protocol_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<ConnId, Connection::ptr> connections_;
  std::deque<ConnId> handshakes_;  // oldest first; some are over
  ConnId last_conn_ = 0;

  Wheel wheel_;
  asio::steady_timer tick_timer_;
  asio::steady_timer report_timer_;
  asio::steady_timer grace_timer_;
  std::vector<ConnId> reporting_;
  std::vector<Written> written_;  // to be told with the turn
  bool report_armed_ = false;
  struct Found {
    std::shared_ptr<const std::vector<ConnId>> list;
    std::vector<Connection*> here;
  };
  std::array<Found, 8> found_;  // lists that many frames go to, as long as nobody goes
  std::size_t found_next_ = 0;
  Found found_once_;
  std::vector<Connection*> dirty_;
  std::vector<Connection*> flushing_;
  bool flush_posted_ = false;
  const Connection* pumped_ = nullptr;
  bool draining_ = false;
  std::size_t http_bytes_ = 0;

  std::mutex inbox_mutex_;
  std::vector<ShardCommand> inbox_;
  bool woken_ = false;
  bool resting_ = false;
  std::condition_variable wake_;
  bool joined_ = false;
  core::Pace pace_{100'000};
  std::vector<ShardCommand> taken_;

  std::thread thread_;
  // Without a thread:
  asio::posix::stream_descriptor watched_;
  bool watching_ = false;
  std::promise<void> over_;
  std::future<void> over_future_ = over_.get_future();
  bool told_over_ = false;
};

/// Adds to a counter that only the shard's thread writes.
inline void add(std::atomic<std::uint64_t>& counter, std::uint64_t delta) {
  counter.store(counter.load(std::memory_order_relaxed) + delta, std::memory_order_relaxed);
}

}  // namespace inkmesh::edge
