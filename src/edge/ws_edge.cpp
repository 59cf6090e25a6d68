#include "edge/ws_edge.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "edge/listen.h"
#include "edge/shard.h"

namespace inkmesh::edge {

struct Edge::Impl {
  Impl(const EdgeSettings& settings, EdgeSink sink, HttpFiles files)
      : shared(settings, std::move(sink), std::move(files)) {
    const unsigned count = std::max(1U, settings.shards);
    const auto listeners = listen_on(settings.listen, count, port);
    for (unsigned i = 0; i < count; ++i)
      shards.push_back(Shard::make(i, shared, listeners[i]));
    for (const auto& shard : shards)
      shard->start();
  }

  EdgeShared shared;
  std::uint16_t port = 0;
  std::vector<std::unique_ptr<Shard>> shards;
  std::mutex stop_mutex;
};

Edge::Edge(const EdgeSettings& settings, EdgeSink sink, HttpFiles files) {
  if (settings.shards > 64) throw std::runtime_error("edge: up to 64 shards");
  impl_ = std::make_unique<Impl>(settings, std::move(sink), std::move(files));
}

Edge::~Edge() {
  if (has_threads()) stop(0, 0);
}

bool Edge::has_threads() const {
  return impl_->shared.settings.shards > 0;
}

void Edge::watch(int descriptor) {
  impl_->shards.front()->watch(descriptor);
}

std::uint64_t Edge::turn(std::int64_t wait_ms) {
  return impl_->shards.front()->turn(wait_ms);
}

void Edge::send(std::vector<Outgoing>&& frames) {
  const std::size_t shards = impl_->shards.size();
  std::vector<std::vector<ShardCommand>> batches(shards);
  for (Outgoing& frame : frames) {
    if (!frame.to || frame.to->empty() || !frame.text) continue;
    const std::size_t first = shard_of(frame.to->front());
    const std::size_t last = std::min<std::size_t>(shard_of(frame.to->back()), shards - 1);
    for (std::size_t i = first; i < last; ++i)
      batches[i].emplace_back(frame);
    if (first <= last) batches[last].emplace_back(std::move(frame));
  }
  for (std::size_t i = 0; i < shards; ++i)
    impl_->shards[i]->post(std::move(batches[i]));
}

void Edge::answer(ConnId conn, HttpResponse&& response) {
  const std::size_t shard = shard_of(conn);
  if (shard >= impl_->shards.size()) return;
  std::vector<ShardCommand> batch;
  batch.emplace_back(AnswerHttp{conn, std::move(response)});
  impl_->shards[shard]->post(std::move(batch));
}

void Edge::close(ConnId conn, std::uint16_t code, std::string reason) {
  const std::size_t shard = shard_of(conn);
  if (shard >= impl_->shards.size()) return;
  std::vector<ShardCommand> batch;
  batch.emplace_back(CloseConn{conn, code, std::move(reason)});
  impl_->shards[shard]->post(std::move(batch));
}

void Edge::stop(std::uint32_t grace_ms, std::uint32_t retry_ms) {
  const std::lock_guard lock(impl_->stop_mutex);
  for (const auto& shard : impl_->shards)
    shard->drain(grace_ms, retry_ms);
  for (const auto& shard : impl_->shards)
    shard->join();
}

EdgeStats Edge::stats() const {
  EdgeStats sum;
  const auto read = [](const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  for (const auto& shard : impl_->shards) {
    const ShardStats& one = shard->stats();
    sum.connections += read(one.connections);
    sum.handshakes += read(one.handshakes);
    sum.accepted += read(one.accepted);
    sum.refused += read(one.refused);
    sum.closed_for_abuse += read(one.closed_for_abuse);
    sum.messages_in += read(one.messages_in);
    sum.frames_out += read(one.frames_out);
    sum.bytes_out += read(one.bytes_out);
    sum.outbox_bytes += read(one.outbox_bytes);
    sum.outbox_bytes_max = std::max(sum.outbox_bytes_max, read(one.outbox_bytes_max));
  }
  return sum;
}

std::uint16_t Edge::port() const {
  return impl_->port;
}

}  // namespace inkmesh::edge
