#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/store/database.h"

namespace dachlast {

/// "DLst" in SQLite's application id, by which `file` and we recognise run files.
inline constexpr std::int64_t kApplicationId = 0x444c7374;

/// SQL that lifts a database from the version before to `to_version`.
struct Migration {
  int to_version;
  const char* sql;
};

/// All steps from an empty database to the newest schema, in order. A released step is never edited: a change is a new
/// one.
std::span<const Migration> migrations();

/// Version that `migrations` end at.
int schema_version();

/// Applies the steps beyond the database's own version, each in one transaction.
void migrate(const Database& db, std::span<const Migration> steps);

/// Tables and columns of `db` that the newest schema here does not have: "table counters", "column point.energy_j".
std::vector<std::string> unknown_parts(const Database& db);

}  // namespace dachlast
