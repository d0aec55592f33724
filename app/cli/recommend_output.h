#pragma once

#include <string>

#include "app/cli/command.h"
#include "core/workbench/recommend_page.h"

namespace dachlast::cli {

/// Whether the rejected deployments stand below the options.
enum class ShowRejected { kCount, kAll };

/// A recommendation in the format asked for. CSV holds every candidate, JSON everything.
std::string render_recommendation(const RecommendPage& page, ShowRejected rejected, const CommonOptions& common);

/// "dachlast.recommend/1".
std::string json_recommendation(const RecommendPage& page);

}  // namespace dachlast::cli
