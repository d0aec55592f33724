#include "core/memory/liveness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>

#include "core/memory/amount_text.h"
#include "kernels/cost.h"

namespace dachlast {
namespace {

constexpr std::string_view name_of(Buffer buffer) {
  constexpr std::array<std::string_view, kBufferCount> kNames = {
      "token_ids", "residual",   "normed",        "qkv",        "attended", "branch",
      "mlp_up",    "mlp_hidden", "latent",        "index",      "mixer_in", "mixed",
      "scores",    "expert_up",  "expert_hidden", "expert_out", "logits",   "next_ids"};
  return kNames[static_cast<std::size_t>(buffer)];
}

/// The functions a model's layer calls. A shared expert is an MLP of its own.
enum class Frame : std::uint8_t { kLayer, kMixer, kMlp, kExperts };

Frame frame_of(const Op& op) {
  switch (op.kind) {
    case OpKind::kEmbed:
    case OpKind::kResidual:
    case OpKind::kLmHead:
    case OpKind::kSample: return Frame::kLayer;
    case OpKind::kNorm: return op.weight == WeightRole::kMixerNorm ? Frame::kMixer : Frame::kLayer;
    case OpKind::kMlpUp:
    case OpKind::kMlpAct:
    case OpKind::kMlpDown: return Frame::kMlp;
    case OpKind::kRouter:
    case OpKind::kExpertUp:
    case OpKind::kExpertAct:
    case OpKind::kExpertDown:
    case OpKind::kCombine: return Frame::kExperts;
    default: return Frame::kMixer;
  }
}

/// What an operation reads beside `in`, where the same function has written it: the rebuilt keys and latents of attention,
/// gates, the steps and matrices of a state, the weights of experts.
std::span<const Buffer> also_read(OpKind kind) {
  static constexpr std::array kAttention = {Buffer::kMixed, Buffer::kLatent, Buffer::kIndex};
  static constexpr std::array kScan = {Buffer::kMixerIn, Buffer::kLatent};
  static constexpr std::array kGate = {Buffer::kQkv, Buffer::kMixerIn};
  static constexpr std::array kCombine = {Buffer::kScores};
  switch (kind) {
    case OpKind::kAttention: return kAttention;
    case OpKind::kScan: return kScan;
    case OpKind::kGate: return kGate;
    case OpKind::kCombine: return kCombine;
    default: return {};
  }
}

std::vector<Op> ops_of_one_token(const ModelSpec& model) {
  const Step step{.phase = Phase::kPrefill, .batch_size = 1, .q_len = 1, .kv_len = 1};
  std::vector<Op> ops = build_op_list(model, step, {});
  std::erase_if(ops, [](const Op& op) { return op.kind == OpKind::kLmHead || op.kind == OpKind::kSample; });
  return ops;
}

/// Moves the MLP of a shared expert before the router of its layer.
void run_shared_experts_first(std::vector<Op>& ops) {
  for (auto router = ops.begin(); router != ops.end(); ++router) {
    if (router->kind != OpKind::kRouter) continue;
    const auto combine = std::find_if(router, ops.end(), [](const Op& op) { return op.kind == OpKind::kCombine; });
    std::stable_partition(router, combine, [](const Op& op) { return frame_of(op) == Frame::kMlp; });
  }
}

/// Lays out the tensors of a step in time.
class Walk {
 public:
  Walk(const ModelSpec& model, const BufferRules& rules, double n_tokens, int n_ranks)
      : rules_(rules),
        n_tokens_(n_tokens),
        n_ranks_(n_ranks),
        renames_up_(std::ranges::find(rules.renames_up, model.architecture) != rules.renames_up.end()),
        ops_(ops_of_one_token(model)) {
    if (rules.shared_expert == SharedExpert::kFirst) run_shared_experts_first(ops_);
    find_ends();
    for (int i = 0; i < n_ops(); ++i) visit(i);
  }

  LivePeak peak() const;

 private:
  struct Tensor {
    Buffer buffer;
    int writer;
    double elements;
    double n_tokens;
    int first;
    int last;
    std::string_view name = {};  // where it is not the buffer's
  };
  using Parts = std::vector<std::size_t>;  // tensors that lie in a buffer

  int n_ops() const { return static_cast<int>(ops_.size()); }
  const Op& op(int i) const { return ops_[static_cast<std::size_t>(i)]; }
  int frame_end(int i) const { return frame_ends_[static_cast<std::size_t>(i)]; }
  Parts& parts(Buffer buffer) { return parts_[static_cast<std::size_t>(buffer)]; }
  bool names_outlive_reads() const { return rules_.release == BufferRelease::kAtReturn; }

