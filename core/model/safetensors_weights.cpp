#include <fmt/core.h>

#include <algorithm>
#include <cmath>
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
  WeightStorage storage;  // in memory
  PartLayout layout;
  std::vector<FoundPart> parts;
  std::span<const std::byte> view;  // where the mapping already holds the slot as it is wanted; empty: copy
};

/// One call of `convert`, by one thread.
struct CopyTask {
  const SafetensorsFile* file;
  ConvertJob job;
};

/// Panels [first, first + n) of a slot, packed by one thread into `to`.
struct PackTask {
  const SlotPlan* plan;
  std::int64_t first;
  std::int64_t n;
  std::span<std::byte> to;
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
    if (plan.storage.type != part.dtype || part.bytes.data() != end || part.file != plan.parts.front().file) return {};
    end += part.bytes.size();
  }
  const bool aligned =
      reinterpret_cast<std::uintptr_t>(begin) % static_cast<std::uintptr_t>(plan.storage.type.bits() / 8) == 0;
  return aligned ? std::span(begin, end) : std::span<const std::byte>{};
}

SlotPlan plan_slot(const Checkpoint& checkpoint, const ModelSpec& model, const TensorPrefix& prefix,
                   const WeightSlot& slot, const WeightStorage& storage) {
  const TensorRequest request = tensors_of(slot, model, prefix);
  SlotPlan plan{slot, storage_of(slot, storage), request.layout, {}, {}};
  for (const TensorPart& part : request.parts) plan.parts.push_back(find_part(checkpoint, slot, part, request.layout));
  // Vectors are copied, so that the hot small ones lie together on few pages.
  const bool large = slot.part == WeightPart::kMatrix || slot.part == WeightPart::kPositions;
  if (large && plan.storage.layout == WeightLayout::kRows) plan.view = view_of(plan);
  return plan;
}

/// The prefix under which the checkpoint has its token embeddings.
TensorPrefix prefix_of(const Checkpoint& checkpoint, const ModelSpec& model, const WeightSlot& embedding) {
  const std::vector<TensorPrefix> prefixes = tensor_prefixes(model.naming);
  for (const TensorPrefix& prefix : prefixes)
    if (checkpoint.find(tensors_of(embedding, model, prefix).parts.front().name) != nullptr) return prefix;
  throw missing_tensor(checkpoint, tensors_of(embedding, model, prefixes.front()).parts.front().name);
}

std::vector<SlotPlan> plan_weights(const Checkpoint& checkpoint, const ModelSpec& model, const WeightStorage& storage) {
  const std::vector<WeightSlot> slots = fused_weight_slots(model);
  const TensorPrefix prefix = prefix_of(checkpoint, model, slots.front());
  std::vector<SlotPlan> plans;
  for (const WeightSlot& slot : slots) plans.push_back(plan_slot(checkpoint, model, prefix, slot, storage));
  return plans;
}

double arena_bytes(std::span<const SlotPlan> plans) {
  double total = 0.0;
  for (const SlotPlan& plan : plans)
    if (plan.view.empty()) total += WeightArena::padded_bytes(bytes_of(plan.slot, plan.storage));
  return total;
}

/// Cuts the copy of one tensor into tasks of whole rows; a transposed tensor is one task, its rows being no piece of
/// it.
void append_tasks(const SlotPlan& plan, const FoundPart& part, std::span<std::byte> to, std::vector<CopyTask>& tasks) {
  const std::int64_t columns = plan.slot.columns;
  const auto from_row = static_cast<std::size_t>(columns * size_of(part.dtype));
  const DType to_dtype = plan.storage.type.plain().value();
  const auto to_row = static_cast<std::size_t>(columns * size_of(to_dtype));
  const auto rows = static_cast<std::size_t>(part.rows);
  const std::size_t step =
      plan.layout == PartLayout::kTransposed ? rows : std::max<std::size_t>(1, kTaskBytes / from_row);
  for (std::size_t row = 0; row < rows; row += step) {
    const std::size_t n = std::min(step, rows - row);
    tasks.push_back({part.file,
                     {.from = part.bytes.subspan(row * from_row, n * from_row),
                      .from_dtype = part.dtype,
                      .to = to.subspan(row * to_row, n * to_row),
                      .to_dtype = to_dtype,
                      .rows = static_cast<std::int64_t>(n),
                      .columns = columns,
                      .layout = plan.layout}});
  }
}

/// Cuts a slot into tasks of whole panels.
void append_tasks(const SlotPlan& plan, std::span<std::byte> to, std::vector<PackTask>& tasks) {
  const std::size_t panel_bytes = PanelLayout(plan.storage.type, static_cast<int>(plan.slot.columns)).panel_bytes();
  const std::int64_t n_panels = static_cast<std::int64_t>(to.size() / panel_bytes);
  const std::int64_t step = std::max<std::int64_t>(1, static_cast<std::int64_t>(kTaskBytes / panel_bytes));
  for (std::int64_t first = 0; first < n_panels; first += step) {
    const std::int64_t n = std::min(step, n_panels - first);
    tasks.push_back(
        {&plan, first, n,
         to.subspan(static_cast<std::size_t>(first) * panel_bytes, static_cast<std::size_t>(n) * panel_bytes)});
  }
}

