#include "edge/shard.h"

#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <random>
#include <utility>

#include <asio/post.hpp>

#include "edge/shard_impl.h"
#include "wire/client_codec.h"

namespace inkmesh::edge {
namespace {

FrameLimits frame_limits_of(const LimitSettings& limits) {
  FrameLimits out;
  const std::uint32_t messages = std::max(5'000U, 2 * (limits.publish_per_s + limits.signal_per_s));
  out.fragments_max = fragments_max(kFrameBytesMax);
  out.messages = Rate{messages, messages};
  out.extras = Rate{1'000, 2 * out.fragments_max};
  return out;
}

std::uint64_t monotonic_us() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count());
}

}  // namespace

std::unique_ptr<Shard> Shard::make(unsigned index, EdgeShared& shared, const std::vector<int>& listeners) {
  return std::make_unique<ShardImpl>(index, shared, listeners);
}

ShardImpl::ShardImpl(unsigned index, EdgeShared& shared, const std::vector<int>& listeners)
    : index_(index),
      has_thread_(shared.settings.shards > 0),
      shared_(shared),
      limits_(shared.settings.limits),
      frame_limits_(frame_limits_of(limits_)),
      handshakes_max_(std::max<std::size_t>(1, limits_.handshakes / std::max(1U, shared.settings.shards))),
      http_bytes_max_(kHttpBytesMax / std::max(1U, shared.settings.shards)),
      io_(1),
      work_(io_.get_executor()),
      protocol_(shared.settings.node, limits_, shared.sink, std::random_device{}() | std::uint64_t{index} << 32),
      wheel_(monotonic_ms()),
      tick_timer_(io_),
      report_timer_(io_),
      grace_timer_(io_),
      watched_(io_) {
  // Its first call finds out the byte order and writes that down for all threads: before there are any.
  static_cast<void>(websocketpp::lib::net::_htonll(1));
  endpoint_.set_user_agent("inkmesh");
  endpoint_.set_max_http_body_size(kFrameBytesMax);
  for (const int fd : listeners) {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
    auto listener = std::make_unique<Listener>(io_);
    listener->acceptor.assign(bound.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), fd);
    listeners_.push_back(std::move(listener));
  }
}

ShardImpl::~ShardImpl() {
  if (thread_.joinable()) {
    drain(0, 0);
    join();
  } else {
    begin_drain(0, 0);
    hard_stop();
    // Handlers of what was cancelled still hold connections.
    io_.poll();
  }
}

void ShardImpl::start() {
  for (const auto& listener : listeners_)
    accept_next(*listener);
  arm_tick();
  if (has_thread_) thread_ = std::thread([this] { run(); });
}

void ShardImpl::run() {
  pthread_setname_np(pthread_self(), "clients");
  for (;;) {
    try {
      while (const std::size_t handled = io_.run_one())
        rest(handled + io_.poll());
      return;
    } catch (const std::exception&) {
      // Out of memory, in all likelihood: the handler that threw is lost, its connection goes by its deadlines.
      continue;
    }
  }
}

/// Where many speak, those who do within a moment are heard together: waking up for each costs more than hearing it.
/// What is to be sent does not wait.
void ShardImpl::rest(std::size_t handled) {
  const std::uint64_t now = monotonic_us();
  pace_.take(now, handled >= kSharedRound ? kSharedRoundUs : kRoundUs);
  const std::uint64_t wait = pace_.wait_us(now);
  if (wait == 0) return;
  {
    std::unique_lock lock(inbox_mutex_);
    resting_ = true;
    const bool called = wake_.wait_for(lock, std::chrono::microseconds(wait), [this] { return woken_; });
    resting_ = false;
    if (!called) return;
  }
  take_inbox();
}

void ShardImpl::watch(int descriptor) {
  watched_.assign(descriptor);
}

std::uint64_t ShardImpl::turn(std::int64_t wait_ms) {
  if (watched_.is_open() && !std::exchange(watching_, true)) {
    watched_.async_wait(asio::posix::stream_descriptor::wait_read,
                        [this](const asio::error_code&) { watching_ = false; });
  }
  std::uint64_t began_us = 0;
  std::uint64_t now_us = 0;
  try {
    const std::size_t done = wait_ms > 0 ? io_.run_one_for(std::chrono::milliseconds(wait_ms)) : io_.poll_one();
    if (done == 0) return 0;
    began_us = now_us = monotonic_us();
    constexpr std::size_t kBetweenLooks = 16;
    for (std::size_t n = 1; now_us < began_us + kTurnUsMax && io_.poll_one() != 0; ++n) {
      if (n % kBetweenLooks == 0) now_us = monotonic_us();
    }
  } catch (const std::exception&) {
    // As in run(): the handler that threw is lost; what else is ready comes with the next turn.
  }
  return began_us == 0 ? 0 : monotonic_us() - began_us;
}

// ---- commands from other threads ------------------------------------------------------------------------------------

void ShardImpl::post(std::vector<ShardCommand>&& commands) {
  if (commands.empty()) return;
  if (!has_thread_) {
    taken_.swap(commands);
    return carry_out();
  }
  {
    const std::lock_guard lock(inbox_mutex_);
    if (joined_) return;
    if (inbox_.empty()) {
      inbox_.swap(commands);
    } else {
      inbox_.insert(inbox_.end(), std::make_move_iterator(commands.begin()), std::make_move_iterator(commands.end()));
    }
    if (std::exchange(woken_, true)) return;
    if (resting_) return wake_.notify_one();
  }
  asio::post(io_, [this] { take_inbox(); });
}

void ShardImpl::take_inbox() {
  {
    const std::lock_guard lock(inbox_mutex_);
    taken_.swap(inbox_);
    woken_ = false;
  }
  carry_out();
}

