#include "core/store/nsys_export.h"

#include "core/base/error.h"
#include "core/store/database.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

bool has_table(const Database& db, std::string_view name) {
  Statement statement = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  statement.bind(name);
  return statement.step();
}

bool has_column(const Database& db, std::string_view table, std::string_view column) {
  Statement statement = db.prepare("SELECT 1 FROM pragma_table_info(?) WHERE name = ?");
  statement.bind(table, column);
  return statement.step();
}

// Correlation numbers repeat across processes; the upper bits of a global id name the process, the lower ones the thread
// (bits 0 to 23).
constexpr const char* kLaunchJoin =
    " LEFT JOIN CUPTI_ACTIVITY_KIND_RUNTIME r ON r.correlationId = e.correlationId"
    " AND (e.globalPid IS NULL OR (r.globalTid >> 24) = (e.globalPid >> 24))";

std::optional<std::int64_t> optional_integer(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.integer(column);
}

}  // namespace

struct NsysExport::Impl {
  Database db;

  std::string launch_columns() const { return has_launches() ? "r.globalTid, r.start" : "NULL, NULL"; }
  std::string launch_join() const { return has_launches() ? kLaunchJoin : ""; }
  bool has_launches() const { return has_table(db, "CUPTI_ACTIVITY_KIND_RUNTIME"); }

  void read(NsysGpuRow::Kind kind, const std::string& sql, const std::function<void(const NsysGpuRow&)>& take) const {
    Statement row = db.prepare(sql);
    while (row.step()) {
      NsysGpuRow event;
      event.kind = kind;
      event.start_ns = row.integer(0);
      event.end_ns = row.integer(1);
      event.device = row.integer(2);
      event.stream = row.integer(3);
      event.bytes = row.integer(4);
      event.name = row.text(5);
      event.launch_thread = optional_integer(row, 6);
      event.launch_ns = optional_integer(row, 7);
      take(event);
    }
  }
};

bool is_nsys_export(const fs::path& file) {
  try {
    const Database db(file, DatabaseMode::kRead);
    return has_table(db, "StringIds") && has_table(db, "META_DATA_EXPORT");
  } catch (const Error&) {
    return false;
  }
}

NsysExport::NsysExport(const fs::path& file) : impl_(new Impl{Database(file, DatabaseMode::kRead)}) {
  if (!has_table(impl_->db, "StringIds"))
    throw Error(ErrorKind::kInput, file.string(), "is no export of Nsight Systems: the table StringIds is missing.",
                "Export with `nsys export --type sqlite`.");
}

NsysExport::~NsysExport() = default;

std::string NsysExport::product_version() const {
  if (!has_table(impl_->db, "META_DATA_EXPORT")) return {};
  Statement row = impl_->db.prepare("SELECT value FROM META_DATA_EXPORT WHERE name = 'EXPORT_PRODUCT_VERSION'");
  return row.step() ? row.text(0) : std::string();
}

void NsysExport::for_each_gpu_row(const std::function<void(const NsysGpuRow&)>& take) const {
  const std::string launch = impl_->launch_columns();
  const std::string join = impl_->launch_join();
  if (has_table(impl_->db, "CUPTI_ACTIVITY_KIND_KERNEL"))
    impl_->read(NsysGpuRow::Kind::kKernel,
                "SELECT e.start, e.end, e.deviceId, e.streamId, 0, s.value, " + launch +
                    " FROM CUPTI_ACTIVITY_KIND_KERNEL e JOIN StringIds s ON s.id = e.demangledName" + join,
                take);
  if (has_table(impl_->db, "CUPTI_ACTIVITY_KIND_MEMCPY"))
    impl_->read(NsysGpuRow::Kind::kCopy,
                "SELECT e.start, e.end, e.deviceId, e.streamId, e.bytes, CASE e.copyKind WHEN 1 THEN 'Memcpy HtoD' "
                "WHEN 2 THEN 'Memcpy DtoH' WHEN 8 THEN 'Memcpy DtoD' WHEN 10 THEN 'Memcpy PtoP' ELSE 'Memcpy' END, " +
                    launch + " FROM CUPTI_ACTIVITY_KIND_MEMCPY e" + join,
                take);
  if (has_table(impl_->db, "CUPTI_ACTIVITY_KIND_MEMSET"))
    impl_->read(NsysGpuRow::Kind::kFill,
                "SELECT e.start, e.end, e.deviceId, e.streamId, e.bytes, 'Memset', " + launch +
                    " FROM CUPTI_ACTIVITY_KIND_MEMSET e" + join,
                take);
}

void NsysExport::for_each_range(const std::function<void(const NsysRangeRow&)>& take) const {
  if (!has_table(impl_->db, "NVTX_EVENTS") || !has_column(impl_->db, "NVTX_EVENTS", "textId")) return;
  // 59: push and pop on one thread; ranges between threads (60) surround no call.
  Statement row = impl_->db.prepare(
      "SELECT n.globalTid, n.start, n.end, COALESCE(n.text, s.value, '') FROM NVTX_EVENTS n "
      "LEFT JOIN StringIds s ON s.id = n.textId WHERE n.eventType = 59 AND n.end IS NOT NULL");
  while (row.step()) take({row.integer(0), row.integer(1), row.integer(2), row.text(3)});
}

void NsysExport::for_each_gpu(const std::function<void(std::int64_t, const std::string&)>& take) const {
  if (!has_table(impl_->db, "TARGET_INFO_GPU")) return;
  Statement row = impl_->db.prepare("SELECT id, name FROM TARGET_INFO_GPU ORDER BY id");
  while (row.step()) take(row.integer(0), row.is_null(1) ? std::string() : row.text(1));
}

}  // namespace dachlast
