#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dachlast::bench {

/// What a benchmark reached of its roof, and what is wanted of an H100.
struct GpuRow {
  std::string name;
  std::string reached;  // "  540.2 TFLOP/s"
  double share = 0.0;   // of the roof
  double target = 0.0;  // least share; below 0 a limit: -0.05 means at most 5 %; 0: none
};

/// ">= 60 %: met", "<= 5 %: NOT met", "no target", or "no figure" for a share that is no number.
/// Targets bind on an H100 alone; elsewhere they are printed and not judged.
std::string verdict_of(const GpuRow& row, std::string_view device);

/// Head and rows, a line each.
std::string gpu_table(const std::vector<GpuRow>& rows, std::string_view device);

/// Whether every share is a number. Targets that were not met are said, and fail nothing: they are aims, not contracts.
bool all_measured(const std::vector<GpuRow>& rows);

}  // namespace dachlast::bench
