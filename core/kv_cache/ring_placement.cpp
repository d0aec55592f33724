#include "core/kv_cache/ring_placement.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace dachlast {
namespace {

RingOptions checked(const RingOptions& options) {
  const auto require = [](const char* subject, int value, int least) {
    if (value < least)
      throw Error(ErrorKind::kUsage, subject, fmt::format("It must be at least {}, not {}.", least, value));
  };
  require("sequences", options.max_sequences, 1);
  require("slots", options.n_slots, 1);
  require("sinks", options.n_sinks, 0);
  require("window", options.window, 1);
  require("tokens per step", options.max_step_tokens, 1);
  require("capacity in tokens", options.capacity_tokens, 1);
  return options;
}

}  // namespace

RingPlacement::RingPlacement(const RingOptions& options) : options_(checked(options)) {
  for (int block = options.max_sequences - 1; block >= 0; --block) free_blocks_.push_back(block);
}

const RingPlacement::Sequence& RingPlacement::known(SequenceId id) const {
  const auto found = sequences_.find(id);
  if (found == sequences_.end())
    throw Error(ErrorKind::kUsage, fmt::format("sequence {}", static_cast<std::int64_t>(id)),
                "The KV cache holds no such sequence.", "Add it first; a removed one does not come back.");
  return found->second;
}

RingPlacement::Sequence& RingPlacement::known(SequenceId id) {
  return const_cast<Sequence&>(std::as_const(*this).known(id));
}

SequenceId RingPlacement::add(int expected_tokens) {
  if (expected_tokens < 0)
    throw Error(ErrorKind::kUsage, "expected tokens", fmt::format("They cannot be {}.", expected_tokens));
  if (free_blocks_.empty())
    throw Error(ErrorKind::kDoesNotFit, "KV cache",
                fmt::format("It has room for {} sequences.", options_.max_sequences), "Remove one first.");
  Sequence made{.block = free_blocks_.back(), .expected_tokens = expected_tokens, .positions = {}};
  made.positions.assign(static_cast<std::size_t>(options_.n_slots), -1);
  free_blocks_.pop_back();
  const SequenceId id{next_id_++};
  sequences_.emplace(id, std::move(made));
  n_peak_allocated_ = std::max(n_peak_allocated_, static_cast<int>(sequences_.size()));
  return id;
}

SequenceId RingPlacement::fork(SequenceId) {
  throw Error(ErrorKind::kUsage, "fork", "The tokens of a ring cannot be shared.", "Use a paged cache.");
}

void RingPlacement::remove(SequenceId id) {
  free_blocks_.push_back(known(id).block);
  sequences_.erase(id);
}

int RingPlacement::slot_of(int position) const {
  if (position < options_.n_slots) return position;
  return options_.n_sinks + (position - options_.n_sinks) % (options_.n_slots - options_.n_sinks);
}

AppendResult RingPlacement::append(SequenceId id, std::span<const std::int32_t> token_ids) {
  Sequence& sequence = known(id);
  const auto n_new = static_cast<int>(token_ids.size());
  if (n_new > options_.max_step_tokens || n_new > options_.capacity_tokens - sequence.n_tokens)
    throw Error(ErrorKind::kUsage, "tokens",
                fmt::format("{} tokens at once do not fit a ring made for steps of {} and a text of {}.", n_new,
                            options_.max_step_tokens, options_.capacity_tokens));
  for (int position = sequence.n_tokens; position < sequence.n_tokens + n_new; ++position) {
    std::int32_t& held = sequence.positions[static_cast<std::size_t>(slot_of(position))];
    if (held >= 0) ++n_dropped_tokens_;
    held = position;
  }
  sequence.n_tokens += n_new;
  sequence.n_slots = std::max(sequence.n_slots, std::min(sequence.n_tokens, options_.n_slots));
  return {};
}

void RingPlacement::truncate(SequenceId id, int n_tokens) {
  Sequence& sequence = known(id);
  if (n_tokens < 0 || n_tokens > sequence.n_tokens)
    throw Error(ErrorKind::kUsage, "KV cache",
                fmt::format("The sequence holds {} tokens and cannot be cut to {}.", sequence.n_tokens, n_tokens));
  // The token after the cut sees window − 1 before it; the ring must still hold the first of them.
  const int first_seen = std::max(options_.n_sinks, n_tokens - options_.window + 1);
  if (n_tokens > options_.n_sinks && first_seen < n_tokens &&
      sequence.positions[static_cast<std::size_t>(slot_of(first_seen))] != first_seen)
    throw Error(ErrorKind::kUsage, "KV cache",
                fmt::format("It was cut from {} tokens to {}, and the ring has let go of what those before it held.",
                            sequence.n_tokens, n_tokens),
                "Cut less at once, or start anew.");
  for (std::int32_t& position : sequence.positions)
    if (position >= n_tokens) position = -1;
  sequence.n_tokens = n_tokens;
  if (n_tokens == 0) sequence.n_slots = 0;
}

SlotMap RingPlacement::slots(SequenceId id) const {
  const Sequence& sequence = known(id);
  return {.n_slots = sequence.n_slots,
          .positions = std::span(sequence.positions).first(static_cast<std::size_t>(sequence.n_slots))};
}

int RingPlacement::n_held(const Sequence& sequence) const {
  return static_cast<int>(std::ranges::count_if(sequence.positions, [](int position) { return position >= 0; }));
}

BlockStatistics RingPlacement::statistics() const {
  BlockStatistics statistics{.n_blocks = options_.max_sequences,
                             .block_size = options_.n_slots,
                             .n_free = n_available(),
                             .n_allocated = static_cast<int>(sequences_.size()),
                             .n_peak_allocated = n_peak_allocated_,
                             .sequence_blocks = static_cast<std::int64_t>(sequences_.size()),
                             .n_dropped_tokens = n_dropped_tokens_};
  for (const auto& [id, sequence] : sequences_) {
    const int held = n_held(sequence);
    const int wanted = std::clamp(sequence.expected_tokens, held, options_.n_slots);
    statistics.held_tokens += held;
    statistics.reserved_tokens += wanted - held;
    statistics.internal_fragmentation_tokens += options_.n_slots - wanted;
  }
  statistics.sequence_tokens = statistics.held_tokens;
  return statistics;
}

}  // namespace dachlast
