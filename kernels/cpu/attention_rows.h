#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "kernels/cpu/attention_schedule.h"
#include "kernels/cpu/attention_scratch.h"
#include "kernels/cpu/kv_rows.h"

namespace dachlast::kernels::cpu {

/// A few slots that are worked on together, and the positions they hold.
class KeyTile {
 public:
  KeyTile(const KvSequence& sequence, SlotRange slots) : slots_(slots) {
    if (sequence.positions.empty()) {
      lowest_ = slots.begin;
      highest_ = slots.end - 1;
      return;
    }
    positions_ = sequence.positions.data() + slots.begin;
    const auto [lowest, highest] = std::minmax_element(positions_, positions_ + size());
    lowest_ = *lowest;
    highest_ = *highest;
  }

  SlotRange slots() const { return slots_; }
  int size() const { return slots_.end - slots_.begin; }
  int position(int key) const { return positions_ == nullptr ? slots_.begin + key : positions_[key]; }
  int lowest() const { return lowest_; }
  int highest() const { return highest_; }

 private:
  SlotRange slots_;
  const std::int32_t* positions_ = nullptr;
  int lowest_;
  int highest_;
};

/// What a query at `position` sees: keys at begin … position, and sinks before.
struct Sight {
  std::int32_t begin;
  std::int32_t position;
};

/// Query rows that share one KV head: all of the group's members of one query, then of the next.
class GroupRows {
 public:
  /// Rows of `n_members` heads from `first_member` of the group on.
  GroupRows(const AttentionCall& call, const AttentionUnit& unit, int first_member, int n_members)
      : call_(call), unit_(unit), first_member_(first_member), n_members_(n_members) {}
  GroupRows(const AttentionCall& call, const AttentionUnit& unit) : GroupRows(call, unit, 0, group_size(call)) {}

  const AttentionCall& call() const { return call_; }
  const AttentionUnit& unit() const { return unit_; }
  const ScoreRule& rule() const { return call_.rule; }
  const KvLayout& layout() const { return call_.kv.pool.layout; }
  int size() const { return n_members_ * unit_.n_queries; }
  int head_dim() const { return layout().head_dim; }
  int value_dim() const { return layout().value_dim; }

  const float* q(int r) const {
    return call_.q.data() + token(r) * static_cast<std::size_t>(call_.q_stride) +
           static_cast<std::size_t>(head(r)) * static_cast<std::size_t>(head_dim());
  }
  float* out(int r) const {
    return call_.out.data() + (token(r) * static_cast<std::size_t>(call_.n_heads) + static_cast<std::size_t>(head(r))) *
                                  static_cast<std::size_t>(value_dim());
  }
  /// The row's part of the unit's partial result.
  float* state(int r) const {
    const int row = query(r) * call_.n_heads + head(r);
    return call_.states.data() + unit_.state + static_cast<std::size_t>(row) * state_width(value_dim());
  }

  Sight sight(int r) const {
    const int position = unit_.sequence->first_position + query(r);
    const int window = call_.mask.window;
    return {window > 0 ? std::max(0, position + 1 - window) : 0, position};
  }

  KeyTile tile(SlotRange slots) const { return {*unit_.sequence, slots}; }
  bool is_sink(int key_position) const { return key_position >= 0 && key_position < call_.mask.n_sinks; }
  bool sees(int r, int key_position) const {
    const Sight s = sight(r);
    return key_position <= s.position && (key_position >= s.begin || is_sink(key_position));
  }

  /// Every row from `first` to `last` sees all keys of the tile.
  bool all_see(const KeyTile& tile, int first, int last) const {
    return sight(last).begin <= tile.lowest() && tile.highest() <= sight(first).position;
  }
  /// None of them sees any.
  bool none_sees(const KeyTile& tile, int first, int last) const {
    return tile.lowest() > sight(last).position || tile.highest() < 0 ||
           (tile.highest() < sight(first).begin && !may_hold_sinks(tile));
  }
  bool none_sees(const KeyTile& tile) const { return none_sees(tile, 0, size() - 1); }

 private:
  bool may_hold_sinks(const KeyTile& tile) const { return tile.lowest() < call_.mask.n_sinks; }
  int query(int r) const { return unit_.first_query + r / n_members_; }
  std::size_t token(int r) const {
    return static_cast<std::size_t>(unit_.sequence->first_row) + static_cast<std::size_t>(query(r));
  }
  int head(int r) const { return unit_.kv_head * group_size(call_) + first_member_ + r % n_members_; }

  const AttentionCall& call_;
  const AttentionUnit& unit_;
  int first_member_;
  int n_members_;
};

/// What queries are multiplied with: their scale and, unless softcap comes in between, the change to units of log2 e.
inline float query_factor(const ScoreRule& rule) {
  return rule.softcap > 0.0f ? rule.scale : rule.scale * kLog2E;
}

}  // namespace dachlast::kernels::cpu
