#pragma once

#include "core/base/error.h"

namespace dachlast::cli {

/// Exit codes of the program, as documented in dachlast(1).
enum ExitCode : int {
  kExitDone = 0,
  kExitFailure = 1,
  kExitUsage = 2,
  kExitDoesNotFit = 3,
  kExitRegression = 4,
  kExitDevice = 5,
  kExitInput = 6,
  kExitInterrupted = 130
};

constexpr ExitCode exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kFailure: return kExitFailure;
    case ErrorKind::kUsage: return kExitUsage;
    case ErrorKind::kDoesNotFit: return kExitDoesNotFit;
    case ErrorKind::kDevice: return kExitDevice;
    case ErrorKind::kInput: return kExitInput;
    case ErrorKind::kInterrupted: return kExitInterrupted;
  }
  return kExitFailure;
}

}  // namespace dachlast::cli
