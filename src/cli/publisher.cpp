#include "cli/publisher.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "cli/json_slice.h"

namespace inkmesh::cli {
namespace {

/// What may go out at once after a pause, in seconds of the rate.
constexpr double kBurstS = 0.05;

}  // namespace

Publisher::Publisher(Channel channel, Op first_op, std::size_t window)
    : channel_(std::move(channel)), next_op_(first_op), window_(window) {}

void Publisher::set_rate(double per_s) {
  per_s_ = per_s;
}

bool Publisher::take_token(Clock::time_point now) {
  if (now < hold_until_) return false;
  const double passed_s = refilled_ ? std::chrono::duration<double>(now - *refilled_).count() : 0;
  refilled_ = now;
  tokens_ = std::min(tokens_ + passed_s * per_s_, std::max(1.0, per_s_ * kBurstS));
  return tokens_ >= 1;
}

bool Publisher::has_room(Clock::time_point now) {
  return pending_.size() < window_ && take_token(now);
}

std::string Publisher::publish(std::string data) {
  tokens_ -= 1;
  ++counts_.sent;
  const auto [at, fresh] = pending_.emplace(next_op_++, Pending{std::move(data), std::nullopt});
  return message(at->first, at->second, false);
}

void Publisher::connection_lost(Clock::time_point now) {
  for (auto& [op, pending] : pending_)
    pending.repeat_at = now;
}

std::optional<std::string> Publisher::repeat(Clock::time_point now) {
  const auto due = std::find_if(pending_.begin(), pending_.end(), [now](const auto& entry) {
    return entry.second.repeat_at && *entry.second.repeat_at <= now;
  });
  if (due == pending_.end() || !take_token(now)) return std::nullopt;
  tokens_ -= 1;
  ++counts_.resent;
  due->second.repeat_at.reset();
  return message(due->first, due->second, true);
}

void Publisher::take(std::string_view text, Clock::time_point now) {
  const auto object = slice_object(text);
  if (!object) throw std::runtime_error("the node sent no JSON object");
  const std::string type = object->text("type");
  const auto id = object->number("id");
  if (type == "ack" && id) {
    if (pending_.erase(*id) == 0) return;
    ++counts_.acked;
    if (object->flag("duplicate")) ++counts_.duplicates;
    const std::uint64_t copies = object->number("copies").value_or(0);
    counts_.copies_min = counts_.copies_min == 0 ? copies : std::min(counts_.copies_min, copies);
    return;
  }
  if (type != "error") return;
  const std::string code = object->text("code");
  const auto retry_ms = object->number("retry_ms").value_or(0);
  const auto refused = id ? pending_.find(*id) : pending_.end();
  // The node keeps the stroke that an `unavailable` is about or not: a repeat is drawn once either way.
  if (refused != pending_.end() && (code == "rate_limited" || code == "unavailable")) {
    const auto wait = std::chrono::milliseconds(std::clamp<std::uint64_t>(retry_ms, 50, 10'000));
    refused->second.repeat_at = now + wait;
    hold_until_ = std::max(hold_until_, now + wait);
    return;
  }
  std::string what = code + ": " + object->text("message");
  if (code == "op_reused") what += " (this --client has drawn something else here: take another)";
  throw std::runtime_error(id ? "stroke " + std::to_string(*id) + ": " + what : what);
}

std::string Publisher::message(Op op, const Pending& pending, bool retry) const {
  const std::string number = std::to_string(op);
  return R"({"type":"publish","id":)" + number + ",\"channel\":" + json_string(channel_) + ",\"op\":" + number +
         (retry ? R"(,"retry":true)" : "") + ",\"data\":" + pending.data + "}";
}

}  // namespace inkmesh::cli
