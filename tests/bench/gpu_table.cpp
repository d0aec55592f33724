#include "tests/bench/gpu_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace dachlast::bench {

std::string verdict_of(const GpuRow& row, std::string_view device) {
  if (!std::isfinite(row.share)) return "no figure";
  if (row.target == 0.0) return "no target";
  const std::string wanted = fmt::format("{} {:.0f} %", row.target > 0.0 ? ">=" : "<=", 100.0 * std::abs(row.target));
  if (device.find("H100") == std::string_view::npos) return wanted + " on an H100";
  const bool met = row.target > 0.0 ? row.share >= row.target : row.share <= -row.target;
  return fmt::format("{}: {}", wanted, met ? "met" : "NOT met");
}

std::string gpu_table(const std::vector<GpuRow>& rows, std::string_view device) {
  std::string text = fmt::format("{:<44} {:>16} {:>9}  {}\n", "", "reached", "of roof", "target (H100)");
  for (const GpuRow& row : rows)
    text += fmt::format("{:<44} {:>16} {:>7.1f} %  {}\n", row.name, row.reached, 100.0 * row.share,
                        verdict_of(row, device));
  return text;
}

bool all_measured(const std::vector<GpuRow>& rows) {
  return std::ranges::all_of(rows, [](const GpuRow& row) { return std::isfinite(row.share); });
}

}  // namespace dachlast::bench
