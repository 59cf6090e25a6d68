#include "load/ledger.h"

namespace inkmesh::bench {
namespace {

std::string name_of(std::uint32_t subscriber, std::uint32_t publisher, std::uint32_t seq) {
  return std::to_string(subscriber) + "/" + std::to_string(publisher) + "/" + std::to_string(seq);
}

}  // namespace

Ledger::Channel& Ledger::channel(std::uint32_t number) {
  if (number >= channels_.size()) channels_.resize(number + 1);
  return channels_[number];
}

std::uint32_t Ledger::add_publisher(std::uint32_t number) {
  auto& all = channel(number).publishers;
  const auto index = static_cast<std::uint32_t>(publishers_.size());
  publishers_.push_back({.channel = number, .slot = static_cast<std::uint32_t>(all.size()), .sent = 0});
  all.push_back(index);
  return index;
}

std::uint32_t Ledger::add_subscriber(std::uint32_t number) {
  Channel& to = channel(number);
  ++to.subscribers;
  subscribers_.push_back({.channel = number, .first = expected_.size()});
  for (const auto publisher : to.publishers)
    expected_.push_back(publishers_[publisher].sent + 1);
  return static_cast<std::uint32_t>(subscribers_.size() - 1);
}

std::uint32_t Ledger::next_seq(std::uint32_t publisher) {
  Publisher& from = publishers_[publisher];
  ++strokes_;
  owed_ += channels_[from.channel].subscribers;
  return ++from.sent;
}

bool Ledger::count_foreign() {
  ++foreign_;
  return false;
}

bool Ledger::count_wrong(std::uint32_t subscriber, std::uint32_t publisher, std::uint32_t seq,
                         std::uint32_t& expected) {
  if (seq > expected) {
    // What lies between may still come: then it was reordered, else it is lost.
    for (; expected < seq; ++expected)
      missing_.insert(name_of(subscriber, publisher, expected));
    ++expected;
    ++delivered_;
  } else if (missing_.erase(name_of(subscriber, publisher, seq)) != 0) {
    ++reordered_;
    ++delivered_;
  } else {
    ++repeated_;
  }
  return false;
}

std::string Ledger::verdict() const {
  std::string text;
  const auto say = [&text](std::uint64_t count, const char* what) {
    if (count == 0) return;
    if (!text.empty()) text += ", ";
    text += std::to_string(count) + " " + what;
  };
  say(owed_ - delivered_, "lost");
  say(repeated_, "repeated");
  say(reordered_, "out of order");
  say(foreign_, "of another channel or publisher");
  return text;
}

}  // namespace inkmesh::bench
