#include "core/model/weight_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/base/overloaded.h"
#include "core/base/thread_pool.h"
#include "core/base/units.h"

namespace dachlast {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;  // x86-64 and AArch64 with 4 KiB base pages
constexpr double kAddressableBytes = 0x1p46;                  // half of what 47 bits of user address space hold

std::size_t entry_index(WeightRole role, int layer) {
  return static_cast<std::size_t>(layer + 1) * kWeightRoleCount + static_cast<std::size_t>(role);
}

Error does_not_fit(double bytes) {
  return {ErrorKind::kDoesNotFit, "weights",
          fmt::format("{:.0f} bytes ({:.2f} GiB) are needed and the system refuses them.", bytes, bytes / kGiB),
          "Use bf16 weights, a smaller model, or a computer with more memory."};
}

double byte_count(const WeightMatrix& matrix) {
  const auto packed = [](const PackedMatrix& m) { return static_cast<double>(m.bytes.size()); };
  return std::visit(Overloaded{packed, [](auto span) { return static_cast<double>(span.size_bytes()); }}, matrix);
}

}  // namespace

WeightArena::WeightArena(double bytes) {
  if (bytes > kAddressableBytes) throw does_not_fit(bytes);
  if (bytes <= 0.0) return;
  // One huge page more, so that the first piece can start on a huge page wherever the kernel places the block.
  const auto size = static_cast<std::size_t>(bytes) + kHugePageBytes;
  void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw does_not_fit(bytes);
  pages_ = MappedPages(static_cast<std::byte*>(pages), Unmap{size});
  const auto start = reinterpret_cast<std::uintptr_t>(pages);
  used_ = (kHugePageBytes - start % kHugePageBytes) % kHugePageBytes;
  if (bytes >= 2.0 * kHugePageBytes) ::madvise(pages, size, MADV_HUGEPAGE);  // a wish: refusing it only costs time
}

std::span<std::byte> WeightArena::take(double bytes) {
  std::byte* const begin = pages_.get() + used_;
  used_ += static_cast<std::size_t>(padded_bytes(bytes));
  assert(used_ <= pages_.get_deleter().size_bytes);
  return {begin, static_cast<std::size_t>(bytes)};
}

WeightMatrix as_matrix(std::span<const std::byte> bytes, const WeightSlot& slot, const WeightStorage& storage) {
  if (storage.layout == WeightLayout::kPanels)
    return PackedMatrix{storage.type, static_cast<int>(slot.rows), static_cast<int>(slot.columns), bytes};
  if (storage.type == DType::kBF16)
    return std::span(reinterpret_cast<const BF16*>(bytes.data()), bytes.size() / sizeof(BF16));
  return std::span(reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float));
}

StoredWeights::StoredWeights(const ModelSpec& model, WeightOrigin origin, std::string description, WeightArena arena)
    : tied_(model.tied_embeddings),
      origin_(origin),
      description_(std::move(description)),
      arena_(std::move(arena)),
      entries_(static_cast<std::size_t>(model.n_layers() + 1) * kWeightRoleCount) {}

void StoredWeights::place(const WeightSlot& slot, WeightMatrix where) {
  Entry& entry = entries_[entry_index(slot.role, slot.layer)];
  if (slot.part == WeightPart::kPositions)
    positions_ = where;
  else if (slot.part == WeightPart::kBias)
    entry.bias = std::get<std::span<const float>>(where);
  else if (slot.part == WeightPart::kNorm)
    entry.norm = std::get<std::span<const float>>(where);
  else
    entry.matrix = where;
  entry.has_matrix = entry.has_matrix || slot.part == WeightPart::kMatrix || slot.part == WeightPart::kState;
  resident_bytes_ += byte_count(where);
}

std::span<std::byte> StoredWeights::allocate(const WeightSlot& slot, const WeightStorage& storage) {
  const std::span<std::byte> piece =
      arena_.take(static_cast<double>(slot.count) *
                  matrix_bytes(storage, static_cast<double>(slot.rows), static_cast<double>(slot.columns)));
  place(slot, as_matrix(piece, slot, storage));
  return piece;
}

WeightMatrix StoredWeights::matrix(WeightRole role, int layer) const {
  if (role == WeightRole::kLmHead && tied_) role = WeightRole::kTokenEmbedding;
  const Entry& entry = entries_[entry_index(role, layer)];
  return entry.has_matrix ? entry.matrix : WeightMatrix(entry.norm);
}

std::span<const float> StoredWeights::norm(WeightRole role, int layer) const {
  return entries_[entry_index(role, layer)].norm;
}

std::span<const float> StoredWeights::bias(WeightRole role, int layer) const {
  return entries_[entry_index(role, layer)].bias;
}

int usable_threads() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void run_tasks(std::size_t n_tasks, int n_threads, const std::function<void(std::size_t)>& task) {
  std::atomic<std::size_t> next{0};
  const auto n_useful = static_cast<int>(std::clamp<std::size_t>(n_tasks, 1, static_cast<std::size_t>(n_threads)));
  ThreadPool(n_useful).run([&](int) {
    for (std::size_t i = next++; i < n_tasks; i = next++) task(i);
  });
}

}  // namespace dachlast
