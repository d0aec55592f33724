#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/planner/advise_time.h"
#include "core/planner/memory_planner.h"

namespace dachlast {

/// A scenario and its workload, spelled as options spell them. Empty texts take the default.
struct Configuration {
  std::string model;
  std::string device;
  std::string weights;
  std::string cache;
  std::string engine;
  std::string kv;         // kind of cache, of this program's engine
  std::string attention;  // kernel of attention, likewise
  Layout layout;
  EngineLimits limits;
  int prompt_tokens = 0;
  int answer_tokens = 1;
  int batch_size = 1;

  int context_tokens() const { return prompt_tokens + answer_tokens; }
};

/// A configuration planned: what it holds, how fast it is.
struct Replan {
  std::shared_ptr<const MemoryPlanner> planner;
  std::shared_ptr<const PassTimer> timer;  // nullptr where nobody measured anything like it
  std::string no_time;                     // why there is none
  Workload load;
  double step_tokens = 1.0;
  double needed_bytes = 0.0;  // of the fullest device
  double budget_bytes = 0.0;

  bool fits() const { return needed_bytes <= budget_bytes; }
  /// Empty without a timer, and where it does not fit: what does not run has no speed.
  std::optional<WorkloadTime> time() const;
};

/// A model that could stand in for another one.
struct ModelKin {
  std::string name;
  double parameters = 0.0;
};

/// Plans configurations for the levers; whoever has catalogs and files at hand implements it.
class Replanner {
 public:
  virtual ~Replanner() = default;
  /// Errors   throws `Error` for whatever is wrong with the configuration.
  virtual Replan plan(const Configuration& configuration) const = 0;
  /// Devices that a model may run on instead, by id.
  virtual std::vector<std::string> devices() const = 0;
  /// Models of the same type with the same vocabulary and fewer parameters, the largest first.
  virtual std::vector<ModelKin> smaller_models() const = 0;
};

/// What came of asking a lever.
enum class AdviceState : std::uint8_t {
  kMakesFit,      // the configuration did not fit, and now does
  kGain,          // worth trying
  kWasted,        // works, and changes next to nothing here
  kLoss,          // makes this workload slower; what it is good for stands in the reason
  kInUse,         // the configuration pulls it already
  kUntimed,       // memory is known, time is not
  kDoesNotFit,    // for want of memory
  kDoesNotApply,  // the reason says why
};
constexpr std::string_view name_of(AdviceState state) {
  constexpr std::string_view names[] = {"makes_fit", "gain",    "wasted",       "loss",
                                        "in_use",    "untimed", "does_not_fit", "does_not_apply"};
  return names[static_cast<int>(state)];
}

/// What pulling a lever takes.
enum class LeverKind : std::uint8_t {
  kSetting,   // of types and engine
  kModel,     // another model
  kDevices,   // other or more devices
  kWorkload,  // requests that are otherwise, or so many of them
};
constexpr std::string_view name_of(LeverKind kind) {
  constexpr std::string_view names[] = {"setting", "model", "devices", "workload"};
  return names[static_cast<int>(kind)];
}

/// One line of the advice.
struct Advice {
  std::string id;     // "weights-int4"
  std::string title;  // "INT4 weights"
  AdviceState state = AdviceState::kDoesNotApply;
  LeverKind kind = LeverKind::kSetting;
  Resource touches = Resource::kWeights;
  std::optional<Gain> gain;            // of requests a second
  std::optional<Gain> measured;        // the same, by running both in turn; the interval is what the rounds differ by
  std::optional<double> memory_bytes;  // more or less than before, of the fullest device
  std::optional<double> ttft_s;
  std::optional<double> tpot_s;
  std::string condition;        // under which the gain holds; empty: none
  std::string reason;           // why it is so; empty where the figures say it
  std::string risk;             // what it may cost
  std::string source;           // of the risk, or of the law
  Configuration configuration;  // with the lever pulled
  std::string command;          // that plans or measures it
  std::string engine_option;    // how the engine is told
};

class LeverBench;

/// A lever: one row of the list.
struct Lever {
  std::string_view id;
  std::string_view title;
  LeverKind kind;
  Resource touches;
  std::string_view risk;
  std::string_view source;
  Advice (*ask)(const Lever&, const LeverBench&);
};

/// Every lever, by family.
std::span<const Lever> weight_levers();
std::span<const Lever> cache_levers();
std::span<const Lever> model_levers();
std::span<const Lever> engine_levers();
std::span<const Lever> hardware_levers();
std::span<const Lever> workload_levers();

/// A change below this share of requests a second is not worth a risk: about what two equal runs differ by.
inline constexpr double kWorthwhile = 0.03;

/// The configuration as it is, and the means to change it.
class LeverBench {
 public:
  /// Errors   as Replanner::plan.
  LeverBench(const Replanner& replanner, Configuration base);

  const Configuration& base() const { return base_; }
  const Replan& plan() const { return plan_; }
  const PlanScenario& scenario() const { return plan_.planner->scenario(); }
  const std::optional<WorkloadTime>& time() const { return time_; }
  const Replanner& replanner() const { return replanner_; }
  std::string_view engine_id() const { return scenario().engine.id; }

  /// Plans the configuration with the lever pulled and holds it against the base.
  Advice changed(const Lever& lever, const Configuration& configuration) const;
  /// A lever that changes nothing a plan knows: `after` is how the workload runs then.
  Advice retimed(const Lever& lever, const WorkloadTime& after, double more_bytes) const;
  /// Nobody knows its time, or there is none: it does not fit, or writes one token only.
  Advice untimed(const Lever& lever) const;
  /// Neither; the reason says why.
  Advice stated(const Lever& lever, AdviceState state, std::string reason) const;

 private:
  const Replanner& replanner_;
  Configuration base_;
  Replan plan_;
  std::optional<WorkloadTime> time_;
};

/// The command that plans a configuration: "dachlast plan --model llama-3.1-8b --gpu h100 --context 8192 --batch 4".
std::string plan_command(const Configuration& configuration);

/// A word as a shell reads it back.
std::string shell_word(std::string_view text);

}  // namespace dachlast
