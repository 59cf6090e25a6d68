// inkmesh draw: publishes the strokes of a file.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>

#include "cli/commands.h"
#include "cli/node_link.h"
#include "cli/progress.h"
#include "cli/publisher.h"
#include "cli/stop_signal.h"
#include "cli/stroke_source.h"
#include "cli/url.h"

namespace inkmesh::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// A node's own limit is met from below.
constexpr double kRateShare = 0.95;
constexpr double kRateUnknown = 100;
/// What may wait in our own socket.
constexpr std::size_t kUnsentBytesMax = std::size_t{256} << 10;
/// How long to listen before there may be something to send again.
constexpr std::chrono::milliseconds kAtOnce{0};
constexpr std::chrono::milliseconds kForStrokes{5};
constexpr std::chrono::milliseconds kForAcks{50};

struct DrawArguments {
  std::string url;
  std::string channel;
  std::string file;
  double rate = 0;
  std::string client;
  std::uint64_t first_op = 1;
  std::size_t window = 256;
  bool stay = false;
  bool quiet = false;
  PageLayout page;
};

std::string random_client() {
  constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
  std::random_device device;
  std::string name = "draw-";
  for (int i = 0; i < 8; ++i)
    name += kAlphabet[device() % 32];
  return name;
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

CLI::Validator colour_check() {
  const auto check = [](std::string& text) -> std::string {
    const bool hex = text.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string::npos;
    return text.size() == 7 && text[0] == '#' && hex ? "" : "expected #rrggbb, found " + text;
  };
  return {check, "", "colour"};
}

std::string counted(std::uint64_t count, const char* one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string words_for(const Publisher& publisher, Clock::time_point begin) {
  const Publisher::Counts& counts = publisher.counts();
  char rate[32];
  std::snprintf(rate, sizeof rate, "%.0f/s", static_cast<double>(counts.acked) / std::max(seconds_since(begin), 0.001));
  return counted(counts.acked, "stroke") + " acknowledged, " + rate + ", " + std::to_string(publisher.outstanding()) +
         " on the way";
}

std::string summary(const Publisher& publisher, const NodeLink& link, const DrawArguments& arguments,
                    Clock::time_point begin) {
  const Publisher::Counts& counts = publisher.counts();
  const double took_s = std::max(seconds_since(begin), 0.001);
  char time[64];
  std::snprintf(time, sizeof time, "%.1f s (%.0f/s)", took_s, static_cast<double>(counts.acked) / took_s);
  std::string text = "drew " + counted(counts.acked, "stroke") + " on " + arguments.channel + " as " +
                     arguments.client + " in " + time;
  if (counts.copies_min > 0) text += ", each on " + counted(counts.copies_min, "node") + " at least";
  if (counts.duplicates > 0) text += ", " + std::to_string(counts.duplicates) + " were there before";
  if (counts.resent > 0) text += ", " + std::to_string(counts.resent) + " sent again";
  if (link.reconnects() > 0) text += ", " + counted(link.reconnects(), "reconnect");
  if (publisher.outstanding() > 0)
    text += "; " + std::to_string(publisher.outstanding()) + " without an acknowledgement";
  return text;
}

/// Sends what may go now. False when there was nothing to do.
bool send_due(StrokeSource& source, Publisher& publisher, NodeLink& link) {
  bool sent = false;
  while (link.unsent_bytes() < kUnsentBytesMax) {
    const auto now = Clock::now();
    if (const auto again = publisher.repeat(now)) {
      link.send(*again);
      sent = true;
      continue;
    }
    if (source.ended() || stop_asked() || !publisher.has_room(now)) break;
    auto data = source.next();
    if (!data) break;
    link.send(publisher.publish(std::move(*data)));
    sent = true;
  }
  return sent;
}

/// Says once why nothing goes on, where no acknowledgement comes for a while.
class AckWatch {
 public:
  explicit AckWatch(std::function<void(const std::string&)> note) : note_(std::move(note)) {}

  void look(const Publisher& publisher) {
    const auto now = Clock::now();
    if (publisher.counts().acked != acked_ || publisher.outstanding() == 0) {
      acked_ = publisher.counts().acked;
      since_ = now;
      said_ = false;
    } else if (!said_ && now - since_ >= kAckSlow) {
      said_ = true;
      note_("no acknowledgement for 10 s: are as many nodes up as `ack` asks for? " +
            counted(publisher.outstanding(), "stroke") + " wait; what was sent is shown all the same");
    }
  }

 private:
  static constexpr auto kAckSlow = std::chrono::seconds(10);

  std::function<void(const std::string&)> note_;
  std::uint64_t acked_ = 0;
  Clock::time_point since_ = Clock::now();
  bool said_ = false;
};

int run_draw(DrawArguments arguments) {
  if (!valid_channel(arguments.channel)) {
    throw UsageError(arguments.channel + ": a channel has 1 to 128 of A-Z a-z 0-9 _ . : -");
  }
  if (arguments.client.empty()) arguments.client = random_client();
  if (!valid_client(arguments.client)) {
    throw UsageError("--client " + arguments.client + ": a client has 1 to 64 of A-Z a-z 0-9 _ . : -");
  }
  StrokeSource source(arguments.file, arguments.page);
  Progress progress;
  LinkSettings settings;
  settings.address = parse_url(arguments.url);
  settings.stay = arguments.stay;
  settings.client = arguments.client;
  const auto note = [&](const std::string& text) {
    if (!arguments.quiet) progress.note("inkmesh draw: " + text);
  };
  NodeLink link(settings, note);
  Publisher publisher(arguments.channel, arguments.first_op, arguments.window);
  const auto connect = [&] {
    link.connect();
    const auto limit = static_cast<double>(link.welcome().publish_per_s);
    const double allowed = limit > 0 ? limit * kRateShare : kRateUnknown;
    publisher.set_rate(arguments.rate > 0 ? std::min(arguments.rate, allowed) : allowed);
    publisher.connection_lost(Clock::now());
  };
  watch_stop_signals();
  connect();
  const auto begin = Clock::now();
  AckWatch patience(note);
  // After Ctrl-C what is on the way still gets its acknowledgement, for a while.
  constexpr auto kFarewell = std::chrono::seconds(5);
  std::optional<Clock::time_point> give_up;
  while (publisher.outstanding() > 0 || (!source.ended() && !stop_asked())) {
    if (stop_asked() && !give_up) give_up = Clock::now() + kFarewell;
    if (give_up && Clock::now() >= *give_up) break;
    if (!link.is_open()) connect();
    const bool sent = send_due(source, publisher, link);
    const bool only_acks = source.ended() || publisher.outstanding() >= arguments.window;
    if (const auto message = link.receive(sent ? kAtOnce : only_acks ? kForAcks : kForStrokes)) {
      publisher.take(*message, Clock::now());
    }
    patience.look(publisher);
    if (!arguments.quiet) progress.show(source.done(), words_for(publisher, begin));
  }
  link.close();
  progress.clear();
  const bool all = publisher.outstanding() == 0 && source.ended();
  if (!arguments.quiet) progress.note(summary(publisher, link, arguments, begin));
  return all ? kOk : kFailed;
}

}  // namespace

void add_draw_command(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<DrawArguments>();
  CLI::App* command = program.add_subcommand("draw");
  command->description(
      "Publish the strokes of a file to a channel\n"
      "\n"
      "A progress bar and the rate go to standard error. It ends with 0 once every stroke is acknowledged. When its\n"
      "node is lost it goes on at another and sends again what was not acknowledged: each stroke is drawn once. So is "
      "a\n"
      "file that is drawn again with the same --client.\n"
      "\n"
      "FILE holds lines of JSON, each a stroke's data; or one JSON array of strokes; or characters of the npm package\n"
      "hanzi-writer-data, one in the file or one a line, which are written in rows. '-' is standard input, read as it\n"
      "comes.\n"
      "\n"
      "  inkmesh draw http://127.0.0.1:8081 drawing_demo strokes.jsonl\n"
      "  inkmesh draw http://127.0.0.1:8082 drawing_demo node_modules/hanzi-writer-data/永.json --size 800\n"
      "  inkmesh tail http://127.0.0.1:8081 drawing_a | jq -c .data | inkmesh draw http://127.0.0.1:8081 drawing_b "
      "-\n");
  command->add_option("URL", arguments->url, "A node's address, or a balancer's")->required()->type_name("");
  command->add_option("CHANNEL", arguments->channel, "Such as drawing_demo")->required()->type_name("");
  command->add_option("FILE", arguments->file, "The strokes; '-' for standard input")->required()->type_name("");
  command->add_option("--rate", arguments->rate, "Strokes per second; otherwise what the node allows")
      ->check(CLI::Range(0.01, 1e6))
      ->type_name("N");
  command->add_option("--client", arguments->client, "The author's name; otherwise a random one")->type_name("NAME");
  command->add_option("--first-op", arguments->first_op, "The author's number for the first stroke")
      ->check(CLI::Range(std::uint64_t{1}, kNumberMax))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--window", arguments->window, "How many may be without an acknowledgement at once")
      ->check(CLI::Range(std::size_t{1}, std::size_t{4096}))
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--stay", arguments->stay, "Stay with this one address: it is a balancer's");
  command->add_flag("-q,--quiet", arguments->quiet, "Nothing on standard error but failures");
  command->add_option("--size", arguments->page.size, "Characters: a cell's side, on a board of 1600 x 1000")
      ->check(CLI::Range(10.0, 1000.0))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--left", arguments->page.left, "Characters: where the page begins")
      ->check(CLI::Range(0.0, 1600.0))
      ->capture_default_str()
      ->type_name("X");
  command->add_option("--top", arguments->page.top, "Characters: where the page begins")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str()
      ->type_name("Y");
  command->add_option("--colour", arguments->page.colour, "Characters: the ink, #rrggbb")
      ->check(colour_check())
      ->capture_default_str()
      ->type_name("COLOUR");
  command->add_option("--width", arguments->page.width, "Characters: the pen")
      ->check(CLI::Range(0.5, 100.0))
      ->capture_default_str()
      ->type_name("N");
  command->callback([arguments, &run] { run = [arguments] { return run_draw(*arguments); }; });
}

}  // namespace inkmesh::cli
