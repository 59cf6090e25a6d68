// bench_load: the load generator. One thread; it says how busy it was, so that nobody takes its limit for a server's.
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <functional>
#include <iostream>

#include "common/net.h"
#include "load/catchup.h"
#include "load/churn.h"
#include "load/comeback.h"
#include "load/fill.h"
#include "load/herd.h"
#include "load/idle.h"
#include "load/plans.h"

namespace inkmesh::bench {

void announce(const std::string& line) {
  std::cout << line << std::endl;
}

namespace {

constexpr const char* kAbout =
    "Loads WebSocket servers with people who draw, and measures what each delivery costs them.\n\n"
    "  bench_load --url ws://127.0.0.1:8081 --pid ws1=4711 fanout --subscribers 500\n\n"
    "Every delivery is checked: each subscriber must get each author's strokes as 1, 2, 3... without loss, repeat or\n"
    "reordering; otherwise the run has failed. Prints `ready` (all have subscribed), `begin` and `end` (of the "
    "measured\n"
    "window), then the result as one line of JSON. Exit codes: 0 it counts, 1 it does not, 2 the command line is "
    "wrong.\n";

class Program {
 public:
  Program() : app_(kAbout, "bench_load") {
    common_options();
    fanout_options();
    mesh_options();
    latency_options();
    idle_options();
    ingest_options();
    catchup_options();
    churn_options();
    herd_options();
    comeback_options();
    fill_options();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? 0 : 2;
    }
    setting_.dialect = make_dialect(setting_.dialect_name);
    if (!setting_.dialect) {
      std::cerr << "bench_load: there is no dialect " << setting_.dialect_name << "\n";
      return 2;
    }
    try {
      for (const auto& pid : pids_)
        setting_.processes.add(pid);
      for (const auto port : link_ports_)
        setting_.links.add(port);
      for (const auto port : gossip_ports_)
        setting_.gossip.add(port);
    } catch (const std::exception& error) {
      std::cerr << "bench_load: " << error.what() << "\n";
      return 2;
    }
    const auto* const chosen = app_.get_subcommands().front();
    Result outcome;
    try {
      outcome = workloads_.at(chosen->get_name())();
    } catch (const std::exception& error) {
      outcome.failures.emplace_back(error.what());
    }
    JsonObject line;
    line.add("workload", chosen->get_name()).add("dialect", setting_.dialect_name);
    line.add("ok", outcome.failures.empty()).add("failures", outcome.failures).add("figures", outcome.figures);
    announce(line.text());
    return outcome.failures.empty() ? 0 : 1;
  }

 private:
  void common_options() {
    app_.add_option("--url", setting_.urls, "A node, in order: ws://127.0.0.1:8081")->required()->expected(1, -1);
    app_.add_option("--dialect", setting_.dialect_name, "How it is spoken to")->capture_default_str();
    app_.add_option("--pid", pids_, "label=PID of a server process whose CPU time and memory are counted")
        ->expected(1, -1);
    app_.add_option("--link-port", link_ports_, "Where nodes take each other's strokes: what flows there is counted")
        ->expected(1, -1);
    app_.add_option("--gossip-port", gossip_ports_, "Where nodes gossip")->expected(1, -1);
    app_.add_option("--homes", setting_.homes,
                    "Homes of each channel: to tell how often a stroke goes to another node");
    app_.add_option("--settle", setting_.settle_s, "Seconds between the last subscription and the first stroke")
        ->capture_default_str();
    app_.add_option("--warm", setting_.warm_s, "Seconds of drawing before the window")->capture_default_str();
    app_.add_option("--seconds", setting_.measured_s, "Length of the measured window")->capture_default_str();
    app_.add_option("--straggle", setting_.straggle_s, "Seconds to wait for the last deliveries")
        ->capture_default_str();
    app_.add_flag("--acks", setting_.need_acks, "Every stroke must be acknowledged, too");
    app_.add_option("--prefix", setting_.prefix,
                    "Of channels and clients: another one for each run on the same servers")
        ->capture_default_str();
    app_.require_subcommand(1);
  }

  CLI::App* workload(const std::string& name, const std::string& about, std::function<Result()> run) {
    workloads_[name] = std::move(run);
    return app_.add_subcommand(name, about);
  }

  void fanout_options() {
    auto* sub = workload("fanout", "One drawing with many who look on",
                         [this] { return Drawing(setting_, fanout(fanout_)).run(); });
    sub->add_option("--subscribers", fanout_.subscribers)->capture_default_str();
    sub->add_option("--publishers", fanout_.publishers)->capture_default_str();
    sub->add_option("--rate", fanout_.rate, "Strokes a second of all publishers; 0: closed loop")
        ->capture_default_str();
    sub->add_option("--window", fanout_.window, "Closed loop: a publisher's strokes under way")->capture_default_str();
    sub->add_option("--publish-at", fanout_.publish_at, "The publishers' node, from 0")->capture_default_str();
    sub->add_option("--subscribe-at", fanout_.subscribe_at, "The subscribers' node")->capture_default_str();
    sub->add_option("--silent", fanout_.silent, "Further subscribers who do not read before the window has ended")
        ->capture_default_str();
  }

