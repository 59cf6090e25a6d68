// bench_floor: one node of the floor.
#include <csignal>
#include <exception>
#include <iostream>
#include <string_view>

#include "common/net.h"
#include "floor/server.h"

namespace {

constexpr const char* kUsage =
    "bench_floor LISTEN [MESH PEER...]: a WebSocket server that only hands on what is published.\n\n"
    "  bench_floor 127.0.0.1:8081 127.0.0.1:10081 127.0.0.1:10082 127.0.0.1:10083\n\n"
    "LISTEN is where clients come in, MESH where the peers do, each PEER another node's MESH.\n";

}  // namespace

int main(int argc, char** argv) {
  using namespace inkmesh::bench;
  if (argc < 2 || std::string_view(argv[1]).starts_with("-")) {
    std::cerr << kUsage;
    return argc == 2 && std::string_view(argv[1]) == "--help" ? 0 : 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  try {
    FloorSettings settings;
    settings.clients = parse_address(argv[1]);
    if (argc > 2) settings.mesh = parse_address(argv[2]);
    for (int i = 3; i < argc; ++i)
      settings.peers.push_back(parse_address(argv[i]));
    FloorServer(settings).run();
  } catch (const std::exception& error) {
    std::cerr << "bench_floor: " << error.what() << "\n";
    return 1;
  }
}
