#pragma once

#include <QList>
#include <QString>
#include <memory>
#include <span>

#include "core/memory/memory_model.h"
#include "core/roofline/run.h"
#include "ui/views/report_view.h"

namespace dachlast::gui {

/// The report of a run in sections, for people to look at before they export it.
struct ReportPreview {
  QString title;
  QList<ui::ReportSection> sections;
};

ReportPreview report_preview(std::shared_ptr<const Run> run, std::span<const MemorySegment> memory,
                             const ui::ReportFields& fields);

}  // namespace dachlast::gui
