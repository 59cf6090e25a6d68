#include "node/inbox.h"

#include <utility>

namespace inkmesh::node {
namespace {

/// About what a cursor's entry takes: an origin, a seq, a node of the map.
constexpr std::size_t kCursorEntryBytes = 128;

std::size_t bytes_of(const Event& event) {
  std::size_t bytes = sizeof(Mail);
  if (const auto* publish = std::get_if<Publish>(&event)) bytes += publish->data.size();
  if (const auto* signal = std::get_if<SignalSent>(&event)) bytes += signal->data.size();
  if (const auto* subscribe = std::get_if<Subscribe>(&event)) {
    bytes += subscribe->start.cursor.size() * kCursorEntryBytes;
  }
  return bytes;
}

}  // namespace

edge::EdgeSink Inbox::sink(Woken woken) {
  edge::EdgeSink sink;
  sink.control = [this, woken](Event&& event) { mail_.push(std::move(event), woken); };
  sink.written = [this, woken](std::vector<Written>&& written) { mail_.push(std::move(written), woken); };
  sink.request = [this, woken](Event&& event) {
    const std::size_t bytes = bytes_of(event);
    return try_put(std::move(event), bytes, woken);
  };
  sink.http = [this, woken](edge::HttpRequest&& request) {
    const std::size_t bytes = sizeof(Mail) + request.target.size() + request.bearer.size() + request.body.size();
    return try_put(std::move(request), bytes, woken);
  };
  return sink;
}

bool Inbox::try_put(Mail&& mail, std::size_t bytes, Woken woken) {
  if (mail_.try_push(std::move(mail), bytes, woken)) return true;
  refused_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void Inbox::take(std::vector<Event>& answers, std::vector<Mail>& mail) {
  wake_.clear();
  if (answers.empty()) answers_.take(answers);
  if (mail.empty()) mail_.take(mail);
}

}  // namespace inkmesh::node
