// Time of a whole recommendation: all known devices × every layout on up to eight of them × types × copies, for a dense model, one
// with experts and one with latent attention. The target is one second.
#include <benchmark/benchmark.h>

#include "core/workbench/recommend_page.h"

namespace dachlast {
namespace {

void recommend_for(benchmark::State& state, const char* model) {
  RecommendRequest request;
  request.model = model;
  request.concurrency = static_cast<int>(state.range(0));
  std::size_t candidates = 0;
  std::size_t timed = 0;
  for (auto _ : state) {
    const RecommendPage page = recommend_page(request);
    candidates = page.found.candidates.size();
    timed = page.found.n_timed;
  }
  state.counters["candidates"] = static_cast<double>(candidates);
  state.counters["timed"] = static_cast<double>(timed);
}

void dense_8b(benchmark::State& state) {
  recommend_for(state, "llama-3.1-8b");
}
void dense_70b(benchmark::State& state) {
  recommend_for(state, "llama-3.1-70b");
}
void experts_120b(benchmark::State& state) {
  recommend_for(state, "gpt-oss-120b");
}
void latent_671b(benchmark::State& state) {
  recommend_for(state, "deepseek-v3");
}

BENCHMARK(dense_8b)->Arg(1)->Arg(16)->Arg(128)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(dense_70b)->Arg(16)->Arg(128)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(experts_120b)->Arg(16)->Arg(128)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(latent_671b)->Arg(16)->Arg(128)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace dachlast
