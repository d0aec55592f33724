#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "app/cli/chart_output.h"
#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/scenario_output.h"
#include "core/base/error.h"
#include "core/workbench/parse.h"
#include "core/workbench/scenario_report.h"
#include "core/workbench/scenario_view.h"

namespace dachlast::cli {
namespace {

constexpr const char* kContextSweep = "1k..128k*2";
constexpr const char* kBatchSweep = "1..64*2";

class PlanCommand : public Command {
 public:
  void define(CLI::App& app) override {
    const auto option = [&](const char* name, auto& value, const char* text, const char* type) {
      return app.add_option(name, value, text)->type_name(type)->group(kMainGroup)->check(is_stated);
    };
    option("--model", model_, "Preset, config.json, folder, .safetensors or .gguf", "MODEL")->required();
    option("--gpu", gpus_, "Devices to plan for, by id, name or file; several are compared", "LIST");
    option("--context", context_, "Tokens of each sequence, prompt and answer", "TOKENS");
    option("--batch", batch_, "Sequences at once, 1 by default", "N");
    option("--prompt-tokens", prompt_, "Of the context: tokens of a prompt, for predicted speeds", "TOKENS");
    option("--output-tokens", output_, "Of the context: tokens of an answer; an eighth, at most 512, by default",
           "TOKENS");
    option(
        "--measured", measured_,
        "A load of this deployment that you measured, to correct predicted speeds by: batch=8,ttft=312ms,tpot=11.2ms",
        "FIGURES");
    option("--dtype", weights_,
           "Weights: bf16, fp8, fp8-block, int8, awq, gptq, mxfp4, nvfp4 and others; several are compared", "LIST");
    option("--kv-dtype", caches_, "KV cache: bf16, fp8, int8, int4, q8_0 and others; several are compared", "LIST");
    option("--kv", kv_, "Kind of cache of the engine dachlast: paged:16, window:N, sink:S+N, a format, or both",
           "KIND");
    option("--tp", layout_.tensor_parallel, "Tensor parallelism", "N");
    option("--pp", layout_.pipeline_parallel, "Pipeline parallelism", "N");
    option("--dp-attention", layout_.attention_data_parallel, "Attention data parallelism", "N");
    app.add_flag("--expert-parallel", expert_parallel_, "Whole experts on each rank instead of slices of all")
        ->group(kMainGroup);
    option("--engine", engine_, "dachlast, vllm, sglang, tensorrt-llm, llama.cpp; an older one as vllm@0.10", "NAME")
        ->capture_default_str();
    option("--memory-fraction", fraction_, "Share of the device the engine may take: 0.9 or 90%", "SHARE");
    option("--max-num-seqs", limits_.max_num_seqs, "Sequences the engine samples at once", "N");
    option("--max-batched-tokens", limits_.max_num_batched_tokens, "Tokens of the engine's largest step", "N");
    option("--block-size", limits_.block_tokens, "Tokens of a KV block", "N");
    app.add_flag("--max-context", solve_context_, "Print the longest context that fits at this batch")
        ->group(kMainGroup);
    app.add_flag("--max-batch", solve_batch_, "Print the largest batch that fits at this context")->group(kMainGroup);
    option("--sweep", sweep_, "context,batch: a grid of both, from --context and --batch", "AXES");
    option("--chart", chart_,
           "Write a chart to this file, .svg or .png, or its data, .csv or .json; - is an SVG on standard output; of "
           "--sweep its heatmap",
           "FILE");
    option("--view", view_,
           "Chart of --chart: memory, context, heatmap, speed-over-batch, speed-over-context (default: memory)",
           "CHART");
    drawing_.define(app);
  }

