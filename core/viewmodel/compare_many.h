#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/roofline/compare.h"
#include "core/roofline/run.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// A run as the reader calls it.
struct NamedRun {
  std::string name;
  const Run* run = nullptr;
};

/// One run held against the baseline at one point.
struct ChangeMark {
  int run = 0;  // place among the runs compared
  TimeChange time;
};

/// All runs at one point.
struct ChangeRow {
  std::string heading;  // "Decode, 512 tokens, batch 1"
  std::vector<ChangeMark> marks;
};

/// A baseline and other runs side by side: what differs in their settings first, then every point with its noise.
struct CompareMany {
  std::string baseline;              // "gpt2 · EPYC 7B13, 2 threads · 2026-03-01 14:05 UTC"
  std::vector<std::string> names;    // of the runs, the baseline left out
  std::vector<std::string> answers;  // one a run
  Table configuration;               // settings in which any run differs; no rows where all are equal
  Table phases;
  Table points;
  std::vector<ChangeRow> changes;
  std::vector<std::string> notes;  // points that were not compared
};

/// Why a comparison has no point to show, and the way out; empty where it has one.
std::string nothing_in_common(const CompareMany& view);

/// Errors   as `compare_runs`.
CompareMany compare_many(const NamedRun& base, std::span<const NamedRun> others, double least_noise = kLeastNoise);

/// Changes of all points as dots with their noise as whiskers, one shape and colour a run; hollow within noise.
figure::Figure change_figure(const CompareMany& view, figure::Size size, std::string id);

}  // namespace dachlast::viewmodel
