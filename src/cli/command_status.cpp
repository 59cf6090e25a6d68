// inkmesh status: the cluster as one of its nodes sees it.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/http_client.h"
#include "cli/json_slice.h"
#include "cli/status_notes.h"
#include "cli/table.h"
#include "cli/url.h"
#include "node/config/config_values.h"

namespace inkmesh::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAskedTimeout{5'000};
constexpr milliseconds kOthersTimeout{1'000};
/// Asking the others takes at most this many seconds in a cluster where all of them are silent.
constexpr std::size_t kOthersMax = 50;

struct StatusArguments {
  std::string url;
  bool json = false;
  bool one = false;
};

/// A member as a cell: strings without their quotes, other values as they are, a dash where it is missing.
std::string cell(const JsonObject& object, std::string_view name, const char* unit = "") {
  const std::string_view raw = object.raw(name);
  if (raw.empty() || raw == "null" || raw == "\"\"") return "-";
  return (raw.front() == '"' ? object.text(name) : std::string(raw)) + unit;
}

std::string milliseconds_of(const JsonObject& object, std::string_view name_us) {
  const auto us = object.number(name_us);
  if (!us) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(*us) / 1000);
  return text;
}

std::string size_of(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

/// What an operator should see beside the state, of a node or of a peer.
std::string marks_of(const JsonObject& status) {
  std::string marks = std::string(status.flag("full") ? ", full" : "") + (status.flag("hollow") ? ", hollow" : "") +
                      (status.flag("lists_differ") ? ", other lists" : "");
  if (status.flag("twin")) {
    const std::string address = status.text("twin_address");
    marks += ", two of it" + (address.empty() ? "" : " (also at " + address + ")");
  }
  const auto version = status.number("other_mesh_version");
  if (version.value_or(0) != 0) marks += ", speaks mesh version " + std::to_string(*version);
  return marks;
}

std::vector<std::string> node_row(const std::string& id, const std::string& address, const JsonObject& status) {
  const auto store = slice_object(status.raw("store"));
  const auto interest = slice_object(status.raw("interest"));
  const std::uint64_t room_bytes = store ? store->number("capacity_bytes").value_or(0) : 0;
  std::string fill = store ? size_of(store->number("used_bytes").value_or(0)) : "-";
  if (room_bytes > 0) fill += " of " + size_of(room_bytes);
  const std::string_view ready = status.raw("ready");
  std::string state = ready == "true" ? "ready" : ready == "false" ? "not ready" : "up";
  state += marks_of(status);
  return {id,
          address,
          state,
          cell(status, "epoch"),
          cell(status, "pid"),
          cell(status, "connections"),
          cell(status, "subscriptions"),
          interest ? cell(*interest, "channels") : "-",
          cell(status, "channels"),
          store ? cell(*store, "strokes") : "-",
          fill};
}

/// A row for each node: of the asked one from its own answer, of the others from theirs. So are the notes.
Table node_table(const JsonObject& asked, const std::string& asked_address, bool one, StatusNotes& notes) {
  Table table({{"NODE"},
               {"ADDRESS"},
               {"STATE"},
               {"EPOCH"},
               {"PID", true},
               {"CONNECTIONS", true},
               {"SUBSCRIPTIONS", true},
               {"OPEN", true},
               {"CHANNELS", true},
               {"STROKES", true},
               {"STORE", true}});
  const std::string self = asked.text("node");
  const auto nodes = slice_array(asked.raw("nodes"));
  if (!nodes || one) {
    table.add(node_row(self, asked_address, asked));
    notes.add(asked);
    return table;
  }
  std::size_t others = 0;
  for (const std::string_view raw : *nodes) {
    const auto node = slice_object(raw);
    if (!node) continue;
    const std::string id = node->text("id");
    const std::string address = node->text("client");
    if (id == self) {
      table.add(node_row(id, address, asked));
      notes.add(asked);
      continue;
    }
    const auto place = config::parse_address(address);
    if (!place || ++others > kOthersMax) {
      table.add({id, address, "not asked"});
      continue;
    }
    try {
      const HttpAnswer answer = http_get(*place, "/status", kOthersTimeout);
      const auto status = slice_object(answer.body);
      table.add(status ? node_row(id, address, *status) : std::vector<std::string>{id, address, "no status"});
      if (status) notes.add(*status);
    } catch (const std::runtime_error&) {
      table.add({id, address, "no answer"});
    }
  }
  return table;
}

Table peer_table(const JsonObject& asked) {
  Table table({{"PEER"},
               {"STATE"},
               {"EPOCH"},
               {"LAG", true},
               {"WINDOW", true},
               {"ROUND TRIP", true},
               {"CLOCK", true},
               {"FOR INTEREST", true},
               {"FOR DURABILITY", true},
               {"RECEIVED", true}});
  for (const std::string_view raw : slice_array(asked.raw("peers")).value_or(std::vector<std::string_view>{})) {
    const auto peer = slice_object(raw);
    if (!peer) continue;
    const auto window = peer->number("window_bytes");
    table.add({cell(*peer, "id"), cell(*peer, "state") + marks_of(*peer), cell(*peer, "epoch"),
               cell(*peer, "lag_strokes"), window ? size_of(*window) : "-", milliseconds_of(*peer, "rtt_us"),
               cell(*peer, "clock_offset_ms", " ms"), cell(*peer, "forwarded_interest"),
               cell(*peer, "forwarded_durability"), cell(*peer, "received_strokes")});
  }
  return table;
}

int run_status(const StatusArguments& arguments) {
  const Address address = parse_url(arguments.url);
  const HttpAnswer answer = http_get(address, "/status", kAskedTimeout);
  if (answer.status != 200) {
    throw std::runtime_error(arguments.url + ": /status was answered with " + std::to_string(answer.status));
  }
  const auto status = slice_object(answer.body);
  if (!status) throw std::runtime_error(arguments.url + ": /status was answered with something else than JSON");
  if (arguments.json) {
    std::cout << answer.body << (answer.body.back() == '\n' ? "" : "\n");
    return kOk;
  }
  StatusNotes notes;
  std::cout << node_table(*status, config::format_address(address), arguments.one, notes).text();
  const Table peers = peer_table(*status);
  if (!peers.empty()) {
    std::cout << "\nPeers as " << status->text("node") << " sees them (lag and forwarded in strokes):\n"
              << peers.text();
  }
  if (const std::string text = notes.text(); !text.empty()) std::cout << '\n' << text;
  return kOk;
}

}  // namespace

void add_status_command(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<StatusArguments>();
  CLI::App* command = program.add_subcommand("status");
  command->description(
      "Show the nodes, their peers, lag, channels and connections\n"
      "\n"
      "A table of all nodes, each asked for its own row, one of the peers as the asked node sees them, and a note for\n"
      "each thing that is not as it should be: why a node is not ready, why one is hollow and whom it waits for,\n"
      "who is down, what publishes wait for, full stores, stand-ins, cluster files or mesh versions that differ,\n"
      "two processes under one id, damaged records, forks, long cursors, strokes that a wrong clock put far ahead.\n"
      "\n"
      "  inkmesh status http://127.0.0.1:8081\n"
      "  inkmesh status http://127.0.0.1:8081 --json | jq .peers\n"
      "\n"
      "STATE ready takes clients. OPEN are the channels that clients of the node have open, CHANNELS those that it\n"
      "stores. LAG are strokes that the peer should have and has not confirmed. FOR INTEREST were forwarded because\n"
      "the peer's clients have the channel open, FOR DURABILITY only because it is a home of the channel or stands in\n"
      "for one: a peer that is neither gets none.\n");
  command->add_option("URL", arguments->url, "A node's address")->required()->type_name("");
  command->add_flag("--json", arguments->json, "The node's answer as it came");
  command->add_flag("--one", arguments->one, "Only this node: the others are not asked");
  command->callback([arguments, &run] { run = [arguments] { return run_status(*arguments); }; });
}

}  // namespace inkmesh::cli
