#include "cli/program.h"

int main(int argc, char** argv) {
  return inkmesh::cli::run_program(argc, argv);
}
