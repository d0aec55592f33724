#include <cstdio>

#include "core/workbench/workbench.h"
#include "reports/json.h"

int main() {
  for (const dachlast::HostCheck& check : dachlast::check_host())
    std::printf("%s: %s\n", check.name.c_str(), check.finding.c_str());
}
