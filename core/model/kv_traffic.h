#pragma once

#include <cstdint>

namespace dachlast {

/// What passed between a KV cache and its second tier, or was recomputed instead. Bytes as they move: chunks filled up to
/// what the tier reads and writes at once.
struct KvTraffic {
  std::int64_t n_reads = 0;  // of one chunk each
  std::int64_t n_writes = 0;
  double read_bytes = 0.0;  // from the tier
  double written_bytes = 0.0;
  double read_s = 0.0;  // that the I/O thread spent on them
  double write_s = 0.0;
  double waited_s = 0.0;  // that a layer waited for its chunks
  std::int64_t n_recomputed_tokens = 0;

  friend bool operator==(const KvTraffic&, const KvTraffic&) = default;
  KvTraffic& operator+=(const KvTraffic& other) {
    n_reads += other.n_reads;
    n_writes += other.n_writes;
    read_bytes += other.read_bytes;
    written_bytes += other.written_bytes;
    read_s += other.read_s;
    write_s += other.write_s;
    waited_s += other.waited_s;
    n_recomputed_tokens += other.n_recomputed_tokens;
    return *this;
  }
  friend KvTraffic operator-(KvTraffic a, const KvTraffic& b) {
    return {a.n_reads - b.n_reads,       a.n_writes - b.n_writes,
            a.read_bytes - b.read_bytes, a.written_bytes - b.written_bytes,
            a.read_s - b.read_s,         a.write_s - b.write_s,
            a.waited_s - b.waited_s,     a.n_recomputed_tokens - b.n_recomputed_tokens};
  }
};

/// Per step of several.
struct KvTrafficPerStep {
  KvTraffic total;
  int n_steps = 0;

  friend bool operator==(const KvTrafficPerStep&, const KvTrafficPerStep&) = default;
  double per_step(double sum) const { return n_steps > 0 ? sum / n_steps : 0.0; }
};

}  // namespace dachlast
