#include "kernels/cpu/attention_schedule.h"

#include <algorithm>
#include <cassert>

namespace dachlast::kernels::cpu {
namespace {

int units_of(const AttentionCall& call, const SequenceCut& cut) {
  return call.kv.pool.layout.n_kv_heads * cut.units_per_head();
}

std::size_t state_floats(const AttentionCall& call, const KvSequence& sequence, const SequenceCut& cut) {
  if (cut.n_splits == 1) return 0;
  return static_cast<std::size_t>(cut.n_splits) * static_cast<std::size_t>(sequence.q_len * call.n_heads) *
         state_width(call.kv.pool.layout.value_dim);
}

/// Slots that queries at positions `first` … `last` may see. With a mapping any slot may hold any position.
SlotRange visible_slots(const AttentionCall& call, const KvSequence& sequence, int first, int last) {
  if (!sequence.positions.empty()) return {0, sequence.kv_len};
  const bool from_start = call.mask.window == 0 || call.mask.n_sinks > 0;
  return {from_start ? 0 : std::max(0, first + 1 - call.mask.window), std::min(sequence.kv_len, last + 1)};
}

}  // namespace

UnitWalk::UnitWalk(const AttentionCall& call, Slice units) : call_(call), left_(std::max(units.end - units.begin, 0)) {
  if (left_ == 0) return;
  cut_ = cut_of(call_, sequence());
  int skipped = units.begin;
  while (skipped >= units_of(call_, cut_)) {
    skipped -= units_of(call_, cut_);
    enter_sequence();
  }
  within_ = skipped;
}

/// The next sequence.
void UnitWalk::enter_sequence() {
  state_ += state_floats(call_, sequence(), cut_);
  ++sequence_;
  within_ = 0;
  assert(sequence_ < call_.kv.sequences.size());
  cut_ = cut_of(call_, sequence());
}

void UnitWalk::next() {
  ++within_;
  if (--left_ == 0) return;
  while (within_ >= units_of(call_, cut_)) enter_sequence();
}

AttentionUnit UnitWalk::unit() const {
  const KvSequence& s = sequence();
  const int piece = within_ % cut_.units_per_head(), tile = piece % cut_.n_tiles, split = piece / cut_.n_tiles;
  const int first_query = tile * tile_queries(group_size(call_));
  AttentionUnit unit{.sequence = &s,
                     .kv_head = within_ / cut_.units_per_head(),
                     .first_query = first_query,
                     .n_queries = std::min(tile_queries(group_size(call_)), s.q_len - first_query),
                     .slots = {},
                     .n_splits = cut_.n_splits,
                     .state = 0};
  unit.slots = visible_slots(call_, s, s.first_position + first_query, s.first_position + unit.end_query() - 1);
  if (cut_.n_splits == 1) return unit;
  unit.slots = {std::max(unit.slots.begin, split * cut_.stretch), std::min(unit.slots.end, (split + 1) * cut_.stretch)};
  unit.slots.begin = std::min(unit.slots.begin, unit.slots.end);  // before a window: an empty stretch
  unit.state = state_ + static_cast<std::size_t>(split) * static_cast<std::size_t>(s.q_len * call_.n_heads) *
                            state_width(call_.kv.pool.layout.value_dim);
  return unit;
}

}  // namespace dachlast::kernels::cpu

namespace dachlast::kernels {

int attention_units(const AttentionCall& call) {
  int n_units = 0;
  for (const KvSequence& sequence : call.kv.sequences) n_units += cpu::units_of(call, cpu::cut_of(call, sequence));
  return n_units;
}

int combine_units(const AttentionCall& call) {
  int n_rows = 0;
  for (const KvSequence& sequence : call.kv.sequences) n_rows += cpu::merged_rows(call, sequence);
  return n_rows;
}

std::size_t attention_state_floats(const AttentionSizes& s) {
  const int group = s.n_heads / s.n_kv_heads;
  const int q_len = std::min({s.q_len, cpu::kMostSplitQueries, cpu::tile_queries(group)});
  const cpu::SequenceCut cut = cpu::cut_of(q_len, s.kv_len, s.n_kv_heads, group);
  if (cut.n_splits == 1) return 0;
  // A shorter cache may round to more stretches than a longer one, never to more than are wanted of the longest.
  const int most =
      std::min(cpu::ceil_div(s.kv_len, cpu::kLeastStretch), std::max(cpu::kMostStretches / s.n_kv_heads, 1));
  return static_cast<std::size_t>(s.batch_size) * static_cast<std::size_t>(most) *
         static_cast<std::size_t>(q_len * s.n_heads) * cpu::state_width(s.value_dim);
}

}  // namespace dachlast::kernels
