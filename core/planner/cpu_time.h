#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/model/op_curves.h"
#include "core/planner/advise_time.h"

namespace dachlast {

/// Seconds of operations between those that were timed.
///   projections  for each number of rows that was timed, a + b·n·k + c·n + d·k over all shapes timed with it, no
///                coefficient below zero; between numbers of rows ln t is linear in ln rows
///   attention    decode: a + b·KV heads·tokens·width + c·heads·tokens·width + d·heads; prefill: FLOP over a rate that
///                is linear in ln of the new tokens, of the nearest width of heads
///   the rest     ln t is linear in ln of the elements
/// Weights and cache of a step come from DRAM, from the last cache, or from both, as far as they fit.
class CpuCurves {
 public:
  /// Errors   throws `Error` (kDevice) where nothing was timed.
  explicit CpuCurves(const HostCurves& curves);

  /// Seconds of one call in a step that holds `step_bytes` of weights and cache; with the law's name and its error on
  /// what it was fitted to.
  struct Estimate {
    double seconds = 0.0;
    std::string law;
    double log_error = 0.0;
  };
  /// Errors   throws `Error` (kDevice) naming an operation of which nothing alike was timed.
  Estimate estimate(const OpFeatures& features, double step_bytes) const;

  double gap_s() const { return gap_s_; }
  int n_threads() const { return n_threads_; }

 private:
  struct Plane {  // of projections with one number of rows
    double rows = 0.0;
    std::vector<double> c;  // of 1, n·k, n, k
  };
  struct Line {  // ln y over ln x, x rising
    std::vector<std::pair<double, double>> points;
    double at(double x) const;
    double scaled_at(double x) const;
  };
  using Key = std::pair<std::string, MemoryLevel>;

  void fit_projections(const std::vector<OpSample>& samples);
  void fit_decode(const std::vector<OpSample>& samples);
  void fit_prefill(const std::vector<OpSample>& samples);
  void fit_elementwise(const std::vector<OpSample>& samples);
  double projection(const OpFeatures& f, const std::string& type, MemoryLevel level) const;
  double streamed_share(double step_bytes) const;
  std::string known_type(const std::string& type) const;
  Estimate projection(const OpFeatures& f, double step_bytes) const;
  Estimate attention(const OpFeatures& f) const;
  Estimate elementwise(const OpFeatures& f) const;

  std::map<Key, std::vector<Plane>> projections_;
  std::map<std::string, double> projection_errors_;
  std::map<std::string, std::vector<double>> decode_;       // by format
  std::map<std::pair<std::string, double>, Line> prefill_;  // by format and width of heads
  std::map<std::pair<OpKind, std::string>, Line> elementwise_;
  double last_cache_ = 0.0;
  double gap_s_ = 0.0;
  int n_threads_ = 0;
};

/// Passes of this program's own engine on the computer whose curves these are.
class CpuTimer : public PassTimer {
 public:
  /// Errors   throws `Error`: kDevice as CpuCurves; kUsage where the engine has no kernels for the model.
  CpuTimer(ModelSpec model, Precision precision, CpuCurves curves);

  double seconds(const StepLoad& load) const override;
  double stage_seconds(const StepLoad& load) const override { return seconds(load); }
  std::vector<TimedPart> parts(const StepLoad& load) const override;

  /// One step as the engine runs it, a prompt beyond its largest step in pieces.
  double seconds(const Step& step) const;

 private:
  std::vector<TimedPart> parts(const Step& step) const;

  ModelSpec model_;
  Precision precision_;
  CpuCurves curves_;
  double weight_bytes_ = 0.0;
};

}  // namespace dachlast
