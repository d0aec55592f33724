#include <cstdio>

#include "core/base/error.h"
#include "core/base/units.h"

int main() {
  const dachlast::Error error(dachlast::ErrorKind::kInput, "consumer", "links.");
  const dachlast::Intensity intensity = dachlast::Flops{8.0} / dachlast::Bytes{2.0};
  std::printf("%s %.0f FLOP/byte\n", error.what(), intensity.value);
}
