#include "cli/status_notes.h"

#include <algorithm>
#include <cstdio>

#include "inkmesh/cursor.h"

namespace inkmesh::cli {
namespace {

/// From 90 percent on a store takes no publishes: there is time until then.
constexpr std::uint64_t kNearlyFullPercent = 80;

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

bool is_there(const std::string& state) {
  return state == "up" || state == "suspect";
}

template <typename Names>
std::string names(const Names& all) {
  return joined({all.begin(), all.end()}, ", ");
}

/// A peer's state as that node sees it.
std::string state_of(const JsonObject& status, const std::string& id) {
  for (const std::string_view raw : list(status, "peers")) {
    const auto peer = slice_object(raw);
    if (peer && peer->text("id") == id) return peer->text("state");
  }
  return {};
}

/// As /status names it: `lost_records` is "lost records".
std::string hollow_because(const JsonObject& status) {
  std::string because = status.text("hollow_because");
  std::replace(because.begin(), because.end(), '_', ' ');
  return because.empty() ? because : " (" + because + ")";
}

/// ` is hollow (...), ...`; empty when it is whole.
std::string hollow_until(const JsonObject& status) {
  std::vector<std::string> awaited;
  std::size_t away = 0;
  for (const std::string_view raw : list(status, "hollow_until")) {
    const std::string id = text_of(raw);
    const std::string state = state_of(status, id);
    const bool there = is_there(state);
    awaited.push_back(there ? id : id + (state == "down" ? " (down)" : " (never heard of)"));
    away += there ? 0 : 1;
  }
  if (awaited.empty()) return {};
  std::string text = " is hollow" + hollow_because(status) + ", still to be compared with " + joined(awaited, ", ");
  // Each of them hands over what it holds to all homes first, and says so then.
  if (away != 0 && away < awaited.size()) text += ": those that are up are not done before the others are there";
  return text;
}

std::string days(std::uint64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f days", static_cast<double>(ms) / 86'400'000);
  return text;
}

/// Empty while publishes wait for nothing but their turn. A node that is ready and alone in its mesh version says so
/// before any does.
std::string acks_waiting(const JsonObject& status) {
  const auto strokes = slice_object(status.raw("strokes"));
  const std::uint64_t waiting = strokes ? strokes->number("acks_waiting").value_or(0) : 0;
  const std::uint64_t ack = status.number("ack").value_or(0);
  std::uint64_t there = 1;
  bool other_versions = false;
  for (const std::string_view raw : list(status, "peers")) {
    const auto peer = slice_object(raw);
    if (peer && is_there(peer->text("state"))) ++there;
    if (peer && peer->number("other_mesh_version").value_or(0) != 0) other_versions = true;
  }
  if (there >= ack || (waiting == 0 && !other_versions)) return {};
  const std::string what =
      waiting == 0 ? " acknowledges no publishes" : " has " + std::to_string(waiting) + " publishes waiting";
  return what + ": each must be stored by " + std::to_string(ack) + " nodes (ack), and it reaches " +
         std::to_string(there) + ", itself included";
}

std::uint64_t filled_percent(const JsonObject& status) {
  const auto store = slice_object(status.raw("store"));
  const std::uint64_t room_bytes = store ? store->number("capacity_bytes").value_or(0) : 0;
  if (room_bytes == 0) return 0;
  return static_cast<std::uint64_t>(100 * static_cast<double>(store->number("used_bytes").value_or(0)) /
                                    static_cast<double>(room_bytes));
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
  if (const std::string waiting = acks_waiting(status); !waiting.empty()) note(waiting);
  if (const std::uint64_t percent = filled_percent(status); percent >= kNearlyFullPercent && !status.flag("full")) {
    note("'s store is " + std::to_string(percent) + " % full: over 90 % it takes no publishes");
  }
  if (const std::uint64_t standins = count("standins"); standins != 0) {
    standins_.push_back(std::to_string(standins) + " as " + id + " sees them");
  }
  add_own(id, status);
  for (const std::string_view raw : list(status, "peers")) {
    if (const auto peer = slice_object(raw)) add_peer(id, status, *peer);
  }
  for (const std::string_view raw : list(status, "strokes_ahead")) {
    const auto ahead = slice_object(raw);
    if (!ahead) continue;
    std::uint64_t& ms = ahead_ms_[ahead->text("node")];
    ms = std::max(ms, ahead->number("ahead_ms").value_or(0));
  }
}

void StatusNotes::add_own(const std::string& id, const JsonObject& status) {
  if (status.flag("full")) full_.insert(id);
  if (const auto version = status.number("mesh_version")) versions_[id] = *version;
  add_twin(id, status);
}

void StatusNotes::add_peer(const std::string& id, const JsonObject& status, const JsonObject& peer) {
  const std::string other = peer.text("id");
  const std::string state = peer.text("state");
  if (state == "down") down_[other].push_back(id);
  if (state == "unknown") unknown_[other].push_back(id);
  if (peer.flag("full")) full_.insert(other);
  // Of a peer that is not there, or has only just come, it is not known.
  if (status.flag("lists_differ") && is_there(state) && peer.raw("same_list") == "false") {
    other_lists_[id].insert(other);
    other_lists_[other].insert(id);
  }
  if (const std::uint64_t version = peer.number("other_mesh_version").value_or(0); version != 0) {
    versions_[other] = version;
    versions_differ_ = true;
  }
  add_twin(other, peer);
}

void StatusNotes::add_twin(const std::string& id, const JsonObject& status) {
  if (!status.flag("twin")) return;
  auto& processes = twins_[id];
  processes.try_emplace(status.text("epoch"));
  std::string& address = processes[status.text("twin_epoch")];
  if (address.empty()) address = status.text("twin_address");
}

/// Who differs from most is named first: one file that was forgotten is one line.
std::string StatusNotes::other_lists() const {
  std::string text;
  auto left = other_lists_;
  while (!left.empty()) {
    const auto most = std::max_element(left.begin(), left.end(),
                                       [](const auto& a, const auto& b) { return a.second.size() <= b.second.size(); });
    const auto [id, others] = *most;
    left.erase(most);
    text += id + " runs with another cluster file than " + names(others) + ": node list, replicas or ack differ\n";
    for (const std::string& other : others) {
      const auto it = left.find(other);
      it->second.erase(id);
      if (it->second.empty()) left.erase(it);
    }
  }
  return text;
}

std::string StatusNotes::twins() const {
  std::string text;
  for (const auto& [id, processes] : twins_) {
    std::vector<std::string> each;
    for (const auto& [epoch, address] : processes)
      each.push_back(epoch + (address.empty() ? "" : " at " + address));
    text += "two processes run as " + id + " (" + names(each) + "): stop the one that should not be\n";
  }
  return text;
}

std::string StatusNotes::versions() const {
  if (!versions_differ_) return {};
  std::map<std::uint64_t, std::vector<std::string>> speakers;
  for (const auto& [id, version] : versions_)
    speakers[version].push_back(id);
  std::vector<std::string> each;
  for (const auto& [version, ids] : speakers)
    each.push_back(std::to_string(version) + " by " + names(ids));
  return "several mesh versions are spoken, " + joined(each, "; ") + ": end the upgrade\n";
}

std::string StatusNotes::text() const {
  std::string text;
  for (const std::string& note : notes_)
    text += note + "\n";
  for (const auto& [id, seen_by] : down_)
    text += id + " is down, as " + names(seen_by) + (seen_by.size() == 1 ? " sees it\n" : " see it\n");
  for (const auto& [id, seen_by] : unknown_)
    text += id + " was never heard of by " + names(seen_by) + "\n";
  for (const std::string& id : full_)
    text += id + "'s store is full: it takes no publishes\n";
  if (!standins_.empty()) text += "channels have stand-ins for homes of theirs: " + joined(standins_, ", ") + "\n";
  text += other_lists() + twins() + versions();
  for (const auto& [node, ms] : ahead_ms_)
    text += "strokes of " + node + " lie " + days(ms) + " ahead: its clock was wrong, or is\n";
  return text;
}

}  // namespace inkmesh::cli
