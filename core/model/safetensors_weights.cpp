#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/model/safetensors.h"
#include "core/model/tensor_names.h"
#include "core/model/weight_convert.h"
#include "core/model/weight_slots.h"
#include "core/model/weight_store.h"
#include "core/model/weights.h"

namespace dachlast {
namespace {

/// A tensor found for a part of a slot, its type and shape checked.
struct FoundPart {
  const SafetensorsFile* file;
  std::span<const std::byte> bytes;
  DType dtype;
  std::int64_t rows;
};

/// A slot and the tensors it will be read from.
struct SlotPlan {
  WeightSlot slot;
  DType dtype;  // in memory
  PartLayout layout;
  std::vector<FoundPart> parts;
  std::span<const std::byte> view;  // where the mapping already holds the slot as it is wanted; empty: copy
};

/// One call of `convert`, by one thread.
struct CopyTask {
  const SafetensorsFile* file;
  ConvertJob job;
};

/// Bytes one task reads at most, transposed tensors excepted.
constexpr std::size_t kTaskBytes = std::size_t{4} << 20;

std::vector<std::uint64_t> expected_shape(const WeightSlot& slot, const TensorPart& part, PartLayout layout) {
  const auto rows = static_cast<std::uint64_t>(part.rows);
  const auto columns = static_cast<std::uint64_t>(part.columns);
  if (slot.part == WeightPart::kNorm || slot.part == WeightPart::kBias) return {rows};
  return layout == PartLayout::kTransposed ? std::vector{columns, rows} : std::vector{rows, columns};
}

Error missing_tensor(const Checkpoint& checkpoint, const std::string& name) {
  return {ErrorKind::kInput, checkpoint.path().string(), fmt::format("tensor {} is missing.", name),
          "Check that config and weights belong together; if this file is one shard of several, name their folder."};
}

FoundPart find_part(const Checkpoint& checkpoint, const WeightSlot& slot, const TensorPart& part, PartLayout layout) {
  const Checkpoint::Location* found = checkpoint.find(part.name);
  if (found == nullptr) throw missing_tensor(checkpoint, part.name);
  const TensorInfo& tensor = *found->tensor;
  const std::vector<std::uint64_t> expected = expected_shape(slot, part, layout);
  if (tensor.shape != expected)
    throw Error(ErrorKind::kInput, found->file->path().string(),
                fmt::format("tensor {} has shape {}, but the config asks for {}.", part.name, shape_text(tensor.shape),
                            shape_text(expected)),
                "Use the config.json that belongs to these weights.");
  if (!tensor.type->dtype)
    throw Error(
        ErrorKind::kInput, found->file->path().string(),
        fmt::format("tensor {} has dtype {}; weights are read as F32, F16 or BF16.", part.name, tensor.type->name),
        "Convert the checkpoint to one of these.");
  return {found->file, found->file->bytes(tensor), *tensor.type->dtype, part.rows};
}

/// The parts as one piece of the mapping, where they lie one after the other, aligned, in the type and order wanted.
std::span<const std::byte> view_of(const SlotPlan& plan) {
  if (plan.layout == PartLayout::kTransposed) return {};
  const std::byte* const begin = plan.parts.front().bytes.data();
  const std::byte* end = begin;
  for (const FoundPart& part : plan.parts) {
    if (part.dtype != plan.dtype || part.bytes.data() != end || part.file != plan.parts.front().file) return {};
    end += part.bytes.size();
  }
  const bool aligned = reinterpret_cast<std::uintptr_t>(begin) % static_cast<std::uintptr_t>(size_of(plan.dtype)) == 0;
  return aligned ? std::span(begin, end) : std::span<const std::byte>{};
}

SlotPlan plan_slot(const Checkpoint& checkpoint, const ModelSpec& model, const TensorPrefix& prefix,
                   const WeightSlot& slot, DType precision) {
  const TensorRequest request = tensors_of(slot, model, prefix);
  SlotPlan plan{slot, dtype_of(slot, precision), request.layout, {}, {}};
  for (const TensorPart& part : request.parts) plan.parts.push_back(find_part(checkpoint, slot, part, request.layout));
  // Vectors are copied, so that the hot small ones lie together on few pages.
  if (slot.part == WeightPart::kMatrix || slot.part == WeightPart::kPositions) plan.view = view_of(plan);
  return plan;
}

/// The prefix under which the checkpoint has its token embeddings.
TensorPrefix prefix_of(const Checkpoint& checkpoint, const ModelSpec& model, const WeightSlot& embedding) {
  const std::vector<TensorPrefix> prefixes = tensor_prefixes(model.naming);
  for (const TensorPrefix& prefix : prefixes)
    if (checkpoint.find(tensors_of(embedding, model, prefix).parts.front().name) != nullptr) return prefix;
  throw missing_tensor(checkpoint, tensors_of(embedding, model, prefixes.front()).parts.front().name);
}

std::vector<SlotPlan> plan_weights(const Checkpoint& checkpoint, const ModelSpec& model, DType precision) {
  const std::vector<WeightSlot> slots = fused_weight_slots(model);
  const TensorPrefix prefix = prefix_of(checkpoint, model, slots.front());
  std::vector<SlotPlan> plans;
  for (const WeightSlot& slot : slots) plans.push_back(plan_slot(checkpoint, model, prefix, slot, precision));
  return plans;
}

double arena_bytes(std::span<const SlotPlan> plans) {
  double total = 0.0;
  for (const SlotPlan& plan : plans)
    if (plan.view.empty())
      total += WeightArena::padded_bytes(static_cast<double>(plan.slot.size()) * size_of(plan.dtype));
  return total;
}

/// Cuts the copy of one tensor into tasks of whole rows; a transposed tensor is one task, its rows being no piece of
/// it.
void append_tasks(const SlotPlan& plan, const FoundPart& part, std::span<std::byte> to, std::vector<CopyTask>& tasks) {
  const std::int64_t columns = plan.slot.columns;
  const auto from_row = static_cast<std::size_t>(columns * size_of(part.dtype));
  const auto to_row = static_cast<std::size_t>(columns * size_of(plan.dtype));
  const auto rows = static_cast<std::size_t>(part.rows);
  const std::size_t step =
      plan.layout == PartLayout::kTransposed ? rows : std::max<std::size_t>(1, kTaskBytes / from_row);
  for (std::size_t row = 0; row < rows; row += step) {
    const std::size_t n = std::min(step, rows - row);
    tasks.push_back({part.file,
                     {.from = part.bytes.subspan(row * from_row, n * from_row),
                      .from_dtype = part.dtype,
                      .to = to.subspan(row * to_row, n * to_row),
                      .to_dtype = plan.dtype,
                      .rows = static_cast<std::int64_t>(n),
                      .columns = columns,
                      .layout = plan.layout}});
  }
}

/// Places views, allocates copies, and lists the work that fills them.
std::vector<CopyTask> place_weights(std::span<const SlotPlan> plans, StoredWeights& weights) {
  std::vector<CopyTask> tasks;
  for (const SlotPlan& plan : plans) {
    if (!plan.view.empty()) {
      weights.place(plan.slot, as_matrix(plan.view, plan.dtype));
      plan.parts.front().file->file().prefetch(plan.view);
      continue;
    }
    std::span<std::byte> to = weights.allocate(plan.slot, plan.dtype);
    for (const FoundPart& part : plan.parts) {
      const auto bytes = static_cast<std::size_t>(part.rows * plan.slot.columns * size_of(plan.dtype));
      append_tasks(plan, part, to.first(bytes), tasks);
      to = to.subspan(bytes);
    }
  }
  return tasks;
}

}  // namespace

std::unique_ptr<Weights> open_weights(const ModelSpec& model, const std::filesystem::path& path, DType precision) {
  require_weight_precision(precision);
  Checkpoint checkpoint(path);
  const std::vector<SlotPlan> plans = plan_weights(checkpoint, model, precision);
  auto weights = std::make_unique<StoredWeights>(
      model, WeightOrigin::kCheckpoint, checkpoint.path().filename().string(), WeightArena(arena_bytes(plans)));
  const std::vector<CopyTask> tasks = place_weights(plans, *weights);
  // Once copied, the file's pages are of no use here: dropping them keeps the peak near the weights' own size.
  run_tasks(tasks.size(), usable_threads(), [&](std::size_t i) {
    convert(tasks[i].job);
    tasks[i].file->file().release(tasks[i].job.from);
  });
  weights->keep(std::move(checkpoint).take_files());
  return weights;
}

}  // namespace dachlast
