// The library that NVTX loads into an annotated program (NVTX_INJECTION64_PATH): takes every event and writes it to the
// thread's spool. It never prints, never throws, never changes errno, and destroys nothing at exit.

#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtPayload.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <cwchar>

#include "core/collect/nvtx/spool_writer.h"

namespace {

using dachlast::spool::Event;
using dachlast::spool::Kind;
using dachlast::spool::kLongestText;
using dachlast::spool::kNoName;
using dachlast::spool::NameSpace;
using dachlast::spool::PayloadType;
using dachlast::spool::SchemaEntry;
using dachlast::spool::Writer;

constexpr std::uint32_t kMostSchemaEntries = 64;

/// Wide text as UTF-8, cut where the buffer ends.
class Narrow {
 public:
  explicit Narrow(const wchar_t* wide) {
    for (; wide != nullptr && *wide != L'\0' && n_ + 4 <= sizeof(text_); ++wide)
      append(static_cast<std::uint32_t>(*wide));
  }
  std::string_view text() const { return {text_, n_}; }

 private:
  void put(std::uint32_t byte) { text_[n_++] = static_cast<char>(byte); }

  void append(std::uint32_t code) {
    if (code < 0x80U) {
      put(code);
    } else if (code < 0x800U) {
      put(0xC0U | (code >> 6U));
      put(0x80U | (code & 0x3FU));
    } else if (code < 0x10000U) {
      put(0xE0U | (code >> 12U));
      put(0x80U | ((code >> 6U) & 0x3FU));
      put(0x80U | (code & 0x3FU));
    } else {
      put(0xF0U | ((code >> 18U) & 0x07U));
      put(0x80U | ((code >> 12U) & 0x3FU));
      put(0x80U | ((code >> 6U) & 0x3FU));
      put(0x80U | (code & 0x3FU));
    }
  }

  char text_[kLongestText];
  std::size_t n_ = 0;
};

std::string_view view_of(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

// Handles are numbers in the clothes of pointers: 0 is the default domain and no string.
template <class Handle>
std::uint32_t number_of(Handle handle) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(handle));
}

template <class Handle>
Handle handle_of(std::uint64_t number) {
  return reinterpret_cast<Handle>(static_cast<std::uintptr_t>(number));
}

void set_name(Writer* writer, const nvtxEventAttributes_t& attributes, Event& event) {
  event.name = kNoName;
  if (attributes.messageType == NVTX_MESSAGE_TYPE_ASCII) {
    event.name = writer->name_of(view_of(attributes.message.ascii));
  } else if (attributes.messageType == NVTX_MESSAGE_TYPE_UNICODE) {
    event.name = writer->name_of(Narrow(attributes.message.unicode).text());
  } else if (attributes.messageType == NVTX_MESSAGE_TYPE_REGISTERED) {
    event.name = number_of(attributes.message.registered);
    event.name_space = NameSpace::kProcess;
  }
}

void set_payload(const nvtxEventAttributes_t& attributes, Event& event) {
  const auto& payload = attributes.payload;
  double real = 0.0;
  switch (attributes.payloadType) {
    case NVTX_PAYLOAD_TYPE_UNSIGNED_INT64: event.payload = payload.ullValue; break;
    case NVTX_PAYLOAD_TYPE_UNSIGNED_INT32: event.payload = payload.uiValue; break;
    case NVTX_PAYLOAD_TYPE_INT64: event.payload = static_cast<std::uint64_t>(payload.llValue); break;
    case NVTX_PAYLOAD_TYPE_INT32:
      event.payload = static_cast<std::uint64_t>(static_cast<std::int64_t>(payload.iValue));
      break;
    case NVTX_PAYLOAD_TYPE_DOUBLE: real = payload.dValue; break;
    case NVTX_PAYLOAD_TYPE_FLOAT: real = payload.fValue; break;
    default: return;
  }
  switch (attributes.payloadType) {
    case NVTX_PAYLOAD_TYPE_UNSIGNED_INT64:
    case NVTX_PAYLOAD_TYPE_UNSIGNED_INT32: event.payload_type = PayloadType::kUnsigned; return;
    case NVTX_PAYLOAD_TYPE_INT64:
    case NVTX_PAYLOAD_TYPE_INT32: event.payload_type = PayloadType::kSigned; return;
    default: event.payload_type = PayloadType::kReal; std::memcpy(&event.payload, &real, sizeof(real));
  }
}

