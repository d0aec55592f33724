#pragma once

#if defined(__x86_64__)

#include <hwy/base.h>
#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "kernels/cpu/attention_bf16.h"
#include "kernels/cpu/kv_lanes.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi,avx512vnni,f16c")

// Rows of a tile of keys or values for attention of few query rows: where they are stored, and ready to be multiplied.
namespace dachlast::kernels::cpu {

/// Keys whose scores are made together: so many sums hide what a product waits for the one before.
inline constexpr int kScoredTogether = 8;

/// How rows are stored: in whole vectors that are multiplied as they are, or so that they are expanded to bfloat16 first.
enum class Lie : std::uint8_t { kBf16, kF16, kInt8, kFp8, kInt4, kExpand };

inline Lie lie_of(const KvRows& rows) {
  const int lanes = rows.format == KvFormat::kFp8 ? kCodeLanes : kBf16Lanes;
  if (rows.axis == ScaleAxis::kChannel || rows.width % lanes != 0) return Lie::kExpand;
  switch (rows.format) {
    case KvFormat::kBF16: return Lie::kBf16;
    case KvFormat::kF16: return Lie::kF16;
    case KvFormat::kInt8: return rows.width <= kMostInt16Terms ? Lie::kInt8 : Lie::kExpand;
    case KvFormat::kFp8: return Lie::kFp8;
    case KvFormat::kInt4: return rows.width <= kMostInt16Terms ? Lie::kInt4 : Lie::kExpand;
    case KvFormat::kF32: break;
  }
  return Lie::kExpand;
}

constexpr bool has_token_scales(Lie lie) {
  return lie == Lie::kInt8 || lie == Lie::kFp8;
}

/// Where the rows of a tile are stored.
class StoredTile {
 public:
  template <class Read>
  void locate(const Read& read, const GroupRows& rows, SlotRange slots) {
    const AttentionUnit& unit = rows.unit();
    n_parts_ = n_rows_ = 0;
    for (int slot = slots.begin; slot < slots.end; slot += parts_[n_parts_++].n_rows) {
      const KvRows part = read(rows.call().kv.pool, *unit.sequence, unit.kv_head, slot, slots.end);
      parts_[n_parts_] = part;
      lie_ = n_parts_ == 0 || lie_ == lie_of(part) ? lie_of(part) : Lie::kExpand;  // a tail is stored unlike the rest
      n_rows_ += part.n_rows;
      if (part.axis == ScaleAxis::kToken) ask_for_scales(part);
    }
  }

  /// Scale words of a row.
  static int words_a_row(const KvRows& part) {
    return part.format == KvFormat::kInt4 ? static_cast<int>(part.stride_bytes / (kInt4Group / 2)) : 1;
  }

  Lie lie() const { return lie_; }
  int n_rows() const { return n_rows_; }
  std::span<const KvRows> parts() const { return {parts_, static_cast<std::size_t>(n_parts_)}; }
  int n_lines() const {
    return n_parts_ == 0 ? 0 : static_cast<int>(static_cast<std::size_t>(n_rows_) * parts_[0].stride_bytes / 64);
  }

 private:
  static void ask_for_scales(const KvRows& part) {
    const auto* at = reinterpret_cast<const char*>(part.scales);
    const char* end = at + sizeof(ScaleWord) * static_cast<std::size_t>(part.n_rows * words_a_row(part));
    for (; at < end; at += 64) _mm_prefetch(at, _MM_HINT_T0);
  }

  KvRows parts_[kBf16FewTile];
  int n_parts_ = 0;
  int n_rows_ = 0;
  Lie lie_ = Lie::kExpand;
};

/// Asks for the lines of the rows that come next, a few at a time: what hardware fetches on its own ends with a page or a
/// block. On 2 Zen 5 cores int8 rows came at 43 % of the read bandwidth without, at 66 % with it, at 31 % where it ran two
/// tiles ahead, which L1 does not hold; into L2 instead of L1 at 4 points less.
class Ahead {
 public:
  explicit Ahead(const StoredTile& tile) : tile_(tile) {}

  int n_lines() const { return tile_.n_lines(); }

  HWY_INLINE void fetch(int n_lines) {
    for (; n_lines > 0; --n_lines, at_ += 64) {
      if (at_ >= end_ && !enter_part()) return;
      _mm_prefetch(reinterpret_cast<const char*>(at_), _MM_HINT_T0);
    }
  }

 private:
  bool enter_part() {
    if (next_ >= tile_.parts().size()) return false;
    const KvRows& part = tile_.parts()[next_++];
    at_ = part.rows;
    end_ = at_ + static_cast<std::size_t>(part.n_rows) * part.stride_bytes;
    return true;
  }

