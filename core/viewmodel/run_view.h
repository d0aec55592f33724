#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/memory/memory_model.h"
#include "core/roofline/point_summary.h"
#include "core/roofline/run.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// One of the few numbers that a reader takes away.
struct KeyFigure {
  std::string label;
  std::string value;  // with unit
  std::string note;   // what it refers to
  std::optional<Origin> origin;
};

/// Whether every planned point was measured.
enum class Completeness : std::uint8_t { kComplete, kPartial };

/// An operation worth looking at, ordered by the time it could give back.
struct Finding {
  std::string text;  // one sentence
  Phase phase = Phase::kPrefill;
  int context_tokens = 0;
  int batch_size = 1;
  OpKind op = OpKind::kEmbed;
  double saving_s = 0.0;  // per step, if the operation ran at its roof
};

/// The operations of one measured point.
struct PointOps {
  std::string heading;          // "Decode, 512 tokens, batch 1"
  std::string verdict;          // one sentence
  bool representative = false;  // of its phase: the point that sentences and roofline speak of
  Table table;
};

/// A run as people read it: sentences, figures, tables. Nothing here is computed twice elsewhere.
struct RunView {
  std::string title;  // "gpt2 on AMD EPYC, 2 threads"
  std::vector<std::string> answer;
  Completeness completeness = Completeness::kComplete;
  std::string status;  // "complete" or "partial (14 of 36 points)"
  std::vector<KeyFigure> key_figures;
  std::string configuration_line;  // "FP32 weights · FP32 KV cache, contiguous · 2 threads"
  std::string biggest_risk;        // the one remark that matters most; empty: none
  std::vector<Finding> findings;   // at most five
  Table phases;
  std::vector<PointOps> ops;
  Table bandwidth_roofs;
  Table compute_roofs;
  Table configuration;
  std::optional<Table> memory;         // where segments were given
  std::string speedup_sentence;        // empty where the run compared nothing
  std::optional<Table> cache_speedup;  // with and without KV cache, where the run compared them
  std::string serving_sentence;        // empty where the run served no requests
  std::optional<Table> latencies;      // of the requests it served
  std::optional<Table> kv_use;
  std::string what_if_sentence;  // empty where the run is of the model as it is
  std::optional<Table> what_if;
  std::optional<Table> kv_traffic;  // of a cache with a second tier, or that recomputes
  std::string break_even_sentence;  // empty where offload was not held against recompute
  std::optional<Table> break_even;
  std::string memory_sentence;   // memory of the process against the model's; empty where it was not read
  std::string generated_text;    // what the model wrote in this run; empty: nothing
  std::vector<Remark> warnings;  // of the run and of its points
  std::vector<Remark> assumptions;
};

/// `memory`: the breakdown that was planned for this run, where it is known.
RunView run_view(const Run& run, std::span<const MemorySegment> memory = {});

/// "Decode is memory-bound: 83 % of …": one sentence a phase.
std::vector<std::string> answer_sentences(const Run& run);

Table phase_table(const Run& run);
Table op_table(const PointSummary& point);
Table bandwidth_table(const DeviceRoofs& roofs);
Table compute_table(const DeviceRoofs& roofs);
Table configuration_table(const Run& run);
Table memory_table(std::span<const MemorySegment> segments);
Table cache_speedup_table(const UncachedComparison& comparison);

/// TTFT and ITL of served requests, by percentile.
Table latency_table(const Serving& serving);
/// Blocks, token slots, waste by its three names, sharing, eviction.
Table kv_use_table(const Serving& serving);
/// "Served 16 requests, at most 4 at once, in 3.2 s …: 512 tokens generated, 160 tokens/s."
std::string serving_sentence(const Serving& serving);
/// What passed between the tiers of the KV cache, point by point; empty where there is one tier.
std::optional<Table> kv_traffic_table(const Run& run);
/// Time and KV cache under a what-if and as the model is.
Table what_if_table(const WhatIfRun& what_if);
/// "Timing what-if swiftkv:3: …": what the reader must know before any figure of the run.
std::string what_if_sentence(const WhatIfRun& what_if);
/// Fetching against recomputing, predicted and measured.
Table break_even_table(const KvBreakEven& comparison);
/// "Predicted: fetching is faster than recomputing from 256 tokens on. Transfer: …": the decision with its three factors.
std::string break_even_sentence(const KvBreakEven& comparison);
/// "The process held 281 MiB: 260 MiB as the memory model counts, … and 7 MiB unaccounted (2.5 %)."
std::string memory_sentence(const MemoryReading& memory);

/// "With the KV cache …: 5.08× faster", with the published figure beside it; empty without a comparison.
std::string speedup_sentence(const Run& run);

/// Every point and operation in one flat table, raw samples included: the CSV of a run.
Table flat_table(const Run& run);

/// Summaries of all points that have samples, in measured order.
std::vector<PointSummary> summaries_of(const Run& run);

/// The point that stands for a phase: the longest context, then the largest batch, with the KV cache where there is
/// one. nullptr where the phase was not measured.
const PointSummary* representative(std::span<const PointSummary> points, Phase phase);

/// "Decode, 4,096 tokens, batch 1".
std::string point_heading(const PointSummary& point);

/// The word people read for a phase: "Prefill", "Decode".
std::string phase_title(Phase phase);

}  // namespace dachlast::viewmodel
