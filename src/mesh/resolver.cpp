#include "mesh/resolver.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

namespace inkmesh::mesh {
namespace {

constexpr std::size_t kAtATime = 16;

}  // namespace

/// Its thread may outlive the resolver: nobody waits for a name server at the end.
struct Resolver::Job {
  Address address;
  std::vector<SocketAddress> found;
  std::atomic<bool> done{false};

  void run() noexcept {
    pthread_setname_np(pthread_self(), "look-up");
    try {
      found = addresses_of(address);
    } catch (const std::exception&) {
      found.clear();
    }
    done.store(true, std::memory_order_release);
  }
};

std::optional<std::vector<SocketAddress>> Resolver::look_up(const Address& address) {
  const auto job = std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& each) {
    return each->address.host == address.host && each->address.port == address.port;
  });
  if (job != jobs_.end()) {
    if (!(*job)->done.load(std::memory_order_acquire)) return std::nullopt;
    std::vector<SocketAddress> found = std::move((*job)->found);
    jobs_.erase(job);
    return found;
  }
  if (jobs_.size() >= kAtATime) return std::nullopt;
  auto next = std::make_shared<Job>();
  next->address = address;
  try {
    std::thread([next] { next->run(); }).detach();
  } catch (const std::system_error&) {  // no thread to be had: later
    return std::nullopt;
  }
  jobs_.push_back(std::move(next));
  return std::nullopt;
}

}  // namespace inkmesh::mesh
