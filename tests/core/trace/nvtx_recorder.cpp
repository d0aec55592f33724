// A profiler in the shape NVTX expects of one, linked in statically: it defines the symbols that NVTX looks for before
// its first call. Built once with and once without the payload extension, because foreign tools come in both kinds.
#define NVTX_NO_IMPL
#include "tests/core/trace/nvtx_recorder.h"

#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtPayload.h>

#include <cstring>
#include <map>

namespace dachlast::trace {
namespace {

constexpr std::uint64_t kSchemaId = 4242;

struct State {
  std::vector<std::string> domains;  // handle = index + 1
  std::vector<std::string> strings;  // handle = index + 1
  std::map<std::uint32_t, std::string> categories;
  std::vector<std::string> schema_fields;
  std::vector<std::size_t> schema_offsets;
  std::vector<RecordedRange> ranges;
  std::vector<std::size_t> open;
};

State& state() {
  static State* const instance = new State;
  return *instance;
}

template <class Handle>
Handle handle_of(std::size_t index) {
  return reinterpret_cast<Handle>(index + 1);
}

template <class Handle>
std::size_t index_of(Handle handle) {
  return reinterpret_cast<std::size_t>(handle) - 1;
}

nvtxDomainHandle_t create_domain(const char* name) {
  state().domains.emplace_back(name);
  return handle_of<nvtxDomainHandle_t>(state().domains.size() - 1);
}

nvtxStringHandle_t register_string(nvtxDomainHandle_t, const char* text) {
  state().strings.emplace_back(text);
  return handle_of<nvtxStringHandle_t>(state().strings.size() - 1);
}

void name_category(nvtxDomainHandle_t, std::uint32_t category, const char* name) {
  state().categories[category] = name;
}

void read_payload(const nvtxEventAttributes_t& event, RecordedRange& range) {
  if (event.payloadType != static_cast<std::int32_t>(NVTX_PAYLOAD_TYPE_EXT)) {
    range.packed = event.payload.ullValue;
    return;
  }
  const auto* data = reinterpret_cast<const nvtxPayloadData_t*>(event.payload.ullValue);
  if (event.reserved0 != 1 || data->schemaId != kSchemaId) return;
  range.fields = state().schema_fields;
  for (const std::size_t offset : state().schema_offsets) {
    std::int32_t value = 0;
    std::memcpy(&value, static_cast<const char*>(data->payload) + offset, sizeof(value));
    range.payload.push_back(value);
  }
}

int push_range(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* event) {
  RecordedRange range;
  range.domain = state().domains.at(index_of(domain));
  if (event->messageType == NVTX_MESSAGE_TYPE_REGISTERED)
    range.name = state().strings.at(index_of(event->message.registered));
  range.category = state().categories[event->category];
  range.depth = static_cast<int>(state().open.size());
  read_payload(*event, range);
  state().open.push_back(state().ranges.size());
  state().ranges.push_back(range);
  return range.depth;
}

int pop_range(nvtxDomainHandle_t) {
  if (state().open.empty()) return NVTX_NO_PUSH_POP_TRACKING;
  state().ranges[state().open.back()].closed = true;
  state().open.pop_back();
  return static_cast<int>(state().open.size());
}

template <class Function>
void set_callback(NvtxFunctionTable table, NvtxCallbackIdCore2 id, Function* function) {
  *table[id] = reinterpret_cast<NvtxFunctionPointer>(function);
}

int initialize(NvtxGetExportTableFunc_t get_export_table) {
  const auto* callbacks = static_cast<const NvtxExportTableCallbacks*>(get_export_table(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable table = nullptr;
  unsigned int size = 0;
  if (callbacks == nullptr || callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size) == 0) return 0;
  set_callback(table, NVTX_CBID_CORE2_DomainCreateA, &create_domain);
  set_callback(table, NVTX_CBID_CORE2_DomainRegisterStringA, &register_string);
  set_callback(table, NVTX_CBID_CORE2_DomainNameCategoryA, &name_category);
  set_callback(table, NVTX_CBID_CORE2_DomainRangePushEx, &push_range);
  set_callback(table, NVTX_CBID_CORE2_DomainRangePop, &pop_range);
  return 1;
}

#ifdef DACHLAST_TEST_TAKES_SCHEMAS
std::uint64_t register_schema(nvtxDomainHandle_t, const nvtxPayloadSchemaAttr_t* schema) {
  for (std::size_t i = 0; i < schema->numEntries; ++i) {
    if (schema->entries[i].type != NVTX_PAYLOAD_ENTRY_TYPE_INT32) return 0;
    state().schema_fields.emplace_back(schema->entries[i].name);
    state().schema_offsets.push_back(schema->entries[i].offset);
  }
  return kSchemaId;
}

int initialize_extension(nvtxExtModuleInfo_t* module) {
  if (module->moduleId != NVTX_EXT_PAYLOAD_MODULEID) return 0;
  module->segments->functionSlots[NVTX3EXT_CBID_nvtxPayloadSchemaRegister] =
      reinterpret_cast<std::intptr_t>(&register_schema);
  return 1;
}
#endif

}  // namespace

const std::vector<RecordedRange>& recorded_ranges() {
  return state().ranges;
}

}  // namespace dachlast::trace

extern "C" {
NvtxInitializeInjectionNvtxFunc_t InitializeInjectionNvtx2_fnptr = &dachlast::trace::initialize;
#ifdef DACHLAST_TEST_TAKES_SCHEMAS
NvtxExtInitializeInjectionFunc_t InitializeInjectionNvtxExtension_fnptr = &dachlast::trace::initialize_extension;
#endif
}
