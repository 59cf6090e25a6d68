// An edge and its owner: one whose threads are its own, or one whose turns a thread of this one takes.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "edge/ws_edge.h"

namespace inkmesh::edge::test {

/// As Edge; every call from any thread.
class OwnedEdge {
 public:
  OwnedEdge(const EdgeSettings& settings, EdgeSink sink, HttpFiles files);
  ~OwnedEdge();
  OwnedEdge(const OwnedEdge&) = delete;
  OwnedEdge& operator=(const OwnedEdge&) = delete;

  void send(std::vector<Outgoing>&& frames);
  void answer(ConnId conn, HttpResponse&& response);
  void close(ConnId conn, std::uint16_t code, std::string reason);
  /// After what was called before.
  void stop(std::uint32_t grace_ms, std::uint32_t retry_ms);
  EdgeStats stats() const {
    return edge_.stats();
  }
  std::uint16_t port() const {
    return edge_.port();
  }

 private:
  void call(std::function<void()> what);
  void take_turns();
  void wake() const;

  Edge edge_;
  std::mutex mutex_;
  std::vector<std::function<void()>> calls_;
  int wake_ = -1;
  std::atomic<bool> over_{false};
  std::thread turns_;
};

}  // namespace inkmesh::edge::test
