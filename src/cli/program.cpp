#include "cli/program.h"

#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "cli/commands.h"
#include "node/config/config_yaml.h"

namespace inkmesh::cli {
namespace {

constexpr const char* kAbout =
    "inkmesh: many people, one drawing, any number of equal servers and no broker.\n"
    "\n"
    "Try it:\n"
    "  inkmesh dev --nodes 3                                    three nodes on this machine, a whiteboard at each\n"
    "  inkmesh status http://127.0.0.1:8081                     who is up, who lags\n"
    "  inkmesh tail http://127.0.0.1:8082 drawing_demo          every stroke as a line of JSON\n"
    "  inkmesh draw http://127.0.0.1:8083 drawing_demo strokes.jsonl\n"
    "\n"
    "Run it:\n"
    "  inkmesh check cluster.yaml                               is the file right?\n"
    "  inkmesh node --config cluster.yaml --node ws1            one node of the cluster, in the foreground\n";

constexpr const char* kFooter =
    "'inkmesh COMMAND --help' explains each of them.\n"
    "Exit codes: 0 it worked, 1 it did not, 2 the command line or the cluster file is wrong.";

/// CLI11's help, with less of a parser's point of view: of a subcommand only the first line, of an option its name,
/// what it takes and its default.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_subcommand(const CLI::App* command) const override {
    const std::string description = command->get_description();
    std::stringstream out;
    CLI::detail::format_help(out, command->get_name(), description.substr(0, description.find('\n')), column_width_);
    return out.str();
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return {};
    // Behind the colon stand the names of the checks.
    const std::string type = option->get_type_name();
    std::string text = " " + type.substr(0, type.find(':'));
    if (option->get_required() && !option->get_positional()) text += " (required)";
    if (!option->get_default_str().empty()) text += " [" + option->get_default_str() + "]";
    return text;
  }
};

/// What a command line without a command of ours is told; nothing for any other mistake.
std::string unknown_command(const CLI::App& program, int argc, char** argv) {
  const auto commands = program.get_subcommands([](const CLI::App*) { return true; });
  const std::string word = argc > 1 ? argv[1] : "";
  std::string known;
  for (const CLI::App* command : commands) {
    if (command->get_name() == word) return {};
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  const bool option = word.substr(0, 1) == "-";
  const std::string what =
      word.empty() ? "a command is required" : (option ? "unknown option " : "unknown command ") + word;
  return "inkmesh: " + what + "; commands are " + known + ". 'inkmesh --help' says more.";
}

}  // namespace

int run_program(int argc, char** argv) {
  CLI::App program(kAbout, "inkmesh");
  Run run;
  program.set_version_flag("--version", std::string("inkmesh ") + INKMESH_VERSION);
  program.set_help_flag("-h,--help", "Print this help and exit");
  const auto formatter = std::make_shared<HelpFormatter>();
  formatter->column_width(34);
  program.formatter(formatter);
  program.require_subcommand(1);
  add_node_command(program, run);
  add_dev_command(program, run);
  add_check_command(program, run);
  add_status_command(program, run);
  add_tail_command(program, run);
  add_draw_command(program, run);
  // Set last: subcommands would take it over.
  program.footer(kFooter);
  // A node that was started through /proc/self/exe would be called "exe" by ps.
  ::prctl(PR_SET_NAME, "inkmesh");
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      if (const std::string said = unknown_command(program, argc, argv); !said.empty()) {
        std::cerr << said << '\n';
        return kUsage;
      }
    }
    return program.exit(error) == 0 ? kOk : kUsage;
  }
  try {
    return run();
  } catch (const UsageError& error) {
    std::cerr << "inkmesh: " << error.what() << '\n';
    return kUsage;
  } catch (const config::ConfigError& error) {
    std::cerr << error.what() << '\n';
    return kUsage;
  } catch (const std::exception& error) {
    std::cerr << "inkmesh: " << error.what() << '\n';
    return kFailed;
  }
}

}  // namespace inkmesh::cli
