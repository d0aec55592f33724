#include "ui/views/kv_cache_page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QSlider>
#include <QSplitter>
#include <QTabWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/paint/figure_painter.h"
#include "ui/widgets/data_table.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

constexpr int kWasteHeight = 112;       // a legend of two rows
constexpr int kLeastHistory = 200;      // lines, axis, and a legend of three rows
constexpr int kLeastCacheHeight = 680;  // map, history and waste that can be read
constexpr int kMapWidth = 410;
constexpr int kFiguresWidth = 450;  // names and values of figures beside each other

}  // namespace

KvCachePage::KvCachePage(QWidget* parent)
    : Page(tr("No requests were served: there is no cache to look into. Measure with dachlast run --serve 16 --kv "
              "paged."),
           tr("Open a run…"), parent),
      capacity_(sentence_label()),
      no_map_(sentence_label()),
      when_(sentence_label()),
      time_(new QSlider(Qt::Horizontal)),
      map_(new FigureView),
      history_(new FigureView),
      waste_(new FigureView),
      figures_(new DataTable),
      block_sizes_(new DataTable),
      map_area_(makeMap()) {
  auto* columns = new QSplitter(Qt::Horizontal);
  columns->addWidget(map_area_);
  columns->addWidget(makeFigures());
  columns->setSizes({kMapWidth, kFiguresWidth});
  columns->setChildrenCollapsible(false);
  waste_->setFixedHeight(kWasteHeight);
  body()->addWidget(capacity_);
  body()->addWidget(no_map_);
  auto* evidence = new QWidget;
  auto* column = new QVBoxLayout(evidence);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(columns, 1);
  column->addWidget(waste_);
  body()->addWidget(scrolled(evidence, kLeastCacheHeight, tr("Blocks and their use")), 1);
  connect(time_, &QSlider::valueChanged, this, &KvCachePage::setMoment);
  connect(history_, &FigureView::datumSelected, this, [this](const QString& moment) {
    if (!moment.isEmpty()) setMoment(moment.toInt());
  });
}

QWidget* KvCachePage::makeMap() {
  auto* area = new QWidget;
  auto* layout = new QVBoxLayout(area);
  layout->setContentsMargins(0, 0, 0, 0);
  auto* scrub = new QHBoxLayout;
  auto* label = new QLabel(tr("&Moment"));
  label->setBuddy(time_);
  time_->setAccessibleName(tr("Moment"));
  scrub->addWidget(label);
  scrub->addWidget(time_, 1);
  auto* rows = new QSplitter(Qt::Vertical);
  rows->addWidget(map_);
  rows->addWidget(history_);
  history_->setMinimumHeight(kLeastHistory);
  rows->setStretchFactor(0, 3);
  rows->setStretchFactor(1, 2);
  rows->setChildrenCollapsible(false);
  layout->addLayout(scrub);
  layout->addWidget(when_);
  layout->addWidget(rows, 1);
  return area;
}

QWidget* KvCachePage::makeFigures() {
  auto* tabs = new QTabWidget;
  tabs->setAccessibleName(tr("Figures"));
  tabs->addTab(figures_, tr("Use"));
  tabs->addTab(block_sizes_, tr("Other block sizes"));
  return tabs;
}

void KvCachePage::setRun(std::shared_ptr<const Run> run) {
  run_ = std::move(run);
  const auto view = run_ ? viewmodel::kv_cache_view(*run_) : std::nullopt;
  if (!view) return showEmpty();
  const KvUsage& kv = run_->serving->kv;
  setAnswer(said(view->answer));
  capacity_->setText(said(view->capacity));
  no_map_->setText(said(view->no_map));
  no_map_->setVisible(!view->no_map.empty());
  map_area_->setVisible(view->no_map.empty());
  figures_->setTable(view->figures);
  block_sizes_->setTable(view->block_sizes);
  waste_->setSource(
      [run = run_](figure::Size size) { return viewmodel::waste_figure(run->serving->kv, size, "kv-waste"); });
  waste_->setTable([table = view->figures] { return table; });
  time_->setRange(0, std::max(static_cast<int>(kv.moments.size()) - 1, 0));
  moment_ = viewmodel::fullest_moment(kv);
  time_->setValue(moment_);
  draw();
  showContent();
}

void KvCachePage::setMoment(int moment) {
  moment_ = std::clamp(moment, time_->minimum(), time_->maximum());
  time_->setValue(moment_);
  draw();
}

void KvCachePage::draw() {
  if (!run_ || !run_->serving) return;
  when_->setText(said(viewmodel::moment_sentence(run_->serving->kv, moment_)));
  map_->setSource([run = run_, moment = moment_](figure::Size size) {
    return viewmodel::occupancy_figure(run->serving->kv, moment, size, "kv-blocks");
  });
  history_->setSource([run = run_, moment = moment_](figure::Size size) {
    return viewmodel::kv_history_figure(run->serving->kv, moment, size, "kv-history");
  });
}

}  // namespace dachlast::ui
