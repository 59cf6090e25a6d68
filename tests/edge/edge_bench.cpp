// What the edge costs: CPU for each delivery of a frame to many connections, and memory for an idle connection.
// The clients live in a process of their own, so that its time and memory are not counted.
//
//   edge_bench [connections] [frame bytes]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "edge/ws_edge.h"
#include "raw_client.h"

namespace {

using namespace inkmesh;
using namespace inkmesh::edge;
using Clock = std::chrono::steady_clock;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto s = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return s(usage.ru_utime) + s(usage.ru_stime);
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Opens connections and drops whatever comes, until it is killed.
[[noreturn]] void be_clients(std::uint16_t port, int connections) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int poll = epoll_create1(0);
  std::vector<test::RawClient> clients;
  for (int i = 0; i < connections; ++i) {
    clients.emplace_back(port);
    clients.back().open();
    clients.back().send_text(R"({"type":"hello"})");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = clients.back().fd();
    epoll_ctl(poll, EPOLL_CTL_ADD, clients.back().fd(), &event);
  }
  std::vector<char> buffer(1 << 20);
  std::vector<epoll_event> events(512);
  for (;;) {
    const int ready = epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      if (recv(events[static_cast<std::size_t>(i)].data.fd, buffer.data(), buffer.size(), MSG_DONTWAIT) == 0) _exit(0);
    }
  }
}

struct Node {
  std::mutex mutex;
  std::vector<ConnId> opened;
  std::atomic<std::uint64_t> written{0};
  std::atomic<std::uint64_t> reports{0};

  EdgeSink sink() {
    EdgeSink sink;
    sink.control = [this](Event&& event) {
      if (const auto* o = std::get_if<ConnOpened>(&event)) {
        const std::lock_guard lock(mutex);
        opened.push_back(o->conn);
      }
    };
    sink.written = [this](std::vector<Written>&& some) {
      for (const Written& one : some)
        written += one.cost;
      reports += some.size();
    };
    sink.request = [](Event&&) { return true; };
    sink.http = [](HttpRequest&&) { return false; };
    return sink;
  }
};

void send_one(Edge& edge, const std::shared_ptr<const std::vector<ConnId>>& to, std::size_t bytes) {
  std::vector<Outgoing> batch;
  batch.push_back(Outgoing{to, std::make_shared<const std::string>(bytes, 'x'), bytes});
  edge.send(std::move(batch));
}

}  // namespace

int main(int argc, char** argv) {
  const int connections = argc > 1 ? std::atoi(argv[1]) : 500;
  const std::size_t bytes = argc > 2 ? static_cast<std::size_t>(std::atoi(argv[2])) : 300;
  EdgeSettings settings;
  settings.node = "bench";
  settings.listen = Address{"127.0.0.1", 0};
  Node node;
  Edge edge(settings, node.sink(), {});

  const std::size_t memory = resident_bytes();
  // The child uses nothing of the edge: a fork with its thread elsewhere is safe.
  const pid_t child = fork();
  if (child == 0) be_clients(edge.port(), connections);
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const std::lock_guard lock(node.mutex);
    if (node.opened.size() == static_cast<std::size_t>(connections)) break;
  }
  std::sort(node.opened.begin(), node.opened.end());
  std::printf("%d connections: %.2f KiB each when idle\n", connections,
              static_cast<double>(resident_bytes() - memory) / 1024.0 / connections);
  const auto everyone = std::make_shared<const std::vector<ConnId>>(node.opened);
  const auto receivers = static_cast<std::uint64_t>(connections);
  // Of what was sent in `frames` frames, what of it has not been reported as written.
  const auto unwritten = [&](std::uint64_t frames) { return frames * receivers * bytes - node.written; };
  const auto each = [&](double cpu, std::uint64_t frames) {
    return cpu * 1e6 / static_cast<double>(frames * receivers);
  };

  const std::uint64_t frames = 1'000;
  double cpu = cpu_seconds();
  auto next = Clock::now();
  for (std::uint64_t i = 0; i < frames; ++i) {
    send_one(edge, everyone, bytes);
    std::this_thread::sleep_until(next += std::chrono::milliseconds(5));
  }
  while (unwritten(frames) > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::printf("200 frames a second of %zu bytes: %.2f us of CPU a delivery, %.0f Written a second\n", bytes,
              each(cpu_seconds() - cpu, frames), static_cast<double>(node.reports) / 5);

  node.written = 0;
  cpu = cpu_seconds();
  const auto begin = Clock::now();
  std::uint64_t sent = 0;
  while (Clock::now() - begin < std::chrono::seconds(5)) {
    if (unwritten(sent) < receivers * 64 * 1024) {
      send_one(edge, everyone, bytes);
      ++sent;
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
  while (unwritten(sent) > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("closed loop, 64 KiB a connection: %.0f deliveries a second, %.2f us of CPU each\n",
              static_cast<double>(sent * receivers) / seconds, each(cpu_seconds() - cpu, sent));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return 0;
}
