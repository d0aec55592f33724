#include "core/trace/nvtx_range.h"

#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtPayload.h>

#include <array>
#include <cstddef>
#include <string>

#include "core/trace/mark.h"

namespace dachlast::trace {
namespace {

constexpr Phase kPhases[] = {Phase::kPrefill, Phase::kDecode};

// Category 0 means "none" in NVTX.
std::uint32_t category_of(Phase phase) {
  return static_cast<std::uint32_t>(phase) + 1;
}

nvtxStringHandle_t register_name(nvtxDomainHandle_t domain, std::string_view name) {
  return nvtxDomainRegisterStringA(domain, std::string(name).c_str());
}

/// Zero where the profiler does not take schemas.
std::uint64_t register_payload_schema(nvtxDomainHandle_t domain) {
  std::array<nvtxPayloadSchemaEntry_t, 3> entries{};
  constexpr const char* names[] = {"layer", "tokens", "kv_len"};
  constexpr std::size_t offsets[] = {offsetof(Payload, layer), offsetof(Payload, n_tokens), offsetof(Payload, kv_len)};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    entries[i].type = NVTX_PAYLOAD_ENTRY_TYPE_INT32;
    entries[i].name = names[i];
    entries[i].offset = offsets[i];
  }
  nvtxPayloadSchemaAttr_t schema{};
  schema.fieldMask = NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_NAME | NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_TYPE |
                     NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_ENTRIES | NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_NUM_ENTRIES |
                     NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_STATIC_SIZE;
  schema.name = "dachlast.step";
  schema.type = NVTX_PAYLOAD_SCHEMA_TYPE_STATIC;
  schema.entries = entries.data();
  schema.numEntries = entries.size();
  schema.payloadStaticSize = sizeof(Payload);
  return nvtxPayloadSchemaRegister(domain, &schema);
}

/// The domain with its names, registered once so that a range passes handles instead of text.
struct Domain {
  nvtxDomainHandle_t handle = nvtxDomainCreateA("dachlast");  // null where no profiler is attached
  std::array<nvtxStringHandle_t, kOpKindCount> op_names{};
  std::array<nvtxStringHandle_t, std::size(kPhases)> phase_names{};
  std::uint64_t payload_schema = 0;

  Domain() {
    if (handle == nullptr) return;
    for (int i = 0; i < kOpKindCount; ++i)
      op_names[static_cast<std::size_t>(i)] = register_name(handle, name_of(static_cast<OpKind>(i)));
    for (const Phase phase : kPhases) {
      phase_names[static_cast<std::size_t>(phase)] = register_name(handle, name_of(phase));
      nvtxDomainNameCategoryA(handle, category_of(phase), std::string(name_of(phase)).c_str());
    }
    payload_schema = register_payload_schema(handle);
  }
};

const Domain& domain() {
  // Never destroyed: a profiler may still be asked about it while the process exits.
  static const Domain* const instance = new Domain;
  return *instance;
}

nvtxStringHandle_t name_of_range(const Span& span) {
  return span.zone == ZoneKind::kOp ? domain().op_names[static_cast<std::size_t>(span.op)]
                                    : domain().phase_names[static_cast<std::size_t>(span.phase)];
}

}  // namespace

bool has_nvtx() {
  return true;
}

bool nvtx_listens() {
  return domain().handle != nullptr;
}

void push_nvtx_range(const Span& span) {
  const Payload payload{span.layer, span.n_tokens, span.kv_len};
  const nvtxPayloadData_t data{domain().payload_schema, sizeof(payload), &payload};
  nvtxEventAttributes_t event{};
  event.version = NVTX_VERSION;
  event.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  event.category = category_of(span.phase);
  event.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
  event.message.registered = name_of_range(span);
  if (domain().payload_schema != 0) {
    event.payloadType = NVTX_PAYLOAD_TYPE_EXT;
    event.payload.ullValue = NVTX_POINTER_AS_PAYLOAD_ULLVALUE(&data);
    event.reserved0 = 1;  // number of payloads
  } else {
    event.payloadType = NVTX_PAYLOAD_TYPE_UNSIGNED_INT64;
    event.payload.ullValue = payload.packed();
  }
  nvtxDomainRangePushEx(domain().handle, &event);
}

void pop_nvtx_range() {
  nvtxDomainRangePop(domain().handle);
}

}  // namespace dachlast::trace