  int execute(const CommonOptions& common) override {
    check_single_question();
    if (expert_parallel_) layout_.experts = ExpertPlacement::kWhole;
    if (!fraction_.empty()) limits_.memory_fraction = parse_fraction(fraction_);
    const std::vector<ScenarioRequest> requests = scenario_requests();
    if (!sweep_.empty()) return sweep(requests, common);
    std::vector<ScenarioPlan> plans;
    for (const ScenarioRequest& request : requests) plans.push_back(plan(find_scenario(request)));
    if (solve_context_ || solve_batch_) return solve(plans);
    if (!chart_.empty()) draw(plans, common);
    if (chart_ != "-") print_result(render_scenarios(plans, common));
    return std::ranges::any_of(plans, &ScenarioPlan::fits) ? kExitDone : kExitDoesNotFit;
  }

 private:
  /// An option without a value would silently mean its default.
  static std::string is_stated(const std::string& text) {
    return text.empty() ? "the value is empty; leave the option out to get its default" : "";
  }

  void check_single_question() const {
    if (!view_.empty() && (chart_.empty() || !sweep_.empty()))
      throw Error(ErrorKind::kUsage, "--view", "chooses the chart of a plan's --chart.",
                  sweep_.empty() ? "Add --chart FILE." : "Leave --sweep out.");
    if (int{solve_context_} + int{solve_batch_} + int{!sweep_.empty()} <= 1) return;
    throw Error(ErrorKind::kUsage, "--max-context, --max-batch and --sweep", "answer different questions.",
                "Give one of them.");
  }

  /// "0.9", as engines spell it, or "90%".
  static double parse_fraction(const std::string& text) {
    const double fraction = parse_percent("--memory-fraction", text);
    return text.ends_with('%') ? fraction : 100 * fraction;
  }

  /// Empty text: one empty item, which takes the default.
  static std::vector<std::string> list_of(std::string_view option, const std::string& text) {
    if (text.empty()) return {""};
    std::vector<std::string> items;
    std::size_t begin = 0;
    while (begin <= text.size()) {
      const std::size_t comma = std::min(text.find(',', begin), text.size());
      items.push_back(text.substr(begin, comma - begin));
      if (items.back().empty())
        throw Error(ErrorKind::kUsage, fmt::format("{} {}", option, text), "holds an empty name.",
                    "Separate names by one comma.");
      begin = comma + 1;
    }
    return items;
  }

  std::vector<ScenarioRequest> scenario_requests() const {
    std::vector<ScenarioRequest> requests;
    for (const std::string& gpu : list_of("--gpu", gpus_))
      for (const std::string& weights : list_of("--dtype", weights_))
        for (const std::string& cache : list_of("--kv-dtype", caches_))
          requests.push_back({.model = model_,
                              .device = gpu,
                              .weights = weights,
                              .cache = cache,
                              .engine = engine_,
                              .kv = kv_,
                              .layout = layout_,
                              .limits = limits_});
    return requests;
  }

  ScenarioPlan plan(const Scenario& scenario) const {
    const int context = context_.empty() ? std::min(kDefaultPlanContext, scenario.model().max_context)
                                         : parse_count("--context", context_);
    ScenarioPlan plan = plan_scenario(scenario, context, batch_.empty() ? 1 : parse_count("--batch", batch_));
    if (!solve_context_ && !solve_batch_) predict_speed(plan, split(), measured(plan.context_tokens, plan.batch_size));
    if (context_.empty())
      plan.scenario.assumptions.insert(plan.scenario.assumptions.begin(),
                                       {"context", fmt::format("Context {} tokens (--context).", context)});
    return plan;
  }

  ContextSplit split() const {
    ContextSplit split;
    if (!prompt_.empty()) split.prompt_tokens = parse_count("--prompt-tokens", prompt_);
    if (!output_.empty()) split.output_tokens = parse_count("--output-tokens", output_);
    return split;
  }

  /// Lengths and clients that it does not state are those planned.
  std::optional<MeasuredSpeed> measured(int context, int batch) const {
    if (measured_.empty()) return std::nullopt;
    return parse_measured("--measured", measured_, split_context(context, split(), batch));
  }

