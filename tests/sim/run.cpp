#include "run.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "faults.h"
#include "list_change.h"
#include "world.h"

namespace inkmesh::sim {
namespace {

constexpr SimUs kLookEveryUs = 100_ms;
constexpr std::size_t kPromptAuthorsMax = 64;

/// What the clients do in the first phase.
class Work {
 public:
  Work(World& world, Random random) : world_(world), random_(random) {
    const Options& options = world.options();
    for (unsigned i = 0; i < options.channels; ++i)
      channels_.push_back("drawing_" + std::to_string(i + 1));
    for (unsigned i = 0; i < options.clients; ++i)
      add_client(i);
    for (unsigned i = 0; i < options.ops; ++i)
      at_random([this] { draw(); });
    for (unsigned i = 0; i < options.ops / 20; ++i)
      at_random([this] { turn_pages(); });
    for (unsigned i = 0; i < options.ops / 20; ++i)
      at_random([this] { repeat_an_op(); });
    for (unsigned i = 0; i < options.ops / 20; ++i)
      at_random([this] { wave(); });
    for (unsigned i = 0; i < options.clients; ++i)
      at_random([this] { read_history(); });
  }

 private:
  template <typename Action>
  void at_random(Action action) {
    world_.agenda().at(random_.below(world_.options().faults_us), action);
  }