void write_structured(Writer* writer, const nvtxEventAttributes_t& attributes) {
  if (attributes.payloadType != NVTX_PAYLOAD_TYPE_EXT || attributes.payload.ullValue == 0) return;
  const auto* data =
      reinterpret_cast<const nvtxPayloadData_t*>(static_cast<std::uintptr_t>(attributes.payload.ullValue));
  for (std::int32_t i = 0; i < attributes.reserved0; ++i)
    if (data[i].payload != nullptr && data[i].size != SIZE_MAX)
      writer->payload(data[i].schemaId, data[i].payload, data[i].size);
}

void write(Kind kind, nvtxDomainHandle_t domain, const nvtxEventAttributes_t* attributes, std::uint64_t range = 0) {
  Writer* writer = Writer::of_this_thread();
  Event event{};
  event.domain = number_of(domain);
  event.range = range;
  event.name = kNoName;
  if (attributes != nullptr) {
    set_name(writer, *attributes, event);
    set_payload(*attributes, event);
    event.category = attributes->category;
    event.color = attributes->colorType == NVTX_COLOR_ARGB ? attributes->color : 0;
  }
  // A range starts when all about it is known and ends before anything is written: its own cost stays outside.
  event.ticks = dachlast::spool::now_ticks();
  writer->event(kind, event);
  if (attributes != nullptr) write_structured(writer, *attributes);
}

void write_named(Kind kind, std::string_view name) {
  Writer* writer = Writer::of_this_thread();
  Event event{};
  event.name = writer->name_of(name);
  event.ticks = dachlast::spool::now_ticks();
  writer->event(kind, event);
}

bool is_plain(const nvtxEventAttributes_t& attributes) {
  return attributes.category == 0 && attributes.colorType != NVTX_COLOR_ARGB &&
         attributes.payloadType == NVTX_PAYLOAD_UNKNOWN;
}

void write_push(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* attributes) {
  if (attributes == nullptr || !is_plain(*attributes)) {
    write(Kind::kPush, domain, attributes);
    return;
  }
  Writer* writer = Writer::of_this_thread();
  Event event{};
  set_name(writer, *attributes, event);
  writer->short_push(dachlast::spool::now_ticks(), event.name, event.name_space, number_of(domain));
}

void push_named(std::string_view name) {
  Writer* writer = Writer::of_this_thread();
  const std::uint32_t number = writer->name_of(name);
  writer->short_push(dachlast::spool::now_ticks(), number, NameSpace::kThread, 0);
}

void write_pop(nvtxDomainHandle_t domain) {
  const std::uint64_t ticks = dachlast::spool::now_ticks();
  Writer::of_this_thread()->pop(ticks, number_of(domain));
}

void write_end(Kind kind, nvtxDomainHandle_t domain, std::uint64_t range) {
  Event event{};
  event.ticks = dachlast::spool::now_ticks();
  event.domain = number_of(domain);
  event.range = range;
  event.name = kNoName;
  Writer::of_this_thread()->event(kind, event);
}

std::uint64_t write_text(Kind kind, std::string_view text) {
  const std::uint64_t id = dachlast::spool::next_process_id();
  Writer::of_this_thread()->text(kind, id, text);
  return id;
}

void write_category(nvtxDomainHandle_t domain, std::uint32_t category, std::string_view name) {
  Writer::of_this_thread()->text(Kind::kCategory, (std::uint64_t{number_of(domain)} << 32U) | category, name);
}

nvtxRangeId_t write_start(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* attributes) {
  const std::uint64_t range = dachlast::spool::next_process_id();
  write(Kind::kStart, domain, attributes, range);
  return range;
}

nvtxRangeId_t start_named(std::string_view name) {
  const std::uint64_t range = dachlast::spool::next_process_id();
  Writer* writer = Writer::of_this_thread();
  Event event{};
  event.name = writer->name_of(name);
  event.range = range;
  event.ticks = dachlast::spool::now_ticks();
  writer->event(Kind::kStart, event);
  return range;
}

// The depth that a push or pop returns is the caller's affair alone: -2 says that no depth is kept.
constexpr int kNoDepth = NVTX_NO_PUSH_POP_TRACKING;