  void draw(const std::vector<ScenarioPlan>& plans, const CommonOptions& common) const {
    if (plans.size() > 1)
      throw Error(ErrorKind::kUsage, "--chart", "draws one scenario, and several are given.",
                  "Name one device, one --dtype and one --kv-dtype.");
    viewmodel::ReportView report = report_view(plans.front(), common.units, &words_of(common));
    add_speed(report, plans.front(), &words_of(common));
    write_chart(viewmodel::charts_of(report), sheet_head(report, words_of(common)), view_.empty() ? "memory" : view_,
                common);
  }

  void draw(const ScenarioSweep& grid, const ScenarioPlan& plan, const CommonOptions& common) const {
    const viewmodel::NamedChart heatmap{"heatmap", sweep_figure(grid), std::nullopt, sweep_table(grid)};
    write_chart({&heatmap, 1}, sheet_head(report_view(plan), words_of(common)), "heatmap", common);
  }

  void write_chart(std::span<const viewmodel::NamedChart> charts, const viewmodel::SheetHead& head,
                   const std::string& view, const CommonOptions& common) const {
    write_result(chart_, chart_file({charts, head, model_}, view, chart_kind_of("--chart", chart_), drawing_, common));
  }

  /// One number a scenario, for scripts; nothing fits: exit code 3.
  int solve(const std::vector<ScenarioPlan>& plans) const {
    bool any = false;
    for (const ScenarioPlan& plan : plans) {
      if (!plan.scenario.has_device)
        throw Error(ErrorKind::kUsage, solve_context_ ? "--max-context" : "--max-batch", "needs a device.",
                    "Add --gpu.");
      const auto limit = solve_context_ ? plan.max_context : plan.max_batch;
      any = any || limit.has_value();
      print_result(fmt::format("{}\n", limit.value_or(0)));
    }
    return any ? kExitDone : kExitDoesNotFit;
  }

  int sweep(const std::vector<ScenarioRequest>& requests, const CommonOptions& common) const {
    if (sweep_ != "context,batch" && sweep_ != "batch,context")
      throw Error(ErrorKind::kUsage, "--sweep " + sweep_, "is not a pair of axes.", "Write --sweep context,batch.");
    if (requests.size() > 1)
      throw Error(ErrorKind::kUsage, "--sweep", "draws one scenario, and several are given.",
                  "Name one device, one --dtype and one --kv-dtype.");
    const Scenario scenario = find_scenario(requests.front());
    std::vector<int> contexts = parse_count_list("--context", context_.empty() ? kContextSweep : context_);
    if (context_.empty()) std::erase_if(contexts, [&](int c) { return c > scenario.model().max_context; });
    if (contexts.empty()) contexts = {scenario.model().max_context};
    const ScenarioSweep grid =
        sweep_scenario(scenario, contexts, parse_count_list("--batch", batch_.empty() ? kBatchSweep : batch_));
    if (!chart_.empty()) draw(grid, plan_scenario(scenario, contexts.front(), 1), common);
    if (chart_ != "-")
      print_result(render_sweep(grid, sweep_speeds(grid, split(), measured(contexts.front(), 1)), common));
    return kExitDone;
  }

  std::string model_;
  std::string gpus_;
  std::string context_;
  std::string batch_;
  std::string prompt_;
  std::string output_;
  std::string measured_;
  std::string weights_;
  std::string caches_;
  std::string engine_ = "vllm";
  std::string kv_;
  std::string fraction_;
  std::string sweep_;
  std::string chart_;
  ChartOptions drawing_;
  std::string view_;
  Layout layout_;
  EngineLimits limits_;
  bool expert_parallel_ = false;
  bool solve_context_ = false;
  bool solve_batch_ = false;
};

}  // namespace

std::unique_ptr<Command> make_plan_command() {
  return std::make_unique<PlanCommand>();
}

}  // namespace dachlast::cli
