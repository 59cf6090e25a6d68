#include "mesh/poller.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace inkmesh::mesh {
namespace {

constexpr std::size_t kFoundMax = 256;
constexpr std::int64_t kWaitMsMax = 60'000;

void control(int epoll, int operation, int descriptor, std::uint32_t events, std::uint32_t* ready) {
  epoll_event what{};
  what.events = events;
  what.data.ptr = ready;
  if (epoll_ctl(epoll, operation, descriptor, &what) == 0) return;
  throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
}

}  // namespace

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)), found_(kFoundMax) {
  if (!epoll_) throw std::runtime_error("epoll: out of file descriptors");
}

void Poller::watch(int descriptor, std::uint32_t events, std::uint32_t* ready) {
  control(epoll_.get(), EPOLL_CTL_ADD, descriptor, events, ready);
}

void Poller::change(int descriptor, std::uint32_t events, std::uint32_t* ready) {
  control(epoll_.get(), EPOLL_CTL_MOD, descriptor, events, ready);
}

void Poller::wait(std::int64_t timeout_ms) {
  const int timeout = timeout_ms < 0 ? -1 : static_cast<int>(std::min(timeout_ms, kWaitMsMax));
  const int count = epoll_wait(epoll_.get(), found_.data(), static_cast<int>(found_.size()), timeout);
  if (count < 0 && errno != EINTR) throw std::runtime_error(std::string("epoll: ") + std::strerror(errno));
  for (int i = 0; i < count; ++i) {
    const epoll_event& found = found_[static_cast<std::size_t>(i)];
    auto* ready = static_cast<std::uint32_t*>(found.data.ptr);
    if (ready != nullptr) *ready |= found.events;
  }
}

}  // namespace inkmesh::mesh
