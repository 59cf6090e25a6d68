// inkmesh tail: every stroke of a channel as a line of JSON, from whichever node answers.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "cli/channel_reader.h"
#include "cli/commands.h"
#include "cli/node_link.h"
#include "cli/stop_signal.h"
#include "cli/url.h"

namespace inkmesh::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// How long --once waits for somebody who knows that what was printed is all.
constexpr std::chrono::seconds kCompleteWithin{10};

struct TailArguments {
  std::string url;
  std::string channel;
  std::optional<std::uint64_t> since;
  bool live = false;
  std::string cursor;
  bool once = false;
  bool stay = false;
  bool quiet = false;
};

ReaderStart start_of(const TailArguments& arguments) {
  ReaderStart start;
  if (arguments.live) start.kind = ReaderStart::Kind::live;
  if (arguments.since) {
    start.kind = ReaderStart::Kind::since;
    start.since = *arguments.since;
  }
  if (arguments.cursor.empty()) return start;
  start.kind = ReaderStart::Kind::cursor;
  const auto cursor = cursor_of(arguments.cursor);
  if (!cursor) throw UsageError("--cursor: expected JSON such as {\"ws1~5k2m9x1q\":42}, found " + arguments.cursor);
  start.cursor = *cursor;
  return start;
}

int run_tail(const TailArguments& arguments) {
  if (!valid_channel(arguments.channel)) {
    throw UsageError(arguments.channel + ": a channel has 1 to 128 of A-Z a-z 0-9 _ . : -");
  }
  LinkSettings settings;
  settings.address = parse_url(arguments.url);
  settings.stay = arguments.stay;
  const auto note = [&arguments](const std::string& text) {
    if (!arguments.quiet) std::cerr << "inkmesh tail: " << text << std::endl;
  };
  NodeLink link(settings, note);
  ChannelReader reader(arguments.channel, start_of(arguments));
  watch_stop_signals();
  link.connect();
  link.send(reader.subscribe_message());
  constexpr auto kNever = Clock::time_point::max();
  auto retry_at = kNever;
  auto give_up_at = kNever;
  bool done = false;
  while (!done && !stop_asked()) {
    if (Clock::now() >= give_up_at) {
      link.close();
      throw std::runtime_error(
          "what was printed may not be all: no node that can be reached knows all of the channel (a node is down, "
          "or its lost disk is not refilled)");
    }
    const bool lost = !link.is_open();
    if (lost) link.connect();
    if (lost || Clock::now() >= retry_at) {
      link.send(reader.subscribe_message());
      retry_at = kNever;
    }
    const auto message = link.receive(std::chrono::milliseconds(100));
    if (!message) continue;
    const ReaderNews news = reader.take(*message);
    if (!news.lines.empty()) {
      std::fwrite(news.lines.data(), 1, news.lines.size(), stdout);
      if (std::fflush(stdout) != 0) throw std::runtime_error("standard output cannot be written to");
    }
    for (const std::string& broken : news.broken)
      std::cerr << "inkmesh tail: A PROMISE IS BROKEN: " << broken << std::endl;
    if (arguments.once && news.live && give_up_at == kNever) give_up_at = Clock::now() + kCompleteWithin;
    if (!news.note.empty()) note(news.note);
    if (news.retry_ms) retry_at = Clock::now() + std::chrono::milliseconds(*news.retry_ms);
    done = arguments.once && news.complete;
  }
  link.close();
  note("the cursor is now " + json_of(reader.cursor()));
  return reader.promises_broken() > 0 ? kFailed : kOk;
}

}  // namespace

void add_tail_command(CLI::App& program, Run& run) {
  auto arguments = std::make_shared<TailArguments>();
  CLI::App* command = program.add_subcommand("tail");
  command->description(
      "Print a channel's strokes as lines of JSON\n"
      "\n"
      "What there is, then what comes, on standard output until Ctrl-C. When its node is lost it goes on at another\n"
      "with its cursor: each place in the log is printed once, and those of each origin in the order of seq. It "
      "checks\n"
      "that promise as it goes; should it find it broken it says so and ends with 1. An author's retry can stand in "
      "the\n"
      "log twice: the later copy has \"duplicate\":true, and is not drawn. Its cursor at the end goes to standard "
      "error,\n"
      "for --cursor next time.\n"
      "\n"
      "  inkmesh tail http://127.0.0.1:8081 drawing_demo\n"
      "  inkmesh tail http://127.0.0.1:8081 drawing_demo --live\n"
      "  inkmesh tail http://127.0.0.1:8081 drawing_demo --once | jq -c .data > strokes.jsonl\n");
  command->add_option("URL", arguments->url, "A node's address, or a balancer's")->required()->type_name("");
  command->add_option("CHANNEL", arguments->channel, "Such as drawing_demo")->required()->type_name("");
  auto* start = command->add_option_group("start", "Where to start; otherwise with the first stroke");
  start->add_option("--cursor", arguments->cursor, "Past what this cursor has seen")->type_name("JSON");
  start->add_option("--since", arguments->since, "With strokes from this timestamp on (microseconds since 1970)")
      ->check(CLI::Range(std::uint64_t{0}, kNumberMax))
      ->type_name("TS");
  start->add_flag("--live", arguments->live, "With what comes from now on");
  start->require_option(0, 1);
  command->add_flag("--once", arguments->once,
                    "End when all that there is was printed; with 1 when no node could say so within 10 s");
  command->add_flag("--stay", arguments->stay, "Stay with this one address: it is a balancer's");
  command->add_flag("-q,--quiet", arguments->quiet, "Nothing on standard error but failures");
  command->callback([arguments, &run] { run = [arguments] { return run_tail(*arguments); }; });
}

}  // namespace inkmesh::cli
