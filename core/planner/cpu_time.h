#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/model/op_curves.h"
#include "core/planner/advise_time.h"

namespace dachlast {

/// Seconds at rate `to` of an operation that took `seconds` while DRAM gave `from`, both in bytes/s; as they are where
/// either is 0, not known.
///   t' = t · (1 − w⁴ + (w · from / to)⁴)^¼,   w = bytes / from / t: the share of the time that the traffic alone takes
/// With w = 1 the operation is its traffic and follows the rate; with w = 0 it waits for none. Between them products
/// and traffic overlap: the power of four lies between their sum (1) and their maximum (∞), as prefetching keeps both
/// going but for the first and last rows of each thread. Faster than DRAM reads (w > 1.1): the bytes came from a cache.
double at_dram_rate(double seconds, double bytes, double from, double to);

/// Seconds of operations between those that were timed.
///   projections  for each number of rows that was timed, a + b·n·k + c·n + d·k over all shapes timed with it, no
///                coefficient below zero; between numbers of rows ln t is linear in ln rows
///   attention    decode: a + b·KV heads·tokens·width + c·heads·tokens·width + d·heads + e·KV heads; prefill: FLOP over a
///                rate that is linear in ln of the new tokens, of the nearest width of heads and number of them that share K and V
///   the rest     ln t is linear in ln of the elements
/// Sums are fitted with least squares of relative errors, which noise pulls down, then moved to the median of them.
/// Weights and cache of a step come from DRAM, from the last cache, or from both, as far as they fit. Times of operations
/// that read DRAM are brought to one rate of it before the laws are fitted, the median of all: it drifts on shared hosts
/// while a calibration lasts.
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

  /// The same curves while DRAM gives `bytes_per_s`: what a probe of this minute says. Only roofs go into it, never a
  /// time of what is predicted.
  CpuCurves at_dram_rate(double bytes_per_s) const;
  /// The rate the curves hold for, in bytes/s; 0 where an older version measured them without probes.
  double dram_rate() const { return dram_rate_; }

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
  struct HeadKind {  // of prefill: heads that share K and V share what it takes to lay them out
    double width = 0.0;
    double group = 0.0;
    auto operator<=>(const HeadKind&) const = default;
    double distance(const HeadKind& other) const;
  };

  void fit_projections(const std::vector<OpSample>& samples);
  void fit_decode(const std::vector<OpSample>& samples);
  void fit_prefill(const std::vector<OpSample>& samples);
  void fit_elementwise(const std::vector<OpSample>& samples);
  double projection(const OpFeatures& f, const std::string& type, MemoryLevel level) const;
  double streamed_share(double step_bytes) const;
  std::string known_type(const std::string& type) const;
  Estimate projection(const OpFeatures& f, double step_bytes) const;
  Estimate attention(const OpFeatures& f, double step_bytes) const;
  double now(double seconds, const OpFeatures& f) const;
  Estimate elementwise(const OpFeatures& f, double step_bytes) const;

  std::map<Key, std::vector<Plane>> projections_;
  std::map<std::string, double> projection_errors_;
  std::map<std::string, std::vector<double>> decode_;         // by format, K and V in DRAM
  std::map<std::string, double> resident_decode_;             // by format: what they take in the last cache, of that
  std::map<std::pair<std::string, HeadKind>, Line> prefill_;  // by format
  std::map<std::tuple<OpKind, std::string, MemoryLevel>, Line> elementwise_;
  double last_cache_ = 0.0;
  double timed_rate_ = 0.0;  // of DRAM, that the laws were fitted at
  double dram_rate_ = 0.0;   // that is asked for
  double gap_s_ = 0.0;
  int n_threads_ = 0;
};

/// Passes of this program's own engine on the computer whose curves these are.
class CpuTimer : public PassTimer {
 public:
  /// Errors   throws `Error`: kDevice as CpuCurves; kUsage where the engine has no kernels for the model.
  CpuTimer(ModelSpec model, Precision precision, CpuCurves curves);

  /// The same model while DRAM gives `bytes_per_s`.
  CpuTimer at_dram_rate(double bytes_per_s) const;

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
