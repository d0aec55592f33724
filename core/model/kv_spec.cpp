#include "core/model/kv_spec.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr int kLargestBlock = 1 << 16;  // beyond it a block is a contiguous cache
constexpr int kLargestCount = 1 << 30;

/// One spec being read; knows what to blame.
class KvSpecReader {
 public:
  KvSpecReader(std::string_view option, std::string_view text) : option_(option), text_(text) {}

  KvSpec read() {
    std::string_view rest = text_;
    for (;;) {
      const std::size_t comma = rest.find(',');
      read_word(rest.substr(0, comma));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
    settle();
    return spec_;
  }

 private:
  [[noreturn]] void fail(std::string reason) const {
    throw Error(ErrorKind::kUsage, fmt::format("{} {}", option_, text_), std::move(reason),
                fmt::format("Use {}.", kKvSpecHelp));
  }

  void read_word(std::string_view word) {
    const std::size_t colon = word.find(':');
    const std::string_view name = word.substr(0, colon);
    const bool has_sizes = colon != std::string_view::npos;
    const std::string_view sizes = has_sizes ? word.substr(colon + 1) : std::string_view();
    if (const auto format = kv_format_from_name(name)) return read_format(*format, has_sizes, sizes);
    if (has_layout_) fail("it names two layouts, or a word that is no format.");
    has_layout_ = true;
    read_layout(name, has_sizes, sizes);
  }

  void read_format(KvFormat format, bool has_scale_rule, std::string_view rule) {
    if (spec_.format) fail("it names two formats.");
    spec_.format = format;
    if (!has_scale_rule) return;
    if (rule != "channel" || !has_scales(format)) fail(fmt::format("{} takes no \"{}\".", name_of(format), rule));
    spec_.key_scales = KeyScales::kPerChannel;
  }

  void read_layout(std::string_view name, bool has_sizes, std::string_view sizes) {
    if (name == "paged") {
      spec_.layout = KvPolicy::kPaged;
      if (has_sizes) spec_.block_size = count(sizes, kLargestBlock, "tokens of a block");
      return;
    }
    if (name == "window") {
      spec_.layout = KvPolicy::kWindow;
      spec_.window = count(sizes, kLargestCount, "tokens of the window");
      return;
    }
    if (name == "sink") return read_sinks(sizes);
    if (name == "offload") return read_tier(sizes);
    if (name == "recompute") return read_recompute(sizes);
    if (has_sizes || (name != "contiguous" && name != "none")) fail("not a KV cache of this program.");
    spec_.layout = name == "none" ? KvPolicy::kNone : KvPolicy::kContiguous;
  }

  void read_sinks(std::string_view sizes) {
    const std::size_t plus = sizes.find('+');
    if (plus == std::string_view::npos) fail("sinks and window are given as S+N, as in sink:4+1020.");
    spec_.layout = KvPolicy::kSink;
    spec_.n_sinks = count(sizes.substr(0, plus), kLargestCount, "sinks");
    spec_.window = count(sizes.substr(plus + 1), kLargestCount, "tokens of the window");
  }

  void read_tier(std::string_view words) {
    const std::size_t colon = words.find(':');
    const std::string_view name = words.substr(0, colon);
    if (name != name_of(KvTier::kHost) && name != name_of(KvTier::kFile))
      fail("an offloaded cache names its tier, host or file, as in offload:file:256.");
    spec_.layout = KvPolicy::kPaged;
    spec_.tier = name == name_of(KvTier::kHost) ? KvTier::kHost : KvTier::kFile;
    if (colon != std::string_view::npos)
      spec_.block_size = count(words.substr(colon + 1), kLargestBlock, "tokens of a chunk");
  }

  void read_recompute(std::string_view digits) {
    spec_.layout = KvPolicy::kPaged;
    spec_.block_size = kDefaultBlockSize;
    spec_.recompute_keep = count(digits, kLargestCount, "tokens that stay");
  }

  int count(std::string_view digits, int most, std::string_view what) const {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || value < 1 || value > most)
      fail(fmt::format("\"{}\" is no number of {}, 1 to {}.", digits, what, most));
    return value;
  }

  void settle() {
    const bool per_channel = spec_.key_scales == KeyScales::kPerChannel;
    if (per_channel && !has_layout_) spec_.layout = KvPolicy::kPaged;
    if (per_channel && spec_.layout != KvPolicy::kPaged)
      fail("scales along channels need blocks that fill up and stay: a paged cache.");
    if (per_channel && spec_.recompute_keep > 0)
      fail("keys with scales along channels cannot be recomputed: they depend on how tokens came.");
    if (spec_.layout == KvPolicy::kPaged && spec_.block_size == 0) spec_.block_size = default_block_size();
    if (spec_.layout == KvPolicy::kNone && spec_.format) fail("without a cache there is no format.");
  }