  void mesh_options() {
    auto* sub = workload("mesh", "Many drawings with some people each, at all nodes", [this] {
      mesh_.nodes = static_cast<std::uint32_t>(setting_.urls.size());
      return Drawing(setting_, mesh(mesh_)).run();
    });
    sub->add_option("--drawings", mesh_.drawings)->capture_default_str();
    sub->add_option("--people", mesh_.people, "Of each drawing, each at the next node")->capture_default_str();
    sub->add_flag("--together", mesh_.together, "All people of a drawing at one node");
    sub->add_option("--rate", mesh_.rate, "Strokes a second of each person; 0: closed loop")->capture_default_str();
    sub->add_option("--window", mesh_.window, "Closed loop: a person's strokes under way")->capture_default_str();
  }

  void latency_options() {
    auto* sub = workload("latency", "One author at the first node, one who looks on at the second",
                         [this] { return Drawing(setting_, fanout(latency_)).run(); });
    latency_ = {.subscribers = 1, .publishers = 1, .rate = 100, .publish_at = 0, .subscribe_at = 1};
    sub->add_option("--rate", latency_.rate, "Strokes a second")->capture_default_str();
    sub->add_option("--subscribe-at", latency_.subscribe_at, "The subscriber's node")->capture_default_str();
  }

  void idle_options() {
    auto* sub = workload("idle", "Connections that do nothing", [this] { return Idle(setting_, idle_).run(); });
    sub->add_option("--connections", idle_.connections)->capture_default_str();
    sub->add_option("--first", idle_.first, "Opened before the first sample")->capture_default_str();
    sub->add_option("--people", idle_.people, "Of each drawing that they have open; 0: none open")
        ->capture_default_str();
  }

  void ingest_options() {
    auto* sub = workload("ingest", "Strokes accepted and acknowledged, nobody looking on", [this] {
      ingest_.nodes = static_cast<std::uint32_t>(setting_.urls.size());
      return Drawing(setting_, ingest(ingest_)).run();
    });
    sub->add_option("--publishers", ingest_.publishers)->capture_default_str();
    sub->add_option("--channels", ingest_.channels)->capture_default_str();
    sub->add_option("--window", ingest_.window, "A publisher's strokes under way")->capture_default_str();
  }

  void catchup_options() {
    auto* sub = workload("catchup", "Opening a drawing that has much in it, or coming back to it with a cursor",
                         [this] { return Catchup(setting_, catchup_).run(); });
    sub->add_option("--strokes", catchup_.strokes, "That the readers lack")->capture_default_str();
    sub->add_option("--held", catchup_.held, "That they have, up to their cursor; 0: they have none")
        ->capture_default_str();
    sub->add_option("--readers", catchup_.readers, "One after the other")->capture_default_str();
    sub->add_option("--fill-at", catchup_.fill_at, "The author's node, from 0")->capture_default_str();
    sub->add_option("--read-at", catchup_.read_at, "The readers' node")->capture_default_str();
  }

  void churn_options() {
    auto* sub =
        workload("churn", "Opening one new drawing after another", [this] { return Churn(setting_, churn_).run(); });
    sub->add_option("--people", churn_.people)->capture_default_str();
    sub->add_option("--drawings", churn_.drawings, "On one connection, before a new one")->capture_default_str();
  }

  void herd_options() {
    auto* sub = workload("herd", "The first node is killed, its clients come back at once at the others",
                         [this] { return Herd(setting_, herd_).run(); });
    sub->add_option("--kill", herd_.victim, "The first node's PID, which gets a SIGKILL")->required();
    sub->add_option("--clients", herd_.clients)->capture_default_str();
    sub->add_option("--people", herd_.people, "Of each drawing")->capture_default_str();
  }

  void comeback_options() {
    auto* sub = workload("comeback",
                         "People with cursors and outboxes who draw on: the first node is killed, or stdin says "
                         "\"healed NANOSECONDS\"",
                         [this] { return Comeback(setting_, comeback_).run(); });
    sub->add_option("--kill", comeback_.victim, "The first node's PID, which gets a SIGKILL; all clients are there");
    sub->add_option("--clients", comeback_.clients)->capture_default_str();
    sub->add_option("--people", comeback_.people, "Of each drawing")->capture_default_str();
    sub->add_option("--rate", comeback_.rate, "Strokes a second of each person")->capture_default_str();
  }

  void fill_options() {
    auto* sub = workload("fill", "A number of strokes, acknowledged, nobody looking on",
                         [this] { return Fill(setting_, fill_).run(); });
    sub->add_option("--strokes", fill_.strokes)->capture_default_str();
    sub->add_option("--drawings", fill_.drawings, "One author each")->capture_default_str();
    sub->add_option("--window", fill_.window, "An author's strokes under way")->capture_default_str();
  }

  CLI::App app_;
  Setting setting_;
  std::vector<std::string> pids_;
  std::vector<std::uint16_t> link_ports_;
  std::vector<std::uint16_t> gossip_ports_;
  FanoutCase fanout_;
  FanoutCase latency_;
  MeshCase mesh_;
  IdleCase idle_;
  IngestCase ingest_;
  CatchupCase catchup_;
  ChurnCase churn_;
  HerdCase herd_;
  ComebackCase comeback_;
  FillCase fill_;
  std::map<std::string, std::function<Result()>> workloads_;
};

}  // namespace
}  // namespace inkmesh::bench

int main(int argc, char** argv) {
  // A stroke is due at its nanosecond, not within the usual fifty microseconds.
  prctl(PR_SET_TIMERSLACK, 1UL);
  std::signal(SIGPIPE, SIG_IGN);
  inkmesh::bench::raise_descriptor_limit();
  return inkmesh::bench::Program().run(argc, argv);
}
