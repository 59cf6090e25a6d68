// Each file of tests/scenarios says what it says. INKMESH_REWRITE=1 writes what is heard now into the files: commit
// only a difference that you understand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "scenario.h"

namespace inkmesh::sim {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The file with what was heard in place of what stands there.
std::string replay(const std::string& text) {
  Scenario scenario;
  std::string result;
  std::string commands;
  std::istringstream lines(text);
  bool heard = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "----") {
      result += commands + "----\n" + scenario.carry_out(commands) + "\n";
      commands.clear();
      heard = true;
    } else if (line.empty()) {
      heard = false;
    } else if (!heard) {
      commands += line + "\n";
    }
  }
  return result + commands;
}

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(INKMESH_SCENARIOS)) {
    if (entry.path().extension() == ".txt") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

class Scenarios : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Scenarios, AreHeardAsWritten) {
  const std::string expected = read(GetParam());
  const std::string now = replay(expected);
  EXPECT_EQ(now.find("BROKEN"), std::string::npos) << now;
  if (std::getenv("INKMESH_REWRITE") != nullptr) {
    std::ofstream(GetParam()) << now;
    return;
  }
  EXPECT_EQ(now, expected);
}

INSTANTIATE_TEST_SUITE_P(Files, Scenarios, testing::ValuesIn(files()),
                         [](const auto& tested) { return tested.param.stem().string(); });

}  // namespace
}  // namespace inkmesh::sim