// -------- the default domain
void mark_ex(const nvtxEventAttributes_t* a) {
  write(Kind::kMark, nullptr, a);
}
void mark_a(const char* text) {
  write_named(Kind::kMark, view_of(text));
}
void mark_w(const wchar_t* text) {
  write_named(Kind::kMark, Narrow(text).text());
}
nvtxRangeId_t range_start_ex(const nvtxEventAttributes_t* a) {
  return write_start(nullptr, a);
}
nvtxRangeId_t range_start_a(const char* text) {
  return start_named(view_of(text));
}
nvtxRangeId_t range_start_w(const wchar_t* text) {
  return start_named(Narrow(text).text());
}
void range_end(nvtxRangeId_t range) {
  write_end(Kind::kStop, nullptr, range);
}
int range_push_ex(const nvtxEventAttributes_t* a) {
  return write_push(nullptr, a), kNoDepth;
}
int range_push_a(const char* text) {
  return push_named(view_of(text)), kNoDepth;
}
int range_push_w(const wchar_t* text) {
  return push_named(Narrow(text).text()), kNoDepth;
}
int range_pop() {
  return write_pop(nullptr), kNoDepth;
}
void name_category_a(std::uint32_t category, const char* name) {
  write_category(nullptr, category, view_of(name));
}
void name_category_w(std::uint32_t category, const wchar_t* name) {
  write_category(nullptr, category, Narrow(name).text());
}
void name_thread_a(std::uint32_t thread, const char* name) {
  Writer::of_this_thread()->text(Kind::kThread, thread, view_of(name));
}
void name_thread_w(std::uint32_t thread, const wchar_t* name) {
  Writer::of_this_thread()->text(Kind::kThread, thread, Narrow(name).text());
}

// -------- other domains
void domain_mark(nvtxDomainHandle_t d, const nvtxEventAttributes_t* a) {
  write(Kind::kMark, d, a);
}
nvtxRangeId_t domain_start(nvtxDomainHandle_t d, const nvtxEventAttributes_t* a) {
  return write_start(d, a);
}
void domain_end(nvtxDomainHandle_t d, nvtxRangeId_t range) {
  write_end(Kind::kStop, d, range);
}
int domain_push(nvtxDomainHandle_t d, const nvtxEventAttributes_t* a) {
  return write_push(d, a), kNoDepth;
}
int domain_pop(nvtxDomainHandle_t d) {
  return write_pop(d), kNoDepth;
}
void domain_category_a(nvtxDomainHandle_t d, std::uint32_t category, const char* name) {
  write_category(d, category, view_of(name));
}
void domain_category_w(nvtxDomainHandle_t d, std::uint32_t category, const wchar_t* name) {
  write_category(d, category, Narrow(name).text());
}
nvtxStringHandle_t register_a(nvtxDomainHandle_t, const char* text) {
  return handle_of<nvtxStringHandle_t>(write_text(Kind::kString, view_of(text)));
}
nvtxStringHandle_t register_w(nvtxDomainHandle_t, const wchar_t* text) {
  return handle_of<nvtxStringHandle_t>(write_text(Kind::kString, Narrow(text).text()));
}
nvtxDomainHandle_t create_a(const char* name) {
  return handle_of<nvtxDomainHandle_t>(write_text(Kind::kDomain, view_of(name)));
}
nvtxDomainHandle_t create_w(const wchar_t* name) {
  return handle_of<nvtxDomainHandle_t>(write_text(Kind::kDomain, Narrow(name).text()));
}

std::uint64_t register_schema(nvtxDomainHandle_t, const nvtxPayloadSchemaAttr_t* schema) {
  if (schema == nullptr) return 0;
  const bool has_own_id = (schema->fieldMask & NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_SCHEMA_ID) != 0 && schema->schemaId != 0;
  // Numbers that a program chooses itself lie below these, as the interface asks.
  const std::uint64_t id =
      has_own_id ? schema->schemaId : NVTX_PAYLOAD_SCHEMA_ID_DYNAMIC_START + dachlast::spool::next_process_id();
  static_assert(sizeof(SchemaEntry) == 64);
  SchemaEntry entries[kMostSchemaEntries] = {};
  const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(schema->numEntries, kMostSchemaEntries));
  for (std::uint32_t i = 0; i < n && schema->entries != nullptr; ++i) {
    entries[i].type = schema->entries[i].type;
    entries[i].offset = schema->entries[i].offset;
    const std::string_view name = view_of(schema->entries[i].name).substr(0, sizeof(entries[i].name) - 1);
    std::memcpy(entries[i].name, name.data(), name.size());
  }
  Writer::of_this_thread()->schema(id, view_of(schema->name), entries, schema->entries != nullptr ? n : 0);
  return id;
}

template <class Function>
NvtxFunctionPointer pointer_to(Function* function) {
  return reinterpret_cast<NvtxFunctionPointer>(function);
}

struct Slot {
  int index;
  NvtxFunctionPointer function;
};