  void find_ends();
  void visit(int i);
  void hold_layer_input(int i);
  void read(int i, Buffer buffer);
  void read_all(int i);
  void write(int i);
  void write_expert_rooms(int i, double elements);
  void sum_over_ranks(int i);
  std::size_t add(int i, Buffer buffer, double elements, double n_tokens);
  bool is_fused(int residual) const;
  bool writes_in_place(int i) const;
  void join_keys(int i);
  double bytes_of(const Tensor& tensor) const { return tensor.elements * tensor.n_tokens * rules_.element_bytes; }
  std::vector<double> bytes_at() const;
  LiveTensor shown(const Tensor& tensor) const;

  const BufferRules& rules_;
  const double n_tokens_;
  const int n_ranks_;
  const bool renames_up_;
  std::vector<Op> ops_;
  std::vector<int> frame_ends_;  // last operation of the same function
  std::vector<int> layer_ends_;
  std::vector<Tensor> tensors_;
  std::array<Parts, kBufferCount> parts_;
  std::optional<std::size_t> expert_room_;  // of up and down projections
  std::optional<std::size_t> hidden_room_;
};

void Walk::find_ends() {
  frame_ends_.assign(ops_.size(), 0);
  layer_ends_.assign(ops_.size(), 0);
  for (int i = n_ops() - 1; i >= 0; --i) {
    const auto at = static_cast<std::size_t>(i);
    const bool last = i + 1 == n_ops();
    const bool same_layer = !last && op(i + 1).layer == op(i).layer;
    layer_ends_[at] = same_layer ? layer_ends_[at + 1] : i;
    frame_ends_[at] = same_layer && frame_of(op(i + 1)) == frame_of(op(i)) ? frame_ends_[at + 1] : i;
  }
}

/// Whether the sum of `residual` and the norm behind it are one kernel that writes over both of its inputs.
bool Walk::is_fused(int residual) const {
  if (rules_.residual_norm != ResidualNorm::kInPlace || residual < 0 || residual + 1 >= n_ops()) return false;
  const Op& sum = op(residual);
  const Op& norm = op(residual + 1);
  const auto* shape = std::get_if<NormShape>(&norm.shape);
  return sum.kind == OpKind::kResidual && norm.kind == OpKind::kNorm && norm.in == Buffer::kResidual &&
         norm.out == Buffer::kNormed && shape != nullptr && shape->kind == NormKind::kRms;
}

bool Walk::writes_in_place(int i) const {
  const Op& at = op(i);
  if (at.kind == OpKind::kResidual) return is_fused(i);
  return kernels::output_elements(at.shape) == 0.0;
}

/// A norm fused with the sum of the layer before takes over the memory of that layer's output, by which the loop over layers
/// names it. Else the loop names the residual.
void Walk::hold_layer_input(int i) {
  const bool takes_over = op(i).out == Buffer::kNormed && is_fused(i - 1);
  const int layer_end = layer_ends_[static_cast<std::size_t>(i)];
  for (const std::size_t t : parts(takes_over ? Buffer::kNormed : Buffer::kResidual))
    tensors_[t].last = std::max(tensors_[t].last, layer_end);
}

void Walk::read(int i, Buffer buffer) {
  const bool called = frame_of(op(i)) != Frame::kLayer;
  for (const std::size_t t : parts(buffer)) {
    Tensor& tensor = tensors_[t];
    const bool is_argument = called && frame_end(tensor.writer) != frame_end(i);
    tensor.last = std::max(tensor.last, is_argument && names_outlive_reads() ? frame_end(i) : i);
  }
}

void Walk::read_all(int i) {
  read(i, op(i).in);
  if (op(i).kind == OpKind::kResidual) read(i, Buffer::kResidual);
  for (const Buffer buffer : also_read(op(i).kind))
    if (!parts(buffer).empty() && frame_end(tensors_[parts(buffer).front()].writer) == frame_end(i)) read(i, buffer);
  const Parts& branch = parts(Buffer::kBranch);
  if (op(i).kind != OpKind::kCombine || branch.empty()) return;
  const Op& shared = op(tensors_[branch.front()].writer);
  if (shared.kind == OpKind::kMlpDown && shared.layer == op(i).layer) read(i, Buffer::kBranch);
}

std::size_t Walk::add(int i, Buffer buffer, double elements, double n_tokens) {
  const bool in_layer = frame_of(op(i)) == Frame::kLayer;
  const bool given_up = renames_up_ && buffer == Buffer::kMlpUp;
  const int last = names_outlive_reads() && !in_layer && !given_up ? frame_end(i) : i;
  tensors_.push_back({buffer, i, elements, n_tokens, i, last});
  return tensors_.size() - 1;
}

/// Rooms of the experts: one for what both projections write, one for what lies between.
void Walk::write_expert_rooms(int i, double elements) {
  const bool kept = rules_.experts == ExpertRooms::kKept;
  const bool up = op(i).kind == OpKind::kExpertUp;
  const bool hidden = op(i).kind == OpKind::kExpertAct;
  const double n_tokens =
      rules_.expert_chunk_tokens > 0 ? std::min<double>(n_tokens_, rules_.expert_chunk_tokens) : n_tokens_;
  if (up && !(kept && expert_room_)) {
    expert_room_ = add(i, Buffer::kExpertUp, 0.0, n_tokens);
    hidden_room_ = add(i, Buffer::kExpertHidden, 0.0, n_tokens);
  }
  Tensor& room = tensors_[hidden ? *hidden_room_ : *expert_room_];
  room.elements = std::max(room.elements, elements);
  if (kept && op(i).kind == OpKind::kExpertDown)
    tensors_[*hidden_room_].elements = std::max(tensors_[*hidden_room_].elements, elements);
  for (const std::size_t t : {*expert_room_, *hidden_room_})
    tensors_[t].last = std::max(tensors_[t].last, kept ? n_ops() - 1 : frame_end(i));
  parts(op(i).out) = {hidden ? *hidden_room_ : *expert_room_};
}

/// Row-parallel products write a rank's share, and the sum of all shares beside it.
void Walk::sum_over_ranks(int i) {
  if (n_ranks_ == 1 || rules_.all_reduce == SumPlace::kInPlace) return;
  const OpKind kind = op(i).kind;
  // A shared expert's share is summed with the routed experts'.
  const bool is_shared = kind == OpKind::kMlpDown && i + 1 < n_ops() && frame_of(op(i + 1)) == Frame::kExperts;
  const bool is_summed = kind == OpKind::kOProj || kind == OpKind::kMixerOut || kind == OpKind::kMlpDown ||
                         kind == OpKind::kCombine || kind == OpKind::kEmbed;
  if (!is_summed || is_shared) return;
  const std::size_t sum = add(i, op(i).out, kernels::output_elements(op(i).shape), n_tokens_);
  tensors_[sum].last = i;
  tensors_[sum].name = "all_reduce";
}

/// The keys of all heads, rebuilt from latents, with the rotated key that they share.
void Walk::join_keys(int i) {
  const auto* shape = std::get_if<WideAttentionShape>(&op(i).shape);
  if (rules_.latent_keys != LatentKeys::kJoined || op(i).kind != OpKind::kAttention || shape == nullptr) return;
  const Parts& rebuilt = parts(Buffer::kMixed);
  if (rebuilt.empty() || frame_end(tensors_[rebuilt.front()].writer) != frame_end(i)) return;
  const std::size_t keys = add(i, Buffer::kMixed, 1.0 * shape->n_heads * shape->score_dim, n_tokens_);
  tensors_[keys].last = i;
  tensors_[keys].name = "keys";
}

void Walk::write(int i) {
  const Op& at = op(i);
  const double elements = kernels::output_elements(at.shape);
  const bool expert = at.kind == OpKind::kExpertUp || at.kind == OpKind::kExpertAct || at.kind == OpKind::kExpertDown;
  if (expert && rules_.experts != ExpertRooms::kSeparate) return write_expert_rooms(i, elements);
  if (at.kind == OpKind::kCombine && rules_.expert_sum == SumPlace::kInPlace && !parts(Buffer::kNormed).empty()) {
    parts(at.out) = parts(Buffer::kNormed);
    return;
  }
  Parts& held = parts(at.out);
  const bool beside = adds_a_part(at.kind) && !held.empty() && op(tensors_[held.back()].writer).kind == at.kind &&
                      op(tensors_[held.back()].writer).layer == at.layer;
  if (!beside) held.clear();
  held.push_back(add(i, at.out, elements, n_tokens_));
}

void Walk::visit(int i) {
  read_all(i);
  if (!writes_in_place(i)) write(i);
  sum_over_ranks(i);
  join_keys(i);
  const bool opens_layer = op(i).layer >= 0 && (i == 0 || op(i - 1).layer != op(i).layer);
  if (opens_layer && names_outlive_reads()) hold_layer_input(i);
}

std::vector<double> Walk::bytes_at() const {
  std::vector<double> bytes(ops_.size() + 1, 0.0);
  for (const Tensor& tensor : tensors_) {
    bytes[static_cast<std::size_t>(tensor.first)] += bytes_of(tensor);
    bytes[static_cast<std::size_t>(tensor.last) + 1] -= bytes_of(tensor);
  }
  for (std::size_t i = 1; i < bytes.size(); ++i) bytes[i] += bytes[i - 1];
  return bytes;
}

LiveTensor Walk::shown(const Tensor& tensor) const {
  return {.name = tensor.name.empty() ? name_of(tensor.buffer) : tensor.name,
          .layer = op(tensor.writer).layer,
          .elements = tensor.elements,
          .n_tokens = tensor.n_tokens,
          .bytes = bytes_of(tensor),
          .first = tensor.first,
          .last = tensor.last};
}

LivePeak Walk::peak() const {
  const std::vector<double> bytes = bytes_at();
  const auto top = std::max_element(bytes.begin(), bytes.end() - 1);
  const auto at = static_cast<int>(top - bytes.begin());
  LivePeak peak{.op = op(at).kind,
                .layer = op(at).layer,
                .n_tokens = n_tokens_,
                .element_bytes = rules_.element_bytes,
                .tensors = {}};
  if (rules_.experts == ExpertRooms::kKept && expert_room_)
    peak.kept_bytes = bytes_of(tensors_[*expert_room_]) + bytes_of(tensors_[*hidden_room_]);
  for (const Tensor& tensor : tensors_)
    if (tensor.first <= at && at <= tensor.last) peak.tensors.push_back(shown(tensor));
  std::ranges::stable_sort(peak.tensors, std::greater{}, &LiveTensor::bytes);
  for (const LiveTensor& tensor : peak.tensors) peak.bytes += tensor.bytes;
  return peak;
}

/// Each buffer at the most that any operation writes into it.
LivePeak sum_of_buffers(const ModelSpec& model, const BufferRules& rules, double n_tokens) {
  std::array<double, kBufferCount> elements{};
  elements[static_cast<std::size_t>(Buffer::kTokenIds)] = 1.0;
  for (const Op& op : ops_of_one_token(model)) {
    double& most = elements[static_cast<std::size_t>(op.out)];
    most = std::max(most, kernels::output_elements(op.shape));
  }
  LivePeak peak{.n_tokens = n_tokens, .element_bytes = rules.element_bytes, .tensors = {}};
  for (int i = 0; i < kBufferCount; ++i) {
    const double wide = elements[static_cast<std::size_t>(i)];
    if (wide == 0.0) continue;
    peak.tensors.push_back({.name = name_of(static_cast<Buffer>(i)),
                            .elements = wide,
                            .n_tokens = n_tokens,
                            .bytes = wide * n_tokens * rules.element_bytes});
    peak.bytes += peak.tensors.back().bytes;
  }
  std::ranges::stable_sort(peak.tensors, std::greater{}, &LiveTensor::bytes);
  return peak;
}

}  // namespace

LivePeak live_peak(const ModelSpec& model, const BufferRules& rules, double n_tokens, int n_ranks) {
  if (rules.release == BufferRelease::kNever) return sum_of_buffers(model, rules, n_tokens);
  return Walk(model, rules, n_tokens, n_ranks).peak();
}

std::string formula_of(const LivePeak& peak) {
  std::vector<std::string> terms;
  for (std::size_t i = 0, next = 0; i < peak.tensors.size(); i = next) {
    const LiveTensor& tensor = peak.tensors[i];
    for (next = i + 1; next < peak.tensors.size() && peak.tensors[next].name == tensor.name &&
                       peak.tensors[next].bytes == tensor.bytes;)
      ++next;
    const std::string several = next - i > 1 ? fmt::format("{} × ", next - i) : "";
    const std::string fewer =
        tensor.n_tokens < peak.n_tokens ? fmt::format(" of {} tokens", grouped(tensor.n_tokens)) : "";
    terms.push_back(fmt::format("{}{} {}{}", several, tensor.name, grouped(tensor.elements), fewer));
  }
  const std::string where = peak.layer < 0 ? "" : fmt::format(" at {} of layer {}", name_of(peak.op), peak.layer);
  return fmt::format("{} tokens × {} B × ({}){}", grouped(peak.n_tokens), peak.element_bytes, fmt::join(terms, " + "),
                     where);
}

}  // namespace dachlast
