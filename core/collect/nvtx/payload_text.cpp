#include "core/collect/nvtx/payload_text.h"

#include <fmt/core.h>

#include <cstring>

namespace dachlast {
namespace {

template <class Number>
std::string number_at(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(Number)) return "?";
  Number value{};
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return fmt::format("{}", value);
}

// The numbers of NVTX_PAYLOAD_ENTRY_TYPE_* are part of the interface: programs are compiled with them.
// Source   nvtx3/nvToolsExtPayload.h
std::string field_text(const PayloadField& field, std::string_view bytes) {
  switch (field.type) {
    case 5: return number_at<int>(bytes, field.offset);
    case 6: return number_at<unsigned>(bytes, field.offset);
    case 7: return number_at<long>(bytes, field.offset);
    case 8: return number_at<unsigned long>(bytes, field.offset);
    case 11: return number_at<std::int8_t>(bytes, field.offset);
    case 12: return number_at<std::uint8_t>(bytes, field.offset);
    case 13: return number_at<std::int16_t>(bytes, field.offset);
    case 14: return number_at<std::uint16_t>(bytes, field.offset);
    case 15: return number_at<std::int32_t>(bytes, field.offset);
    case 16: return number_at<std::uint32_t>(bytes, field.offset);
    case 17: return number_at<std::int64_t>(bytes, field.offset);
    case 18: return number_at<std::uint64_t>(bytes, field.offset);
    case 19:
    case 43: return number_at<float>(bytes, field.offset);
    case 20:
    case 44: return number_at<double>(bytes, field.offset);
    case 22: return number_at<std::size_t>(bytes, field.offset);
    default: return "?";
  }
}

}  // namespace

std::vector<PayloadField> payload_fields(std::string_view entries) {
  std::vector<PayloadField> fields;
  for (; entries.size() >= sizeof(spool::SchemaEntry); entries.remove_prefix(sizeof(spool::SchemaEntry))) {
    spool::SchemaEntry entry{};
    std::memcpy(&entry, entries.data(), sizeof(entry));
    fields.push_back({std::string(entry.name, strnlen(entry.name, sizeof(entry.name))), entry.type, entry.offset});
  }
  return fields;
}

std::string payload_text(const std::vector<PayloadField>& fields, std::string_view bytes) {
  std::string text;
  for (const PayloadField& field : fields)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", field.name, field_text(field, bytes));
  return text;
}

std::string payload_text(const spool::Event& event) {
  double real = 0.0;
  std::memcpy(&real, &event.payload, sizeof(real));
  switch (event.payload_type) {
    case spool::PayloadType::kUnsigned: return fmt::format("{}", event.payload);
    case spool::PayloadType::kSigned: return fmt::format("{}", static_cast<std::int64_t>(event.payload));
    case spool::PayloadType::kReal: return fmt::format("{}", real);
    case spool::PayloadType::kNone: break;
  }
  return {};
}

}  // namespace dachlast
