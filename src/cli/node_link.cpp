#include "cli/node_link.h"

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

#include "cli/http_client.h"
#include "node/config/config_values.h"

namespace inkmesh::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstTimeout{10'000};
constexpr milliseconds kTimeout{2'000};
constexpr milliseconds kPauseMin{50};
constexpr milliseconds kPauseMax{2'000};
constexpr milliseconds kPingAfter{10'000};
constexpr milliseconds kLostAfter{20'000};
constexpr std::size_t kAddressesMax = 1'000;

bool same(const Address& a, const Address& b) {
  return a.host == b.host && a.port == b.port;
}

}  // namespace

NodeLink::NodeLink(LinkSettings settings, std::function<void(const std::string&)> note)
    : settings_(std::move(settings)), note_(std::move(note)), addresses_{settings_.address} {}

void NodeLink::connect() {
  if (!was_connected_) {
    connect_to(settings_.address, kFirstTimeout);
    was_connected_ = true;
    return;
  }
  const auto deadline = Clock::now() + settings_.patience;
  std::string last_error;
  milliseconds pause = kPauseMin;
  for (std::size_t tries = 0;; ++tries) {
    const Address address = addresses_[next_++ % addresses_.size()];
    try {
      connect_to(address, kTimeout);
      ++reconnects_;
      note_("connected to " + welcome_.node + " at " + config::format_address(address));
      return;
    } catch (const std::runtime_error& error) {
      last_error = error.what();
    }
    if (Clock::now() >= deadline) throw std::runtime_error("no node answers any more: " + last_error);
    // A round over all addresses is quick; between rounds it takes its time.
    if ((tries + 1) % addresses_.size() != 0) continue;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kPauseMax);
  }
}

void NodeLink::connect_to(const Address& address, milliseconds timeout) {
  const std::string name = config::format_address(address);
  ws_ = std::make_unique<WsClient>(address, timeout);
  ws_->send(settings_.client.empty() ? R"({"type":"hello"})"
                                     : R"({"type":"hello","client":)" + json_string(settings_.client) + "}");
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    const auto message = ws_->receive(std::max(left, milliseconds::zero()));
    if (!message) {
      const std::string why = ws_->is_open() ? "no welcome in time" : ws_->closed_because();
      ws_.reset();
      throw std::runtime_error(name + ": " + why);
    }
    const auto object = slice_object(*message);
    if (object && object->text("type") == "error") {
      ws_.reset();
      throw std::runtime_error(name + ": " + object->text("code") + ": " + object->text("message"));
    }
    if (!object || object->text("type") != "welcome") continue;
    welcome_.node = object->text("node");
    welcome_.client = object->text("client");
    const auto limits = slice_object(object->raw("limits"));
    welcome_.publish_per_s = limits ? limits->number("publish_per_s").value_or(0) : 0;
    break;
  }
  heard_ = Clock::now();
  pinged_ = false;
  if (!settings_.stay) learn_addresses(address);
}

void NodeLink::learn_addresses(const Address& from) {
  std::vector<Address> learned = {settings_.address};
  try {
    const HttpAnswer answer = http_get(from, "/status", kTimeout);
    const auto status = slice_object(answer.body);
    const auto nodes = status ? slice_array(status->raw("nodes")) : std::nullopt;
    if (!nodes) return;
    for (const std::string_view raw : *nodes) {
      const auto node = slice_object(raw);
      const auto address = node ? config::parse_address(node->text("client")) : std::nullopt;
      if (!address || learned.size() >= kAddressesMax) continue;
      const bool known =
          std::any_of(learned.begin(), learned.end(), [&](const Address& a) { return same(a, *address); });
      if (!known) learned.push_back(*address);
    }
  } catch (const std::runtime_error& error) {
    note_(std::string("the other nodes' addresses are not known: ") + error.what());
    return;
  }
  addresses_ = std::move(learned);
  // After this node's loss the others come first.
  const auto current =
      std::find_if(addresses_.begin(), addresses_.end(), [&](const Address& a) { return same(a, from); });
  next_ = static_cast<std::size_t>(current - addresses_.begin()) + 1;
}

void NodeLink::send(const std::string& text) {
  if (ws_) ws_->send(text);
}

std::size_t NodeLink::unsent_bytes() const {
  return ws_ ? ws_->unsent_bytes() : 0;
}

std::optional<std::string> NodeLink::receive(milliseconds timeout) {
  if (!ws_) return std::nullopt;
  auto message = ws_->receive(timeout);
  if (!message) {
    if (!ws_->is_open()) {
      lose(ws_->closed_because());
      return std::nullopt;
    }
    const auto silence = Clock::now() - heard_;
    if (silence >= kLostAfter) {
      lose("silent for 20 s");
    } else if (silence >= kPingAfter && !pinged_) {
      ws_->send(R"({"type":"ping"})");
      pinged_ = true;
    }
    return std::nullopt;
  }
  heard_ = Clock::now();
  pinged_ = false;
  // Few messages are this short, and the three that end here all are.
  constexpr std::size_t kShortBytesMax = 512;
  if (message->size() > kShortBytesMax) return message;
  const auto object = slice_object(*message);
  const std::string type = object ? object->text("type") : "";
  if (type == "pong" || type == "welcome") return std::nullopt;
  if (type == "goaway") {
    ws_->close(kTimeout);
    lose("it is stopping");
    return std::nullopt;
  }
  return message;
}

void NodeLink::lose(const std::string& why) {
  note_("lost " + welcome_.node + ": " + why);
  ws_.reset();
}

void NodeLink::close() {
  if (ws_) ws_->close(kTimeout);
  ws_.reset();
}

}  // namespace inkmesh::cli