void fill(NvtxFunctionTable table, unsigned size, std::initializer_list<Slot> slots) {
  for (const Slot& slot : slots)
    if (static_cast<unsigned>(slot.index) < size && table[slot.index] != nullptr) *table[slot.index] = slot.function;
}

void fill_core(NvtxFunctionTable table, unsigned size) {
  fill(table, size,
       {{NVTX_CBID_CORE_MarkEx, pointer_to(mark_ex)},
        {NVTX_CBID_CORE_MarkA, pointer_to(mark_a)},
        {NVTX_CBID_CORE_MarkW, pointer_to(mark_w)},
        {NVTX_CBID_CORE_RangeStartEx, pointer_to(range_start_ex)},
        {NVTX_CBID_CORE_RangeStartA, pointer_to(range_start_a)},
        {NVTX_CBID_CORE_RangeStartW, pointer_to(range_start_w)},
        {NVTX_CBID_CORE_RangeEnd, pointer_to(range_end)},
        {NVTX_CBID_CORE_RangePushEx, pointer_to(range_push_ex)},
        {NVTX_CBID_CORE_RangePushA, pointer_to(range_push_a)},
        {NVTX_CBID_CORE_RangePushW, pointer_to(range_push_w)},
        {NVTX_CBID_CORE_RangePop, pointer_to(range_pop)},
        {NVTX_CBID_CORE_NameCategoryA, pointer_to(name_category_a)},
        {NVTX_CBID_CORE_NameCategoryW, pointer_to(name_category_w)},
        {NVTX_CBID_CORE_NameOsThreadA, pointer_to(name_thread_a)},
        {NVTX_CBID_CORE_NameOsThreadW, pointer_to(name_thread_w)}});
}

void fill_core2(NvtxFunctionTable table, unsigned size) {
  fill(table, size,
       {{NVTX_CBID_CORE2_DomainMarkEx, pointer_to(domain_mark)},
        {NVTX_CBID_CORE2_DomainRangeStartEx, pointer_to(domain_start)},
        {NVTX_CBID_CORE2_DomainRangeEnd, pointer_to(domain_end)},
        {NVTX_CBID_CORE2_DomainRangePushEx, pointer_to(domain_push)},
        {NVTX_CBID_CORE2_DomainRangePop, pointer_to(domain_pop)},
        {NVTX_CBID_CORE2_DomainNameCategoryA, pointer_to(domain_category_a)},
        {NVTX_CBID_CORE2_DomainNameCategoryW, pointer_to(domain_category_w)},
        {NVTX_CBID_CORE2_DomainRegisterStringA, pointer_to(register_a)},
        {NVTX_CBID_CORE2_DomainRegisterStringW, pointer_to(register_w)},
        {NVTX_CBID_CORE2_DomainCreateA, pointer_to(create_a)},
        {NVTX_CBID_CORE2_DomainCreateW, pointer_to(create_w)}});
}

constexpr int kTaken = 1;
constexpr int kRefused = 0;

}  // namespace

extern "C" {

// NVTX looks for these two names.
// NOLINTBEGIN(readability-identifier-naming)
__attribute__((visibility("default"))) int InitializeInjectionNvtx2(NvtxGetExportTableFunc_t get_export_table) {
  const auto* callbacks = static_cast<const NvtxExportTableCallbacks*>(get_export_table(NVTX_ETID_CALLBACKS));
  if (callbacks == nullptr || callbacks->GetModuleFunctionTable == nullptr) return kRefused;
  const int saved = errno;
  dachlast::spool::start();
  NvtxFunctionTable table = nullptr;
  unsigned size = 0;
  if (callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE, &table, &size) != 0) fill_core(table, size);
  if (callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size) != 0) fill_core2(table, size);
  errno = saved;
  return kTaken;
}

__attribute__((visibility("default"))) int InitializeInjectionNvtxExtension(nvtxExtModuleInfo_t* module) {
  if (module == nullptr || module->moduleId != NVTX_EXT_PAYLOAD_MODULEID || module->segmentsCount < 1) return kRefused;
  const nvtxExtModuleSegment_t& segment = module->segments[0];
  if (segment.slotCount <= NVTX3EXT_CBID_nvtxPayloadSchemaRegister) return kRefused;
  segment.functionSlots[NVTX3EXT_CBID_nvtxPayloadSchemaRegister] = reinterpret_cast<std::intptr_t>(register_schema);
  return kTaken;
}
// NOLINTEND(readability-identifier-naming)
}