  void add_client(unsigned index) {
    const auto node = static_cast<NodeIndex>(random_.below(world_.size()));
    const SimUs when = random_.chance(700) ? random_.below(50'000) : random_.below(world_.options().faults_us);
    const bool slow = index < world_.options().slow_readers;
    std::vector<Channel> opens;
    for (const Channel& channel : channels_) {
      if (random_.chance(700)) opens.push_back(channel);
    }
    world_.agenda().at(when, [this, index, node, slow, opens] {
      SimClient& client = world_.client("c" + std::to_string(index + 1), node);
      if (slow) client.set_us_per_kib(world_.options().slow_us_per_kib);
      for (const Channel& channel : opens)
        client.subscribe(channel, beginning());
    });
  }

  StartAt beginning() {
    const std::uint64_t kind = random_.below(10);
    if (kind == 0) return StartAt{StartAt::Kind::live, {}, 0};
    // Some moment around now, as the simulated wall clocks have it.
    if (kind == 1) return StartAt{StartAt::Kind::since, {}, 1'763'890'000'000'000 + random_.below(8'000'000)};
    if (kind == 2) return StartAt{StartAt::Kind::cursor, {}, 0};
    return StartAt{};
  }

  SimClient* any_client() {
    return world_.clients().empty() ? nullptr : random_.pick(world_.clients()).get();
  }

  void draw() {
    if (SimClient* client = any_client()) {
      client->publish(random_.pick(channels_), random_.below(world_.options().data_bytes_max + 1));
    }
  }

  void turn_pages() {
    SimClient* client = any_client();
    if (client == nullptr) return;
    const Channel& channel = random_.pick(channels_);
    const auto found = client->subscriptions().find(channel);
    const bool open = found != client->subscriptions().end() && found->second.wanted;
    if (open && random_.chance(500)) {
      client->unsubscribe(channel);
      world_.agenda().after(random_.below(300'000), [client, channel] { client->subscribe(channel); });
    } else {
      client->subscribe(channel, beginning());
    }
  }

  void repeat_an_op() {
    SimClient* client = any_client();
    if (client == nullptr || !client->connected() || client->acks().empty()) return;
    const SendAck& ack = random_.pick(client->acks());
    const auto& strokes = world_.checker().channels().at(ack.channel).strokes.at(ack.origin);
    client->publish_again(ack.channel, strokes[ack.seq - 1]->op);
  }

  void wave() {
    if (SimClient* client = any_client()) client->signal(random_.pick(channels_));
  }

  /// All pages of a channel over HTTP.
  void read_history() {
    const auto node = static_cast<NodeIndex>(random_.below(world_.size()));
    if (world_.node(node).up()) read_page(node, random_.pick(channels_), StartAt{});
  }

  void read_page(NodeIndex node, const Channel& channel, const StartAt& start) {
    world_.node(node).edge().ask_history(channel, start, [this, node, channel, start](const HistoryPage& page) {
      Cursor cursor = start.cursor;
      for (const StrokePtr& stroke : page.strokes) {
        if (stroke->seq != cursor.at(stroke->origin) + 1) {
          world_.checker().violation(channel, "a history page has " + stroke->origin + ":" +
                                                  std::to_string(stroke->seq) + " after " +
                                                  std::to_string(cursor.at(stroke->origin)));
        }
        cursor.set(stroke->origin, stroke->seq);
      }
      if (!(cursor == page.cursor)) world_.checker().violation(channel, "a history page's cursor is not its end");
      if (!page.more || page.strokes.empty()) return;
      const StartAt next{StartAt::Kind::cursor, cursor, 0};
      world_.agenda().after(500, [this, node, channel, next] {
        if (world_.node(node).up()) read_page(node, channel, next);
      });
    });
  }

  World& world_;
  Random random_;
  std::vector<Channel> channels_;
};

/// All is well, everyone has everything: a stroke of each client on each of its channels must be everywhere soon; of
/// very many clients some are taken.
void check_promptness(World& world) {
  const auto& clients = world.clients();
  const std::size_t every = 1 + (clients.size() - 1) / kPromptAuthorsMax;
  for (std::size_t i = 0; i < clients.size(); i += every) {
    for (const auto& [channel, subscription] : clients[i]->subscriptions()) {
      if (subscription.wanted) clients[i]->publish(channel);
    }
  }
  const SimUs prompt_us = world.options().prompt_us;
  const std::string apart = world.come_together(prompt_us, kLookEveryUs);
  if (apart.empty()) return;
  world.checker().violation(
      {}, "a new stroke was not everywhere after " + std::to_string(prompt_us / 1000) + " ms: " + apart);
}

}  // namespace

Result run(const Options& options, bool record) {
  World world(options, record);
  Result result;
  RollingChange change(world, world.random().split());
  world.start();
  Work work(world, world.random().split());
  Faults faults(world, world.random().split());
  world.run_until(options.faults_us);
  if (!world.failed()) {
    change.end();
    faults.end();
    const SimUs begin = world.now();
    const std::string apart = world.come_together(options.converge_us, kLookEveryUs);
    result.converged_us = world.now() - begin;
    if (!apart.empty()) {
      world.checker().violation({}, std::to_string(options.converge_us / 1'000'000) + " s after the faults: " + apart);
    } else {
      check_promptness(world);
      world.check_end();
    }
  }
  result.violation = world.checker().first_violation();
  result.trace_hash = world.trace().hash();
  result.steps = world.agenda().steps();
  result.virtual_us = world.now();
  result.acks = world.checker().acks();
  result.owed_acks = world.ack_watch().owed();
  result.history = world.trace().lines();
  return result;
}

std::string short_history(const Result& result, std::size_t lines_max) {
  const Channel channel = result.violation ? result.violation->channel : Channel();
  const bool all = lines_max == SIZE_MAX;
  const auto has = [](const Trace::Line& line, const char* text) { return line.text.find(text) != std::string::npos; };
  std::vector<const Trace::Line*> kept;
  for (const Trace::Line& line : result.history) {
    const bool fault = line.text.rfind("==", 0) == 0 || has(line, "crashes") || has(line, "starts as");
    const bool concerns = channel.empty()
                              ? !line.channel.empty()
                              : line.channel == channel || (line.channel.empty() && has(line, channel.c_str()));
    if (all || fault || concerns) kept.push_back(&line);
  }
  std::ostringstream out;
  const std::size_t first = kept.size() > lines_max ? kept.size() - lines_max : 0;
  if (first != 0) out << "  ... " << first << " lines before ...\n";
  for (std::size_t i = first; i < kept.size(); ++i) {
    const SimUs at = kept[i]->at;
    out << "  " << at / 1000 << '.' << (at % 1000) / 100 << " ms  " << kept[i]->text << '\n';
  }
  if (result.violation) {
    out << "  " << result.violation->at / 1000 << " ms  BROKEN: " << result.violation->channel
        << (result.violation->channel.empty() ? "" : ": ") << result.violation->text << '\n';
  }
  return out.str();
}

Options shrink(const Options& failing, unsigned runs_max) {
  Options best = failing;
  unsigned runs = 0;
  bool smaller = true;
  while (smaller) {
    smaller = false;
    for (const Options& simpler_one : simpler(best)) {
      if (runs++ >= runs_max) return best;
      if (!run(simpler_one).violation) continue;
      best = simpler_one;
      smaller = true;
      break;
    }
  }
  return best;
}

}  // namespace inkmesh::sim
