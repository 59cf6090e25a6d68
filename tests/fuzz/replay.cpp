// Runs a door on every file of the folders it is given, whole and cut short after each byte: what a fuzzer started from
// or found stays tried in every build, with any compiler and sanitizer.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "door.h"

namespace {

namespace fs = std::filesystem;

/// Prefixes of a longer file are tried in steps.
constexpr std::size_t kPrefixesMax = 512;

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// On a copy of that size, so that a sanitizer sees a read past its end.
void run(const std::string& bytes, std::size_t size) {
  const auto copy = std::make_unique<std::uint8_t[]>(size);
  std::copy_n(bytes.begin(), size, copy.get());
  LLVMFuzzerTestOneInput(copy.get(), size);
}

bool replay(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && !in.eof()) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    return false;
  }
  // Told first: whoever aborts says nothing more.
  std::fprintf(stderr, "%s: %zu bytes\n", path.c_str(), bytes.size());
  run(bytes, bytes.size());
  const std::size_t step = bytes.size() / kPrefixesMax + 1;
  for (std::size_t size = 0; size < bytes.size(); size += step)
    run(bytes, size);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t replayed = 0;
  for (int i = 1; i < argc; ++i) {
    // Nothing found yet: git keeps no empty folder.
    if (!fs::exists(argv[i])) continue;
    for (const fs::path& path : files_in(argv[i])) {
      if (!replay(path)) return 1;
      ++replayed;
    }
  }
  std::fprintf(stderr, "%zu files\n", replayed);
  if (replayed == 0) std::fprintf(stderr, "no file in any of the folders: nothing was tried\n");
  return replayed == 0 ? 1 : 0;
}
