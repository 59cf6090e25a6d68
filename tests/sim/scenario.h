// Readable cluster scenarios: commands, and below each what the clients hear of it. tests/scenarios/*.txt.
//
//   file    = { block }
//   block   = command { command } "----" { line }      a block ends at an empty line
//   command = "cluster" nodes replicas ack | "open" client node | "subscribe" client channel [full|live]
//           | "unsubscribe" client channel | "publish" client channel [count] | "again" client channel op
//           | "move" client node | "run" ms | "crash" node | "lose" node | "start" node
//           | "cut" node node | "heal" | "together" ms
//
// What is heard is grouped by client, strokes that follow each other are drawn together, and origins are named by node
// and life: ws1#2 is what ws1 accepted in its second life.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "world.h"

namespace inkmesh::sim {

class Scenario {
 public:
  /// Does the commands, one a line, and says what came of them. Throws std::runtime_error for what it cannot read.
  std::string carry_out(const std::string& commands);

 private:
  void command(const std::vector<std::string>& words);
  SimClient& client(const std::string& name);
  NodeIndex node(const std::string& id) const;
  void name_origins();
  void heard(const ClientName& client, const Effect& effect);
  std::string drain();

  std::unique_ptr<World> world_;
  std::map<ClientName, SimClient*> clients_;
  std::map<ClientName, std::vector<std::string>> lines_;
  struct Run {
    std::string head;  ///< channel and origin
    Seq first = 0;
    Seq last = 0;
  };
  std::map<ClientName, Run> runs_;  ///< strokes that may go on
  void end_run(const ClientName& client);
  std::map<Origin, std::string> names_;
  std::map<NodeIndex, unsigned> lives_;
  std::vector<std::string> said_;
};

}  // namespace inkmesh::sim
