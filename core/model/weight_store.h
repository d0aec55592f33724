#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/model/mapped_file.h"
#include "core/model/weight_slots.h"
#include "core/model/weights.h"

namespace dachlast {

/// One block of memory that owned weights are cut from, each piece aligned to a cache line. Large blocks ask for huge
/// pages: a 4 KiB page covers only a third of a row of a large matrix, so streaming them would miss the TLB all the
/// time.
class WeightArena {
 public:
  static constexpr std::size_t kAlignmentBytes = 64;

  /// Bytes one piece takes out of the block.
  static constexpr double padded_bytes(double bytes) {
    const auto lines = static_cast<std::uint64_t>((bytes + kAlignmentBytes - 1) / kAlignmentBytes);
    return static_cast<double>(lines) * kAlignmentBytes;
  }

  WeightArena() = default;
  /// Errors   throws `Error` (kDoesNotFit) naming the bytes needed where the system refuses them.
  explicit WeightArena(double bytes);

  /// The next piece; pieces add up to at most what the arena was made for.
  std::span<std::byte> take(double bytes);

 private:
  MappedPages pages_;
  std::size_t used_ = 0;
};

/// The same memory with the type of its elements.
WeightMatrix as_matrix(std::span<const std::byte> bytes, const WeightSlot& slot, const WeightStorage& storage);

enum class WeightOrigin { kCheckpoint, kRandom };

/// Weights whose memory it owns or maps: a table from role and layer to spans.
class StoredWeights : public Weights {
 public:
  StoredWeights(const ModelSpec& model, WeightOrigin origin, std::string description, WeightArena arena);

  /// Records where a slot lies: in the arena or in one of the mapped files.
  void place(const WeightSlot& slot, WeightMatrix where);
  /// Takes room for a slot from the arena and records it.
  std::span<std::byte> allocate(const WeightSlot& slot, const WeightStorage& storage);
  /// Keeps the mappings that placed views look into.
  void keep(std::vector<MappedFile> files) { files_ = std::move(files); }

  WeightMatrix matrix(WeightRole role, int layer) const override;
  std::span<const float> norm(WeightRole role, int layer) const override;
  std::span<const float> bias(WeightRole role, int layer) const override;
  WeightMatrix positions() const override { return positions_; }
  double resident_bytes() const override { return resident_bytes_; }
  std::string description() const override { return description_; }
  bool random() const override { return origin_ == WeightOrigin::kRandom; }

 private:
  struct Entry {
    WeightMatrix matrix;
    std::span<const float> norm;
    std::span<const float> bias;
    bool has_matrix = false;
  };

  bool tied_;
  WeightOrigin origin_;
  std::string description_;
  WeightArena arena_;
  std::vector<MappedFile> files_;
  std::vector<Entry> entries_;  // [layer + 1][role]
  WeightMatrix positions_;
  double resident_bytes_ = 0.0;
};

/// Hardware threads this process may use, at least 1.
int usable_threads();

/// Calls task(0) … task(n_tasks − 1), spread over up to `n_threads` threads, and rethrows the first exception of a
/// task.
void run_tasks(std::size_t n_tasks, int n_threads, const std::function<void(std::size_t)>& task);

}  // namespace dachlast
