#include <fmt/core.h>

#include <filesystem>

#include "app/cli/commands.h"
#include "app/cli/help.h"
#include "app/cli/interrupt.h"
#include "app/cli/output.h"
#include "app/cli/progress.h"
#include "core/base/nearest_name.h"
#include "core/engine/open_device.h"
#include "core/workbench/parse.h"
#include "core/workbench/workbench.h"

namespace dachlast::cli {
namespace {

KvFormat parse_kv_format(const std::string& text) {
  if (const auto format = kv_format_from_name(text)) return *format;
  throw Error(ErrorKind::kUsage, "--kv-dtype " + text, "not a type of KV cache.",
              "Use f32, bf16, f16, int8, int4 or fp8.");
}

WeightType parse_weight_type(const std::string& text) {
  const auto type = weight_type_from_name(text);
  if (!type || !(type->quantized() || *type == DType::kF32 || *type == DType::kBF16))
    throw Error(ErrorKind::kUsage, "--dtype " + text, "not a type the engine keeps weights in.",
                "Use f32, bf16, int8, int8:32, int4 or int4:128.");
  return *type;
}

std::vector<Phase> parse_phases(const std::string& text) {
  if (text == "both") return {Phase::kPrefill, Phase::kDecode};
  if (text == "prefill") return {Phase::kPrefill};
  if (text == "decode") return {Phase::kDecode};
  if (text == "none") return {};
  throw Error(ErrorKind::kUsage, "--phase " + text, "not a phase.", "Use prefill, decode, both or none.");
}

/// Quotes for a POSIX shell where the word needs it.
std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-+=./,:@%*") == std::string::npos;
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

class RunCommand : public Command {
 public:
  void define(CLI::App& app) override;
  int execute(const CommonOptions& common) override;

 private:
  void define_caches(CLI::App& app);
  void define_measuring(CLI::App& app);
  RunRequest request() const;
  std::optional<ServingRequest> serving() const;
  std::filesystem::path scratch() const;
  static void take_count(std::string_view option, const std::string& text, int& value);
  std::string command_line() const;
  RunOutput output(const RunPlan& plan) const;
  int dry_run(const RunPlan& plan, const CommonOptions& common) const;