  const StoredTile& tile_;
  std::size_t next_ = 0;
  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
};

/// The tiles of a unit in the order in which they are read: the keys of a stretch, then its values, then the next
/// stretch. Each is located while the one before is worked on.
class FewWalk {
 public:
  explicit FewWalk(const GroupRows& rows)
      : rows_(rows), all_(rows.unit().slots), stretch_(all_.begin), at_(all_.begin) {
    locate(tiles_[0]);
    Ahead(tiles_[0]).fetch(tiles_[0].n_lines());
  }

  /// The tile that comes next; the one behind it has been located, but for its lines nobody has asked yet.
  const StoredTile& next() {
    const StoredTile& tile = tiles_[turn_];
    turn_ ^= 1;
    step();
    locate(tiles_[turn_]);
    return tile;
  }
  const StoredTile& following() const { return tiles_[turn_]; }

 private:
  void step() {
    at_ += kBf16FewTile;
    const int end = std::min(stretch_ + kBf16Stretch, all_.end);
    if (at_ < end) return;
    if (in_keys_)
      at_ = stretch_;
    else
      stretch_ = at_ = end;
    in_keys_ = !in_keys_;
  }
  void locate(StoredTile& tile) const {
    const SlotRange slots{at_, std::min({at_ + kBf16FewTile, stretch_ + kBf16Stretch, all_.end})};
    tile.locate(in_keys_ ? key_rows : value_rows, rows_, slots);
  }

  const GroupRows& rows_;
  SlotRange all_;
  int stretch_;  // its first slot
  int at_;
  bool in_keys_ = true;
  int turn_ = 0;
  StoredTile tiles_[2];
};

/// A row as bfloat16, scales left out.
template <class Stored>
HWY_INLINE void expand_row_of(const std::byte* row, int width, BF16* out) {
  for (int c = 0; c < width; c += kBf16Lanes * Stored::kVectors) {
    __m512i columns[Stored::kVectors];
    Stored::load(row, c, columns);
    for (int i = 0; i < Stored::kVectors; ++i) _mm512_storeu_si512(out + c + kBf16Lanes * i, columns[i]);
  }
}

template <class Stored>
void expand_rows_of(const KvRows& part, BF16* out, int stride) {
  const std::byte* row = part.rows;
  for (int r = 0; r < part.n_rows; ++r, row += part.stride_bytes, out += stride)
    expand_row_of<Stored>(row, part.width, out);
}

/// Values are multiplied in the registers they are loaded into. Of keys pieces are loaded into all quarters of a
/// register, which f16 and fp8 cannot be: they pass through a buffer.
enum class Operand : std::uint8_t { kKeys, kValues };

/// Rows of a tile ready to be multiplied, and what their scores or weights are to be multiplied with.
struct ReadyTile {
  const std::byte* rows[kBf16FewTile + kScoredTogether + 8];  // behind the last one the first: groups are always full
  alignas(64) float scales[kBf16FewTile];                     // where `scaled`
  const float* steps = nullptr;  // kInt4: [n_groups, kBf16FewTile], of rows behind the last 0
  const float* lows = nullptr;
  int n_rows;
  bool scaled;
  Lie lie;  // of `rows`

  ReadyTile(const StoredTile& stored, Operand operand, int stride, BF16* buffer)
      : n_rows(stored.n_rows()), scaled(has_token_scales(stored.lie())), lie(stored.lie()) {
    const bool in_place = lie == Lie::kBf16 || lie == Lie::kInt8 || lie == Lie::kInt4 ||
                          (operand == Operand::kValues && lie != Lie::kExpand);
    if (lie == Lie::kInt4) sort_scales(stored, reinterpret_cast<float*>(buffer));
    int n = 0;
    for (const KvRows& part : stored.parts()) {
      if (scaled) std::memcpy(scales + n, part.scales, sizeof(float) * static_cast<std::size_t>(part.n_rows));
      BF16* expanded = buffer + n * stride;
      if (!in_place) expand(part, expanded, stride);
      const std::byte* row = in_place ? part.rows : reinterpret_cast<const std::byte*>(expanded);
      const std::size_t apart = in_place ? part.stride_bytes : sizeof(BF16) * static_cast<std::size_t>(stride);
      put_rows(row, apart, part.n_rows, n);
      n += part.n_rows;
    }
    put_rows(rows[0], 0, lie == Lie::kInt4 ? round_up(n, 32) - n : kScoredTogether, n);
    if (scaled) std::fill(scales + n, scales + kBf16FewTile, 0.0f);
    if (!in_place) lie = Lie::kBf16;
  }

