#include "edge_fixture.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

namespace inkmesh::edge::test {

EdgeSink RecordingNode::sink() {
  EdgeSink sink;
  sink.control = [this](Event&& event) {
    {
      const std::lock_guard lock(mutex);
      if (const auto* o = std::get_if<ConnOpened>(&event)) opened.push_back(*o);
      if (const auto* c = std::get_if<ConnClosed>(&event)) closed.push_back(c->conn);
    }
    changed_.notify_all();
  };
  sink.written = [this](std::vector<Written>&& some) {
    {
      const std::lock_guard lock(mutex);
      for (const Written& one : some)
        written[one.conn] += one.cost;
      reports += some.size();
    }
    changed_.notify_all();
  };
  sink.request = [this](Event&& event) {
    {
      const std::lock_guard lock(mutex);
      if (busy) {
        ++requests_refused;
        return false;
      }
      requests.push_back(std::move(event));
    }
    changed_.notify_all();
    return true;
  };
  sink.http = [this](HttpRequest&& request) { return on_http(std::move(request)); };
  return sink;
}

bool RecordingNode::wait(const std::function<bool()>& done, Millis timeout) {
  std::unique_lock lock(mutex);
  return changed_.wait_for(lock, timeout, done);
}

ConnId RecordingNode::conn_of(const std::string& name) {
  ConnId found = 0;
  wait([&] {
    for (const ConnOpened& one : opened) {
      if (one.client == name) found = one.conn;
    }
    return found != 0;
  });
  return found;
}

std::shared_ptr<const std::vector<ConnId>> RecordingNode::everyone() {
  const std::lock_guard lock(mutex);
  auto all = std::make_shared<std::vector<ConnId>>();
  for (const ConnOpened& one : opened) {
    if (std::find(closed.begin(), closed.end(), one.conn) == closed.end()) all->push_back(one.conn);
  }
  std::sort(all->begin(), all->end());
  return all;
}

EdgeTest::EdgeTest() {
  settings.node = "ws1";
  settings.listen = Address{"127.0.0.1", 0};
  wish_shards(2);
}

void EdgeTest::wish_shards(unsigned count) {
  const char* given = std::getenv("INKMESH_TEST_SHARDS");
  settings.shards = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : count;
}

EdgeTest::~EdgeTest() = default;

void EdgeTest::start() {
  edge = std::make_unique<OwnedEdge>(settings, node.sink(), files);
}

RawClient EdgeTest::named(const std::string& name, int receive_buffer) {
  RawClient one = client("127.0.0.1", receive_buffer);
  one.open();
  one.send_text(R"({"type":"hello","client":")" + name + R"("})");
  EXPECT_NE(one.read_text().find(R"("type":"welcome")"), std::string::npos);
  return one;
}

void EdgeTest::send(std::vector<ConnId> to, std::string text, std::size_t cost) {
  Outgoing frame;
  frame.to = std::make_shared<const std::vector<ConnId>>(std::move(to));
  frame.text = std::make_shared<const std::string>(std::move(text));
  frame.cost = cost;
  std::vector<Outgoing> batch;
  batch.push_back(std::move(frame));
  edge->send(std::move(batch));
}

bool EdgeTest::eventually(const std::function<bool()>& done, Millis timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(Millis(2));
  }
  return true;
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

Millis cpu_used() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& t) { return t.tv_sec * 1000 + t.tv_usec / 1000; };
  return Millis(ms(usage.ru_utime) + ms(usage.ru_stime));
}

Millis median_round_trip(RawClient& client, int count) {
  std::vector<Millis> trips;
  for (int i = 0; i < count; ++i)
    trips.push_back(client.round_trip().value_or(Millis(60'000)));
  std::sort(trips.begin(), trips.end());
  return trips[trips.size() / 2];
}

}  // namespace inkmesh::edge::test
