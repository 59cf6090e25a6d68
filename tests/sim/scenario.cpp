#include "scenario.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <variant>

#include "describe.h"
#include "options.h"

namespace inkmesh::sim {

SimClient& Scenario::client(const std::string& name) {
  const auto found = clients_.find(name);
  if (found == clients_.end()) throw std::runtime_error("no client " + name + " was opened");
  return *found->second;
}

NodeIndex Scenario::node(const std::string& id) const {
  const NodeIndex index = world_->index_of(id);
  if (index >= world_->size()) throw std::runtime_error("no node " + id);
  return index;
}

void Scenario::name_origins() {
  for (NodeIndex index = 0; index < world_->size(); ++index) {
    const SimNode& node = world_->node(index);
    if (node.up() && names_.count(node.origin()) == 0) {
      names_[node.origin()] = node.id() + "#" + std::to_string(++lives_[index]);
    }
  }
}

// ---- what is heard
// ----------------------------------------------------------------------------------------------------

void Scenario::end_run(const ClientName& client) {
  const auto found = runs_.find(client);
  if (found == runs_.end()) return;
  const Run& run = found->second;
  std::string text = run.head + ":" + std::to_string(run.first);
  if (run.last != run.first) text += ".." + std::to_string(run.last);
  lines_[client].push_back(text);
  runs_.erase(found);
}

void Scenario::heard(const ClientName& client, const Effect& effect) {
  if (const auto* deliver = std::get_if<DeliverStrokes>(&effect)) {
    for (const StrokePtr& stroke : deliver->strokes) {
      const std::string head = "strokes " + stroke->channel + " " + stroke->origin;
      const auto run = runs_.find(client);
      if (run != runs_.end() && run->second.head == head && run->second.last + 1 == stroke->seq) {
        ++run->second.last;
        continue;
      }
      end_run(client);
      runs_[client] = Run{head, stroke->seq, stroke->seq};
    }
    return;
  }
  if (std::holds_alternative<SendPresenceChange>(effect)) return;
  end_run(client);
  // Connection and request numbers say nothing here.
  std::istringstream words(replace_conns(describe(effect), [](auto) { return std::string(); }));
  std::string kept;
  for (std::string word; words >> word;) {
    const bool number = word[0] == '#' && word.size() > 1 &&
                        std::all_of(word.begin() + 1, word.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!number) kept += (kept.empty() ? "" : " ") + word;
  }
  lines_[client].push_back(kept);
}

std::string Scenario::drain() {
  std::vector<ClientName> open;
  for (const auto& [client, run] : runs_)
    open.push_back(client);
  for (const ClientName& client : open)
    end_run(client);
  std::string text;
  for (const std::string& line : std::exchange(said_, {}))
    text += line + "\n";
  for (const auto& [client, lines] : std::exchange(lines_, {})) {
    for (const std::string& line : lines)
      text += client + ": " + line + "\n";
  }
  for (const auto& [origin, name] : names_) {
    for (std::size_t at = text.find(origin); at != std::string::npos; at = text.find(origin, at)) {
      text.replace(at, origin.size(), name);
    }
  }
  if (world_->failed()) text += "BROKEN: " + world_->checker().first_violation()->text + "\n";
  return text;
}

// ---- commands
// ---------------------------------------------------------------------------------------------------------

void Scenario::command(const std::vector<std::string>& words) {
  const std::string& verb = words.at(0);
  const auto number = [&words](std::size_t at) { return static_cast<unsigned>(std::stoul(words.at(at))); };
  if (verb == "cluster") {
    world_ = std::make_unique<World>(calm(number(1), number(2), number(3)));
    world_->start();
    name_origins();
    world_->run_for(3_s);
    return;
  }
  if (!world_) throw std::runtime_error("the first command must be cluster");
  if (verb == "open") {
    SimClient& opened = world_->client(words.at(1), node(words.at(2)));
    opened.set_stay(true);
    opened.on_hear = [this, name = words.at(1)](const Effect& effect) { heard(name, effect); };
    clients_[words.at(1)] = &opened;
  } else if (verb == "subscribe") {
    const bool live = words.size() > 3 && words[3] == "live";
    client(words.at(1)).subscribe(words.at(2), live ? StartAt{StartAt::Kind::live, {}, 0} : StartAt{});
  } else if (verb == "unsubscribe") {
    client(words.at(1)).unsubscribe(words.at(2));
  } else if (verb == "publish") {
    for (unsigned i = 0; i < (words.size() > 3 ? number(3) : 1); ++i)
      client(words.at(1)).publish(words.at(2));
  } else if (verb == "again") {
    client(words.at(1)).publish_again(words.at(2), number(3));
  } else if (verb == "move") {
    client(words.at(1)).reconnect(node(words.at(2)));
  } else if (verb == "run") {
    world_->run_for(number(1) * 1_ms);
  } else if (verb == "crash") {
    world_->node(node(words.at(1))).crash(true);
  } else if (verb == "lose") {
    world_->lose_disk(node(words.at(1)));
  } else if (verb == "start") {
    world_->node(node(words.at(1))).start();
    name_origins();
  } else if (verb == "cut") {
    world_->network().cut(node(words.at(1)), node(words.at(2)));
    world_->network().cut(node(words.at(2)), node(words.at(1)));
  } else if (verb == "heal") {
    world_->network().heal_all();
  } else if (verb == "together") {
    const bool done = world_->run_until_true([this] { return world_->apart().empty(); }, number(1) * 1_ms);
    if (done) world_->check_end();
    said_.push_back(done ? "together" : "apart: " + world_->apart().text);
  } else {
    throw std::runtime_error("no such command: " + verb);
  }
}

std::string Scenario::carry_out(const std::string& commands) {
  std::istringstream lines(commands);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::vector<std::string> split;
    for (std::string word; words >> word;)
      split.push_back(word);
    command(split);
  }
  return drain();
}

}  // namespace inkmesh::sim