/// What fills the copies.
struct LoadTasks {
  std::vector<CopyTask> copies;
  std::vector<PackTask> packs;
};

/// Places views, allocates copies, and lists the work that fills them.
LoadTasks place_weights(std::span<const SlotPlan> plans, StoredWeights& weights) {
  LoadTasks tasks;
  for (const SlotPlan& plan : plans) {
    if (!plan.view.empty()) {
      weights.place(plan.slot, as_matrix(plan.view, plan.slot, plan.storage));
      plan.parts.front().file->file().prefetch(plan.view);
      continue;
    }
    std::span<std::byte> to = weights.allocate(plan.slot, plan.storage);
    if (plan.storage.layout == WeightLayout::kPanels) {
      append_tasks(plan, to, tasks.packs);
      continue;
    }
    for (const FoundPart& part : plan.parts) {
      const auto bytes = static_cast<std::size_t>(part.rows * plan.slot.columns * plan.storage.type.bits() / 8);
      append_tasks(plan, part, to.first(bytes), tasks.copies);
      to = to.subspan(bytes);
    }
  }
  return tasks;
}

/// Rows [first, first + n) of a slot, over the borders of its tensors.
void read_slot_rows(const SlotPlan& plan, std::int64_t first, std::int64_t n, std::span<float> out) {
  const auto columns = static_cast<std::size_t>(plan.slot.columns);
  for (const FoundPart& part : plan.parts) {
    const std::int64_t taken = std::clamp<std::int64_t>(part.rows - first, 0, n);
    if (taken > 0) {
      read_rows({.from = part.bytes,
                 .from_dtype = part.dtype,
                 .to = {},
                 .to_dtype = DType::kF32,
                 .rows = part.rows,
                 .columns = plan.slot.columns,
                 .layout = plan.layout},
                first, taken, out.first(static_cast<std::size_t>(taken) * columns));
      // What is read is of no more use: dropping its pages keeps the peak near the weights' own size.
      if (plan.layout == PartLayout::kRowMajor)
        part.file->file().release(part.bytes.subspan(
            static_cast<std::size_t>(first) * columns * static_cast<std::size_t>(size_of(part.dtype)),
            static_cast<std::size_t>(taken) * columns * static_cast<std::size_t>(size_of(part.dtype))));
      out = out.subspan(static_cast<std::size_t>(taken) * columns);
    }
    first = std::max<std::int64_t>(0, first - part.rows);
    n -= taken;
  }
}

void require_finite(const SlotPlan& plan, std::span<const float> values) {
  if (std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) return;
  throw Error(ErrorKind::kInput, plan.parts.front().file->path().string(),
              fmt::format("a matrix of layer {} holds a value that is not a finite number and cannot be quantized.",
                          plan.slot.layer),
              "Run these weights in f32 or bf16, or use an intact checkpoint.");
}

void pack(const PackTask& task) {
  const SlotPlan& plan = *task.plan;
  const std::int64_t columns = plan.slot.columns;
  const std::size_t panel_bytes = PanelLayout(plan.storage.type, static_cast<int>(columns)).panel_bytes();
  std::vector<float> rows;
  for (std::int64_t panel = task.first; panel < task.first + task.n; ++panel) {
    const std::int64_t first = panel * kPanelRows;
    const std::int64_t n = std::min<std::int64_t>(kPanelRows, plan.slot.rows - first);
    rows.resize(static_cast<std::size_t>(n * columns));
    read_slot_rows(plan, first, n, rows);
    if (plan.storage.type.quantized()) require_finite(plan, rows);
    pack_panel(plan.storage.type, static_cast<int>(columns), rows,
               task.to.subspan(static_cast<std::size_t>(panel - task.first) * panel_bytes, panel_bytes));
  }
}

}  // namespace

std::unique_ptr<Weights> open_weights(const ModelSpec& model, const std::filesystem::path& path,
                                      const WeightStorage& storage) {
  require_weight_storage(model, storage);
  Checkpoint checkpoint(path);
  const std::vector<SlotPlan> plans = plan_weights(checkpoint, model, storage);
  auto weights = std::make_unique<StoredWeights>(
      model, WeightOrigin::kCheckpoint, checkpoint.path().filename().string(), WeightArena(arena_bytes(plans)));
  const LoadTasks tasks = place_weights(plans, *weights);
  // Once copied, the file's pages are of no use here: dropping them keeps the peak near the weights' own size.
  run_tasks(tasks.copies.size(), usable_threads(), [&](std::size_t i) {
    convert(tasks.copies[i].job);
    tasks.copies[i].file->file().release(tasks.copies[i].job.from);
  });
  run_tasks(tasks.packs.size(), usable_threads(), [&](std::size_t i) { pack(tasks.packs[i]); });
  weights->keep(std::move(checkpoint).take_files());
  return weights;
}

}  // namespace dachlast
