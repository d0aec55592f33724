// What collecting costs: decode steps of one model with and without a sink, alternating in one process, so that clocks
// and neighbours disturb both sides alike. Prints both medians and, from the pairs, the median difference with its 95 %
// interval.
//
//   dachlast_trace_overhead_bench [MODEL [CONTEXT_TOKENS [PAIRS [THREADS]]]]      default: llama-3.2-1b 128 100 2
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/collect/span_collector.h"
#include "core/engine/engine.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

struct Arguments {
  std::string model = "llama-3.2-1b";
  int context_tokens = 128;
  int n_pairs = 100;
  int n_threads = 2;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  if (argc > 1) arguments.model = argv[1];
  if (argc > 2) arguments.context_tokens = std::atoi(argv[2]);
  if (argc > 3) arguments.n_pairs = std::atoi(argv[3]);
  if (argc > 4) arguments.n_threads = std::atoi(argv[4]);
  return arguments;
}

double decode_seconds(Engine& engine, trace::SpanSink* sink) {
  constexpr std::int32_t kToken = 1;
  engine.set_sink(sink);
  const int position = engine.position();
  const auto start = std::chrono::steady_clock::now();
  engine.decode({&kToken, 1});
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  engine.truncate(position);
  return elapsed.count();
}

void run(const Arguments& arguments) {
  const ModelSpec model = resolve_model(arguments.model).spec;
  EngineOptions options;
  options.precision = {DType::kBF16, {KvFormat::kBF16}};
  options.n_threads = arguments.n_threads;
  options.capacity_tokens = arguments.context_tokens;
  const auto weights = random_weights(model, 42, DType::kBF16);
  Engine engine(model, *weights, options);
  if (arguments.context_tokens > 1)
    engine.prefill(std::vector<std::int32_t>(static_cast<std::size_t>(arguments.context_tokens - 1), 1));

  SpanCollector collector(std::size_t{1} << 20);
  collector.start();
  std::vector<double> off_s, on_s;
  for (int pair = -3; pair < arguments.n_pairs; ++pair) {  // the first three warm up
    // Which side goes first changes, or a slow drift would favour one of them.
    const bool on_first = pair % 2 == 0;
    const double first = decode_seconds(engine, on_first ? &collector : nullptr);
    const double second = decode_seconds(engine, on_first ? nullptr : &collector);
    if (pair < 0) continue;
    on_s.push_back(on_first ? first : second);
    off_s.push_back(on_first ? second : first);
  }
  const double off = median(off_s);
  std::vector<double> extra;  // of each pair, as a share of the step
  for (std::size_t i = 0; i < off_s.size(); ++i) extra.push_back((on_s[i] - off_s[i]) / off);
  const Interval interval = median_interval(extra);
  fmt::print("{}, bf16, decode at {} tokens, {} threads, {} pairs of steps\n", arguments.model,
             arguments.context_tokens, arguments.n_threads, arguments.n_pairs);
  fmt::print("collecting off  {:.3f} ms\ncollecting on   {:.3f} ms\n", 1e3 * off, 1e3 * median(on_s));
  fmt::print("overhead        {:+.2f} %, median of the pairs, 95 % interval {:+.2f} % to {:+.2f} %\n",
             100 * median(extra), 100 * interval.low, 100 * interval.high);
  // Under competing load the fastest steps tell more than the medians: nothing makes a step faster than it is.
  const double fastest_off = *std::min_element(off_s.begin(), off_s.end());
  const double fastest_on = *std::min_element(on_s.begin(), on_s.end());
  fmt::print("fastest steps   {:.4f} ms off, {:.4f} ms on, ratio {:.4f}\n", 1e3 * fastest_off, 1e3 * fastest_on,
             fastest_on / fastest_off);
  fmt::print("spans           {} recorded, {} dropped\n", collector.drain().size(), collector.n_dropped());
}

}  // namespace
}  // namespace dachlast

int main(int argc, char** argv) {
  try {
    dachlast::run(dachlast::parse(argc, argv));
    return 0;
  } catch (const dachlast::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
