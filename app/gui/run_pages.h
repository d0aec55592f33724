#pragma once

namespace dachlast::ui {
class ChipBar;
class CompareView;
class OverviewView;
class KvCachePage;
class RooflineView;
class TimelineView;
}  // namespace dachlast::ui

namespace dachlast::gui {

/// Where a run is shown, or a recording.
struct RunPages {
  ui::OverviewView& overview;
  ui::RooflineView& roofline;
  ui::TimelineView& timeline;
  ui::KvCachePage& kv_cache;
  ui::CompareView& compare;
  ui::ChipBar& chips;
};

}  // namespace dachlast::gui
