#pragma once

#include "core/viewmodel/memory_chart.h"
#include "core/viewmodel/table.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/page.h"

class QComboBox;

namespace dachlast::ui {

class DataTable;

/// Everything the memory page shows of a plan, ready to draw.
struct PlanContent {
  QString answer;
  QString subject;
  QStringList lines;  // budget, KV per token
  QStringList remarks;
  viewmodel::MemoryBar bar;
  viewmodel::ContextChart contexts;
  viewmodel::Table memory;
};

/// Memory of a scenario: bar, chart over the context, heatmap over context and batch, the table behind them.
class PlanView : public Page {
  Q_OBJECT

 public:
  explicit PlanView(QWidget* parent = nullptr);

  void setContent(const PlanContent& content);
  /// The heatmap comes later than the rest; until then the old one is greyed.
  void setHeatmap(FigureView::Source source);
  void setHeatmapStale();
  /// What the heatmap's cells are to tell: 0 memory, 1 TPOT, 2 throughput.
  int heatmapValue() const;

 Q_SIGNALS:
  /// Another heatmap is wanted.
  void heatmapValueChanged(int value);
  /// A context was picked in the chart, or a context and batch in the heatmap (0: unchanged).
  void picked(int context_tokens, int batch_size);

 private:
  QLabel* subject_;
  QLabel* lines_;
  QLabel* remarks_;
  FigureView* bar_;
  FigureView* contexts_;
  FigureView* heatmap_;
  QComboBox* heatmap_value_;
  DataTable* table_;
};

}  // namespace dachlast::ui