  const CLI::App* app_ = nullptr;
  std::string model_;
  std::string gpu_ = "cpu";
  std::string contexts_;
  std::string batches_;
  std::string depth_;
  std::string phases_ = "both";
  std::string dtype_;
  std::string kv_dtype_;
  std::string kv_ = "contiguous";
  std::string serve_;
  std::string at_once_ = "4";
  std::string shared_prefix_;
  std::string kv_blocks_;
  std::string threads_;
  std::string repeat_;
  double seconds_per_point_ = 0.0;
  std::uint64_t seed_ = 42;
  std::string attention_;
  std::string prompt_ = "Once upon a time";
  std::string threshold_ = "60%";
  std::string output_;
  std::string prompt_tokens_;
  std::string generate_;
  std::string scratch_;
  std::string what_if_;
  bool break_even_ = false;
  bool compare_uncached_ = false;
  bool dry_run_ = false;
  bool full_timeline_ = false;
  bool overwrite_ = false;
};

void RunCommand::define(CLI::App& app) {
  app_ = &app;
  app.add_option("--model,-m", model_, "Preset name, config.json, model folder or .safetensors file")
      ->required()
      ->type_name("NAME|PATH");
  app.add_option("--gpu", gpu_, "Where to measure: cpu, cuda, or cuda:N for the N-th GPU")
      ->type_name("DEVICE")
      ->capture_default_str();
  app.add_option("--context,-c", contexts_, "Context lengths in tokens: 512,4096 or 1k..8k*2 (default 512)")
      ->type_name("LIST");
  app.add_option("--batch,-b", batches_, "Batch sizes: 1,8 or 1..64*2 (default 1)")->type_name("LIST");
  app.add_option("--dtype", dtype_, "Weights in f32, bf16, int8, int8:32, int4 or int4:128 (default: as published)")
      ->type_name("TYPE");
  app.add_option("--kv-dtype", kv_dtype_, "KV cache in f32, bf16, f16, int8, int4 or fp8 (default: as the weights)")
      ->type_name("TYPE");
  app.add_option("--output,-o", output_, "Run file to write (default: MODEL-DATE-TIME.dachlast)")->type_name("FILE");
  app.add_flag("--overwrite", overwrite_, "Replace the run file where it exists");
  app.add_flag("--dry-run", dry_run_, "Show points, expected time and peak memory; measure nothing");
  app.add_option("--kv", kv_, std::string(kKvSpecHelp))->type_name("KIND")->capture_default_str();
  app.add_flag("--compare-uncached", compare_uncached_, "Generate with and without the KV cache and compare");
  app.add_option("--serve", serve_, "Serve so many requests by continuous batching")->type_name("N");
  app.add_option("--prompt-tokens", prompt_tokens_,
                 "Prompt length of --compare-uncached (8) and --serve (128 on average)")
      ->type_name("N");
  app.add_option("--generate", generate_, "Tokens that --compare-uncached (200) and --serve (32) generate")
      ->type_name("N");
  for (auto* option : app.get_options()) option->group(option->get_group().empty() ? "" : kMainGroup);
  define_caches(app);
  define_measuring(app);
}

/// What is served and how its cache is kept.
void RunCommand::define_caches(CLI::App& app) {
  const auto more = [&](CLI::Option* option) { option->group(kMoreGroup); };
  more(app.add_option("--phase", phases_, "prefill, decode, both, or none: only what else is asked for")
           ->type_name("PHASE")
           ->capture_default_str());
  more(app.add_option("--depth", depth_,
                      "Of each --context, so many tokens are in the cache before prefill reads the rest")
           ->type_name("N"));
  more(app.add_option("--at-once", at_once_, "Sequences --serve runs at once")->type_name("N")->capture_default_str());
  more(app.add_option("--shared-prefix", shared_prefix_, "Tokens with which every prompt of --serve begins")
           ->type_name("N"));
  more(app.add_option("--kv-blocks", kv_blocks_,
                      "Blocks of the paged cache of --serve (default: enough for all at once)")
           ->type_name("N"));
  more(app.add_option(
              "--what-if", what_if_,
              "Time a change that the model was not trained for, beside the model as it is: shared-layers:K (K "
              "layers share a KV cache), swiftkv:L (prefill fills the caches of layers from L on with what L reads)")
           ->type_name("CHANGE"));
  more(app.add_option("--scratch", scratch_,
                      "Folder of the file of --kv offload:file (default: $TMPDIR, or a cache folder)")
           ->type_name("DIR"));
  more(app.add_flag("--kv-break-even", break_even_,
                    "Hold fetching from the tier of --kv offload:… against recomputing, predicted and measured"));
}

/// How it is measured.
void RunCommand::define_measuring(CLI::App& app) {
  const auto more = [&](CLI::Option* option) { option->group(kMoreGroup); };
  more(app.add_option("--attention", attention_, "Attention kernel: bf16, tiled, naive or reference (default: fastest)")
           ->type_name("NAME"));
  more(app.add_option("--threads", threads_, "Threads (default: one per core)")->type_name("N"));
  more(app.add_option("--repeat", repeat_, "Exact number of repeats (default: until the median is known to 3 %)")
           ->type_name("N"));
  more(app.add_option("--seconds-per-point", seconds_per_point_, "Cap on the time spent on one point")->type_name("S"));
  more(app.add_option("--seed", seed_, "Seed of random weights, where the model has none")
           ->type_name("N")
           ->capture_default_str());
  more(app.add_option("--prompt", prompt_, "Text to continue, where the model has weights and a tokenizer")
           ->type_name("TEXT")
           ->capture_default_str());
  more(app.add_option("--threshold", threshold_, "Utilisation that names a bound")
           ->type_name("PERCENT")
           ->capture_default_str());
  more(app.add_flag("--timeline", full_timeline_,
                    "Keep the spans of every step, not only of three a point; sample clock and power"));
}

RunRequest RunCommand::request() const {
  RunRequest request;
  request.model = model_;
  request.device = open_device(parse_device("--gpu", gpu_));
  if (!contexts_.empty()) request.contexts = parse_count_list("--context", contexts_);
  if (!batches_.empty()) request.batches = parse_count_list("--batch", batches_);
  take_count("--depth", depth_, request.depth_tokens);
  request.phases = parse_phases(phases_);
  if (!dtype_.empty()) request.weights = parse_weight_type(dtype_);
  if (!kv_dtype_.empty()) request.kv_format = parse_kv_format(kv_dtype_);
  request.kv = parse_kv_spec("--kv", kv_);
  if (!threads_.empty()) request.n_threads = parse_count("--threads", threads_);
  if (!repeat_.empty()) request.repeats = parse_count("--repeat", repeat_);
  if (seconds_per_point_ < 0.0)
    throw Error(ErrorKind::kUsage, "--seconds-per-point", "must be positive.", "Leave it out for the default.");
  if (seconds_per_point_ > 0.0) request.seconds_per_point = seconds_per_point_;
  request.seed = seed_;
  request.attention_variant = attention_;
  request.prompt = prompt_;
  request.bound_threshold = parse_percent("--threshold", threshold_);
  request.full_timeline = full_timeline_;
  if (compare_uncached_) {
    request.uncached.emplace();
    take_count("--prompt-tokens", prompt_tokens_, request.uncached->prompt_tokens);
    take_count("--generate", generate_, request.uncached->generate);
  }
  request.serving = serving();
  if (!what_if_.empty()) request.what_if = parse_what_if("--what-if", what_if_);
  request.scratch = scratch();
  request.break_even = break_even_;
  request.command = command_line();
  return request;
}

/// Leaves the default where the option was not given.
void RunCommand::take_count(std::string_view option, const std::string& text, int& value) {
  if (!text.empty()) value = parse_count(option, text);
}

std::optional<ServingRequest> RunCommand::serving() const {
  if (serve_.empty()) {
    if (!shared_prefix_.empty() || !kv_blocks_.empty())
      throw Error(ErrorKind::kUsage, shared_prefix_.empty() ? "--kv-blocks" : "--shared-prefix",
                  "is about served requests.", "Add --serve N.");
    return std::nullopt;
  }
  ServingRequest request;
  take_count("--serve", serve_, request.n_requests);
  take_count("--at-once", at_once_, request.at_once);
  take_count("--prompt-tokens", prompt_tokens_, request.prompt_tokens);
  take_count("--generate", generate_, request.generate);
  take_count("--shared-prefix", shared_prefix_, request.shared_tokens);
  take_count("--kv-blocks", kv_blocks_, request.kv_blocks);
  return request;
}

std::filesystem::path RunCommand::scratch() const {
  if (!scratch_.empty() && parse_kv_spec("--kv", kv_).tier != KvTier::kFile)
    throw Error(ErrorKind::kUsage, "--scratch", "is about caches in a file.", "Add --kv offload:file.");
  return scratch_;
}

/// The options given, as one line that repeats the run; where the result went and how it looked are left out.
std::string RunCommand::command_line() const {
  std::string line = "dachlast run";
  for (const auto* option : app_->get_options()) {
    if (option->count() == 0 || option->get_group() == kCommonGroup || option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (name == "output" || name == "overwrite" || name == "dry-run") continue;
    line += " --" + name;
    if (option->get_items_expected_max() > 0) line += " " + shell_word(option->as<std::string>());
  }
  return line;
}

RunOutput RunCommand::output(const RunPlan& plan) const {
  return {.file = output_.empty() ? default_run_file(plan) : std::filesystem::path(output_),
          .if_exists = overwrite_ ? IfExists::kOverwrite : IfExists::kRefuse};
}

int RunCommand::dry_run(const RunPlan& plan, const CommonOptions& common) const {
  print_result(render_plan(plan, common));
  return plan.fits() ? kExitDone : kExitDoesNotFit;
}

int RunCommand::execute(const CommonOptions& common) {
  const InterruptWatch interrupt(words_of(common));
  ProgressPrinter progress(common);
  const RunPlan plan = plan_run(request(), progress, interrupt.token());
  if (dry_run_) return dry_run(plan, common);

  const RunOutput target = output(plan);
  for (const auto& warning : plan.warnings) progress.remarked(warning);
  const Run run = execute_run(plan, target, progress, interrupt.token());
  print_result(render_run(run, common));
  progress.note(
      fmt::format("Saved {0}. `dachlast report {0}` writes the HTML report.", shell_word(target.file.string())));
  return interrupt.interrupted() ? kExitInterrupted : kExitDone;
}

}  // namespace

std::unique_ptr<Command> make_run_command() {
  return std::make_unique<RunCommand>();
}

}  // namespace dachlast::cli
