// What bookkeeping costs beside a decode step of milliseconds: a token appended to each of 64 sequences, and a prompt of 1,024
// tokens that is found, used and left again.
#include <benchmark/benchmark.h>

#include <numeric>
#include <vector>

#include "core/kv_cache/block_manager.h"

namespace dachlast {
namespace {

std::vector<std::int32_t> ids(int first, int n) {
  std::vector<std::int32_t> made(static_cast<std::size_t>(n));
  std::iota(made.begin(), made.end(), first);
  return made;
}

void decode_step(benchmark::State& state) {
  constexpr int kSequences = 64;
  BlockManager manager({.n_blocks = 65536, .block_size = static_cast<int>(state.range(0))});
  std::vector<SequenceId> sequences;
  for (int i = 0; i < kSequences; ++i) sequences.push_back(manager.add());
  std::int32_t token = 0;
  for (auto _ : state) {
    for (const SequenceId sequence : sequences) benchmark::DoNotOptimize(manager.append(sequence, {&token, 1}));
    if (++token % 4096 == 0)
      for (const SequenceId sequence : sequences) manager.truncate(sequence, 0);
  }
  state.SetItemsProcessed(state.iterations() * kSequences);
}
BENCHMARK(decode_step)->Arg(16)->Arg(64);

void known_prompt(benchmark::State& state) {
  constexpr int kPrompt = 1024;
  BlockManager manager({.n_blocks = 65536, .block_size = static_cast<int>(state.range(0))});
  for (int i = 0; i < 32; ++i) {
    const SequenceId sequence = manager.add();
    manager.append(sequence, ids(i * 5000, kPrompt));
    manager.remove(sequence);
  }
  const std::vector<std::int32_t> prompt = ids(5000, kPrompt);
  for (auto _ : state) {
    const SequenceId sequence = manager.add();
    benchmark::DoNotOptimize(manager.adopt_prefix(sequence, prompt));
    manager.remove(sequence);
  }
  state.SetItemsProcessed(state.iterations() * kPrompt);
}
BENCHMARK(known_prompt)->Arg(16)->Arg(64);

}  // namespace
}  // namespace dachlast
