#include "owned_edge.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <memory>

namespace inkmesh::edge::test {

OwnedEdge::OwnedEdge(const EdgeSettings& settings, EdgeSink sink, HttpFiles files)
    : edge_(settings, std::move(sink), std::move(files)) {
  if (edge_.has_threads()) return;
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  edge_.watch(dup(wake_));
  turns_ = std::thread([this] { take_turns(); });
}

OwnedEdge::~OwnedEdge() {
  if (!turns_.joinable()) return;
  over_ = true;
  wake();
  turns_.join();
  ::close(wake_);
}

void OwnedEdge::wake() const {
  if (eventfd_write(wake_, 1) != 0) std::abort();
}

void OwnedEdge::send(std::vector<Outgoing>&& frames) {
  auto kept = std::make_shared<std::vector<Outgoing>>(std::move(frames));
  call([this, kept] { edge_.send(std::move(*kept)); });
}

void OwnedEdge::answer(ConnId conn, HttpResponse&& response) {
  auto kept = std::make_shared<HttpResponse>(std::move(response));
  call([this, conn, kept] { edge_.answer(conn, std::move(*kept)); });
}

void OwnedEdge::close(ConnId conn, std::uint16_t code, std::string reason) {
  call([this, conn, code, reason = std::move(reason)] { edge_.close(conn, code, reason); });
}

void OwnedEdge::stop(std::uint32_t grace_ms, std::uint32_t retry_ms) {
  std::promise<void> reached;
  call([&reached] { reached.set_value(); });
  reached.get_future().wait();
  edge_.stop(grace_ms, retry_ms);
}

void OwnedEdge::call(std::function<void()> what) {
  if (edge_.has_threads()) return what();
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(what));
  }
  wake();
}

void OwnedEdge::take_turns() {
  std::vector<std::function<void()>> taken;
  while (!over_) {
    edge_.turn(60'000);
    {
      const std::lock_guard lock(mutex_);
      taken.swap(calls_);
      eventfd_t rung = 0;
      eventfd_read(wake_, &rung);
    }
    for (const auto& call : taken)
      call();
    taken.clear();
  }
}

}  // namespace inkmesh::edge::test
