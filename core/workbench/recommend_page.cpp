#include "core/workbench/recommend_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/viewmodel/format.h"

namespace dachlast {
namespace {

/// Types tried where nobody names any: as published, then what most engines serve it in. A published quantization is not
/// quantized again.
std::vector<std::string> default_types(const ModelSpec& model, const std::string& engine) {
  if (engine == "llama.cpp") return {"", "Q8_0", "Q4_K_M"};
  if (model.quantized_weights) return {"", "/fp8"};
  return {"", "fp8", "fp8/fp8", "awq"};
}

ScenarioRequest scenario_request(const RecommendRequest& request, const std::string& types) {
  const std::size_t slash = std::min(types.find('/'), types.size());
  return {.model = request.model,
          .device = {},
          .weights = types.substr(0, slash),
          .cache = slash < types.size() ? types.substr(slash + 1) : std::string(),
          .engine = request.engine,
          .layout = {},
          .limits = request.limits};
}

std::vector<DeviceSpec> devices_of(const RecommendRequest& request) {
  std::vector<DeviceSpec> devices;
  if (request.devices.empty())
    for (DeviceSpec& package : list_devices()) devices.push_back(per_device(std::move(package)));
  for (const std::string& name : request.devices) devices.push_back(per_device(find_device(name)));
  return devices;
}

int context_of(const RecommendRequest& request, const ModelSpec& model) {
  const auto& [prompt, output] = request.split;
  const int context = request.context_tokens ? *request.context_tokens
                      : prompt && output     ? *prompt + *output
                                             : std::min(kDefaultPlanContext, model.max_context);
  if (context < 2)
    throw Error(ErrorKind::kUsage, "--context", fmt::format("{} holds no prompt and answer.", context),
                "Give 2 or more.");
  if (context <= model.max_context) return context;
  throw Error(ErrorKind::kDoesNotFit, fmt::format("context of {} tokens", viewmodel::format_count(context)),
              fmt::format("{} was trained for {} tokens.", model.name, viewmodel::format_count(model.max_context)),
              fmt::format("Use at most {}.", viewmodel::format_count(model.max_context)));
}

std::optional<PriceList> prices_of(const RecommendRequest& request, const std::vector<DeviceSpec>& devices) {
  if (request.prices.empty()) return std::nullopt;
  return request.prices == kCatalogPrices ? catalog_prices(devices) : read_price_file(request.prices);
}

std::string limit_text(const char* name, const char* option, const std::optional<double>& limit) {
  return limit ? fmt::format("{} at most {}", name, viewmodel::format(viewmodel::Measure::kTime, *limit))
               : fmt::format("no limit to {} ({})", name, option);
}

bool is_offered(const Recommendation& found, std::size_t device) {
  return std::ranges::any_of(found.options, [&](const Option& option) {
    return found.candidates[option.candidate].deployment.device == device;
  });
}

/// Where the prices of the offered devices come from; the rest stand in the JSON.
Remark prices_remark(const RecommendQuestion& question, const Recommendation& found) {
  if (!question.prices) return {"prices", "Cost is left out: no prices are given (--prices FILE, or catalog)."};
  std::string first = question.prices->prices.empty() ? "" : question.prices->prices.front().as_of;
  std::string last = first;
  for (const HourlyPrice& price : question.prices->prices) {
    first = std::min(first, price.as_of);
    last = std::max(last, price.as_of);
  }
  std::vector<std::string> named;
  for (std::size_t i = 0; i < question.devices.size(); ++i) {
    const HourlyPrice* price = question.prices->of(question.devices[i].id);
    if (price != nullptr && is_offered(found, i))
      named.push_back(fmt::format("{} {:g} ({}, {})", price->device, price->per_hour, price->source, price->as_of));
  }
  return {"prices",
          fmt::format("Prices in {} an hour and GPU, of {} to {}, the lowest of each GPU (--prices){}{}.",
                      question.prices->currency, first, last, named.empty() ? "" : ": ", fmt::join(named, "; "))};
}

/// Every default that filters or shapes the result, with the option that changes it.
std::vector<Remark> assumptions_of(const RecommendRequest& request, const RecommendQuestion& question,
                                   const Recommendation& found) {
  const ServedLoad& load = question.load;
  std::vector<std::string> types;
  for (std::size_t i = 0; i < question.types.size(); ++i)
    types.push_back(viewmodel::types_of(question, Deployment{i, 0, {}, 1}));
  const EngineProfile& engine = question.types.front().engine;
  return {
      {"load",
       fmt::format("{} at once (--concurrency), each with a prompt of {} and an answer of {} tokens (--context, "
                   "--prompt-tokens, --output-tokens); all are held at full length, none waits for room.",
                   viewmodel::counted(load.n_sequences, "request", "requests"),
                   viewmodel::format_count(load.prompt_tokens), viewmodel::format_count(load.output_tokens))},
      {"limits", fmt::format("{}; {}.", limit_text("TTFT", "--ttft", question.ttft_limit_s),
                             limit_text("TPOT", "--tpot", question.tpot_limit_s))},
      {"devices", fmt::format("{} (--gpus), {} at most (--max-gpus), at most {} of them in one pipeline stage.",
                              request.devices.empty()
                                  ? fmt::format("All {} known kinds of device; of those without measurements of their "
                                                "family none is offered unless it is named",
                                                question.devices.size())
                                  : viewmodel::counted(static_cast<std::int64_t>(question.devices.size()),
                                                       "kind of device", "kinds of device"),
                              question.max_devices, kMostStageRanks)},
      {"types",
       fmt::format("Weights and KV cache in {} (--types). Narrower types cost accuracy, which is not judged here.",
                   fmt::join(types, ", "))},
      {"engine", fmt::format("Engine {}, facts of {} (--engine).", engine.name, engine.read_at)},
      prices_remark(question, found)};
}

}  // namespace

ScenarioRequest scenario_of(const RecommendRequest& request, const RecommendPage& page, const Deployment& deployment) {
  ScenarioRequest scenario = scenario_request(request, page.types[deployment.types]);
  // A file is found again by its name alone.
  scenario.device =
      request.devices.empty() ? page.question.devices[deployment.device].id : request.devices[deployment.device];
  scenario.layout = deployment.layout;
  return scenario;
}

RecommendPage recommend_page(const RecommendRequest& request) {
  RecommendPage page;
  const Scenario published = find_scenario(scenario_request(request, ""));
  page.warnings = published.warnings;
  page.types = request.types.empty() ? default_types(published.model(), request.engine) : request.types;
  RecommendQuestion& question = page.question;
  question.stop = request.stop;
  for (const std::string& text : page.types)
    question.types.push_back(find_scenario(scenario_request(request, text)).planner->scenario());
  question.devices = devices_of(request);
  question.load = split_context(context_of(request, published.model()), request.split, request.concurrency);
  question.ttft_limit_s = request.ttft_limit_s;
  question.tpot_limit_s = request.tpot_limit_s;
  question.max_devices = request.max_devices;
  question.n_options = request.n_options;
  question.prices = prices_of(request, question.devices);
  question.depth = request.depth;
  // Nobody asked for a device of which next to nothing is known.
  if (request.devices.empty()) question.furthest = EfficiencyOrigin::kFamily;
  page.found = recommend(question, efficiency_curves());
  page.view = viewmodel::recommend_view(question, page.found);
  page.assumptions = assumptions_of(request, question, page.found);
  return page;
}

}  // namespace dachlast
