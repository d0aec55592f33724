#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app/cli/program.h"

namespace dachlast::cli {

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

/// Runs the program with these words and keeps what it wrote.
inline Outcome run_program(std::vector<const char*> words) {
  words.insert(words.begin(), "dachlast");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = Program().run(static_cast<int>(words.size()), words.data());
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

}  // namespace dachlast::cli