 private:
  /// Steps and lows of sixteen rows from words [row, words_a_row], one vector a group.
  static void put_scales(const ScaleWord* words, int a_row, int n_groups, int first, float* steps_at, float* lows_at) {
    const __m512i lanes = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                             _mm512_set1_epi32(a_row));
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    __m512i pairs[4];  // of four words a row: words 0 and 2, then 1 and 3, each of rows 0 … 7 and 8 … 15
    if (a_row == 4)
      for (int half = 0; half < 2; ++half) {
        const __m512i a = _mm512_loadu_si512(words + 32 * half), b = _mm512_loadu_si512(words + 32 * half + 16);
        pairs[half] = _mm512_permutex2var_epi32(a, even, b);
        pairs[2 + half] = _mm512_permutex2var_epi32(a, odd, b);
      }
    for (int g = 0; g < n_groups; ++g) {
      __m512i of_group;
      if (a_row == 4)
        of_group = _mm512_permutex2var_epi32(pairs[g % 2 * 2], g < 2 ? even : odd, pairs[g % 2 * 2 + 1]);
      else if (a_row == 2)
        of_group =
            _mm512_permutex2var_epi32(_mm512_loadu_si512(words), g == 0 ? even : odd, _mm512_loadu_si512(words + 16));
      else
        of_group = _mm512_i32gather_epi32(lanes, words + g, 4);
      const __m512i low = _mm512_and_si512(of_group, _mm512_set1_epi32(static_cast<int>(0xffff0000u)));
      _mm512_storeu_si512(steps_at + kBf16FewTile * g + first, _mm512_slli_epi32(of_group, 16));
      _mm512_storeu_si512(lows_at + kBf16FewTile * g + first, low);
    }
  }

  /// Scale words of a tile, sixteen rows after sixteen.
  class ScaleWords {
   public:
    explicit ScaleWords(const StoredTile& stored)
        : parts_(stored.parts()), a_row_(StoredTile::words_a_row(stored.parts()[0])) {}

    /// Of the next rows; as they lie where they lie together, else copied, zeros behind the last one.
    const ScaleWord* next(int n_rows) {
      const auto a_row = static_cast<std::size_t>(a_row_);
      if (n_rows == 16 && parts_[part_].n_rows - taken_ >= 16) return take(16);
      std::memset(copied_, 0, sizeof(ScaleWord) * 16 * a_row);
      for (int n = 0; n < n_rows;) {
        const int more = std::min(n_rows - n, parts_[part_].n_rows - taken_);
        std::memcpy(copied_ + n * a_row_, take(more), sizeof(ScaleWord) * static_cast<std::size_t>(more) * a_row);
        n += more;
      }
      return copied_;
    }
    int a_row() const { return a_row_; }

   private:
    const ScaleWord* take(int n) {
      const ScaleWord* words = parts_[part_].scales + taken_ * a_row_;
      taken_ += n;
      if (taken_ == parts_[part_].n_rows && part_ + 1 < parts_.size()) {
        ++part_;
        taken_ = 0;
      }
      return words;
    }

    std::span<const KvRows> parts_;
    std::size_t part_ = 0;
    int taken_ = 0;  // rows of it
    int a_row_;
    alignas(64) ScaleWord copied_[16 * (kMostInt16Terms / kInt4Group)];
  };

  void sort_scales(const StoredTile& stored, float* buffer) {
    const int n_groups = stored.parts()[0].width / kInt4Group;
    ScaleWords words(stored);
    float* const lows_at = buffer + kBf16FewTile * n_groups;
    for (int first = 0; first < round_up(n_rows, 32); first += 16)
      put_scales(words.next(std::clamp(n_rows - first, 0, 16)), words.a_row(), n_groups, first, buffer, lows_at);
    steps = buffer;
    lows = lows_at;
  }

  /// rows[at + r] = first + r · apart; up to 7 more are written.
  void put_rows(const std::byte* first, std::size_t apart, int n, int at) {
    const auto stride = static_cast<long long>(apart);
    const __m512i step = _mm512_set1_epi64(8 * stride);
    __m512i eight =
        _mm512_add_epi64(_mm512_set1_epi64(reinterpret_cast<long long>(first)),
                         _mm512_mullo_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), _mm512_set1_epi64(stride)));
    for (int r = 0; r < n; r += 8, eight = _mm512_add_epi64(eight, step))
      _mm512_storeu_si512(static_cast<void*>(rows + at + r), eight);
  }

  void expand(const KvRows& part, BF16* out, int stride) const {
    if (lie == Lie::kF16) return expand_rows_of<F16Rows>(part, out, stride);
    if (lie == Lie::kFp8) return expand_rows_of<Fp8Rows>(part, out, stride);
    expand_bf16(part, out, stride);
  }
};

}  // namespace dachlast::kernels::cpu

HWY_POP_ATTRIBUTES

#endif  // __x86_64__
