// inkmesh_scale: what a mesh of a given size costs each of its nodes. Exit 0 when all promises held, 1 when not.
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "parse_number.h"
#include "scale.h"

namespace {

using inkmesh::sim::ScaleFigures;
using inkmesh::sim::ScaleOptions;

struct Arguments {
  std::vector<unsigned> nodes{3, 10, 50, 200};
  std::vector<unsigned> replicas{2, 0};
  std::vector<unsigned> losses{0, 10};
  ScaleOptions options;
  bool json = false;
  bool help = false;
};

constexpr std::string_view kHelp =
    "usage: inkmesh_scale [options]\n"
    "  --nodes LIST      sizes of the mesh, 1 to 1000 [3,10,50,200]\n"
    "  --replicas LIST   homes of a channel [2,0]\n"
    "  --loss LIST       gossip lost, of 1000 messages [0,10]\n"
    "  --channels N      open at each node [20]\n"
    "  --spread N        nodes that have a channel open, on average [3]\n"
    "  --turnover RATE   a node closes a channel and opens another, per second [1]\n"
    "  --strokes RATE    of a node, per second [5]\n"
    "  --seconds S       of virtual time, the measured window [10]\n"
    "  --seed N          [1]\n"
    "  --first-start     all stores are new; otherwise they were whole before\n"
    "  --json            instead of a table\n";

bool parse_amount(std::string_view text, double& number) {
  return inkmesh::sim::parse_number(text, number) && number >= 0 && number <= 1e9;
}

bool parse_list(std::string_view text, unsigned low, unsigned high, std::vector<unsigned>& list) {
  list.clear();
  while (true) {
    const std::size_t comma = text.find(',');
    double number = 0;
    if (!parse_amount(text.substr(0, comma), number) || number < low || number > high) return false;
    list.push_back(static_cast<unsigned>(number));
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

bool parse_option(std::string_view name, std::string_view text, Arguments& arguments) {
  ScaleOptions& options = arguments.options;
  if (name == "--nodes") return parse_list(text, 1, 1000, arguments.nodes);
  if (name == "--replicas") return parse_list(text, 0, 16, arguments.replicas);
  if (name == "--loss") return parse_list(text, 0, 999, arguments.losses);
  double number = 0;
  if (!parse_amount(text, number)) return false;
  if (name == "--channels") {
    options.channels = static_cast<unsigned>(number);
    return options.channels >= 2 && options.channels <= 200;
  }
  if (name == "--spread") {
    options.nodes_per_channel = static_cast<unsigned>(number);
    return options.nodes_per_channel >= 1;
  }
  if (name == "--seconds") {
    options.window_us = static_cast<std::uint64_t>(number * 1e6);
    return number >= 0.1 && number <= 3600;
  }
  if (name == "--turnover") {
    options.turnover_per_s = number;
  } else if (name == "--strokes") {
    options.strokes_per_s = number;
  } else if (name == "--seed") {
    options.seed = static_cast<std::uint64_t>(number);
  } else {
    return false;
  }
  return true;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--json") {
      arguments.json = true;
    } else if (name == "--first-start") {
      arguments.options.first_start = true;
    } else if (name == "--help") {
      arguments.help = true;
    } else if (i + 1 < argc && parse_option(name, argv[i + 1], arguments)) {
      ++i;
    } else {
      std::cerr << "inkmesh_scale: cannot use " << name << '\n' << kHelp;
      return false;
    }
  }
  return true;
}

struct Column {
  const char* name;   ///< in JSON
  const char* title;  ///< in the table; nullptr: not there
  double (*value)(const ScaleFigures& figures);
};

template <auto Member>
double get(const ScaleFigures& figures) {
  return static_cast<double>(figures.*Member);
}

const std::vector<Column> kColumns{
    {"gossip_messages", "gossip/s", get<&ScaleFigures::gossip_messages>},
    {"gossip_bytes", "B/s", get<&ScaleFigures::gossip_bytes>},
    {"frames", "frames/s", get<&ScaleFigures::frames>},
    {"link_bytes", "B/s", get<&ScaleFigures::link_bytes>},
    {"repair_messages", "anti-ent/s", get<&ScaleFigures::repair_messages>},
    {"pulls", "pulls/s", get<&ScaleFigures::pulls>},
    {"known_p50_ms", "known p50", get<&ScaleFigures::known_p50_ms>},
    {"known_p99_ms", "p99 ms", get<&ScaleFigures::known_p99_ms>},
    {"live_p50_ms", "live p50", get<&ScaleFigures::live_p50_ms>},
    {"live_p99_ms", "p99 ms", get<&ScaleFigures::live_p99_ms>},
    {"complete_p50_ms", nullptr, get<&ScaleFigures::complete_p50_ms>},
    {"complete_p99_ms", nullptr, get<&ScaleFigures::complete_p99_ms>},
    {"openings", nullptr, get<&ScaleFigures::openings>},
    {"forwarded", "forwarded", get<&ScaleFigures::forwarded>},
    {"for_interest", nullptr, get<&ScaleFigures::for_interest>},
    {"for_copies", "copies", get<&ScaleFigures::for_copies>},
    {"for_nothing", "in vain", get<&ScaleFigures::for_nothing>},
    {"turns", "turns/s", get<&ScaleFigures::turns>},
    {"cpu_us", "cpu us/s", get<&ScaleFigures::cpu_us>},
    {"start_cpu_ms", "start ms", get<&ScaleFigures::start_cpu_ms>},
    {"ready_ms", "ready ms", get<&ScaleFigures::ready_ms>},
    {"memory_kib", "KiB", get<&ScaleFigures::memory_kib>},
    {"unacknowledged", nullptr, get<&ScaleFigures::unacknowledged>},
    {"events", nullptr, get<&ScaleFigures::events>},
    {"wall_s", "took s", get<&ScaleFigures::wall_s>},
};

void print_head() {
  std::printf("Each second of virtual time, and each node; `forwarded` are strokes of the whole run.\n");
  std::printf("%6s %5s %5s", "nodes", "homes", "lost");
  for (const Column& column : kColumns) {
    if (column.title != nullptr) std::printf(" %10s", column.title);
  }
  std::printf("\n");
}

void print_row(const ScaleOptions& options, const ScaleFigures& figures) {
  std::printf("%6u %5u %4.1f%%", options.nodes, options.replicas, options.gossip_loss_per_mille / 10.0);
  for (const Column& column : kColumns) {
    const double value = column.value(figures);
    if (column.title != nullptr) std::printf(" %10.*f", value < 100 && value != 0 ? 1 : 0, value);
  }
  if (figures.unacknowledged != 0) {
    std::printf("  %llu not acknowledged", static_cast<unsigned long long>(figures.unacknowledged));
  }
  std::printf("%s%s\n", figures.broken.empty() ? "" : "  BROKEN: ", figures.broken.c_str());
  std::fflush(stdout);
}

void print_json(const ScaleOptions& options, const ScaleFigures& figures, bool first) {
  std::printf("%s{\"nodes\": %u, \"replicas\": %u, \"loss_per_mille\": %u, \"seconds\": %g", first ? "[\n " : ",\n ",
              options.nodes, options.replicas, options.gossip_loss_per_mille,
              static_cast<double>(options.window_us) / 1e6);
  for (const Column& column : kColumns)
    std::printf(", \"%s\": %.10g", column.name, column.value(figures));
  // Names of channels and nodes, and numbers: nothing to escape.
  std::printf(", \"broken\": \"%s\"}", figures.broken.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return 2;
  if (arguments.help) {
    std::cout << kHelp;
    return 0;
  }
  if (!arguments.json) print_head();
  bool first = true;
  bool held = true;
  for (const unsigned replicas : arguments.replicas) {
    for (const unsigned nodes : arguments.nodes) {
      for (const unsigned loss : arguments.losses) {
        ScaleOptions options = arguments.options;
        options.nodes = nodes;
        options.replicas = replicas;
        options.gossip_loss_per_mille = loss;
        const ScaleFigures figures = inkmesh::sim::measure_scale(options);
        held = held && figures.broken.empty();
        if (arguments.json) {
          print_json(options, figures, first);
        } else {
          print_row(options, figures);
        }
        first = false;
      }
    }
  }
  if (arguments.json) std::printf("\n]\n");
  return held ? 0 : 1;
}
