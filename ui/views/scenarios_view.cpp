#include "ui/views/scenarios_view.h"

#include <QHBoxLayout>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/widgets/data_table.h"

namespace dachlast::ui {

ScenariosView::ScenariosView(QWidget* parent)
    : Page(tr("No scenario is pinned. Choose model, GPU and sizes in the scenario dock, then hold several side by "
              "side."),
           tr("Pin this scenario"), parent),
      table_(new DataTable),
      adopt_(new QPushButton(tr("&Adopt"))),
      remove_(new QPushButton(tr("&Remove"))) {
  auto* pin = new QPushButton(tr("&Pin this scenario"));
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(pin);
  buttons->addWidget(adopt_);
  buttons->addWidget(remove_);
  buttons->addStretch();
  body()->addLayout(buttons);
  body()->addWidget(table_, 1);
  connect(this, &Page::emptyButtonClicked, this, &ScenariosView::pinRequested);
  connect(pin, &QPushButton::clicked, this, &ScenariosView::pinRequested);
  const auto with_row = [this](void (ScenariosView::*signal)(int)) {
    return [this, signal] {
      if (const int row = table_->currentDatumRow(); row >= 0) Q_EMIT(this->*signal)(row);
    };
  };
  connect(adopt_, &QPushButton::clicked, this, with_row(&ScenariosView::adoptRequested));
  connect(remove_, &QPushButton::clicked, this, with_row(&ScenariosView::removeRequested));
}

void ScenariosView::setScenarios(const viewmodel::Table& scenarios) {
  table_->setTable(scenarios);
  if (scenarios.rows.empty()) return showEmpty();
  setAnswer(tr("%n scenario(s) side by side.", nullptr, static_cast<int>(scenarios.rows.size())));
  table_->selectRow(0);
  showContent();
}

int ScenariosView::count() const {
  return static_cast<int>(table_->table().rows.size());
}

void ScenariosView::selectScenario(int row) {
  table_->selectRow(row);
}

}  // namespace dachlast::ui