  int default_block_size() const {
    if (spec_.tier != KvTier::kNone) return kDefaultChunkTokens;
    return spec_.key_scales == KeyScales::kPerChannel ? kChannelBlockSize : kDefaultBlockSize;
  }

  std::string_view option_;
  std::string_view text_;
  KvSpec spec_;
  bool has_layout_ = false;
};

std::string layout_text(const KvSpec& spec) {
  if (spec.tier != KvTier::kNone) return fmt::format("offload:{}:{}", name_of(spec.tier), spec.block_size);
  if (spec.recompute_keep > 0) return fmt::format("recompute:{}", spec.recompute_keep);
  switch (spec.layout) {
    case KvPolicy::kPaged: return fmt::format("paged:{}", spec.block_size);
    case KvPolicy::kWindow: return fmt::format("window:{}", spec.window);
    case KvPolicy::kSink: return fmt::format("sink:{}+{}", spec.n_sinks, spec.window);
    case KvPolicy::kContiguous:
    case KvPolicy::kNone: break;
  }
  return std::string(name_of(spec.layout));
}

}  // namespace

KvSpec parse_kv_spec(std::string_view option, std::string_view text) {
  return KvSpecReader(option, text).read();
}

std::string text_of(const KvSpec& spec) {
  std::string text = layout_text(spec);
  if (spec.format) text += fmt::format(",{}", name_of(*spec.format));
  if (spec.key_scales == KeyScales::kPerChannel) text += ":channel";
  return text;
}

KvStorage storage_of(const KvSpec& spec, KvFormat format) {
  return {.format = format,
          .key_scales = spec.key_scales,
          .block_size = spec.layout == KvPolicy::kPaged ? spec.block_size : 0};
}

KvPoolShape kv_pool_shape(const KvSpec& spec, const KvRoom& room) {
  const auto require_positive = [](const char* subject, int value) {
    if (value > 0) return;
    throw Error(ErrorKind::kUsage, subject, fmt::format("A KV cache needs 1 or more, not {}.", value));
  };
  require_positive("sequences", room.max_sequences);
  require_positive("capacity in tokens", room.capacity_tokens);
  if (spec.layout == KvPolicy::kNone)
    throw Error(ErrorKind::kUsage, "KV cache", "\"none\" is no cache.", "Name one, as in paged:16.");
  if (spec.layout == KvPolicy::kContiguous) return {room.max_sequences, room.capacity_tokens};
  if (spec.is_ring()) {
    require_positive("window", spec.window);
    require_positive("tokens per step", room.max_step_tokens);
    const std::int64_t slots = std::int64_t{spec.n_sinks} + spec.window - 1 + room.max_step_tokens;
    return {room.max_sequences, static_cast<int>(std::min<std::int64_t>(slots, room.capacity_tokens))};
  }
  require_positive("block size", spec.block_size);
  const std::int64_t per_sequence = (std::int64_t{room.capacity_tokens} + spec.block_size - 1) / spec.block_size;
  const std::int64_t wanted = room.n_blocks > 0 ? room.n_blocks : per_sequence * room.max_sequences;
  constexpr std::int64_t kMostBlocks = std::int64_t{1} << 30;
  if (wanted > kMostBlocks)
    throw Error(ErrorKind::kDoesNotFit, "KV cache", fmt::format("{} blocks are more than a table can name.", wanted),
                "Use larger blocks, a shorter context or fewer sequences.");
  return {static_cast<int>(wanted), spec.block_size};
}

double kv_tier_records(const KvSpec& spec, const KvRoom& room) {
  const KvPoolShape shape = kv_pool_shape(spec, room);
  if (spec.recompute_keep == 0) return shape.n_blocks;
  return 1.0 * room.max_sequences * kept_blocks(std::min(spec.recompute_keep, room.capacity_tokens), shape.block_size);
}

int longest_step(const KvSpec& spec, int wanted) {
  constexpr int kLeastRingStep = 128;
  if (spec.recompute_keep > 0) return std::numeric_limits<int>::max();
  return spec.is_ring() ? std::min(wanted, std::max(spec.window, kLeastRingStep)) : wanted;
}

ModelSpec with_reach(ModelSpec model, const KvSpec& spec) {
  if (!spec.is_ring()) return model;
  const auto limit = [&](auto& attention) {
    if (attention.window > 0 && attention.window <= spec.window) return;
    attention.n_sink_tokens = attention.window == 0 ? spec.n_sinks : 0;
    attention.window = spec.window;
  };
  for (LayerSpec& layer : model.layers) {
    if (auto* attention = std::get_if<AttentionSpec>(&layer.mixer)) limit(*attention);
    if (auto* latent = std::get_if<MlaSpec>(&layer.mixer)) limit(*latent);
  }
  return model;
}

}  // namespace dachlast
