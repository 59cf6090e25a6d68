// An edge under test, and a node that writes down what it is told.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "edge/ws_edge.h"
#include "owned_edge.h"
#include "raw_client.h"

namespace inkmesh::edge::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// What the edge told, in order. Thread-safe.
class RecordingNode {
 public:
  EdgeSink sink();

  /// Waits until `done` holds of the record; false when it does not in time.
  bool wait(const std::function<bool()>& done, Millis timeout = Millis(10'000));

  /// What `read` finds, with the record standing still.
  template <typename Read>
  auto look(Read read) {
    const std::lock_guard lock(mutex);
    return read();
  }

  /// The connection that said hello under that name; waits for it.
  ConnId conn_of(const std::string& name);
  /// All open connections, ascending.
  std::shared_ptr<const std::vector<ConnId>> everyone();

  std::atomic<bool> busy{false};  ///< refuse requests
  /// Answers HTTP requests; called on the edge's threads.
  std::function<bool(HttpRequest&&)> on_http = [](HttpRequest&&) { return false; };

  // Under `mutex`, or within wait() and look():
  std::vector<ConnOpened> opened;
  std::vector<ConnId> closed;
  std::map<ConnId, std::size_t> written;
  std::size_t reports = 0;  ///< Written events
  std::vector<Event> requests;
  std::size_t requests_refused = 0;
  std::mutex mutex;

 private:
  std::condition_variable changed_;
};

class EdgeTest : public ::testing::Test {
 protected:
  EdgeTest();
  ~EdgeTest() override;

  /// Starts the edge with `settings`.
  void start();
  RawClient client(const char* from = "127.0.0.1", int receive_buffer = 0) {
    return RawClient(edge->port(), from, receive_buffer);
  }
  /// A client that is open and has said hello.
  RawClient named(const std::string& name, int receive_buffer = 0);
  void send(std::vector<ConnId> to, std::string text, std::size_t cost = 0);
  /// Waits for a condition that only polling can see, such as a counter.
  static bool eventually(const std::function<bool()>& done, Millis timeout = Millis(10'000));

  /// So many threads; INKMESH_TEST_SHARDS decides for all tests.
  void wish_shards(unsigned count);

  EdgeSettings settings;
  HttpFiles files;
  RecordingNode node;
  std::unique_ptr<OwnedEdge> edge;
};

/// Resident memory of this process.
std::size_t resident_bytes();
/// What memory may grow by: sanitizers keep freed memory, and shadow it.
constexpr std::size_t memory_slack(std::size_t bytes) {
  return kSanitized ? bytes * 20 : bytes;
}
/// CPU time that this process has used.
Millis cpu_used();
/// The median of some round trips; a lost one counts as a minute.
Millis median_round_trip(RawClient& client, int count = 9);

}  // namespace inkmesh::edge::test
