#include "app/cli/program.h"

int main(int argc, char** argv) {
  return dachlast::cli::Program().run(argc, argv);
}
