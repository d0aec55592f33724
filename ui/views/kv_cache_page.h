#pragma once

#include <memory>

#include "core/viewmodel/kv_cache_view.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/page.h"

class QLabel;
class QSlider;

namespace dachlast::ui {

class DataTable;

/// The KV cache of served requests: which block holds what, moment by moment; each use as a figure of its own; waste.
class KvCachePage : public Page {
  Q_OBJECT

 public:
  explicit KvCachePage(QWidget* parent = nullptr);

  void setRun(std::shared_ptr<const Run> run);
  int moment() const { return moment_; }
  void setMoment(int moment);

 private:
  QWidget* makeMap();
  QWidget* makeFigures();
  void draw();

  QLabel* capacity_;
  QLabel* no_map_;
  QLabel* when_;
  QSlider* time_;
  FigureView* map_;
  FigureView* history_;
  FigureView* waste_;
  DataTable* figures_;
  DataTable* block_sizes_;
  QWidget* map_area_;  // holds some of the widgets above
  std::shared_ptr<const Run> run_;
  int moment_ = 0;
};

}  // namespace dachlast::ui
