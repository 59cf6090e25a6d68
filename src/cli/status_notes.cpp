#include "cli/status_notes.h"

#include <algorithm>
#include <cstdio>

namespace inkmesh::cli {
namespace {

/// Past some 400 origins a cursor does not fit into an HTTP request.
constexpr std::uint64_t kOriginsMany = 300;

using Parts = std::vector<std::string_view>;

Parts list(const JsonObject& object, std::string_view name) {
  return slice_array(object.raw(name)).value_or(Parts{});
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : between) + word;
  return text;
}

std::string reasons_of(const JsonObject& status) {
  std::vector<std::string> reasons;
  for (const std::string_view raw : list(status, "reasons"))
    reasons.push_back(text_of(raw));
  return joined(reasons, "; ");
}

/// A peer's state as that node sees it.
std::string state_of(const JsonObject& status, const std::string& id) {
  for (const std::string_view raw : list(status, "peers")) {
    const auto peer = slice_object(raw);
    if (peer && peer->text("id") == id) return peer->text("state");
  }
  return {};
}

/// ` is hollow: ...`; empty when it is whole.
std::string hollow_until(const JsonObject& status) {
  std::vector<std::string> awaited;
  std::size_t away = 0;
  for (const std::string_view raw : list(status, "hollow_until")) {
    const std::string id = text_of(raw);
    const std::string state = state_of(status, id);
    const bool there = state == "up" || state == "suspect";
    awaited.push_back(there ? id : id + (state == "down" ? " (down)" : " (never heard of)"));
    away += there ? 0 : 1;
  }
  if (awaited.empty()) return {};
  std::string text = " is hollow, still to be compared with " + joined(awaited, ", ");
  // Each of them hands over what it holds to all homes first, and says so then.
  if (away != 0 && away < awaited.size()) text += ": those that are up are not done before the others are there";
  return text;
}

std::string days(std::uint64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f days", static_cast<double>(ms) / 86'400'000);
  return text;
}

}  // namespace

void StatusNotes::add(const JsonObject& status) {
  const std::string id = status.text("node");
  const auto count = [&status](std::string_view name) { return status.number(name).value_or(0); };
  const auto note = [&](const std::string& text) { notes_.push_back(id + text); };
  if (const std::string reasons = reasons_of(status); !reasons.empty()) note(" is not ready: " + reasons);
  if (const std::string hollow = hollow_until(status); !hollow.empty()) note(hollow);
  if (const std::uint64_t forks = count("forks"); forks != 0) {
    note(" has seen other contents under one seq " + std::to_string(forks) + " times: its log names them (fork)");
  }
  const std::uint64_t damaged = count("damaged_records");
  const std::uint64_t repaired = count("repairs");
  if (damaged + repaired != 0) {
    note(" has found damaged records since its start: " + std::to_string(damaged) + " asked of its peers, " +
         std::to_string(repaired) + " repaired");
  }
  if (const std::uint64_t origins = count("channel_origins_max"); origins > kOriginsMany) {
    note(" holds a drawing of " + std::to_string(origins) + " origins: its cursor grows long");
  }
  for (const std::string_view raw : list(status, "strokes_ahead")) {
    const auto ahead = slice_object(raw);
    if (!ahead) continue;
    std::uint64_t& ms = ahead_ms_[ahead->text("node")];
    ms = std::max(ms, ahead->number("ahead_ms").value_or(0));
  }
}

std::string StatusNotes::text() const {
  std::string text;
  for (const std::string& note : notes_)
    text += note + "\n";
  for (const auto& [node, ms] : ahead_ms_)
    text += "strokes of " + node + " lie " + days(ms) + " ahead: its clock was wrong, or is\n";
  return text;
}

}  // namespace inkmesh::cli
