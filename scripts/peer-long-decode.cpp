// Decode rate of llama.cpp behind a long cache, for scripts/bench-peer.sh, which compiles it against the tree whose
// llama-bench it was given. llama-bench reads the whole context through attention first (20 to 60 minutes for 32,768
// tokens); here the cache is filled by short sequences, which then all become part of sequence 0. What a decoded token
// reads is the same: every cell is visible to it.
//   peer-long-decode MODEL.gguf TOKENS-IN-CACHE f16|q8_0 THREADS TOKENS-TO-DECODE
// Prints [{"median_ts": tokens per second}], the median of the single steps.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <llama.h>

namespace {

constexpr int kChunk = 512;

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "peer-long-decode: %s\n", what);
  std::exit(1);
}

// Decodes `count` tokens of sequence `sequence` from position `first` on; logits for none of them.
void Decode(llama_context* context, llama_batch& batch, int count, int first, int sequence) {
  batch.n_tokens = count;
  for (int i = 0; i < count; ++i) {
    batch.token[i] = 100 + (first + i) % 1000;
    batch.pos[i] = first + i;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = sequence;
    batch.logits[i] = i + 1 == count;
  }
  if (llama_decode(context, batch) != 0) Fail("llama_decode failed");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) Fail("MODEL.gguf TOKENS-IN-CACHE f16|q8_0 THREADS TOKENS-TO-DECODE");
  const int filled = std::atoi(argv[2]) / kChunk * kChunk;
  const int steps = std::atoi(argv[5]);
  const ggml_type type = std::string(argv[3]) == "q8_0" ? GGML_TYPE_Q8_0 : GGML_TYPE_F16;
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_backend_init();
  llama_model* model = llama_model_load_from_file(argv[1], llama_model_default_params());
  if (model == nullptr) Fail("the model cannot be loaded");

  llama_context_params params = llama_context_default_params();
  params.n_ctx = filled + kChunk;
  params.n_batch = params.n_ubatch = kChunk;
  params.n_seq_max = filled / kChunk + 1;
  params.n_threads = params.n_threads_batch = std::atoi(argv[4]);
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
  params.type_k = params.type_v = type;
  params.kv_unified = true;
  llama_context* context = llama_init_from_model(model, params);
  if (context == nullptr) Fail("no context of this size and type");

  llama_memory_t memory = llama_get_memory(context);
  llama_batch batch = llama_batch_init(kChunk, 0, 1);
  for (int first = 0, sequence = 1; first < filled; first += kChunk, ++sequence) {
    Decode(context, batch, kChunk, first, sequence);
  }
  for (int sequence = 1; sequence <= filled / kChunk; ++sequence) {
    llama_memory_seq_cp(memory, sequence, 0, -1, -1);
  }
  if (llama_memory_seq_pos_max(memory, 0) != filled - 1) Fail("sequence 0 does not hold the whole cache");

  std::vector<double> seconds;
  for (int step = 0; step < steps; ++step) {
    const auto start = std::chrono::steady_clock::now();
    Decode(context, batch, 1, filled + step, 0);
    llama_synchronize(context);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + steps / 2, seconds.end());
  std::printf("[{\"median_ts\": %.6f}]\n", 1.0 / seconds[steps / 2]);
}
