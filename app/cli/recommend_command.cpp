#include <fmt/core.h>

#include <charconv>
#include <string>
#include <vector>

#include "app/cli/chart_output.h"
#include "app/cli/commands.h"
#include "app/cli/exit_code.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "app/cli/recommend_output.h"
#include "core/base/error.h"
#include "core/workbench/parse.h"

namespace dachlast::cli {
namespace {

constexpr figure::Size kChartSize{960.0, 600.0};
constexpr int kMostDevices = 64;
constexpr int kMostOptions = 1000;

std::vector<std::string> names_of(std::string_view option, const std::string& text) {
  std::vector<std::string> items;
  std::size_t begin = 0;
  while (!text.empty() && begin <= text.size()) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    items.push_back(text.substr(begin, comma - begin));
    if (items.back().empty())
      throw Error(ErrorKind::kUsage, fmt::format("{} {}", option, text), "holds an empty name.",
                  "Separate names by one comma.");
    begin = comma + 1;
  }
  return items;
}

class RecommendCommand : public Command {
 public:
  void define(CLI::App& app) override {
    const auto option = [&](const char* name, auto& value, const char* text, const char* type) {
      return app.add_option(name, value, text)->type_name(type)->group(kMainGroup)->check(is_stated);
    };
    option("--model", request_.model, "Preset, config.json, folder, .safetensors or .gguf", "MODEL")->required();
    option("--gpus", gpus_, "Devices to choose from, by id, name or file; all known ones by default", "LIST");
    option("--context", context_, "Tokens of each request, prompt and answer", "TOKENS");
    option("--prompt-tokens", prompt_, "Of the context: tokens of a prompt", "TOKENS");
    option("--output-tokens", output_, "Of the context: tokens of an answer; an eighth, at most 512, by default",
           "TOKENS");
    option("--concurrency", concurrency_, "Requests at once, 1 by default", "N");
    option("--ttft", ttft_, "Longest time to the first token: 500ms, 2s", "TIME");
    option("--tpot", tpot_, "Longest time for each further token: 20ms", "TIME");
    option("--types", types_, "Weights, and KV cache behind a slash: bf16, fp8, fp8/fp8, awq; several are tried",
           "LIST");
    option("--engine", request_.engine, "vllm, sglang, tensorrt-llm, llama.cpp; an older one as vllm@0.10", "NAME")
        ->capture_default_str();
    option("--max-gpus", max_gpus_, "Most devices of a deployment, 8 by default", "N");
    option("--prices", request_.prices,
           "CSV or YAML of prices per GPU-hour with currency, date and source; catalog: dated examples that come along",
           "FILE");
    option("--top", top_, "Options to list, 5 by default", "N");
    app.add_flag("--show-rejected", show_rejected_, "List what was rejected, each with its reason")->group(kMainGroup);
    app.add_flag("--all", all_, "Time every deployment that fits, also those that others beat in every respect")
        ->group(kMainGroup);
    option("--chart", chart_,
           "Write the Pareto chart to this file, .svg or .png, or its data, .csv or .json; - is an SVG on standard "
           "output",
           "FILE");
    drawing_.define(app);
  }

  int execute(const CommonOptions& common) override {
    const RecommendPage page = recommend_page(request());
    if (!chart_.empty()) draw(page, common);
    if (chart_ != "-")
      print_result(render_recommendation(page, show_rejected_ ? ShowRejected::kAll : ShowRejected::kCount, common));
    return page.found.options.empty() ? kExitDoesNotFit : kExitDone;
  }

 private:
  /// An option without a value would silently mean its default.
  static std::string is_stated(const std::string& text) {
    return text.empty() ? "the value is empty; leave the option out to get its default" : "";
  }

  static int at_most(std::string_view option, const std::string& text, int limit) {
    const int value = parse_count(option, text);
    if (value <= limit) return value;
    throw Error(ErrorKind::kUsage, fmt::format("{} {}", option, text), fmt::format("is more than {}.", limit),
                "Give less.");
  }

  void draw(const RecommendPage& page, const CommonOptions& common) const {
    const viewmodel::Words& words = words_of(common);
    const viewmodel::NamedChart chart{
        "pareto", pareto_figure(page.view.pareto, figure::for_readers(kChartSize, &words), "pareto"),
        viewmodel::options_with_reasons(page.view), viewmodel::candidates_table(page.question, page.found)};
    const auto head = viewmodel::sheet_head(request_.model, {page.view.answer}, "", words);
    write_result(chart_, chart_file({{&chart, 1}, head, request_.model}, "pareto", chart_kind_of("--chart", chart_),
                                    drawing_, common));
  }

  RecommendRequest request() const {
    RecommendRequest request = request_;
    request.devices = names_of("--gpus", gpus_);
    request.types = names_of("--types", types_);
    if (!context_.empty()) request.context_tokens = parse_count("--context", context_);
    if (!prompt_.empty()) request.split.prompt_tokens = parse_count("--prompt-tokens", prompt_);
    if (!output_.empty()) request.split.output_tokens = parse_count("--output-tokens", output_);
    if (!concurrency_.empty()) request.concurrency = at_most("--concurrency", concurrency_, kMostConcurrency);
    if (!ttft_.empty()) request.ttft_limit_s = parse_time("--ttft", ttft_);
    if (!tpot_.empty()) request.tpot_limit_s = parse_time("--tpot", tpot_);
    if (!max_gpus_.empty()) request.max_devices = at_most("--max-gpus", max_gpus_, kMostDevices);
    if (!top_.empty()) request.n_options = at_most("--top", top_, kMostOptions);
    if (all_) request.depth = SearchDepth::kEverything;
    return request;
  }

  static constexpr int kMostConcurrency = 16384;

  RecommendRequest request_;
  std::string gpus_;
  std::string types_;
  std::string context_;
  std::string prompt_;
  std::string output_;
  std::string concurrency_;
  std::string ttft_;
  std::string tpot_;
  std::string max_gpus_;
  std::string top_;
  std::string chart_;
  ChartOptions drawing_;
  bool show_rejected_ = false;
  bool all_ = false;
};

}  // namespace

std::unique_ptr<Command> make_recommend_command() {
  return std::make_unique<RecommendCommand>();
}

}  // namespace dachlast::cli
