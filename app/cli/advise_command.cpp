#include <fmt/core.h>

#include <string>

#include "app/cli/advise_output.h"
#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/help.h"
#include "app/cli/interrupt.h"
#include "app/cli/output.h"
#include "app/cli/progress.h"
#include "app/cli/run_file.h"
#include "core/base/error.h"
#include "core/workbench/advise.h"
#include "core/workbench/parse.h"
#include "core/workbench/verify_advice.h"

namespace dachlast::cli {
namespace {

class AdviseCommand : public Command {
 public:
  void define(CLI::App& app) override {
    const auto option = [&](const char* name, auto& value, const char* text, const char* type) {
      return app.add_option(name, value, text)->type_name(type)->group(kMainGroup);
    };
    option("file", run_file_, "Run file: its measured times are the baseline", "FILE");
    option("--model", scenario_.model, "Preset, config.json, folder, .safetensors or .gguf", "MODEL");
    option("--gpu", scenario_.device, "Device, by id, name or file; this-machine: this computer", "DEVICE");
    option("--context", context_, "Tokens of each sequence, prompt and answer", "TOKENS");
    option("--answer", answer_, "Of them the answer; an eighth by default", "TOKENS");
    option("--batch", batch_, "Sequences at once, 1 by default", "N");
    option("--dtype", scenario_.weights, "Weights: bf16, fp8, int8, awq and others", "TYPE");
    option("--kv-dtype", scenario_.cache, "KV cache: bf16, fp8, int8, int4, q8_0 and others", "TYPE");
    option("--kv", scenario_.kv, "Kind of cache of the engine dachlast: paged:16, window:N, sink:S+N", "KIND");
    option("--tp", scenario_.layout.tensor_parallel, "Tensor parallelism", "N");
    option("--pp", scenario_.layout.pipeline_parallel, "Pipeline parallelism", "N");
    option("--dp-attention", scenario_.layout.attention_data_parallel, "Attention data parallelism", "N");
    app.add_flag("--expert-parallel", expert_parallel_, "Whole experts on each rank instead of slices of all")
        ->group(kMainGroup);
    option("--engine", scenario_.engine, "dachlast, vllm, sglang, tensorrt-llm, llama.cpp", "NAME")
        ->capture_default_str();
    option("--memory-fraction", fraction_, "Share of the device the engine may take: 0.9 or 90%", "SHARE");
    option("--max-num-seqs", scenario_.limits.max_num_seqs, "Sequences the engine samples at once", "N");
    option("--max-batched-tokens", scenario_.limits.max_num_batched_tokens, "Tokens of the engine's largest step", "N");
    option("--block-size", scenario_.limits.block_tokens, "Tokens of a KV block", "N");
    app.add_flag("--verify", verify_,
                 "On this computer: run every lever the engine can pull, in turn with the baseline")
        ->group(kMainGroup);
    option("--rounds", rounds_, "With --verify: how often each lever is run, 3 by default", "N");
  }

  int execute(const CommonOptions& common) override {
    if (expert_parallel_) scenario_.layout.experts = ExpertPlacement::kWhole;
    if (!fraction_.empty()) {
      const double fraction = parse_percent("--memory-fraction", fraction_);
      scenario_.limits.memory_fraction = fraction_.ends_with('%') ? fraction : 100 * fraction;
    }
    ScenarioAdvice advice = run_file_.empty() ? advise_scenario(request()) : advise_run(opened_run(common));
    if (verify_) {
      const InterruptWatch interrupt(words_of(common));
      ProgressPrinter progress(common);
      verify_advice(advice, rounds_.empty() ? kVerifyRounds : parse_count("--rounds", rounds_), progress,
                    interrupt.token());
    }
    print_result(render_advice(advice, common));
    return advice.report.fits ? kExitDone : kExitDoesNotFit;
  }

 private:
  Run opened_run(const CommonOptions& common) const {
    if (!scenario_.model.empty())
      throw Error(ErrorKind::kUsage, "--model", "a run file names its model itself.", "Give one of them.");
    return open_and_note(run_file_, common);
  }

  AdviceRequest request() const {
    if (scenario_.model.empty())
      throw Error(ErrorKind::kUsage, "advise", "needs a run file or a scenario.", "Name --model and --gpu.");
    return {.scenario = scenario_,
            .context_tokens = context_.empty() ? 0 : parse_count("--context", context_),
            .answer_tokens = answer_.empty() ? 0 : parse_count("--answer", answer_),
            .batch_size = batch_.empty() ? 1 : parse_count("--batch", batch_)};
  }

  std::string run_file_;
  ScenarioRequest scenario_;
  std::string context_;
  std::string answer_;
  std::string batch_;
  std::string fraction_;
  std::string rounds_;
  bool expert_parallel_ = false;
  bool verify_ = false;
};

}  // namespace

std::unique_ptr<Command> make_advise_command() {
  return std::make_unique<AdviseCommand>();
}

}  // namespace dachlast::cli
