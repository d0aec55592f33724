// A program that uses NVTX in every way `attach` records. The first argument says how it ends.
#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtPayload.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nvtx3/nvtx3.hpp>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

struct StepPayload {
  int layer;
  float share;
};

nvtxEventAttributes_t attributes_of(const char* message) {
  nvtxEventAttributes_t attributes{};
  attributes.version = NVTX_VERSION;
  attributes.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  attributes.messageType = NVTX_MESSAGE_TYPE_ASCII;
  attributes.message.ascii = message;
  return attributes;
}

std::uint64_t register_step_schema(nvtxDomainHandle_t domain) {
  static nvtxPayloadSchemaEntry_t entries[2] = {};
  entries[0].type = NVTX_PAYLOAD_ENTRY_TYPE_INT;
  entries[0].name = "layer";
  entries[0].offset = offsetof(StepPayload, layer);
  entries[1].type = NVTX_PAYLOAD_ENTRY_TYPE_FLOAT;
  entries[1].name = "share";
  entries[1].offset = offsetof(StepPayload, share);
  nvtxPayloadSchemaAttr_t schema{};
  schema.fieldMask = NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_NAME | NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_TYPE |
                     NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_ENTRIES | NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_NUM_ENTRIES |
                     NVTX_PAYLOAD_SCHEMA_ATTR_FIELD_STATIC_SIZE;
  schema.name = "step";
  schema.type = NVTX_PAYLOAD_SCHEMA_TYPE_STATIC;
  schema.entries = entries;
  schema.numEntries = 2;
  schema.payloadStaticSize = sizeof(StepPayload);
  return nvtxPayloadSchemaRegister(domain, &schema);
}

void annotate_domain() {
  nvtxDomainHandle_t domain = nvtxDomainCreateA("engine");
  nvtxDomainNameCategoryA(domain, 5, "attention kernels");
  nvtxStringHandle_t registered = nvtxDomainRegisterStringA(domain, "registered name");
  nvtxEventAttributes_t attributes = attributes_of("");
  attributes.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
  attributes.message.registered = registered;
  attributes.category = 5;
  attributes.payloadType = NVTX_PAYLOAD_TYPE_INT64;
  attributes.payload.llValue = -4096;
  nvtxDomainRangePushEx(domain, &attributes);
  nvtxDomainRangePop(domain);

  const StepPayload step = {3, 0.5F};
  const nvtxPayloadData_t data = {register_step_schema(domain), sizeof(step), &step};
  nvtxEventAttributes_t structured = attributes_of("structured");
  NVTX_PAYLOAD_EVTATTR_SET(&structured, data.schemaId, data.payload, data.size);
  nvtxDomainRangePushEx(domain, &structured);
  nvtxDomainRangePop(domain);
}

void annotate_threads() {
  const nvtxRangeId_t across = nvtxRangeStartA("ends on another thread");
  std::thread([across] {
    nvtxNameOsThreadA(static_cast<std::uint32_t>(::gettid()), "worker");
    nvtxRangePushA("decode step 7");
    nvtxRangePushA("inner");
    nvtxRangePop();
    nvtxRangePop();
    nvtxRangeEnd(across);
  }).join();
}

void annotate_child() {
  nvtxRangePushA("before fork");
  const pid_t child = ::fork();
  if (child == 0) {
    nvtxRangePushA("in the child");
    nvtxRangePop();
    std::_Exit(0);
  }
  ::waitpid(child, nullptr, 0);
  nvtxRangePop();
}

/// As `make` and shells do: what follows is another program in the same process.
void become_another_program(char** argv) {
  nvtxRangePushA("before exec");
  std::string ending = "exit";
  char* arguments[] = {argv[0], ending.data(), nullptr};
  ::execv(argv[0], arguments);
}

}  // namespace

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "exit";
  if (std::strcmp(how, "exec") == 0) become_another_program(argv);
  nvtxRangePushW(L"gr\u00fc\u00dfe");
  nvtxMarkA("a mark");
  nvtxRangePop();
  { const nvtx3::scoped_range scoped{"scoped in C++"}; }
  annotate_domain();
  annotate_threads();
  annotate_child();
  std::puts("output of the program");
  std::fflush(stdout);
  nvtxRangePushA("never popped");
  if (std::strcmp(how, "crash") == 0) std::raise(SIGSEGV);
  if (std::strcmp(how, "kill") == 0) ::kill(::getpid(), SIGKILL);
  if (std::strcmp(how, "many") == 0)
    for (int i = 0; i < 200'000; ++i) {
      nvtxRangePushA("one of many");
      nvtxRangePop();
    }
  return 7;
}