void ShardImpl::carry_out() noexcept {
  const bool posted = std::exchange(flush_posted_, true);
  for (std::size_t i = 0; i < taken_.size();) {
    ShardCommand& command = taken_[i];
    if (std::holds_alternative<Outgoing>(command)) {
      i += deliver(&command, taken_.data() + taken_.size());
      continue;
    }
    ++i;
    if (auto* answer = std::get_if<AnswerHttp>(&command)) {
      Connection* c = find(answer->conn & ~kConnHttpBit);
      if (c != nullptr && c->phase == Phase::asked) respond(*c, std::move(answer->response));
    } else if (auto* close = std::get_if<CloseConn>(&command)) {
      Connection* c = find(close->conn);
      if (c != nullptr && c->phase == Phase::open) close_softly(*c, close->code, std::move(close->reason));
    }
  }
  taken_.clear();
  flush_posted_ = posted;
  flush();
}

std::size_t ShardImpl::deliver(const ShardCommand* const first, const ShardCommand* end) {
  const auto& to = std::get<Outgoing>(*first).to;
  const ShardCommand* next = first;
  std::size_t bytes = 0;
  std::size_t cost = 0;
  while (next != end) {
    const auto* one = std::get_if<Outgoing>(next);
    if (one == nullptr || one->to != to || (next != first && one->mistake)) break;
    const std::size_t size = kTextHeaderMax + one->text->size();
    // What costs and what does not is counted apart.
    if (next != first && (bytes + size > kMergedBytesMax || (cost == 0) != (one->cost == 0))) break;
    bytes += size;
    cost += one->cost;
    ++next;
  }
  const auto count = static_cast<std::size_t>(next - first);
  SharedBytes frames;
  for (Connection* c : find_all(to)) {
    if (c == nullptr || c->phase != Phase::open || c->closing_since_ms != 0) continue;
    if (!frames) {
      auto made = std::make_shared<std::string>();
      made->reserve(bytes);
      for (const ShardCommand* one = first; one != next; ++one)
        append_text_frame(*made, *std::get<Outgoing>(*one).text);
      frames = std::move(made);
    }
    push(*c, frames, count, cost);
    // A refusal goes to one connection, and is of a list of its own.
    const bool mistake = std::get<Outgoing>(*first).mistake;
    if (mistake && !c->client.errors.take(kErrorRate, monotonic_ms())) close_for_abuse(*c, "too many errors");
  }
  return count;
}

const std::vector<Connection*>& ShardImpl::find_all(const std::shared_ptr<const std::vector<ConnId>>& list) {
  for (const Found& known : found_) {
    if (known.list == list) return known.here;
  }
  const auto first = std::lower_bound(list->begin(), list->end(), ConnId{index_} << kConnShardShift);
  const auto last = std::lower_bound(first, list->end(), ConnId{index_ + 1} << kConnShardShift);
  const bool many = static_cast<std::size_t>(last - first) >= kManyRecipients;
  Found& made = many ? found_[found_next_++ % found_.size()] : found_once_;
  made.list = many ? list : nullptr;
  made.here.clear();
  for (auto at = first; at != last; ++at)
    made.here.push_back(find(*at));
  return made.here;
}

Connection* ShardImpl::find(ConnId conn) {
  const auto found = connections_.find(conn);
  return found == connections_.end() ? nullptr : found->second.get();
}

// ---- the end --------------------------------------------------------------------------------------------------------

void ShardImpl::drain(std::uint32_t grace_ms, std::uint32_t retry_ms) {
  asio::post(io_, [this, grace_ms, retry_ms] { begin_drain(grace_ms, retry_ms); });
}

void ShardImpl::begin_drain(std::uint32_t grace_ms, std::uint32_t retry_ms) {
  if (std::exchange(draining_, true)) return;
  asio::error_code ignored;
  for (const auto& listener : listeners_) {
    listener->acceptor.close(ignored);
    listener->retry.cancel(ignored);
  }
  const auto goaway = text_frame(wire::encode_goaway(retry_ms));
  std::vector<Connection::ptr> all;
  for (const auto& [conn, c] : connections_)
    all.push_back(c);
  for (const Connection::ptr& c : all) {
    if (c->phase == Phase::handshake) cut(*c);
    if (c->phase == Phase::open) {
      push(*c, goaway, 1, 0);
      close_softly(*c, kCloseGoingAway, "the node stops");
    }
  }
  flush();
  grace_timer_.expires_after(std::chrono::milliseconds(grace_ms));
  grace_timer_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled) hard_stop();
  });
  maybe_finish();
}

void ShardImpl::hard_stop() {
  std::vector<Connection::ptr> all;
  for (const auto& [conn, c] : connections_)
    all.push_back(c);
  for (const Connection::ptr& c : all) {
    cut(*c);
    c->close_socket();
  }
}

void ShardImpl::maybe_finish() {
  if (!draining_ || !connections_.empty()) return;
  asio::error_code ignored;
  tick_timer_.cancel(ignored);
  report_timer_.cancel(ignored);
  grace_timer_.cancel(ignored);
  if (!has_thread_) {
    if (!std::exchange(told_over_, true)) over_.set_value();
    return;
  }
  work_.reset();
  io_.stop();
}

void ShardImpl::join() {
  if (!has_thread_) {
    if (over_future_.valid()) over_future_.get();
    return;
  }
  if (!thread_.joinable()) return;
  thread_.join();
  {
    const std::lock_guard lock(inbox_mutex_);
    joined_ = true;
    inbox_.clear();
  }
  // Handlers of what was cancelled still hold connections.
  io_.restart();
  io_.poll();
}

}  // namespace inkmesh::edge
