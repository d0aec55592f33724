#include "core/model/config_object.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/model/strict_json.h"

namespace dachlast {
namespace {

using nlohmann::json;

/// Keys that change neither memory nor numerics of inference, whatever their value.
constexpr std::array kNeutralKeys = {
    // identity and bookkeeping
    "architectures", "model_type", "_name_or_path", "name_or_path", "transformers_version", "auto_map", "torch_dtype",
    "dtype", "id2label", "label2id", "task_specific_params", "summary_type", "summary_use_proj", "summary_activation",
    "summary_first_dropout", "summary_proj_to_labels", "tokenizer_class", "prefix", "finetuning_task",
    "is_llama_config", "problem_type", "gradient_checkpointing", "_commit_hash", "transformers.js_config",
    "unsloth_fixed", "unsloth_version", "model_name", "language", "license", "num_labels",
    // tokens that only the tokenizer or the sampler needs
    "pad_token_id", "unk_token_id", "sep_token_id", "decoder_start_token_id", "forced_eos_token_id", "boi_token_index",
    "eoi_token_index", "image_token_index", "boi_token_id", "eoi_token_id", "image_token_id", "mm_tokens_per_image",
    "bos_token_id", "eos_token_id", "boa_token_id", "eoa_token_id", "eoa_token_index", "boa_token_index",
    "audio_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id", "vision_soft_tokens_per_image",
    // training
    "attention_dropout", "attn_pdrop", "resid_pdrop", "embd_pdrop", "emb_pdrop", "dropout", "activation_dropout",
    "hidden_dropout", "residual_dropout", "embedding_dropout", "classifier_dropout", "embed_dropout", "layerdrop",
    "initializer_range", "init_std", "std", "initializer_factor", "pretraining_tp", "use_return_dict",
    "output_attentions", "output_hidden_states", "router_aux_loss_coef", "output_router_logits", "router_jitter_noise",
    "aux_loss_alpha", "seq_aux", "initial_context_length", "rescale_prenorm_residual", "time_step_floor",
    "time_step_limit", "time_step_max", "time_step_min",
    // how another program runs the model
    "use_cache", "cache_implementation", "_attn_implementation", "_attn_implementation_autoset",
    "_attn_implementation_internal", "attn_implementation", "use_flash_attn", "flash_attn", "flash_rotary",
    "fused_dense", "reorder_and_upcast_attn", "is_decoder", "max_length", "temperature", "top_k", "top_p", "do_sample",
    "torchscript", "tie_encoder_decoder"};

/// Keys that are harmless as long as they have this value.
struct NeutralValue {
  const char* key;
  const char* value;  // JSON text
};
constexpr std::array kNeutralValues = {NeutralValue{"rope_interleaved", "false"},
                                       NeutralValue{"full_attn_mod", "1"},
                                       NeutralValue{"interpolate_factor", "1"},
                                       NeutralValue{"img_processor", "null"},
                                       NeutralValue{"pruned_heads", "{}"},
                                       NeutralValue{"is_encoder_decoder", "false"},
                                       NeutralValue{"add_cross_attention", "false"},
                                       NeutralValue{"chunk_size_feed_forward", "0"},
                                       NeutralValue{"use_mrope", "false"},
                                       NeutralValue{"_remove_final_layer_norm", "false"},
                                       NeutralValue{"use_bidirectional_attention", "false"}};

bool neutral(const std::string& key, const json& value) {
  if (value.is_null()) return true;
  if (std::find(kNeutralKeys.begin(), kNeutralKeys.end(), key) != kNeutralKeys.end()) return true;
  return std::any_of(kNeutralValues.begin(), kNeutralValues.end(),
                     [&](const NeutralValue& known) { return key == known.key && value == json::parse(known.value); });
}

/// Text of a value for an error message, cut where it would fill the screen. Invalid UTF-8 cannot occur: the parser
/// refuses it.
std::string shown(const json& value) {
  constexpr std::size_t kLongest = 60;  // characters: one line beside file, key and reason
  std::string text = value.dump();
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

}  // namespace

ConfigObject::ConfigObject(const json& object, std::filesystem::path file, std::string prefix,
                           std::vector<ConfigWarning>& warnings)
    : object_(object), file_(std::move(file)), prefix_(std::move(prefix)), warnings_(warnings) {}

bool ConfigObject::contains(const std::string& key) {
  read_.insert(key);
  return object_.contains(key);
}

bool ConfigObject::has_value(const std::string& key) {
  return contains(key) && !object_.at(key).is_null();
}

std::string ConfigObject::first_of(std::initializer_list<const char*> keys) {
  std::string found;
  for (const char* key : keys)
    if (has_value(key) && found.empty()) found = key;
  return found.empty() ? *keys.begin() : found;
}

const json& ConfigObject::value(const std::string& key) {
  if (!has_value(key)) fail(key, "is missing", "This family of models has no default for it.");
  return object_.at(key);
}

int ConfigObject::size(const std::string& key, int limit) {
  const json& v = value(key);
  if (!v.is_number_integer()) fail(key, fmt::format("is {}, not an integer", shown(v)));
  const bool in_range = v.is_number_unsigned() ? v.get<std::uint64_t>() <= static_cast<std::uint64_t>(limit)
                                               : v.get<std::int64_t>() <= limit;
  if (!in_range) fail(key, fmt::format("is {}, beyond every known model (limit {})", shown(v), limit));
  const auto size = v.get<std::int64_t>();
  if (size <= 0) fail(key, fmt::format("is {}, not a positive size", shown(v)));
  return static_cast<int>(size);
}

int ConfigObject::size_or(const std::string& key, int fallback, int limit) {
  return has_value(key) ? size(key, limit) : fallback;
}

bool ConfigObject::is_marker(const std::string& key, int marker) {
  return has_value(key) && object_.at(key) == marker;
}

int ConfigObject::checked_count(const std::string& key, const json& v, int limit) const {
  if (v.is_boolean()) return v.get<bool>() ? 1 : 0;
  if (!v.is_number_integer()) fail(key, fmt::format("is {}, not a whole number", shown(v)));
  const bool in_range = v.is_number_unsigned() ? v.get<std::uint64_t>() <= static_cast<std::uint64_t>(limit)
                                               : v.get<std::int64_t>() >= 0 && v.get<std::int64_t>() <= limit;
  if (!in_range) fail(key, fmt::format("is {}, not in 0 … {}", shown(v), limit));
  return v.get<int>();
}

int ConfigObject::count_or(const std::string& key, int fallback, int limit) {
  return has_value(key) ? checked_count(key, object_.at(key), limit) : fallback;
}

std::vector<int> ConfigObject::count_list(const std::string& key, int limit) {
  const json& v = value(key);
  if (!v.is_array()) fail(key, fmt::format("is {}, not a list", shown(v)));
  std::vector<int> counts;
  for (const json& item : v) counts.push_back(checked_count(key, item, limit));
  return counts;
}

bool ConfigObject::is_list(const std::string& key) {
  return has_value(key) && object_.at(key).is_array();
}

std::optional<int> ConfigObject::token_id(const std::string& key, int vocab_size) {
  if (!has_value(key)) return std::nullopt;
  const json* v = &object_.at(key);
  if (v->is_array() && !v->empty()) v = &v->front();  // several ends of text: the first is the model's own
  if (!v->is_number_integer()) fail(key, fmt::format("is {}, not a token id", shown(*v)));
  if (*v < 0 || *v >= vocab_size) {
    warn("token_id",
         fmt::format("{}{} is {}, outside the vocabulary of {}: not used", prefix_, key, shown(*v), vocab_size));
    return std::nullopt;
  }
  return v->get<int>();
}

double ConfigObject::positive(const std::string& key) {
  const json& v = value(key);
  if (!v.is_number()) fail(key, fmt::format("is {}, not a number", shown(v)));
  const auto number = v.get<double>();
  if (!std::isfinite(number) || number <= 0) fail(key, fmt::format("is {}, not a positive number", shown(v)));
  return number;
}

double ConfigObject::positive_or(const std::string& key, double fallback) {
  return has_value(key) ? positive(key) : fallback;
}

bool ConfigObject::flag_or(const std::string& key, bool fallback) {
  if (!has_value(key)) return fallback;
  const json& v = object_.at(key);
  if (!v.is_boolean()) fail(key, fmt::format("is {}, not true or false", shown(v)));
  return v.get<bool>();
}

std::string ConfigObject::text_or(const std::string& key, std::string fallback) {
  if (!has_value(key)) return fallback;
  const json& v = object_.at(key);
  if (!v.is_string()) fail(key, fmt::format("is {}, not a text", shown(v)));
  return printable(v.get<std::string>());
}

std::vector<double> ConfigObject::positive_list(const std::string& key, std::size_t count) {
  const json& v = value(key);
  if (!v.is_array() || v.size() != count) fail(key, fmt::format("is not a list of {} numbers", count));
  std::vector<double> numbers;
  for (const json& item : v) {
    if (!item.is_number() || !(item.get<double>() > 0) || !std::isfinite(item.get<double>()))
      fail(key, fmt::format("holds {}, not a positive number", shown(item)));
    numbers.push_back(item.get<double>());
  }
  return numbers;
}

std::vector<std::string> ConfigObject::text_list(const std::string& key) {
  const json& v = value(key);
  if (!v.is_array()) fail(key, fmt::format("is {}, not a list", shown(v)));
  std::vector<std::string> texts;
  for (const json& item : v) {
    if (!item.is_string()) fail(key, fmt::format("holds {}, not a text", shown(item)));
    texts.push_back(printable(item.get<std::string>()));
  }
  return texts;
}

ConfigObject ConfigObject::object(const std::string& key) {
  const json& v = value(key);
  if (!v.is_object()) fail(key, fmt::format("is {}, not an object", shown(v)));
  return {v, file_, prefix_ + key + ".", warnings_};
}

std::vector<ConfigObject> ConfigObject::objects(const std::string& key, std::size_t count) {
  const json& v = value(key);
  if (!v.is_array() || v.size() != count) fail(key, fmt::format("is not a list of {} objects", count));
  std::vector<ConfigObject> list;
  for (std::size_t i = 0; i < count; ++i) {
    if (!v[i].is_object()) fail(key, fmt::format("holds {}, not an object", shown(v[i])));
    list.push_back(ConfigObject(v[i], file_, fmt::format("{}{}[{}].", prefix_, key, i), warnings_));
  }
  return list;
}

void ConfigObject::warn_about_unread_keys() {
  for (const auto& [key, value] : object_.items()) {
    if (read_.contains(key) || neutral(key, value)) continue;
    warn("unknown_field", fmt::format("{}{} = {} is not known here and was left out of every figure", prefix_,
                                      printable(key), shown(value)));
  }
}

void ConfigObject::warn(std::string code, std::string text) {
  warnings_.push_back({std::move(code), std::move(text)});
}

void ConfigObject::fail(const std::string& key, const std::string& reason, const std::string& way_out) const {
  throw Error(ErrorKind::kInput, file_.string(), fmt::format("\"{}{}\" {}.", prefix_, key, reason), way_out);
}

}  // namespace dachlast
