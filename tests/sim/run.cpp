#include "run.h"

#include <algorithm>
#include <utility>

#include "faults.h"
#include "list_change.h"
#include "world.h"

namespace inkmesh::sim {
namespace {

constexpr SimUs kLookEveryUs = 100_ms;
constexpr std::size_t kPromptAuthorsMax = 64;
constexpr unsigned kAskersMax = 64;  ///< of who is there
/// After it whatever is offered again, asked again or kept for a while has been.
constexpr SimUs kQuietUs = 8_s;

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
    for (unsigned i = 0; i < (options.pages != 0 ? options.pages : options.clients); ++i)
      at_random([this] { read_history(); });
    for (unsigned i = 0; i < std::min(options.clients, kAskersMax); ++i)
      at_random([this] { look_around(); });
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

  void look_around() {
    SimClient* client = any_client();
    if (client == nullptr) return;
    for (const auto& [channel, subscription] : client->subscriptions()) {
      if (subscription.wanted && subscription.answered) client->ask_presence(channel);
    }
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
  const World::Apart apart = world.come_together(prompt_us, kLookEveryUs);
  if (apart.empty()) return;
  world.checker().violation(apart.channel, "a new stroke was not everywhere after " + std::to_string(prompt_us / 1000) +
                                               " ms: " + apart.text);
}

/// Everyone asks who is there: some have asked before, and were told of changes.
void check_presence(World& world) {
  if (world.failed()) return;
  world.check_presence();
  for (const auto& client : world.clients()) {
    for (const auto& [channel, subscription] : client->subscriptions()) {
      if (subscription.wanted) client->ask_presence(channel);
    }
  }
  world.run_for(1_s);
  if (!world.failed() && world.apart().empty()) world.check_presence();
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
    const World::Apart apart = world.come_together(options.converge_us, kLookEveryUs);
    result.converged_us = world.now() - begin;
    if (!apart.empty()) {
      world.checker().violation(apart.channel,
                                std::to_string(options.converge_us / 1'000'000) + " s after the faults: " + apart.text);
    } else {
      check_promptness(world);
      world.check_end();
      world.run_for(kQuietUs);
      world.check_left_over();
      check_presence(world);
    }
  }
  result.violation = world.checker().first_violation();
  result.concerned = world.checker().concerned();
  result.trace_hash = world.trace().hash();
  result.steps = world.agenda().steps();
  result.virtual_us = world.now();
  result.acks = world.checker().acks();
  result.owed_acks = world.ack_watch().owed();
  result.history = world.trace().lines();
  return result;
}

}  // namespace inkmesh::sim
